"""A log of a company's invoices, most of them paid, over half a year, in the wire format."""

import random
from collections.abc import Iterator

from avro import contracts

_DAY = 86_400_000_000
_FIRST = 20_454  # 2026-01-01
_DAYS = 180


def records(
    invoices: int, accounts: int, *, paid_share: float = 0.7, ticks: bool = True
) -> Iterator[tuple[str, bytes]]:
    """(event name, value) in order of time: settings, then invoices, payments, applications and a tick a day."""
    encode = contracts().encode
    draw = random.Random(1)
    settings = '{"code": "FR01", "timezone": "Europe/Paris"}'
    yield "CompanyConfigured", encode("CompanyConfigured", {**_envelope("settings", "", 0), "account_id": None,
                                                            "version": "1", "settings": settings})  # fmt: skip
    day = _FIRST
    for number in range(invoices):
        today = _FIRST + number * _DAYS // invoices
        at = today * _DAY + _DAY // 3 + number
        if ticks and today > day:
            day = today
            yield (
                "ClockTicked",
                encode("ClockTicked", {**_envelope(f"tick-{today}", "", at), "account_id": None, "at": at}),
            )
        account = f"C{draw.randrange(accounts):06d}"
        amount = draw.randrange(1_000, 1_000_000)
        invoice = {"invoice_id": f"I{number}", "document_type": "invoice", "document_date": today,
                   "due_date": today + 30, "amount_minor": amount, "currency": "EUR"}  # fmt: skip
        yield "InvoiceIssued", encode("InvoiceIssued", {**_envelope(f"i{number}", account, at), **invoice})
        if draw.random() < paid_share:
            payment = {"payment_id": f"P{number}", "amount_minor": amount, "currency": "EUR", "value_date": today,
                       "on_account": False}  # fmt: skip
            yield "PaymentReceived", encode("PaymentReceived", {**_envelope(f"p{number}", account, at), **payment})
            applied = {"application_id": f"A{number}", "payment_id": f"P{number}", "invoice_id": f"I{number}",
                       "amount_minor": amount, "amount_scale": 2, "method": "auto"}  # fmt: skip
            yield "CashApplied", encode("CashApplied", {**_envelope(f"a{number}", account, at), **applied})


def _envelope(event_id: str, account: str, at: int) -> dict[str, object]:
    return {
        "event_id": event_id,
        "company": "FR01",
        "account_id": account,
        "occurred_at": at,
        "recorded_at": at,
        "region": "",
        "source": "bench",
        "actor_id": "",
        "actor_role": "",
    }
