"""What a check in a lockbox pays: the overflow records (4) behind it, in the layouts that banks use.

| layout | columns, from 1 |
| invoice with deduction (BAI2, as SAP has it) | 12-27 invoice, 28-37 paid, 38-47 deducted, 48-50 reason, 51-80 text |
| invoice (BAI2, as most US banks have it) | 12-26 invoice, 27-36 paid, 37 on: the bank's own |
| document numbers (BAI, first version) | 12 on: up to six numbers of ten digits, no amounts |
| text | 12 on: one number of a document, or a memo |

No file says which layout it has. The lines of a check are read in those that fit them; of two, in that which comes
nearest to its amount.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from sources.bank.entry import RemittedInvoice
from sources.bank.plain_text import said

_CENTS = 2
_NOTHING = Decimal(0)
_NUMBERS = re.compile(r"(?:[0-9]{10}){2,6}")
_AMOUNT = re.compile(r"[0-9]{10}")
_DOCUMENT = re.compile(r"(?=.*[0-9])[A-Za-z0-9./#-]{3,30}")
_FIRST_COLUMN = 11

Invoices = list[RemittedInvoice]
_Layout = Callable[[str], Invoices | None]


class Remittance(msgspec.Struct, frozen=True):
    """What the overflow records of one check say: invoices, and text that names none."""

    invoices: tuple[RemittedInvoice, ...]
    memo: str | None


def remittance(records: Sequence[str], amount: Decimal) -> Remittance:
    """The overflow records of a check of so much, from column 1."""
    bodies = [record[_FIRST_COLUMN:].rstrip() for record in records if record[_FIRST_COLUMN:].strip()]
    for layouts in ((_numbers,), (_deducted, _paid)):
        readings = [reading for layout in layouts if (reading := _read(bodies, layout)) is not None]
        if readings:
            return Remittance(tuple(_best(readings, amount)), None)
    return _free(bodies)


def _read(bodies: Sequence[str], layout: _Layout) -> Invoices | None:
    """All lines in one layout, or None where one does not fit."""
    invoices: Invoices = []
    for body in bodies:
        lines = layout(body)
        if lines is None:
            return None
        invoices += lines
    return invoices or None


def _best(readings: Sequence[Invoices], amount: Decimal) -> Invoices:
    """The reading that comes nearest to the check: a reading in the wrong columns is out by a digit, tenfold."""
    return min((_net(reading, amount) for reading in readings), key=lambda reading: abs(_paid_in(reading) - amount))


def _net(invoices: Invoices, amount: Decimal) -> Invoices:
    """Some banks give the amount of the invoice and what is kept of it; the check is then for the difference."""
    kept = sum((invoice.deduction_amount or _NOTHING for invoice in invoices), _NOTHING)
    if not kept or _paid_in(invoices) - kept != amount:
        return invoices
    return [
        msgspec.structs.replace(invoice, amount=(invoice.amount or _NOTHING) - (invoice.deduction_amount or _NOTHING))
        for invoice in invoices
    ]


def _paid_in(invoices: Invoices) -> Decimal:
    return sum((invoice.amount or _NOTHING for invoice in invoices), _NOTHING)


def _numbers(body: str) -> Invoices | None:
    numbers = body[:60].rstrip()
    if _NUMBERS.fullmatch(numbers) is None:
        return None
    return [RemittedInvoice(numbers[at : at + 10]) for at in range(0, len(numbers), 10)]


def _deducted(body: str) -> Invoices | None:
    invoice, paid, kept = said(body[:16]), body[16:26], body[26:36].strip()
    if invoice is None or _AMOUNT.fullmatch(paid) is None or not (kept == "" or _AMOUNT.fullmatch(kept)):
        return None
    deduction = _cents(kept) if kept else None
    return [RemittedInvoice(invoice, _cents(paid), deduction or None, said(body[36:39]) if deduction else None)]


def _paid(body: str) -> Invoices | None:
    invoice, paid = said(body[:15]), body[15:25]
    if invoice is None or _AMOUNT.fullmatch(paid) is None:
        return None
    return [RemittedInvoice(invoice, _cents(paid))]


def _free(bodies: Sequence[str]) -> Remittance:
    """Lines without amounts: a line of nothing but a document number names it, another is a memo."""
    invoices = [RemittedInvoice(body.strip()) for body in bodies if _DOCUMENT.fullmatch(body.strip())]
    memo = said(" ".join(body for body in bodies if not _DOCUMENT.fullmatch(body.strip())))
    return Remittance(tuple(invoices), memo)


def numbers_in(field: str) -> tuple[RemittedInvoice, ...]:
    """Document numbers of ten digits in a field of a check record (BAI, first version)."""
    numbers = field.strip()
    if not numbers or re.fullmatch(r"(?:[0-9]{10}){1,3}", numbers) is None:
        return ()
    return tuple(RemittedInvoice(numbers[at : at + 10]) for at in range(0, len(numbers), 10))


def _cents(digits: str) -> Decimal:
    return Decimal(digits).scaleb(-_CENTS)
