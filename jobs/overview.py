"""An account as a collector sees it: what is overdue, collectible and not promised, by currency (SEMANTICS 6).

Read from the current state when asked and at local midnight; costs the account's open items.
"""

from typing import NamedTuple

from jobs.buckets import NOT_DUE
from jobs.collectible import UNAPPLIED, open_amounts, past_due
from jobs.entities import Balance, Document, account_key
from jobs.promises.coverage import promised
from jobs.step import Step
from jobs.values import Minor


class OpenInvoice(NamedTuple):
    """An open invoice on a day. `collectible` leaves out the disputed slice; overdue parts only in `overdue_*`."""

    document: Document
    days_past_due: int
    overdue: Minor
    overdue_collectible: Minor
    collectible: Minor
    promised: bool


class Overview(NamedTuple):
    """An account in one currency. `net` is the exposure: open less unapplied, on-account and open credits.

    `dunnable` are the invoices that are overdue, collectible and not promised, `dunnable_amount` what may be asked for
    now; `oldest_days_past_due` is of anything overdue, 0 where nothing is.
    """

    currency: str
    invoices: list[OpenInvoice]
    net: Minor
    unapplied: Minor
    past_due: Minor
    open_invoices: Minor
    dunnable: list[OpenInvoice]
    dunnable_amount: Minor
    oldest_days_past_due: int


def balance_keys(step: Step, account: str) -> list[str]:
    """The balances of an account, one a currency."""
    return step.state.listed(account_key("balances", step.company, account))


def past_due_of(step: Step, balance: Balance) -> int:
    """Σ of the overdue buckets."""
    return past_due(balance.totals, step.settings.aging.overdue)


def overviews(step: Step, account: str) -> list[Overview]:
    """The account by currency, in order of currency."""
    if step.today is None:
        return []
    invoices = _open_invoices(step, account)
    found = []
    for balance_key in balance_keys(step, account):
        balance = step.state.get(Balance, balance_key)
        if balance is not None:
            currency = balance_key.rpartition("\x1f")[2]
            found.append(_overview(step, currency, balance, invoices.get(currency, [])))
    return found


def _open_invoices(step: Step, account: str) -> dict[str, list[OpenInvoice]]:
    """The account's open invoices and debit memos by currency, in order of key."""
    found: dict[str, list[OpenInvoice]] = {}
    today = step.today
    if today is None:
        return found
    for document_key in step.state.listed(account_key("documents", step.company, account)):
        document = step.document(document_key)
        if document is None or document.open <= 0:
            continue
        amounts = open_amounts(document, today)
        if amounts is None:
            continue
        due_date, overdue, collectible = amounts
        invoice = OpenInvoice(
            document,
            today - due_date,
            overdue,
            amounts.overdue_collectible,
            collectible,
            promised(step, document_key),
        )
        found.setdefault(document.currency, []).append(invoice)
    return found


def _overview(step: Step, currency: str, balance: Balance, invoices: list[OpenInvoice]) -> Overview:
    totals = balance.totals
    dunnable = [invoice for invoice in invoices if invoice.overdue_collectible > 0 and not invoice.promised]
    overdue = past_due_of(step, balance)
    return Overview(
        currency,
        invoices,
        net=Minor(sum(totals.values())),
        unapplied=Minor(-totals.get(UNAPPLIED, 0)),
        past_due=Minor(overdue),
        open_invoices=Minor(overdue + totals.get(NOT_DUE, 0)),
        dunnable=dunnable,
        dunnable_amount=Minor(sum([invoice.overdue_collectible for invoice in dunnable])),
        oldest_days_past_due=max([invoice.days_past_due for invoice in invoices if invoice.overdue > 0], default=0),
    )
