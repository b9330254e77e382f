"""Documents that were cleared together settle each other, and nothing is refused by the ledger."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceOptions, SourceReject
from sources.csv_file import CsvFile
from sources.mapping import read_mapping
from tests.sources.books import fold

DOCUMENTS = """\
source = "erp"
[values]
timezone = "UTC"
[all]
account_id = "ACCOUNT"
occurred_at = { template = "{DATE} 12:00" }
recorded_at = { template = "{DATE} 12:00" }
amount = "AMOUNT"
currency = "CURRENCY"
[[event]]
event = "InvoiceIssued"
when = { KIND = "I" }
fields = { invoice_id = "NUMBER", document_date = "DATE" }
[[event]]
event = "CreditMemoIssued"
when = { KIND = "M" }
fields = { credit_memo_id = "NUMBER", document_date = "DATE", invoice_id = "FOR" }
[[event]]
event = "PaymentReceived"
when = { KIND = "P" }
fields = { payment_id = "NUMBER", value_date = "DATE" }
[clearing]
key = "{CLEARED}"
date = "CLEARED_ON"
reference = "FOR"
method = "auto"
"""
HEADER = "KIND,NUMBER,ACCOUNT,DATE,AMOUNT,CURRENCY,FOR,CLEARED,CLEARED_ON\n"
LINES = """\
source = "erp"
[values]
timezone = "UTC"
[all]
occurred_at = { template = "{DATE} 12:00" }
recorded_at = { template = "{DATE} 12:00" }
[clearing]
key = "{PAYMENT}{WORKSHEET}"
date = "DATE"
[clearing.line]
document = "NUMBER"
account = "ACCOUNT"
amount = "AMOUNT"
currency = "CURRENCY"
payment = "PAYMENT"
[[event]]
event = "InvoiceWrittenOff"
when = { KIND = "W" }
fields = { write_off_id = "NUMBER", account_id = "ACCOUNT", invoice_id = "NUMBER", amount = "AMOUNT" }
"""


def read(text: str, mapping: str = DOCUMENTS) -> list[Parsed]:
    """What a file yields."""
    adapter = CsvFile(SourceOptions(company="FR01"), read_mapping(mapping, "m.toml"))
    return list(adapter.read(io.BytesIO(text.encode()), "a.csv"))


def events(values: list[Parsed]) -> list[ParsedEvent]:
    """The events alone."""
    return [value for value in values if isinstance(value, ParsedEvent)]


def applied(values: list[Parsed]) -> list[tuple[str, str, str]]:
    """(credit, invoice, amount) of every application."""
    made = [write_event(event.name, event.record) for event in events(values) if event.name == "CashApplied"]
    return [(one.get("payment_id") or one["credit_memo_id"], one["invoice_id"], one["amount"]) for one in made]


def test_credits_of_the_own_account_and_what_they_name_come_first() -> None:
    rows = [
        "I,I1,C1,2026-01-01,100.00,EUR,,X,2026-02-01", "I,I2,C2,2026-01-02,40.00,EUR,,X,2026-02-01",
        "P,P1,C2,2026-02-01,60.00,EUR,,X,2026-02-01", "P,P2,C1,2026-01-20,30.00,EUR,I2,X,2026-02-01",
        "M,M1,C1,2026-01-15,50.00,EUR,,X,2026-02-01",
    ]  # fmt: skip
    values = read(HEADER + "\n".join(rows) + "\n")
    assert applied(values) == [
        ("P2", "I2", "30.00"), ("M1", "I1", "50.00"), ("P1", "I2", "10.00"), ("P1", "I1", "50.00"),
    ]  # fmt: skip
    books = fold("FR01", events(values))
    assert (books.rejected, {number for number, left in books.open.items() if left}) == ([], set())


def test_a_partial_payment_is_applied_while_nothing_is_cleared_and_not_again_afterwards() -> None:
    rows = ["I,I1,C1,2026-01-01,100.00,EUR,,{key}", "P,P1,C1,2026-01-20,30.00,EUR,I1,{key}"]
    before = read(HEADER + "\n".join(row.format(key=",") for row in rows) + "\n")
    rows.append("P,P2,C1,2026-02-01,70.00,EUR,,{key}")
    after = read(HEADER + "\n".join(row.format(key="X,2026-02-01") for row in rows) + "\n")
    assert applied(before) == [("P1", "I1", "30.00")]
    books = fold("FR01", [*events(before), *events(after)])
    assert books.rejected == []
    assert books.open == {("invoice", "I1"): 0, ("payment", "P1"): 0, ("payment", "P2"): 0}


def test_a_bad_row_keeps_its_clearing_open_until_it_is_mended() -> None:
    rows = ["I,I1,C1,2026-01-01,100.00,EUR,,X,2026-02-01", "P,P1,C1,2026-02-01,1OO.00,EUR,,X,2026-02-01"]
    values = read(HEADER + "\n".join(rows) + "\n")
    assert [type(value) for value in values] == [ParsedEvent, SourceReject]
    mended = read(HEADER + "\n".join(rows).replace("1OO", "100") + "\n")
    assert fold("FR01", [*events(values), *events(mended)]).rejected == []


def test_lines_of_a_payment_are_netted_credits_first() -> None:
    header = "KIND,NUMBER,ACCOUNT,DATE,AMOUNT,CURRENCY,PAYMENT,WORKSHEET\n"
    rows = [
        "L,I1,C1,2026-02-01,100.00,EUR,P1,", "L,I2,C1,2026-02-01,50.00,EUR,P1,", "L,M1,C1,2026-02-01,-30.00,EUR,P1,",
        "L,I1,C1,2026-02-01,-10.00,EUR,P1,", "L,I3,C1,2026-02-02,5.00,EUR,,W1", "L,M2,C1,2026-02-02,-5.00,EUR,,W1",
    ]  # fmt: skip
    assert applied(read(header + "\n".join(rows) + "\n", LINES)) == [
        ("M1", "I1", "30.00"), ("P1", "I1", "60.00"), ("P1", "I2", "50.00"), ("M2", "I3", "5.00"),
    ]  # fmt: skip


def test_a_line_that_cannot_be_read_is_a_bad_row() -> None:
    header = "KIND,NUMBER,ACCOUNT,DATE,AMOUNT,CURRENCY,PAYMENT,WORKSHEET\n"
    rows = ["L,I1,C1,2026-02-01,1.005,EUR,P1,", "L,,C1,2026-02-01,1.00,EUR,P2,", "L,I1,C1,yesterday,1.00,EUR,P3,"]
    values = read(header + "\n".join(rows) + "\n", LINES)
    assert [value.reason for value in values if isinstance(value, SourceReject)] == [
        "invalid_amount", "missing_field", "invalid_date",
    ]  # fmt: skip


def test_a_settlement_that_is_no_event_is_rejected_as_it_would_have_been() -> None:
    header = "KIND,NUMBER,ACCOUNT,DATE,AMOUNT,CURRENCY,PAYMENT,WORKSHEET\n"
    mapping = LINES.replace("[all]\n", '[all]\ncompany = "WORKSHEET"\n')
    values = read(header + "L,I1,C1,2026-02-01,1.00,EUR,P1,US01\n", mapping)
    (rejected,) = [value for value in values if isinstance(value, SourceReject)]
    assert (rejected.reason, rejected.position.line) == ("wrong_company", 2)
    assert b'"invoice_id":"I1"' in rejected.original


_DOCUMENT = st.tuples(
    st.sampled_from("IIMP"), st.sampled_from(["C1", "C2"]), st.integers(1, 28), st.integers(1, 500),
    st.sampled_from(["EUR", "JPY"]), st.sampled_from(["", "X", "Y"]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(_DOCUMENT, max_size=12), st.booleans())
def test_whatever_was_cleared_is_closed_and_the_rest_is_open(
    documents: list[tuple[str, str, int, int, str, str]], twice: bool
) -> None:
    rows, expected = [], {}
    kinds = {"I": "invoice", "M": "credit_memo", "P": "payment"}
    for number, (kind, account, day, amount, currency, key) in enumerate(documents):
        written = f"{amount / 100:.2f}" if currency == "EUR" else str(amount)
        cleared = f"{key},2026-03-{day:02}" if key else ","
        rows.append(f"{kind},{kind}{number},{account},2026-02-{day:02},{written},{currency},,{cleared}\n")
        expected[kinds[kind], f"{kind}{number}"] = 0 if key else amount
    made = events(read(HEADER + "".join(rows)))
    books = fold("FR01", made * (1 + twice))
    assert [(one.event_id, one.message) for one in books.rejected] == []
    # What a payment was cleared against without being in the file is a debit memo of its own, settled at once.
    assert {number: left for number, left in books.open.items() if number in expected} == expected
    assert not {number for number, left in books.open.items() if left and number not in expected}
