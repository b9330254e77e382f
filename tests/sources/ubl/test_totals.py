"""Totals of a document: what must agree, what senders place differently, and what is refused with its numbers."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import SourceReject
from tests.sources.ubl.reading import amount, document, events, read, reject


def line(value: object) -> str:
    return f"<cac:InvoiceLine>{amount('LineExtensionAmount', value)}</cac:InvoiceLine>"


def tax(value: object, currency: str = "EUR") -> str:
    return f"<cac:TaxTotal>{amount('TaxAmount', value, currency)}</cac:TaxTotal>"


def allowance(value: object, *, is_charge: bool) -> str:
    indicator = f"<cbc:ChargeIndicator>{str(is_charge).lower()}</cbc:ChargeIndicator>"
    return f"<cac:AllowanceCharge>{indicator}{amount('Amount', value)}</cac:AllowanceCharge>"


def total(**amounts: object) -> str:
    names = {
        "net": "LineExtensionAmount", "exclusive": "TaxExclusiveAmount", "inclusive": "TaxInclusiveAmount",
        "allowances": "AllowanceTotalAmount", "charges": "ChargeTotalAmount", "prepaid": "PrepaidAmount",
        "rounding": "PayableRoundingAmount", "payable": "PayableAmount",
    }  # fmt: skip
    return "".join(amount(names[name], value) for name, value in amounts.items())


def payable(data: bytes) -> str:
    (event,) = events(data)
    said: str = event["amount"]
    return said


GOOD = total(net=100, exclusive=100, inclusive=119, payable=119)


def test_a_document_that_agrees_is_taken() -> None:
    assert payable(document(GOOD, tax(19), line(40), line(60))) == "119.00"


@pytest.mark.parametrize(
    ("totals", "name", "numbers"),
    [
        (total(net=101, exclusive=100, inclusive=119, payable=119), "LineExtensionAmount", ("101", "100")),
        (total(net=100, exclusive=99, inclusive=119, payable=119), "TaxExclusiveAmount", ("99", "100")),
        (total(net=100, exclusive=100, inclusive=120, payable=120), "TaxInclusiveAmount", ("120", "119")),
        (total(net=100, exclusive=100, inclusive=119, payable=118), "PayableAmount", ("118", "119")),
        (total(net=100, exclusive=100, inclusive=119, prepaid=19, payable=119), "PayableAmount", ("119", "100")),
        (total(net=100, exclusive=100, inclusive=119, rounding=1, payable=119), "PayableAmount", ("119", "120")),
        (total(net=100, exclusive=90, inclusive=109, allowances=5, payable=109), "TaxExclusiveAmount", ("90", "95")),
    ],
)
def test_a_total_that_disagrees_refuses_the_document_with_the_numbers(
    totals: str, name: str, numbers: tuple[str, str]
) -> None:
    found = reject(document(totals, tax(19), line(40), line(60)))
    assert found.reason == "control_total_mismatch"
    assert f"{name} is {numbers[0]}, but " in found.message
    assert f" {numbers[1]} EUR" in found.message


def test_totals_that_are_not_given_are_not_asked_for() -> None:
    assert payable(document(total(payable=5))) == "5.00"
    assert payable(document(total(inclusive=5, payable=5), line(3))) == "5.00"


def test_prepayment_and_rounding() -> None:
    totals = total(net=100, exclusive=100, inclusive=119, prepaid="18.96", rounding="-0.04", payable=100)
    assert payable(document(totals, tax(19), line(100))) == "100.00"


def test_a_rounding_may_stand_in_the_total_with_tax() -> None:
    """The example of the UBL 2.1 standard itself."""
    totals = total(net="1436.5", exclusive="1436.5", inclusive=1729, allowances=100, charges=100, prepaid=1000,
                   rounding="0.30", payable=729)  # fmt: skip
    assert payable(document(totals, tax("292.20"), line("1436.50"))) == "729.00"


def test_tax_in_the_currency_of_the_tax_office_does_not_count() -> None:
    assert payable(document(GOOD, tax(19), tax(210, "SEK"), line(100))) == "119.00"


def test_oioubl_keeps_the_tax_in_tax_exclusive() -> None:
    assert payable(document(total(net=100, exclusive=25, inclusive=125, payable=125), tax(25), line(100))) == "125.00"


def test_allowances_and_charges_without_totals_of_their_own_are_added_up() -> None:
    extra = [allowance(10, is_charge=False), allowance(5, is_charge=True), tax(19)]
    assert payable(document(total(net=100, exclusive=95, inclusive=114, payable=114), *extra, line(100))) == "114.00"


def test_tax_withheld_by_the_customer_is_not_owed() -> None:
    withheld = f"<cac:WithholdingTaxTotal>{amount('TaxAmount', 15)}</cac:WithholdingTaxTotal>"
    totals = total(net=100, exclusive=100, inclusive=121, payable=106)
    assert payable(document(totals, tax(21), withheld, line(100))) == "106.00"


def test_what_is_collected_for_others_may_be_in_what_is_payable() -> None:
    others = f"<cac:PrepaidPayment>{amount('PaidAmount', 30)}</cac:PrepaidPayment>"
    totals = total(net=100, exclusive=100, inclusive=119, payable=149)
    assert payable(document(totals, others, tax(19), line(100))) == "149.00"


def test_what_is_no_amount_refuses_the_document() -> None:
    for written in ("1,000", "1e3", "ten", "NaN"):
        assert reject(document(total(payable=written))).reason == "malformed_file"


def test_a_payable_amount_in_another_currency_refuses_the_document() -> None:
    found = reject(document(amount("PayableAmount", 5, "SEK")))
    assert "its PayableAmount is in SEK, but the document in EUR" in found.message


def test_more_decimals_than_the_currency_has_are_rejected() -> None:
    assert reject(document(total(payable="5.005"))).reason == "invalid_amount"


def test_a_document_without_anything_payable_is_refused() -> None:
    assert "no PayableAmount" in reject(document(total(inclusive=5))).message


cents = st.integers(-1_000_000, 1_000_000).map(lambda number: Decimal(number).scaleb(-2))


@given(lines=st.lists(cents, min_size=1, max_size=6), vat=cents, prepaid=cents, allowed=cents)
def test_what_is_printed_is_read_back(lines: list[Decimal], vat: Decimal, prepaid: Decimal, allowed: Decimal) -> None:
    net = sum(lines, Decimal(0))
    gross = net - allowed + vat
    totals = total(net=net, exclusive=net - allowed, inclusive=gross, allowances=allowed, prepaid=prepaid,
                   payable=gross - prepaid)  # fmt: skip
    (event,) = events(document(totals, tax(vat), *map(line, lines)))
    signed = Decimal(event["amount"]) * (-1 if event["event"] == "CreditMemoIssued" else 1)
    assert signed == gross - prepaid


WHOLE = document(GOOD, tax(19), line(40), line(60))


def test_every_truncation_is_refused() -> None:
    for length in range(len(WHOLE)):
        assert isinstance(read(WHOLE[:length])[0], SourceReject), WHOLE[:length]


@settings(max_examples=300)
@given(at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_one_changed_byte_never_changes_what_is_owed(at: int, byte: int) -> None:
    changed = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]
    (value,) = read(changed)
    if not isinstance(value, SourceReject):
        assert payable(changed) == "119.00"
