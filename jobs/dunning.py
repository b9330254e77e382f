"""Dunning: which notices are due, and what was sent (SEMANTICS 6.1)."""

from typing import NamedTuple

import msgspec

from jobs.entities import AccountState, Adjustment, Document, account_key, key
from jobs.events import NoticeSent
from jobs.ledger.content import content_of, repeated
from jobs.overview import OpenInvoice, Overview
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import Rejected, Verdict

REMINDER = 0


class Notice(NamedTuple):
    """One row per account and level; level 0 is a reminder before the due date."""

    account: str
    level: int
    invoice_ids: tuple[str, ...]
    amounts: dict[str, Minor]


def notices_due(step: Step, account: str, seen: list[Overview]) -> list[Notice]:
    """The notices of an account that are due on the company's local date, by level; recomputed from the state."""
    state = step.state.get(AccountState, account_key("account", step.company, account))
    if step.today is None or (state is not None and state.dunning_block):
        return []
    rows: dict[int, list[tuple[str, str, Minor]]] = {}
    for overview in seen:
        if overview.net < 0 or 0 < overview.dunnable_amount <= overview.unapplied:
            continue  # net credit; or cash that should be applied first
        for invoice, level in _levels_due(step, overview, step.today):
            amount = invoice.collectible if level == REMINDER else invoice.overdue_collectible
            rows.setdefault(level, []).append((invoice.document.document_id, overview.currency, amount))
    notices = []
    for level, invoices in sorted(rows.items()):
        amounts: dict[str, Minor] = {}
        for _, currency, amount in invoices:
            amounts[currency] = Minor(amounts.get(currency, 0) + amount)
        notices.append(Notice(account, level, tuple(sorted(invoice_id for invoice_id, _, _ in invoices)), amounts))
    return notices


def _levels_due(step: Step, overview: Overview, today: Day) -> list[tuple[OpenInvoice, int]]:
    due = []
    for invoice in overview.invoices:
        if invoice.promised or invoice.collectible <= 0:
            continue
        level = _next_level(step, invoice, today)
        if level is not None:
            due.append((invoice, level))
    return due


def _next_level(step: Step, invoice: OpenInvoice, today: Day) -> int | None:
    document = invoice.document
    if invoice.overdue_collectible <= 0:
        return REMINDER if invoice.days_past_due < 0 and _reminder_due(step, invoice, today) else None
    levels = step.settings.dunning_levels
    sent = document.notice_level
    if sent >= len(levels) or invoice.days_past_due < levels[sent]:
        return None
    if document.noticed_on is not None and today - document.noticed_on < step.settings.dunning_min_gap_days:
        return None
    return sent + 1


def _reminder_due(step: Step, invoice: OpenInvoice, today: Day) -> bool:
    """A reminder falls due so many days before the due date, each once; on the due date nothing does."""
    due_date = today - invoice.days_past_due
    reminded_on = invoice.document.reminded_on
    starts = [due_date - days for days in step.settings.reminder_days_before if due_date - days <= today]
    return bool(starts) and (reminded_on is None or reminded_on < max(starts))


def next_change(step: Step, invoice: OpenInvoice, today: Day) -> Day | None:
    """The next day on which time alone may make a notice for the invoice due."""
    settings = step.settings
    document = invoice.document
    due_date = today - invoice.days_past_due
    day: int | None = None
    if document.notice_level < len(settings.dunning_levels):
        day = due_date + settings.dunning_levels[document.notice_level]
        if document.noticed_on is not None:
            day = max(day, document.noticed_on + settings.dunning_min_gap_days)
        if day <= today:
            day = None
    if due_date > today:
        for offset in settings.reminder_offsets:
            if due_date + offset > today:
                return Day(due_date + offset if day is None else min(day, due_date + offset))
    return None if day is None else Day(day)


def sent(step: Step, event: NoticeSent) -> Verdict:
    """A notice went out: one per item, level and cycle; closed items take none."""
    notice_key = key("notice", step.company, event.notice_id)
    content = content_of(event)
    known = step.state.get(Adjustment, notice_key)
    if known is not None:
        return repeated("notice", event.notice_id, known.content, content)
    found = [(invoice_id, step.find_document(event.account_id, invoice_id)) for invoice_id in event.invoice_ids]
    missing = [invoice_id for invoice_id, entry in found if entry is None]
    if missing:
        return Rejected("unknown_document", f"account {event.account_id} has no document {missing[0]}")
    day = step.settings.calendar.day(event.occurred_at)
    for _, entry in found:
        if entry is not None and entry[1].open > 0:
            step.put_document(entry[0], _noticed(event, entry[1], day))
    step.state.put(notice_key, Adjustment(None, "", content))
    return None


def _noticed(event: NoticeSent, document: Document, day: Day) -> Document:
    if event.kind == "reminder" or event.level == REMINDER:
        return msgspec.structs.replace(document, reminded_on=day)
    if event.kind != "dunning":
        return document
    level = event.level if event.level is not None else document.notice_level + 1
    if level <= document.notice_level:
        return document
    return msgspec.structs.replace(document, notice_level=level, noticed_on=day)


def highest_level(seen: list[Overview]) -> int | None:
    """The highest dunning level sent of an open item of the account; None where none was."""
    return max([invoice.document.notice_level for overview in seen for invoice in overview.invoices], default=0) or None
