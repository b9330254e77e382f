"""The content of keyed documents, for duplicates and conflicts (SEMANTICS 4.5)."""

import msgspec
import pytest

from jobs.events import CashApplied, InvoiceIssued, PaymentReceived
from jobs.ledger.content import content_of, repeated
from jobs.values import Instant
from jobs.verdicts import DUPLICATE, Rejected
from tests.jobs.books import written

PAYMENT = written(
    PaymentReceived, Instant(0), "1", "FR01", account_id="C1", payment_id="R1", amount="1.00", value_date="2026-01-01"
)
APPLICATION = written(
    CashApplied,
    Instant(0),
    "1",
    "FR01",
    account_id="C1",
    application_id="A1",
    payment_id="R1",
    invoice_id="I1",
    amount="10",
)


def test_the_envelope_is_no_content() -> None:
    other = msgspec.structs.replace(
        PAYMENT, event_id="2", occurred_at=Instant(9), recorded_at=Instant(9), region="EMEA", company="FR02"
    )
    assert content_of(other) == content_of(PAYMENT)


@pytest.mark.parametrize(
    "change",
    [{"amount_minor": 101}, {"currency": "USD"}, {"value_date": 1}, {"on_account": True}, {"method": "cheque"},
     {"payer_reference": "X"}, {"bank_reference": "X"}, {"payment_id": "R2"}],
)  # fmt: skip
def test_every_field_of_the_payload_is(change: dict[str, object]) -> None:
    assert content_of(msgspec.structs.replace(PAYMENT, **change)) != content_of(PAYMENT)


def test_the_scale_of_an_amount_is_not() -> None:
    same = msgspec.structs.replace(APPLICATION, amount_minor=1000, amount_scale=2)
    assert content_of(same) == content_of(APPLICATION)
    assert content_of(msgspec.structs.replace(APPLICATION, amount_scale=1)) != content_of(APPLICATION)


def test_an_effective_date_is_compared_on_its_own() -> None:
    assert content_of(msgspec.structs.replace(APPLICATION, effective_date=5)) == content_of(APPLICATION)


def test_a_default_that_is_filled_in_replaces_what_was_given() -> None:
    invoice = written(
        InvoiceIssued, Instant(0), "1", "FR01", account_id="C1", invoice_id="I1", amount="1.00",
        document_date="2026-01-01",
    )  # fmt: skip
    explicit = msgspec.structs.replace(invoice, posting_date=invoice.document_date)
    assert content_of(explicit) != content_of(invoice)
    assert content_of(invoice, posting_date=invoice.document_date) == content_of(explicit)


def test_the_same_content_is_a_duplicate_and_other_content_a_conflict() -> None:
    assert repeated("payment", "R1", b"a", b"a") is DUPLICATE
    conflict = repeated("payment", "R1", b"a", b"b")
    assert isinstance(conflict, Rejected)
    assert conflict.reason == "conflicting_duplicate"
    assert "payment R1" in conflict.message
