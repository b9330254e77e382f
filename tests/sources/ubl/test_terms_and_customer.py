"""When a document must be paid, and by whom."""

from pathlib import Path

import pytest

from tests.sources.ubl.reading import amount, document, events

PAYABLE = amount("PayableAmount", "100.00")


def terms(*elements: str) -> str:
    return f"<cac:PaymentTerms>{''.join(elements)}</cac:PaymentTerms>"


def note(words: str) -> str:
    return terms(f"<cbc:Note>{words}</cbc:Note>")


@pytest.mark.parametrize(
    "element",
    [
        "<cbc:DueDate>2026-04-01</cbc:DueDate>",
        "<cbc:DueDate>2026-04-01+02:00</cbc:DueDate>",
        "<cac:PaymentMeans><cbc:PaymentDueDate>2026-04-01</cbc:PaymentDueDate></cac:PaymentMeans>",
        terms("<cbc:PaymentDueDate>2026-04-01</cbc:PaymentDueDate>"),
        terms("<cbc:InstallmentDueDate>2026-04-01</cbc:InstallmentDueDate>"),
    ],
)
def test_where_the_due_date_may_stand(element: str) -> None:
    assert events(document(PAYABLE, element))[0]["due_date"] == "2026-04-01"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Net 30", "NET30"),
        ("NET 45 days", "NET45"),
        ("netto 14 Tage", "NET14"),
        ("#SKONTO#TAGE=14#PROZENT=2.00#\nZahlbar innerhalb von 30 Tagen netto", "NET30"),
        ("30 days net", "NET30"),
        ("Payment within 30 days, 2% discount within 10 days", "Payment within 30 days, 2% discount within 10 days"),
        ("internet 30 included", "internet 30 included"),
        ("Net 2% surcharge", "Net 2% surcharge"),
    ],
)
def test_terms_in_words(words: str, kept: str) -> None:
    (event,) = events(document(PAYABLE, note(words)))
    assert event["payment_terms"] == kept
    assert "due_date" not in event


def test_words_stay_words_beside_a_due_date() -> None:
    (event,) = events(document(PAYABLE, "<cbc:DueDate>2026-04-01</cbc:DueDate>", note("Net 30")))
    assert (event["due_date"], event["payment_terms"]) == ("2026-04-01", "Net 30")


def test_instalments_add_up_to_what_is_payable() -> None:
    parts = [
        terms(f"<cbc:PaymentDueDate>2026-0{month}-01</cbc:PaymentDueDate>", amount("Amount", value))
        for month, value in ((4, "60"), (5, "40"))
    ]
    (event,) = events(document(PAYABLE, *parts))
    assert [part["amount"] for part in event["instalments"]] == ["60.00", "40.00"]
    (event,) = events(document(amount("PayableAmount", 101), *parts))
    assert event["due_date"] == "2026-04-01"
    assert "instalments" not in event


ASSIGNED = "<cbc:SupplierAssignedAccountID>A-1</cbc:SupplierAssignedAccountID>"
IDENTIFIED = "<cac:PartyIdentification><cbc:ID>P-1</cbc:ID></cac:PartyIdentification>"
ENDPOINT = '<cbc:EndpointID schemeID="0088">7300010000001</cbc:EndpointID>'
LEGAL = (
    "<cac:PartyLegalEntity><cbc:RegistrationName>Bygg AB</cbc:RegistrationName>"
    "<cbc:CompanyID>556677</cbc:CompanyID></cac:PartyLegalEntity>"
)


@pytest.mark.parametrize(
    ("customer", "account"),
    [
        (f"{ASSIGNED}<cac:Party>{ENDPOINT}{IDENTIFIED}{LEGAL}</cac:Party>", "A-1"),
        (f"<cac:Party>{ENDPOINT}{IDENTIFIED}{LEGAL}</cac:Party>", "P-1"),
        (f"<cac:Party>{ENDPOINT}{LEGAL}</cac:Party>", "7300010000001"),
        (f"<cac:Party>{LEGAL}</cac:Party>", "556677"),
        ("<cac:Party><cac:PartyName><cbc:Name>Bygg</cbc:Name></cac:PartyName></cac:Party>", "Bygg"),
    ],
)
def test_the_first_thing_that_names_the_customer_is_the_account(customer: str, account: str) -> None:
    assert events(document(PAYABLE, customer=customer))[0]["account_id"] == account


@pytest.mark.parametrize("known", ["P-1", "7300010000001", "556677", "bygg ab"])
def test_the_table_knows_the_customer_by_any_of_them(known: str, tmp_path: Path) -> None:
    payers = tmp_path / "payers.csv"
    payers.write_text(f"payer,account_id\n{known},T-1\n", encoding="utf-8")
    customer = f"<cac:Party>{ENDPOINT}{IDENTIFIED}{LEGAL}</cac:Party>"
    assert events(document(PAYABLE, customer=customer), payers=payers)[0]["account_id"] == "T-1"
