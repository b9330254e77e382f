"""Mapping files: every error names the line, the key and what is allowed."""

from pathlib import Path

import pytest

from sources.errors import SourceError
from sources.mapping import load_mapping, read_mapping
from sources.mapping.locate import Place, line_of

MAPPING = """\
# A comment first.
source = "sap"

[file]
delimiter = ";"

[values]
date = "%d.%m.%Y"

[all]
account_id = "KUNNR"

[[event]]
event = "InvoiceIssued"
when = { BLART = ["RV"], X = { empty = false } }

[event.fields]
invoice_id = "BELNR"
amount = { column = "WRBTR", sign = "reversed" }
instalments = [
    { number = { constant = 1 }, amount = "X" },
    { number = { constant = 2 }, amount = { column = "Y" } },
]

[[event]]
event = "PaymentReceived"
fields.payment_id = "BELNR"
"""


def test_a_mapping_reads_its_short_forms() -> None:
    mapping = read_mapping(MAPPING, "m.toml").mapping
    assert mapping.all["account_id"].column == "KUNNR"
    assert mapping.event[0].when["BLART"].equals == ["RV"]
    items = mapping.event[0].fields["instalments"].items
    assert items is not None
    assert items[0]["number"].constant == 1
    assert mapping.event[1].fields["payment_id"].column == "BELNR"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("delimiter", "delimter", "m.toml:5: unknown key delimter (did you mean delimiter?)"),
        (
            '"reversed"',
            '"rev"',
            "m.toml:19: event.fields.amount.sign: should be 'as_written', 'reversed' or 'absolute'",
        ),
        ("sign =", "sgn =", "m.toml:19: unknown key sgn (did you mean sign?)"),
        ("empty = false", "emty = false", "m.toml:15: unknown key emty (did you mean empty?)"),
        ('source = "sap"', "", "m.toml:1: the key source is missing"),
        ('"%d.%m.%Y"', '"%d.%m"', "m.toml:8: values.date: '%d.%m' does not hold a whole date"),
        ('"%d.%m.%Y"', '"%d.%m.%Y"\ntimezone = "Paris"', "m.toml:9: values.timezone: 'Paris' is not an IANA time zone"),
        ('";"', '";;"', "m.toml:5: file.delimiter: must be one character"),
        (
            '";"',
            '";"\nencoding = "utf-16"',
            "m.toml:6: file.encoding: 'utf-16' is not one of utf-8, utf-8-sig, latin-1",
        ),
        ('= "KUNNR"', "= 5", "m.toml:11: all.account_id should be a table"),
        ('= "KUNNR"', '= { column = "A", constant = "B" }', "m.toml:11: all.account_id: needs exactly one of column"),
        ('{ column = "Y" }', '{ columns = "Y" }', "m.toml:20: unknown key columns (did you mean column?)"),
        ("[[event]]", "[[event]", "m.toml:13 is not TOML: Expected ']]' at the end of an array declaration"),
        ("[values]", "[[event]]", "m.toml:7: the key event.event is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, expected: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_mapping(MAPPING.replace(old, new, 1), "m.toml")
    assert caught.value.message.startswith(expected)


def test_of_several_problems_the_first_is_shown_and_the_others_are_counted() -> None:
    text = MAPPING.replace("delimiter", "delimter").replace("sign", "sgn")
    with pytest.raises(SourceError, match=r"m.toml:5: unknown key delimter .* \(1 more after it\)"):
        read_mapping(text, "m.toml")


def test_a_mapping_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read the mapping .*: No such file"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="it is not UTF-8 text"):
        load_mapping(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("source",), 2),
        (("values", "date"), 8),
        (("event", 0, "event"), 14),
        (("event", 0, "when", "BLART"), 15),
        (("event", 0, "fields"), 17),
        (("event", 0, "fields", "instalments", 1, "amount"), 20),
        (("event", 1, "event"), 26),
        (("event", 1, "fields", "payment_id"), 27),
        (("nothing",), 1),
    ],
)
def test_lines_of_keys(place: Place, line: int) -> None:
    assert line_of(MAPPING, place) == line


def test_keys_inside_texts_are_no_keys() -> None:
    text = 'a = """\nb = 1\n"""\nb = "# not a comment ["\nc = 3 # a comment\n'
    assert [line_of(text, (name,)) for name in "abc"] == [1, 4, 5]
