"""The format `bai-lockbox`: checks that a bank has opened, deposited and keyed in, with the invoices that they pay.

Amounts are US dollars, as the format knows no currency. A check whose invoices do not come to its amount is taken with
its lines as they are; the ledger flags the difference (SEMANTICS 4.3).
"""

from collections.abc import Iterator
from typing import BinaryIO

from sources.bank.account import BankAccount
from sources.bank.bai.lockbox_envelopes import Check, LockboxHeader, checks
from sources.bank.bai.numbers import day
from sources.bank.bai.overflow import Remittance, numbers_in, remittance
from sources.bank.entry import BankEntry, RemittedInvoice
from sources.bank.format import BadEntry, PassedOver
from sources.bank.plain_text import Repetitions, said

_CURRENCY = "USD"


class Lockbox:
    """The parser. It holds one check with its overflow records at a time."""

    source = "lockbox"

    def __init__(self) -> None:
        self._repeated = Repetitions()

    def verify(self, stream: BinaryIO) -> None:
        """Structure, and totals of batches, lockboxes and the file. Raises ``FileRefusedError``."""
        self._repeated = Repetitions()
        for _ in checks(stream, self._repeated):
            pass

    def entries(self, stream: BinaryIO) -> Iterator[BankEntry | PassedOver | BadEntry]:
        """The checks in order."""
        for lockbox, check in checks(stream):
            if lockbox.ordinal in self._repeated:
                yield PassedOver(check.line, "repeated_statement")
            elif not check.amount:
                yield PassedOver(check.line, "zero_amount")
            else:
                yield _entry(lockbox, check)


def _entry(lockbox: LockboxHeader, check: Check) -> BankEntry:
    record = check.record
    told = remittance(check.overflows, check.amount)
    number = said(record[36:46].strip().lstrip("0"))
    invoices = _invoices(record, told)
    name, text = _remitter(record)
    routing, account = said(record[17:26]), said(record[26:36])
    return BankEntry(
        line=check.line,
        kind="received",
        account=BankAccount(lockbox.number, _CURRENCY, lockbox.origin),
        amount=check.amount,
        currency=_CURRENCY,
        booking_date=lockbox.deposit_date,
        value_date=lockbox.deposit_date,
        servicer_reference=_reference(lockbox, record, number),
        reference_repeats=True,
        payment_reference=said(" ".join(part for part in (number, text, told.memo, *_unpriced(invoices)) if part)),
        payer_name=name,
        payer_account=f"{routing}/{account}" if routing and account else None,
        method="check",
        invoices=invoices,
    )


def _reference(lockbox: LockboxHeader, record: str, number: str | None) -> str:
    """Lockbox, deposit date, batch and item; with the check's number, for a second transmission counts from 1 again."""
    place = (lockbox.number, f"{lockbox.deposit_date:%Y%m%d}", record[1:4].strip(), record[4:7].strip(), number or "")
    return "-".join(place).rstrip("-")


def _invoices(record: str, told: Remittance) -> tuple[RemittedInvoice, ...]:
    """What the check pays. Of the first version, the first three numbers stand in the check's own record."""
    if any(invoice.amount is not None for invoice in told.invoices):
        return told.invoices
    return numbers_in(record[46:80]) + told.invoices


def _unpriced(invoices: tuple[RemittedInvoice, ...]) -> Iterator[str]:
    """Numbers of several invoices without amounts: too little to apply cash, so they stay in the reference."""
    if len(invoices) > 1:
        yield from (invoice.invoice_id for invoice in invoices if invoice.amount is None)


def _remitter(record: str) -> tuple[str | None, str | None]:
    """Name of the remitter, and other text of a check record.

    Columns 47 to 52 are the check's date and 53 to 82 the name; or 94 to 123 the name and 47 to 76 the bank's own text.
    """
    written = record[46:52]
    is_dated = day(written) is not None or day(written[4:] + written[:4]) is not None
    if is_dated and said(record[52:82]) and not record[52:53].isdigit():
        return said(record[52:82]), None
    if len(record) > 93:
        return said(record[93:123]), _words(record[46:76])
    return None, _words(record[46:80])


def _words(field: str) -> str | None:
    return None if numbers_in(field) else said(field)
