"""What ERPs' tables demand of a mapping: baseline dates, stored decimals, fallbacks, lookups, groups, extensions."""

import io
from pathlib import Path

import pytest

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceError, SourceOptions, SourceReject
from sources.csv_file import CsvFile
from sources.mapped_rows import MappedRows
from sources.mapping import check_mapping, load_mapping, read_mapping

HEAD = """\
source = "erp"
[values]
date = "%Y%m%d"
timestamp = "%Y%m%d %H"
timezone = "UTC"
empty = ["", "0", "00000000"]
[all]
account_id = "KUNNR"
occurred_at = { template = "{BUDAT} 12" }
recorded_at = { template = "{BUDAT} 12" }
"""
INVOICE = """\
[[event]]
event = "InvoiceIssued"
[event.fields]
invoice_id = { template = "{BELNR}-{BUZEI}", left_strip = "0", cut_end = "-1" }
document_date = "BUDAT"
due_date = { column = "ZFBDT", plus_days = ["ZBD3T", "ZBD2T", "ZBD1T"] }
amount = { column = "WRBTR", fallback = "DMBTR", stored = { currency = "WAERS", decimals = 2 } }
currency = "WAERS"
"""
HEADER = "BELNR,BUZEI,KUNNR,BUDAT,ZFBDT,ZBD1T,ZBD2T,ZBD3T,WRBTR,DMBTR,WAERS\n"


def read(mapping: str, text: str) -> list[Parsed]:
    """What a text yields."""
    adapter = CsvFile(SourceOptions(company="FR01"), read_mapping(mapping, "m.toml"))
    return list(adapter.read(io.BytesIO(text.encode()), "a.csv"))


def invoice(row: str) -> dict[str, object]:
    """The invoice of a row, as people write it."""
    (value,) = read(HEAD + INVOICE, HEADER + row + "\n")
    assert isinstance(value, ParsedEvent), value
    return write_event(value.name, value.record)


@pytest.mark.parametrize(
    ("days", "due"),
    [
        ("14,30,45", "2026-02-19"),  # net after ZBD3T
        ("14,30,0", "2026-02-04"),  # net after the second cash discount period
        ("14,,", "2026-01-19"),
        ("0,0,0", "2026-01-05"),
        ("14.0,30.000,0.0", "2026-02-04"),
    ],
)
def test_the_net_due_date_is_the_baseline_date_and_the_last_of_the_periods(days: str, due: str) -> None:
    assert invoice(f"1,1,C1,20260105,20260105,{days},10.00,0,EUR")["due_date"] == due


@pytest.mark.parametrize(
    ("stored", "currency", "amount"),
    [("123.45", "EUR", "123.45"), ("123.45", "JPY", "12345"), ("12.34", "KWD", "1.234"), ("7", "JPY", "700")],
)
def test_stored_digits_are_minor_units_of_the_currency(stored: str, currency: str, amount: str) -> None:
    assert invoice(f"1,1,C1,20260105,20260105,0,0,0,{stored},0,{currency}")["amount"] == amount


def test_another_column_stands_in_for_an_empty_one() -> None:
    assert invoice("1,1,C1,20260105,20260105,0,0,0,0,55.00,EUR")["amount"] == "55.00"


def test_an_end_is_cut_where_the_first_is_meant() -> None:
    ids = [invoice(f"{number},C1,20260105,20260105,0,0,0,1.00,0,EUR")["invoice_id"] for number in ("007,1", "7,11")]
    assert ids == ["7", "7-11"]


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("1,1,C1,20260105,20260105,x,0,0,1.00,0,EUR", "ZFBDT", "'x' is not a whole number"),
        ("1,1,C1,20260105,20260105,1.5,0,0,1.00,0,EUR", "ZFBDT", "'1.5' is not a whole number"),
        ("1,1,C1,20260105,20260105,0,0,0,1.005,0,EUR", "WRBTR", "1.005 has more than the 2 decimals"),
        ("1,1,C1,20260105,20260105,0,0,0,1.00,0,EURO", "WRBTR", "'EURO' is not a currency of ISO 4217"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_column(row: str, column: str, message: str) -> None:
    (value,) = read(HEAD + INVOICE, HEADER + row + "\n")
    assert isinstance(value, SourceReject)
    assert (value.position.column, value.message[: len(message)]) == (column, message)


_LOOKUP = '[[lookup]]\nname = "a"\nfile = "x"\nkey = "{K}"\ncolumns = ["C"]'
_LINE = '[clearing.line]\ndocument = "D"\naccount = "K"\namount = "A"\npayment = "P"\ncurrency = { column = "C", '
_LINE += 'format = "%Y" }'


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("WAERS", 'reference = { column = "A", plus_days = ["B"] }', 19,
         "reference is not a date; plus_days is for dates"),
        ("WAERS", 'reference = { template = "{A}", fallback = "B" }', 19,
         "fallback of reference needs `column` beside it"),
        ("WAERS", 'reference = { column = "A", stored = { currency = "A", decimals = 2 } }', 19,
         "reference is not an amount; sign, indicator, implied_decimals and stored are for amounts"),
        ("WAERS", 'reference = { column = "A", changes = { field = "B" } }', 19,
         "event.fields.reference: needs exactly one of"),
        ("WAERS", 'reference = { changes = { field = "B" } }', 19, "reference is no list of changed fields"),
        ("WAERS", f'reference = "a.B"\n{_LOOKUP}', 19, "no lookup has a.B (did you mean a.C?); add it to its columns"),
        ("EVENT", _LOOKUP.replace('"x"', '"../x"'), 13, "../x is not the name of a file beside the one that is read"),
        ("EVENT", f"{_LOOKUP}\n{_LOOKUP}", 17, "there are two lookups called a"),
        ("EVENT", f'[clearing]\nkey = "{{A}}"\ndate = "B"\n{_LINE}', 19, "currency is neither a date nor a time"),
    ],
)  # fmt: skip
def test_what_a_mapping_cannot_mean_is_named_with_its_line(old: str, new: str, line: int, message: str) -> None:
    text = HEAD + INVOICE
    text = text + new + "\n" if old == "WAERS" else text.replace("[[event]]", f"{new}\n[[event]]")
    with pytest.raises(SourceError) as raised:
        check_mapping(read_mapping(text, "m.toml"))
    assert raised.value.message.startswith(f"m.toml:{line}: {message}"), raised.value


LOOKUP = """\
[[lookup]]
name = "customer"
file = "customers.csv"
key = "{ID}"
by = "{KUNNR}"
columns = ["NUMBER"]
"""


def looked_up(folder: Path, customers: str | None, *, optional: bool = False) -> list[Parsed]:
    """An invoice whose account is looked up in a file beside it."""
    mapping = (HEAD + INVOICE).replace(
        'account_id = "KUNNR"', 'account_id = { column = "customer.NUMBER", fallback = "KUNNR" }'
    )
    mapping += LOOKUP + ("optional = true\n" if optional else "")
    if customers is not None:
        (folder / "customers.csv").write_text(customers, encoding="utf-8")
    file = folder / "a.csv"
    file.write_text(HEADER + "1,1,17,20260105,20260105,0,0,0,1.00,0,EUR\n", encoding="utf-8")
    adapter = CsvFile(SourceOptions(company="FR01"), read_mapping(mapping, "m.toml"))
    with file.open("rb") as stream:
        adapter.check(stream, str(file))
        stream.seek(0)
        return list(adapter.read(stream, str(file)))


def account(values: list[Parsed]) -> object:
    """The account of the only event."""
    (value,) = values
    assert isinstance(value, ParsedEvent)
    return value.record["account_id"]


def test_a_row_of_another_file_is_found_by_its_key(tmp_path: Path) -> None:
    assert account(looked_up(tmp_path, "NAME,ID,NUMBER\nA,16,C-16\nB,17,C-17\n")) == "C-17"


def test_a_key_that_is_not_there_gives_nothing(tmp_path: Path) -> None:
    assert account(looked_up(tmp_path, "ID,NUMBER\n16,C-16\n")) == "17"


def test_a_file_may_be_missing_where_the_mapping_says_so(tmp_path: Path) -> None:
    assert account(looked_up(tmp_path, None, optional=True)) == "17"


@pytest.mark.parametrize(
    ("customers", "message"),
    [
        (None, r"there is no .*customers.csv, in which customer is looked up"),
        ("ID,NAME\n17,A\n", r"customers.csv has no column 'NUMBER' .*; it has ID, NAME"),
        ("ID,NUMBER\n17\n", r"customers.csv:2: the row has 1 values, the header 2"),
        ('ID,NUMBER\n17,"A\n', r"customers.csv:2: a quoted value"),
        ("", r"customers.csv has no header that can be read"),
    ],
)
def test_a_file_that_cannot_be_looked_up_in_stops_the_run(tmp_path: Path, customers: str | None, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        looked_up(tmp_path, customers)


AUDIT = """\
source = "erp"
[values]
timezone = "UTC"
[[event]]
event = "UserActivityLogged"
group = "{DOC}"
[event.fields]
event_id = "DOC"
occurred_at = "AT"
action = { constant = "data_changed" }
succeeded = { constant = true }
changes = { changes = { field = "{FIELD}", old = "OLD", new = "NEW" } }
"""


def test_rows_of_a_group_are_one_event() -> None:
    at = "2026-01-05T09:00:00"
    values = read(AUDIT, f"DOC,AT,FIELD,OLD,NEW\n1,{at},a,1,2\n1,{at},a,3,4\n1,{at},b,,x\n2,{at},a,2,\n")
    changes = [write_event(value.name, value.record)["changes"] for value in values if isinstance(value, ParsedEvent)]
    assert changes == [
        {"a": {"old": "1", "new": "2"}, "a (2)": {"old": "3", "new": "4"}, "b": {"new": "x"}},
        {"a": {"old": "2"}},
    ]


def test_a_group_with_a_bad_row_is_rejected_whole_and_the_next_is_not() -> None:
    rows = "1,2026-01-05T09:00:00,a,1,2\n1,yesterday,b,3,4\n2,2026-01-06T09:00:00,a,2,3\n"
    values = read(AUDIT, "DOC,AT,FIELD,OLD,NEW\n" + rows)
    assert [(type(value), value.position.line) for value in values] == [
        (SourceReject, 2), (SourceReject, 3), (ParsedEvent, 4),
    ]  # fmt: skip
    reasons = [(value.reason, value.original) for value in values if isinstance(value, SourceReject)]
    assert reasons == [
        ("group_incomplete", b"1,2026-01-05T09:00:00,a,1,2\n"),
        ("invalid_date", b"1,yesterday,b,3,4\n"),
    ]


def test_a_stream_of_rows_refuses_what_needs_whole_files() -> None:
    mapping = read_mapping(AUDIT, "m.toml")
    with pytest.raises(SourceError, match=r"m.toml looks at several rows .* needs whole files"):
        MappedRows(mapping, ["DOC", "AT", "FIELD", "OLD", "NEW"], SourceOptions(company="FR01"))


def test_a_mapping_says_only_what_is_different_from_another(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'extends = "sap/bsid"\nsource = "s4"\n[file]\ndelimiter = ";"\n[names]\nBELNR = "Beleg"\n'
        '[all]\nregion = { constant = "EMEA" }\n'
    )
    mapping, base = load_mapping(tmp_path / "own.toml").mapping, load_mapping(Path("sap/bsid")).mapping
    assert (mapping.source, mapping.file.delimiter, mapping.names) == ("s4", ";", {"BELNR": "Beleg"})
    assert (mapping.event, mapping.values, mapping.clearing) == (base.event, base.values, base.clearing)
    assert mapping.all == {**base.all, "region": mapping.all["region"]}


def test_columns_may_have_other_names_in_the_file() -> None:
    text = (HEADER + "1,1,C1,20260105,20260105,0,0,0,1.00,0,EUR\n").replace("BELNR", "Beleg Nr.")
    (value,) = read('names = { BELNR = "Beleg Nr." }\n' + HEAD + INVOICE, text)
    assert isinstance(value, ParsedEvent)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'extends = "sap/bsad"\n',
            r"own.toml extends sap/bsad, and there is no such mapping \(did you mean sap/bsid\?\)",
        ),
        ('extends = "own.toml"\n', r"extends more than 4 mappings"),
        ('extends = "sap/bsid"\n[values]\ndate = "x"\n', r"own.toml:3: values.date: 'x' is neither"),
        ('extends = "sap/bsid"\n[all]\nregoin = "A"\n', r"own.toml:3: no event of this mapping has a field regoin"),
    ],
)
def test_what_is_wrong_with_an_extension_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(SourceError, match=message):
        check_mapping(load_mapping(tmp_path / "own.toml"))


def test_a_column_that_only_the_extended_mapping_names_is_shown_there(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('extends = "sap/bsid"\n')
    adapter = CsvFile(SourceOptions(), load_mapping(tmp_path / "own.toml"))
    with pytest.raises(SourceError, match=r"bsid.toml:\d+: a.csv has no column 'CPUDT'"):
        adapter.check(io.BytesIO(b"BUKRS,KUNNR\n"), "a.csv")


def test_a_name_that_is_no_ready_mapping_is_answered_with_the_nearest() -> None:
    with pytest.raises(SourceError, match=r"there is no mapping sap/bsidd \(did you mean sap/bsid\?\)"):
        load_mapping(Path("sap/bsidd"))


def test_names_that_differ_in_case_alone_are_the_same() -> None:
    (value,) = read(HEAD + INVOICE, HEADER.lower() + "1,1,C1,20260105,20260105,0,0,0,1.00,0,EUR\n")
    assert isinstance(value, ParsedEvent)


def test_two_columns_that_differ_in_case_alone_are_not_guessed_at() -> None:
    with pytest.raises(SourceError, match=r"a.csv has no column 'BELNR'"):
        read(HEAD + INVOICE, HEADER.replace("BELNR", "belnr,Belnr") + "1,2,1,C1,20260105,20260105,0,0,0,1.00,0,EUR\n")


def test_a_column_that_may_be_lacking_is_empty_in_every_row() -> None:
    mapping = HEAD.replace("[values]", '[file]\noptional = ["ZBD3T", "DMBTR"]\n[values]') + INVOICE
    header, row = (HEADER.replace("ZBD3T,", "").replace("DMBTR,", ""), "1,1,C1,20260105,20260105,14,30,1.00,EUR\n")
    (value,) = read(mapping, header + row)
    assert isinstance(value, ParsedEvent)
    assert write_event(value.name, value.record)["due_date"] == "2026-02-04"
    (short,) = read(mapping, header + row.replace(",EUR", ""))
    assert isinstance(short, SourceReject)
    assert short.message.startswith("the row has 8 values, the header 9")
