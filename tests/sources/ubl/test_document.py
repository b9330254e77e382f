"""Documents by their type and sign: what they make of the receivable."""

from typing import Any

import pytest

from sources import SkippedRow
from tests.sources.ubl.reading import amount, document, events, read, reject

PAYABLE = amount("PayableAmount", "100.00")
BILLED = (
    "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>I-0</cbc:ID></cac:InvoiceDocumentReference>"
    "</cac:BillingReference>"
)


def taken(data: bytes, form: str = "ubl-invoice") -> dict[str, Any]:
    (event,) = events(data, form)
    return event


@pytest.mark.parametrize("code", ["380", "389", "326", "386", "82", "751", "384"])
def test_types_that_are_owed(code: str) -> None:
    event = taken(document(PAYABLE, type_code=code))
    assert (event["event"], event["document_type"], event["amount"]) == ("InvoiceIssued", "invoice", "100.00")


@pytest.mark.parametrize("code", ["383", "84", "80"])
def test_debit_notes_are_debit_memos(code: str) -> None:
    assert taken(document(PAYABLE, type_code=code))["document_type"] == "debit_memo"


@pytest.mark.parametrize("code", ["381", "396", "261"])
def test_an_invoice_of_a_credit_type_is_a_credit(code: str) -> None:
    event = taken(document(PAYABLE, BILLED, type_code=code))
    assert (event["event"], event["amount"], event["invoice_id"]) == ("CreditMemoIssued", "100.00", "I-0")


@pytest.mark.parametrize("code", ["380", "384"])
def test_an_invoice_below_zero_is_a_credit(code: str) -> None:
    event = taken(document(amount("PayableAmount", "-100"), BILLED, type_code=code))
    assert (event["event"], event["amount"], event["invoice_id"]) == ("CreditMemoIssued", "100.00", "I-0")


def test_a_credit_note_is_a_credit_and_below_zero_a_debit_memo() -> None:
    note = document(PAYABLE, BILLED, kind="CreditNote", type_code="381")
    assert taken(note, "ubl-credit-note")["event"] == "CreditMemoIssued"
    below = taken(document(amount("PayableAmount", -5), kind="CreditNote", type_code="381"), "ubl-credit-note")
    assert (below["event"], below["document_type"], below["amount"]) == ("InvoiceIssued", "debit_memo", "5.00")


def test_a_corrected_invoice_stands_in_place_of_the_one_it_names() -> None:
    cancelled, issued = events(document(PAYABLE, BILLED, type_code="384"))
    assert (cancelled["event"], cancelled["invoice_id"], cancelled["effective_date"]) == (
        "InvoiceCancelled", "I-0", "2026-03-02",
    )  # fmt: skip
    assert (issued["event"], issued["invoice_id"]) == ("InvoiceIssued", "I-1")


def test_a_corrected_invoice_does_not_cancel_itself() -> None:
    assert taken(document(PAYABLE, BILLED, type_code="384", number="I-0"))["event"] == "InvoiceIssued"


def test_a_credit_for_several_invoices_names_none() -> None:
    event = taken(document(PAYABLE, BILLED, BILLED.replace("I-0", "I-9"), type_code="381"))
    assert "invoice_id" not in event


def test_nothing_to_pay_is_still_a_document() -> None:
    assert taken(document(amount("PayableAmount", "0")))["amount"] == "0.00"


def test_a_pro_forma_and_a_copy_ask_for_no_payment() -> None:
    for data, word in (
        (document(PAYABLE, type_code="325"), "pro_forma"),
        (document(PAYABLE, "<cbc:CopyIndicator>true</cbc:CopyIndicator>"), "copy"),
    ):
        assert [value.reason for value in read(data) if isinstance(value, SkippedRow)] == [word]


def test_the_other_kind_is_named_with_its_format() -> None:
    note = document(PAYABLE, kind="CreditNote", type_code="381")
    assert reject(note).message.endswith("it has no Invoice, but CreditNote; use --as ubl-credit-note")
    assert reject(document(PAYABLE), "ubl-credit-note").message.endswith("use --as ubl-invoice")


def test_both_kinds_in_an_envelope_are_taken_by_their_own_format() -> None:
    both = b"<batch>" + document(PAYABLE) + document(PAYABLE, kind="CreditNote", type_code="381") + b"</batch>"
    assert [getattr(value, "reason", "event") for value in read(both)] == ["event", "ubl-credit-note"]
    assert [getattr(value, "reason", "event") for value in read(both, "ubl-credit-note")] == ["ubl-invoice", "event"]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"<rsm:CrossIndustryInvoice xmlns:rsm='urn:x'/>", "wrong_document", "Cross Industry Invoice"),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'/>", "wrong_document", "root element is"),
        (b"<Invoice><ID>1</ID></Invoice>", "unsupported_version", "no namespace"),
        (b"<Invoice xmlns='http://www.ebinterface.at/schema/6p1/'/>", "unsupported_version", "not of UBL 2"),
        (b"not xml", "malformed_file", ""),
        (b"", "malformed_file", ""),
    ],
)
def test_what_is_no_ubl_is_refused(data: bytes, reason: str, words: str) -> None:
    found = reject(data)
    assert found.reason == reason
    assert words in found.message


@pytest.mark.parametrize("element", ["ID", "IssueDate"])
def test_number_and_date_must_be_there(element: str) -> None:
    data = document(PAYABLE).replace(f"<cbc:{element}>I-1</cbc:{element}>".encode(), b"")
    data = data.replace(f"<cbc:{element}>2026-03-02</cbc:{element}>".encode(), b"")
    assert reject(data).message.endswith(f"the Invoice has no {element}")


def test_a_date_that_is_none_is_rejected() -> None:
    assert reject(document(PAYABLE).replace(b"2026-03-02", b"2026-02-30")).reason == "invalid_date"


def test_reference_is_the_order_else_the_buyers() -> None:
    buyer, order = (
        "<cbc:BuyerReference>B</cbc:BuyerReference>",
        "<cac:OrderReference><cbc:ID>O</cbc:ID></cac:OrderReference>",
    )
    assert taken(document(PAYABLE, buyer, order))["reference"] == "O"
    assert taken(document(PAYABLE, buyer))["reference"] == "B"
