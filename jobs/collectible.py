"""What of a document is overdue on a day, and what of that may be collected (SEMANTICS 2.7, 6.1)."""

from collections.abc import Mapping
from typing import NamedTuple

from jobs.entities import Document
from jobs.promises.coverage import promised
from jobs.step import Step
from jobs.values import Day, Minor

UNAPPLIED = "unapplied"


class OpenAmounts(NamedTuple):
    """A document on a day, in minor units; `due_date` is the oldest overdue one, else the nearest."""

    due_date: Day
    overdue: Minor
    collectible: Minor

    @property
    def overdue_collectible(self) -> Minor:
        """What is overdue without the disputed slice."""
        return min(self.overdue, self.collectible)


def open_amounts(document: Document, today: Day) -> OpenAmounts | None:
    """What is open of an invoice or debit memo; None for a credit and where nothing is."""
    if document.document_type == "credit_memo":
        return None
    amount = overdue = 0
    oldest: Day | None = None
    for line in document.lines:
        line_open = line.open_at(today)
        if line_open <= 0:
            continue
        due_date = line.placement_at(today).age_date
        if oldest is None or due_date < oldest:
            oldest = due_date
        amount += line_open
        if due_date < today:
            overdue += line_open
    if oldest is None:
        return None
    return OpenAmounts(oldest, Minor(overdue), Minor(amount - min(document.disputed, amount)))


def withheld(step: Step, document_key: str, document: Document) -> Minor:
    """What is overdue and may not be asked for: disputed, promised, or settled on a later day already."""
    amounts = None if step.today is None else open_amounts(document, step.today)
    if amounts is None or not amounts.overdue:
        return Minor(0)
    if document.open <= 0 or promised(step, document_key):
        return amounts.overdue
    return Minor(amounts.overdue - amounts.overdue_collectible)


def past_due(totals: Mapping[str, int], overdue: frozenset[str]) -> int:
    """Σ of the overdue buckets of an account's live totals."""
    amount = 0
    for column, total in totals.items():
        if column in overdue:
            amount += total
    return amount


def covered_by_cash(totals: Mapping[str, int], withheld: int, overdue: frozenset[str]) -> bool:
    """Whether unapplied cash covers all that would be asked for now: it is to be applied first (SEMANTICS 6.1)."""
    cash = -totals.get(UNAPPLIED, 0)
    return cash > 0 and 0 < past_due(totals, overdue) - withheld <= cash
