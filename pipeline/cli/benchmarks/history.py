"""The log that is measured with: half a year of a company's invoices, most of them paid, in the wire format."""

import random
from collections.abc import Iterator

from avro import contracts
from pipeline.clock import tick_record

COMPANY = "FR01"
SETTINGS = '{"code": "FR01", "timezone": "Europe/Paris"}'
_DAY = 86_400_000_000
_FIRST = 20_454  # 2026-01-01
_DAYS = 180


def history(
    invoices: int, accounts: int, *, paid_share: float = 0.7, ticks: bool = True
) -> Iterator[tuple[str, str | None, bytes]]:
    """(event name, account, value) in order of time: settings, then invoices, payments, applications and daily ticks.

    What has no account goes into every partition.
    """
    encode, encode_tick = contracts().encode, contracts().encoder("ClockTicked")
    draw = random.Random(1)  # noqa: S311  the same log at every run
    configured = {**_envelope("settings", "", 0), "account_id": None, "version": "1", "settings": SETTINGS}
    yield "CompanyConfigured", None, encode("CompanyConfigured", configured)
    day = _FIRST
    for number in range(invoices):
        today = _FIRST + number * _DAYS // invoices
        at = today * _DAY + _DAY // 3 + number
        if ticks and today > day:
            day = today
            yield "ClockTicked", None, encode_tick(tick_record(at))
        account = f"C{draw.randrange(accounts):06d}"
        amount = draw.randrange(1_000, 1_000_000)
        yield "InvoiceIssued", account, invoice(f"I{number}", account, at, today, amount)
        if draw.random() < paid_share:
            payment = {"payment_id": f"P{number}", "amount_minor": amount, "currency": "EUR", "value_date": today,
                       "on_account": False}  # fmt: skip
            yield (
                "PaymentReceived",
                account,
                encode("PaymentReceived", {**_envelope(f"p{number}", account, at), **payment}),
            )
            applied = {"application_id": f"A{number}", "payment_id": f"P{number}", "invoice_id": f"I{number}",
                       "amount_minor": amount, "amount_scale": 2, "method": "auto"}  # fmt: skip
            yield "CashApplied", account, encode("CashApplied", {**_envelope(f"a{number}", account, at), **applied})


def invoice(invoice_id: str, account: str, at_micros: int, day: int, amount_minor: int) -> bytes:
    """An invoice of 30 days; its event id is that of the document."""
    record = {"invoice_id": invoice_id, "document_type": "invoice", "document_date": day, "due_date": day + 30,
              "amount_minor": amount_minor, "currency": "EUR"}  # fmt: skip
    return contracts().encode("InvoiceIssued", {**_envelope(f"i/{invoice_id}", account, at_micros), **record})


def end_micros() -> int:
    """An instant on the day after the history."""
    return (_FIRST + _DAYS) * _DAY + _DAY // 3


def limit(account: str, at_micros: int, limit_minor: int) -> bytes:
    """A credit limit for an account."""
    record = {"credit_limit_minor": limit_minor, "currency": "EUR"}
    return contracts().encode("AccountChanged", {**_envelope(f"l/{account}", account, at_micros), **record})


def _envelope(event_id: str, account: str, at: int) -> dict[str, object]:
    return {
        "event_id": event_id,
        "company": COMPANY,
        "account_id": account,
        "occurred_at": at,
        "recorded_at": at,
        "region": "",
        "source": "bench",
        "actor_id": "",
        "actor_role": "",
    }
