"""The format `csv`: rows become events, whole or not at all; what is bad is named and kept."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro.text import write_event
from sources import Parsed, ParsedEvent, Position, SkippedRow, SourceError, SourceOptions, SourceReject
from sources.csv_file import CsvFile
from sources.mapping import read_mapping

MAPPING = """\
source = "sap"
[file]
delimiter = ";"
[values]
date = "%d.%m.%Y"
timestamp = "%d.%m.%Y %H:%M"
timezone = "Europe/Paris"
decimal_separator = ","
thousands_separator = "."
[all]
account_id = { column = "KUNNR", left_strip = "0" }
occurred_at = "ENTERED"
recorded_at = "ENTERED"
[[skip]]
when = { TYPE = "TOTAL" }
[[event]]
event = "InvoiceIssued"
when = { TYPE = ["RV", "DR"] }
[event.fields]
invoice_id = "NUMBER"
document_type = { column = "TYPE", values = { RV = "invoice", DR = "debit_memo" } }
document_date = "DATE"
amount = { column = "AMOUNT", indicator = { column = "SH", positive = ["S"], negative = ["H"] } }
currency = "CURRENCY"
[[event]]
event = "PaymentReceived"
when = { CLEARED = { empty = false } }
[event.fields]
payment_id = { template = "CLR-{NUMBER}" }
amount = "AMOUNT"
currency = "CURRENCY"
value_date = "CLEARED"
occurred_at = { template = "{CLEARED} 12:00" }
[[event]]
event = "CashApplied"
when = { CLEARED = { empty = false } }
[event.fields]
application_id = { template = "CLR-{NUMBER}" }
payment_id = { template = "CLR-{NUMBER}" }
invoice_id = "NUMBER"
amount = "AMOUNT"
method = { constant = "auto" }
occurred_at = { template = "{CLEARED} 12:00" }
"""
HEADER = "TYPE;NUMBER;KUNNR;DATE;AMOUNT;SH;CURRENCY;CLEARED;ENTERED\n"
GOOD = "RV;9001;0000104711;14.01.2026;1.234,50;S;EUR;;14.01.2026 09:00\n"
CLEARED = "RV;9002;0000104711;14.01.2026;80,00;S;EUR;20.02.2026;14.01.2026 09:00\n"


def read(text: str, mapping: str = MAPPING, company: str | None = "FR01") -> list[Parsed]:
    adapter = CsvFile(SourceOptions(company=company), read_mapping(mapping, "m.toml"))
    return list(adapter.read(io.BytesIO(text.encode()), "a.csv"))


def only_reject(text: str) -> SourceReject:
    """The reject of the row after the header; nothing else is there."""
    (value,) = read(HEADER + text)
    assert isinstance(value, SourceReject)
    return value


def test_a_row_becomes_an_event_with_the_values_of_its_columns() -> None:
    (event,) = read(HEADER + GOOD)
    assert isinstance(event, ParsedEvent)
    assert event.position == Position("a.csv", 2)
    assert write_event(event.name, event.record) == {
        "event": "InvoiceIssued",
        "event_id": "sap/FR01/InvoiceIssued/invoice/9001",
        "company": "FR01",
        "account_id": "104711",
        "occurred_at": "2026-01-14T08:00:00Z",
        "recorded_at": "2026-01-14T08:00:00Z",
        "region": "",
        "invoice_id": "9001",
        "document_type": "invoice",
        "document_date": "2026-01-14",
        "amount": "1234.50",
        "currency": "EUR",
        "source": "sap",
        "actor_id": "sap",
        "actor_role": "system",
    }


def test_a_cleared_invoice_yields_its_payment_and_its_application_too() -> None:
    events = read(HEADER + CLEARED)
    assert [event.name for event in events if isinstance(event, ParsedEvent)] == [
        "InvoiceIssued",
        "PaymentReceived",
        "CashApplied",
    ]


def test_a_row_is_taken_whole_or_not_at_all() -> None:
    reject = only_reject(CLEARED.replace("20.02.2026", "30.02.2026"))
    assert reject.position == Position("a.csv", 2, "{CLEARED} 12:00", "occurred_at")
    assert reject.event_type == "PaymentReceived"


@pytest.mark.parametrize(
    ("old", "new", "reason", "column", "message"),
    [
        ("1.234,50", "1,234.50", "invalid_amount", "AMOUNT", "'1,234.50' is not an amount written like 1.234,50"),
        ("1.234,50", "1,999", "invalid_amount", "AMOUNT", "1.999 has too many decimals: EUR has 2 decimals"),
        ("EUR", "JPY", "invalid_amount", "AMOUNT", "1234.50 has too many decimals: JPY has no decimals"),
        ("EUR", "EURO", "invalid_amount", "CURRENCY", "'EURO' is not a currency of ISO 4217"),
        (";S;", ";X;", "invalid_amount", "AMOUNT", "'X' in SH is not one of S, H"),
        ("14.01.2026;", "2026-01-14;", "invalid_date", "DATE", "'2026-01-14' is not a date of the form %d.%m.%Y"),
        (" 09:00", " 25:00", "invalid_date", "ENTERED", "'14.01.2026 25:00' is not a time of the form"),
        ("9001", "", "missing_field", "NUMBER", "InvoiceIssued needs it"),
        ("RV", "ZZ", "no_event", None, "no event of the mapping applies to the row"),
        ("EUR;;", "EUR;", "wrong_column_count", None, "the row has 8 values, the header 9"),
        ("9001", '"9001', "malformed_row", None, "a quoted value that begins here does not end properly"),
    ],
)
def test_a_bad_value_is_named_with_its_column_and_the_row_is_kept(
    old: str, new: str, reason: str, column: str | None, message: str
) -> None:
    row = GOOD.replace(old, new, 1)
    reject = only_reject(row)
    assert (reject.reason, reject.position.line, reject.position.column) == (reason, 2, column)
    assert reject.message.startswith(message)
    assert reject.original == row.encode()
    assert reject.company == "FR01"


def test_a_bad_row_does_not_stop_the_file() -> None:
    values = read(HEADER + GOOD.replace("EUR", "EURO") + CLEARED + GOOD)
    assert [type(value) for value in values] == [SourceReject, ParsedEvent, ParsedEvent, ParsedEvent, ParsedEvent]


def test_totals_are_skipped_on_purpose() -> None:
    assert read(HEADER + "TOTAL;2;;;;;;;\n") == [SkippedRow(Position("a.csv", 2))]


def test_empty_values_after_the_last_column_say_nothing() -> None:
    (event,) = read(HEADER + GOOD.replace("\n", ";;\n"))
    assert isinstance(event, ParsedEvent)


def test_another_company_in_a_row_is_refused() -> None:
    mapping = MAPPING.replace("[all]\n", '[all]\ncompany = "SH"\n')
    (reject,) = read(HEADER + GOOD, mapping)
    assert isinstance(reject, SourceReject)
    assert reject.reason == "wrong_company"


def test_without_a_company_nothing_is_read() -> None:
    with pytest.raises(SourceError, match=r"m.toml maps no company"):
        read(HEADER + GOOD, company=None)


def test_a_missing_column_is_one_error_before_any_event() -> None:
    adapter = CsvFile(SourceOptions(company="FR01"), read_mapping(MAPPING, "m.toml"))
    with pytest.raises(SourceError, match=r"m.toml:22: a.csv has no column 'DATE'"):
        adapter.check(io.BytesIO(HEADER.replace("DATE;", "").encode()), "a.csv")


def test_an_empty_file_has_no_header() -> None:
    with pytest.raises(SourceError, match=r"a.csv is empty"):
        read("")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named_and_nothing_is_read(encoding: str) -> None:
    adapter = CsvFile(SourceOptions(company="FR01"), read_mapping(MAPPING, "m.toml"))
    with pytest.raises(SourceError, match=r"a\.csv is UTF-16, or no text at all\. Save it as UTF-8"):
        adapter.check(io.BytesIO((HEADER + GOOD).encode(encoding)), "a.csv")


def test_a_file_without_a_header_and_with_a_title() -> None:
    columns = ", ".join(f'"{name}"' for name in HEADER.strip().split(";"))
    mapping = MAPPING.replace("[file]\n", f"[file]\nskip_lines = 1\ncolumns = [{columns}]\n")
    (event,) = read("Open items of January\n" + GOOD, mapping)
    assert isinstance(event, ParsedEvent)


def test_instalments_come_from_columns_and_empty_ones_are_left_out() -> None:
    mapping = MAPPING.replace(
        'currency = "CURRENCY"\n',
        'currency = "CURRENCY"\ninstalments = [\n{ number = { constant = 1 }, due_date = "D1", amount = "A1" },\n'
        '{ number = { constant = 2 }, due_date = "D2", amount = "A2" },\n]\n',
        1,
    )
    header = HEADER.replace("\n", ";D1;A1;D2;A2\n")
    (event,) = read(header + GOOD.replace("\n", ";13.02.2026;1.234,50;;\n"), mapping)
    assert isinstance(event, ParsedEvent)
    assert event.record["instalments"] == [{"number": 1, "due_date": 20_497, "amount_minor": 123_450}]


def test_credits_that_are_negative_become_credit_memos_by_their_sign() -> None:
    mapping = """\
source = "erp"
[values]
timezone = "UTC"
negative = "parentheses"
[all]
occurred_at = "T"
document_date = "D"
currency = "C"
[[event]]
event = "InvoiceIssued"
when = { A = { sign = "positive" } }
fields = { invoice_id = "N", amount = "A" }
[[event]]
event = "CreditMemoIssued"
when = { A = { sign = "negative" } }
fields = { credit_memo_id = "N", amount = { column = "A", sign = "reversed" } }
"""
    rows = "N,D,A,C,T\n1,2026-01-14,10.00,EUR,2026-01-14T09:00:00\n2,2026-01-14,(4.00),EUR,2026-01-14T09:00:00\n"
    rows += "3,2026-01-14,?,EUR,2026-01-14T09:00:00\n"
    invoice, credit, reject = read(rows, mapping)
    assert isinstance(invoice, ParsedEvent)
    assert isinstance(credit, ParsedEvent)
    assert (invoice.name, invoice.record["amount_minor"]) == ("InvoiceIssued", 1000)
    assert (credit.name, credit.record["amount_minor"]) == ("CreditMemoIssued", 400)
    assert isinstance(reject, SourceReject)
    assert reject.reason == "invalid_amount"


def test_the_same_file_read_again_gives_the_same_ids() -> None:
    def ids() -> list[str]:
        return [value.record["event_id"] for value in read(HEADER + GOOD + CLEARED) if isinstance(value, ParsedEvent)]

    assert ids() == ids()
    assert len(set(ids())) == 4


def test_a_changed_amount_keeps_its_id_unless_the_mapping_says_otherwise() -> None:
    changed = GOOD.replace("1.234,50", "99,00")
    first, second = read(HEADER + GOOD + changed)
    assert isinstance(first, ParsedEvent)
    assert isinstance(second, ParsedEvent)
    assert first.record["event_id"] == second.record["event_id"]
    mapping = MAPPING.replace("[all]\n", '[all]\nevent_id = { template = "sap/{TYPE}/{NUMBER}/{AMOUNT}" }\n')
    first, second = read(HEADER + GOOD + changed, mapping)
    assert isinstance(first, ParsedEvent)
    assert isinstance(second, ParsedEvent)
    assert first.record["event_id"] == "sap/RV/9001/1.234,50"
    assert second.record["event_id"] == "sap/RV/9001/99,00"


CELLS = st.text(max_size=6) | st.sampled_from(
    ["RV", "DR", "TOTAL", "9001", "00", "14.01.2026", "1.234,50", "12", "-3", "S", "H", "EUR", "JPY", "", " ", '"']
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=11).map(";".join), max_size=8), st.binary(max_size=40))
def test_any_text_gives_events_rejects_or_skips_for_every_row(lines: list[str], noise: bytes) -> None:
    adapter = CsvFile(SourceOptions(company="FR01"), read_mapping(MAPPING, "m.toml"))
    data = HEADER.encode() + "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n" + noise
    values = list(adapter.read(io.BytesIO(data), "a.csv"))
    answered = {value.position.line for value in values}
    filled = {number for number, line in enumerate(io.BytesIO(data), start=1) if number > 1 and line.strip()}
    covered = set()
    for value in values:
        lines_of_row = value.original.count(b"\n") if isinstance(value, SourceReject) else 1
        covered |= set(range(value.position.line, value.position.line + max(1, lines_of_row) + 1))
    assert answered <= filled
    assert not filled - covered


def test_the_samples_of_the_repository_read_without_a_reject(repository: Path) -> None:
    for mapping in sorted((repository / "examples").glob("*/*.toml")):
        adapter = CsvFile(SourceOptions(company=mapping.parent.name), read_mapping(mapping.read_text(), mapping.name))
        with mapping.with_suffix(".csv").open("rb") as stream:
            assert not [value for value in adapter.read(stream, mapping.stem) if isinstance(value, SourceReject)]
