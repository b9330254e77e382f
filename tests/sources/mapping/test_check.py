"""A mapping is held against the contracts and the header before a row is read."""

import pytest

from sources.errors import SourceError
from sources.mapping import check_columns, check_mapping, read_mapping

MAPPING = """\
source = "sap"
[values]
timezone = "Europe/Paris"
[all]
account_id = "CUSTOMER"
occurred_at = "ENTERED"
[[event]]
event = "InvoiceIssued"
[event.fields]
invoice_id = "NUMBER"
document_type = { column = "TYPE", values = { RV = "invoice" } }
document_date = "DATE"
amount = "AMOUNT"
currency = "CURRENCY"
"""
COLUMNS = ["CUSTOMER", "ENTERED", "NUMBER", "TYPE", "DATE", "AMOUNT", "CURRENCY"]


def problem(text: str) -> str:
    """What is wrong with a mapping, as the user reads it."""
    with pytest.raises(SourceError) as caught:
        check_mapping(read_mapping(text, "m.toml"))
    return caught.value.message


def test_a_mapping_that_fits_is_accepted() -> None:
    mapping = read_mapping(MAPPING, "m.toml")
    check_mapping(mapping)
    check_columns(mapping, [*COLUMNS, "MORE"], "a.csv")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("InvoiceIssued", "InvoiceIsued", "m.toml:8: there is no event InvoiceIsued (did you mean InvoiceIssued?)"),
        ("InvoiceIssued", "ClockTicked", "m.toml:8: there is no event ClockTicked"),
        (
            "document_date =",
            "document_dat =",
            "m.toml:8: InvoiceIssued needs document_date; map it in [event.fields] (1",
        ),
        (
            "document_type",
            "document_typ",
            "m.toml:11: InvoiceIssued has no field document_typ (did you mean document_type?)",
        ),
        ('"invoice" }', '"invoce" }', "m.toml:11: document_type is never 'invoce'; it is one of invoice, debit_memo"),
        (
            "account_id",
            "acount_id",
            "m.toml:5: no event of this mapping has a field acount_id (did you mean account_id?)",
        ),
        (
            'timezone = "Europe/Paris"',
            "",
            "m.toml:6: times of occurred_at may name no offset; set timezone in [values]",
        ),
        ('= "NUMBER"', '= { column = "NUMBER", sign = "reversed" }', "m.toml:10: invoice_id is not an amount"),
        ('= "NUMBER"', '= { column = "NUMBER", split = "," }', "m.toml:10: invoice_id is not a list of texts"),
        ('= "NUMBER"', '= { column = "NUMBER", timezone = "UTC" }', "m.toml:10: invoice_id is not a time"),
        ('= "NUMBER"', '= { column = "NUMBER", format = "iso" }', "m.toml:10: invoice_id is neither a date nor a time"),
        ('= "NUMBER"', '= { column = "NUMBER", otherwise = "x" }', "m.toml:10: otherwise of invoice_id needs `values`"),
        ('= "NUMBER"', '= [{ a = "NUMBER" }]', "m.toml:10: invoice_id is one value, not a list of tables"),
        ('= "DATE"', '= { column = "DATE", format = "%d" }', "m.toml:12: format of document_date: '%d' does not hold"),
        ('= "CURRENCY"', '= "CURRENCY"\ninstalments = "X"', "m.toml:15: instalments is a list; write"),
        (
            '= "CURRENCY"',
            '= "CURRENCY"\ninstalments = [{ number = "X" }]',
            "m.toml:15: an element of instalments needs due_date, amount",
        ),
    ],
)
def test_what_no_event_can_have_is_named_with_its_line(old: str, new: str, expected: str) -> None:
    assert problem(MAPPING.replace(old, new, 1)).startswith(expected)


def test_a_condition_must_be_a_regular_expression_where_it_says_so() -> None:
    text = MAPPING.replace("[event.fields]", 'when = { TYPE = { matches = "(" } }\n[event.fields]', 1)
    assert problem(text).startswith("m.toml:9: matches of TYPE is not a regular expression")


def test_a_list_of_changes_is_not_for_columns() -> None:
    text = 'source = "ui"\n[[event]]\nevent = "UserActivityLogged"\n[event.fields]\noccurred_at = "T"\naction = "A"\n'
    text += 'succeeded = "S"\nchanges = "C"\n[values]\ntimezone = "UTC"\n'
    assert problem(text).startswith("m.toml:8: changes cannot be taken from columns; send such events as jsonl")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["CUSTOMER", "ENTERED", "NUMBR", "TYPE", "DATE", "AMOUNT", "CURRENCY"],
            "m.toml:10: a.csv has no column 'NUMBER' (did you mean NUMBR?); it has CUSTOMER, ENTERED, NUMBR, TYPE,",
        ),
        ([*COLUMNS, "AMOUNT"], "m.toml:13: a.csv has the column 'AMOUNT' more than once"),
    ],
)
def test_a_column_that_is_missing_or_doubled_is_named_with_what_the_file_has(columns: list[str], expected: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_columns(read_mapping(MAPPING, "m.toml"), columns, "a.csv")
    assert caught.value.message.startswith(expected)


def test_a_column_that_is_doubled_but_not_used_is_no_matter() -> None:
    check_columns(read_mapping(MAPPING, "m.toml"), [*COLUMNS, "NOTE", "NOTE"], "a.csv")
