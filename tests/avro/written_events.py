"""Events as people write them, and what a parser makes of them."""

from typing import Any

import pytest

from avro.text import InvalidEvent, parse_event

NINE_O_CLOCK = 1_772_355_600_000_000
DEFAULTS = {
    "event_id": "1",
    "company": "FR01",
    "recorded_at": "2026-03-01T09:00:00Z",
    "region": "",
    "source": "test",
    "actor_id": "",
    "actor_role": "",
}
INVOICE = {
    "event": "InvoiceIssued",
    "account_id": "C1",
    "invoice_id": "I1",
    "document_date": "2026-03-01",
    "due_date": "2026-03-31",
    "amount": "100.00",
    "currency": "EUR",
}
APPLICATION = {
    "event": "CashApplied",
    "account_id": "C1",
    "application_id": "A1",
    "payment_id": "R1",
    "invoice_id": "I1",
    "amount": "10.0001",
    "method": "auto",
}
REMITTANCE = {
    "event": "RemittanceReceived",
    "account_id": "C1",
    "remittance_id": "M1",
    "lines": [
        {"invoice_id": "I1", "amount": "900.00", "deduction_amount": "0.125", "deduction_reason": "DAMAGED"},
        {"invoice_id": "I2", "amount": "5"},
    ],
}
ACTIVITY = {"event": "UserActivityLogged", "action": "data_changed", "succeeded": True}


def parse(document: dict[str, Any], **changes: object) -> dict[str, Any]:
    return parse_event({**document, **changes}, DEFAULTS)[1]


def refusal(document: dict[str, Any], **changes: object) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        parse_event({**document, **changes}, DEFAULTS)
    return caught.value
