"""Invoices in the addenda of an ACH payment (CTX): segments of X12 820 that banks put into the text of a transaction.

``RMR*IV*<invoice>**<paid>[*<invoice's amount>[*<discount>]]``. Banks break the text anywhere, also within a number, and
cut it off. So the lines count only where they come to the payment; else the text says what it says.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from sources.bank.entry import RemittedInvoice

_SEGMENT = re.compile(r"RMR\*IV\*([^*~\\]+)\*[^*~\\]*\*([0-9]+(?:\.[0-9]{1,4})?)(?:\*([^*~\\]*))?(?:\*([^*~\\ ]*))?")
_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]{1,4})?")
_DISCOUNT = "discount"


def invoices_in(lines: Sequence[str], amount: Decimal) -> tuple[RemittedInvoice, ...]:
    """What lines of text say is paid by so much; nothing where it does not come to that."""
    for joint in ("", " "):
        invoices = tuple(_invoice(found) for found in _SEGMENT.finditer(joint.join(lines)))
        if invoices and sum((invoice.amount or Decimal(0) for invoice in invoices), Decimal(0)) == amount:
            return invoices
    return ()


def _invoice(segment: re.Match[str]) -> RemittedInvoice:
    discount = (segment[4] or "").strip()
    kept = Decimal(discount) if _AMOUNT.fullmatch(discount) else Decimal(0)
    return RemittedInvoice(segment[1].strip(), Decimal(segment[2]), kept or None, _DISCOUNT if kept else None)
