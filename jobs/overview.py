"""An account as a collector sees it: what is overdue, collectible and not promised, by currency (SEMANTICS 6).

Read from the current state when asked and at local midnight; costs the account's open items.
"""

from typing import NamedTuple

from jobs.aging import UNAPPLIED
from jobs.collectible import open_amounts
from jobs.entities import Balance, Document, key
from jobs.promises.coverage import promised
from jobs.step import Step
from jobs.values import Day, Minor


class OpenInvoice(NamedTuple):
    """An open invoice on a day. `collectible` leaves out the disputed slice; overdue parts only in `overdue_*`."""

    document: Document
    days_past_due: int
    overdue: Minor
    overdue_collectible: Minor
    collectible: Minor
    promised: bool


class Overview(NamedTuple):
    """An account in one currency. `net` is the exposure: open less unapplied, on-account and open credits."""

    currency: str
    invoices: tuple[OpenInvoice, ...]
    net: Minor
    unapplied: Minor
    past_due: Minor
    open_invoices: Minor

    @property
    def dunnable(self) -> tuple[OpenInvoice, ...]:
        """Overdue, collectible and not promised."""
        return tuple(invoice for invoice in self.invoices if invoice.overdue_collectible > 0 and not invoice.promised)

    @property
    def dunnable_amount(self) -> Minor:
        """What may be asked for now."""
        return Minor(sum(invoice.overdue_collectible for invoice in self.dunnable))

    @property
    def oldest_days_past_due(self) -> int:
        """Of anything overdue; 0 where nothing is."""
        return max((invoice.days_past_due for invoice in self.invoices if invoice.overdue > 0), default=0)


def balance_keys(step: Step, account: str) -> list[str]:
    """The balances of an account, one a currency."""
    return step.state.listed(key("balances", step.company, account))


def past_due_of(step: Step, balance: Balance) -> int:
    """Σ of the overdue buckets."""
    return sum(balance.totals.get(name, 0) for name in step.settings.aging.names[1:])


def overviews(step: Step, account: str) -> list[Overview]:
    """The account by currency, in order of currency."""
    if step.today is None:
        return []
    by_currency: dict[str, list[OpenInvoice]] = {}
    for document_key in step.state.listed(key("documents", step.company, account)):
        document = step.document(document_key)
        if document is not None and document.open > 0 and document.document_type != "credit_memo":
            invoice = _open_invoice(step, document_key, document, step.today)
            if invoice is not None:
                by_currency.setdefault(document.currency, []).append(invoice)
    found = []
    for balance_key in balance_keys(step, account):
        balance = step.state.get(Balance, balance_key)
        if balance is None:
            continue
        currency = balance_key.rpartition("\x1f")[2]
        totals = balance.totals
        names = step.settings.aging.names
        found.append(
            Overview(
                currency,
                tuple(by_currency.get(currency, ())),
                Minor(sum(totals.values())),
                Minor(-totals.get(UNAPPLIED, 0)),
                Minor(past_due_of(step, balance)),
                Minor(sum(totals.get(name, 0) for name in names)),
            )
        )
    return found


def _open_invoice(step: Step, document_key: str, document: Document, today: Day) -> OpenInvoice | None:
    amounts = open_amounts(document, today)
    if amounts is None:
        return None
    return OpenInvoice(
        document,
        today - amounts.due_date,
        amounts.overdue,
        amounts.overdue_collectible,
        amounts.collectible,
        promised(step, document_key),
    )
