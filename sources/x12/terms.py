"""When an invoice must be paid: terms of sale (ITD) and dates (DTM) of an 810."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sources.x12.segments import Segment
from sources.x12.values import day, hundredths

_NET_DUE = ("013", "814")  # DTM01: terms net due date, payment due date
_BASIS = {"1": ("011",), "2": ("035", "017"), "4": ("050",), "5": ("050",)}
"""ITD02, the date from which days count → the DTM that has it: shipment, delivery, receipt of goods or invoice.
Anything else, and a date that is not there, is the date of the invoice."""

_DATES = frozenset(_NET_DUE) | {qualifier for qualifiers in _BASIS.values() for qualifier in qualifiers}
_DAYS_MAX = 3650
_TERMS_MAX = 400  # instalments of an invoice


class Terms:
    """The terms that a set states, and its dates."""

    def __init__(self) -> None:
        self._terms: list[Segment] = []
        self._dates: dict[str, str] = {}

    def take(self, segment: Segment) -> None:
        """An ITD or DTM of the heading."""
        if segment.name == "ITD":
            if len(self._terms) < _TERMS_MAX:
                self._terms.append(segment)
        elif segment[1] in _DATES:
            self._dates.setdefault(segment[1], segment[2])

    def fields(self, invoiced_on: date, total: Decimal) -> dict[str, Any]:
        """`due_date`, `instalments` and `payment_terms` of an ``InvoiceIssued``, as far as they are said.

        Raises ``UnreadableError`` for a date that is none.
        """
        instalments = self._instalments(total)
        if instalments:
            return {"instalments": instalments, "payment_terms": self._words()}
        days = self._net_days()
        due_on = self._due_date(invoiced_on, days)
        return {
            "due_date": None if due_on is None else due_on.isoformat(),
            "payment_terms": self._words() or (None if days is None else f"NET{days[0]}"),
        }

    def _due_date(self, invoiced_on: date, days: tuple[int, str] | None) -> date | None:
        for terms in self._terms:
            stated = day(terms[6], "the net due date (ITD06)")
            if stated is not None:
                return stated
        for qualifier in _NET_DUE:
            stated = day(self._dates.get(qualifier, ""), f"DTM*{qualifier}")
            if stated is not None:
                return stated
        if days is None:
            return None
        begins = next((self._dates[q] for q in _BASIS.get(days[1], ()) if self._dates.get(q)), "")
        basis = day(begins, "the date from which the terms count (DTM02)") or invoiced_on
        return basis + timedelta(days=days[0])

    def _net_days(self) -> tuple[int, str] | None:
        """ITD07 with the date from which it counts."""
        for terms in self._terms:
            if terms[7].isascii() and terms[7].isdecimal() and int(terms[7]) <= _DAYS_MAX:
                return int(terms[7]), terms[2]
        return None

    def _words(self) -> str | None:
        return next((terms[12] for terms in self._terms if terms[12]), None)

    def _instalments(self, total: Decimal) -> list[dict[str, Any]]:
        """Parts with dates of their own (ITD09, ITD10), where there are several and they add up to the invoice."""
        parts = []
        for number, terms in enumerate(self._terms, start=1):
            due_on, amount = day(terms[9], "a deferred due date (ITD09)"), hundredths(terms, 10)
            if due_on is not None and amount is not None:
                parts.append((number, due_on, amount))
        if len(parts) < 2 or sum(amount for _, _, amount in parts) != total:
            return []
        return [
            {"number": number, "due_date": due_on.isoformat(), "amount": format(amount, "f")}
            for number, (_, due_on, amount) in enumerate(parts, start=1)
        ]
