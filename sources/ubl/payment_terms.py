"""When a UBL document must be paid: due dates, instalments, and what the terms say in words."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from sources.ubl.totals import amount_of
from sources.xml import Element, children, text, texts

_NET_FIRST = re.compile(r"\bnet(?:to)?[\s:]*(\d{1,3})\b(?!\s*%)", re.IGNORECASE)
_DAYS_FIRST = re.compile(r"\b(\d{1,3})\s*(?:days?|tage?n?|jours?|dagen|dage|dagar|giorni|días)\s+net", re.IGNORECASE)
_WORDS_MAX = 500


def terms_of(document: Element, payable: Decimal) -> dict[str, Any]:
    """`due_date`, `instalments` and `payment_terms` of an ``InvoiceIssued``, as far as they are said.

    Terms in words become NETn where no date is given and they say so; else they are kept as they are, with any
    discount for early payment (#SKONTO#…), which changes nothing of what is owed.
    """
    words = " ".join(note for terms in children(document, "PaymentTerms") for note in texts(terms, "Note"))
    instalments = _instalments(document, payable)
    due_on = None if instalments else _due_date(document)
    net = None if instalments or due_on else _net_days(words)
    return {
        "due_date": due_on,
        "instalments": instalments or None,
        "payment_terms": f"NET{net}" if net is not None else words[:_WORDS_MAX] or None,
    }


def _due_date(document: Element) -> str | None:
    found = [
        text(document, "DueDate"),
        *(text(means, "PaymentDueDate") for means in children(document, "PaymentMeans")),
        *(text(terms, "PaymentDueDate") for terms in children(document, "PaymentTerms")),
        *(text(terms, "InstallmentDueDate") for terms in children(document, "PaymentTerms")),
    ]
    return next((without_zone(written) for written in found if written), None)


def _instalments(document: Element, payable: Decimal) -> list[dict[str, Any]]:
    """Several terms with a date and an amount each, where they add up to what is payable."""
    parts = []
    for terms in children(document, "PaymentTerms"):
        due_on, amount = text(terms, "InstallmentDueDate") or text(terms, "PaymentDueDate"), amount_of(terms, "Amount")
        if due_on is not None and amount is not None:
            parts.append((without_zone(due_on), amount))
    if len(parts) < 2 or sum(amount for _, amount in parts) != payable:
        return []
    return [
        {"number": number, "due_date": due_on, "amount": format(amount, "f")}
        for number, (due_on, amount) in enumerate(parts, start=1)
    ]


def _net_days(words: str) -> int | None:
    found = _NET_FIRST.search(words) or _DAYS_FIRST.search(words)
    return int(found[1]) if found else None


def without_zone(written: str) -> str:
    """An xsd:date as a plain date: a zone behind it does not move a due date. What is no date stays for the intake."""
    try:
        return date.fromisoformat(written[:10]).isoformat()
    except ValueError:
        return written
