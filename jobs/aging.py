"""Live aging: the totals of every account, and the transitions of its items, by postings and by midnights.

SEMANTICS 2.1, 2.4, 2.5, 2.7, 2.12. A line remembers what it last contributed to the totals of its account, so that an
event costs the lines it touches, and a midnight the lines that change, never the account.
"""

import msgspec

from jobs import cash_alerts, collectible
from jobs.buckets import NOT_DUE, Buckets
from jobs.collectible import covered_by_cash, withheld
from jobs.effects import AccountAging, AgingTransition, InstalmentState, Item, Receipt
from jobs.entities import Balance, Document, Line, ReceiptState, Shown, account_key
from jobs.step import Step
from jobs.tally import Tally
from jobs.values import Day, Minor

INVOICE = "invoice"
UNAPPLIED = collectible.UNAPPLIED
ON_ACCOUNT = "on_account"
CREDIT = "credit"
NONE = "none"

_CREDIT_CLASSES = (UNAPPLIED, ON_ACCOUNT, CREDIT)
_NOTHING = Minor(0)


def settle(step: Step) -> None:
    """End of a step: totals, transitions and states of everything it touched."""
    for document_key, document in step.documents.items():
        _settle_document(step, document_key, document)
    for receipt_key, receipt in step.receipts.items():
        _settle_receipt(step, receipt_key, receipt)
    for document_key in sorted(step.promised - step.documents.keys()):
        _settle_promised(step, document_key)
    for balance_key, tally in step.balances.items():
        step.state.put(balance_key, tally.balance(step.company))
        if tally.is_other:
            _put_out(step, tally)
            step.moved.add(tally.account)
            if _changes_advice(step, tally):
                step.accounts.add(tally.account)
    step.documents.clear()
    step.receipts.clear()
    step.balances.clear()
    step.promised.clear()
    step.state.keep()  # what follows looks at the account by its listings, a balance that is new included


def _settle_document(step: Step, document_key: str, document: Document) -> None:
    today = step.today
    buckets = step.settings.aging
    is_other = document is not step.state.get(Document, document_key)
    lines = []
    overdue = was_overdue = False
    for line in document.lines:
        before = line.shown
        shown = contribution(line, today, buckets)
        if before is not None and before.column in buckets.overdue:
            was_overdue = True
        if shown is not None and shown.column in buckets.overdue:
            overdue = True
        if shown != before:
            _tally(step, document.account, document.currency).shift(before, shown)
            if today is not None:
                _put_out_transition(step, document, line, shown, today)
            line = msgspec.structs.replace(line, shown=shown)  # noqa: PLW2901 the line as it now stands
        lines.append(line)
    disputed = Minor(0)
    if document.disputed or document.disputed_shown:
        open_today = 0 if today is None else sum([line.open_at(today) for line in lines])
        disputed = Minor(max(0, min(document.disputed, open_today)))
        if disputed != document.disputed_shown:
            tally = _tally(step, document.account, document.currency)
            tally.shift_beside(disputed - document.disputed_shown, 0)
    closed_on = None
    open_now = document.open
    if open_now == 0:
        closed_on = (
            document.closed_on if document.closed_on is not None else max([line.postings[-1][0] for line in lines])
        )
    held_back = withheld(step, document_key, document) if overdue else _NOTHING
    if held_back != document.withheld_shown:
        tally = _tally(step, document.account, document.currency)
        tally.shift_beside(0, held_back - document.withheld_shown)
    after = msgspec.structs.replace(
        document,
        lines=tuple(lines),
        disputed_shown=disputed,
        withheld_shown=held_back,
        closed_on=closed_on,
        listed_under=account_key("documents", step.company, document.account) if open_now else "",
        notice_level=document.notice_level if open_now else 0,  # reopening starts a new cycle (SEMANTICS 6.1)
        noticed_on=document.noticed_on if open_now else None,
        wake=_wake(lines, today, buckets, _expiry(step, closed_on)),
    )
    step.state.put(document_key, after)
    if overdue or was_overdue or document.notice_level or step.settings.reminder_days_before:
        step.accounts.add(document.account)  # the advice for the account says something of it, or did
    if is_other:  # time alone moves it between buckets and changes nothing of what an item says
        _put_out_item(step, after, Minor(open_now))


def _changes_advice(step: Step, tally: Tally) -> bool:
    """Whether totals alone change what is advised for the account, whatever its overdue documents (SEMANTICS 6).

    They do where cash covers what would be asked for, or did, where the account comes into net credit or out of it, and
    where a share of the total is limited. A new balance may become the one that speaks for the account.
    """
    before = tally.before
    if before is None or step.settings.hold_past_due_percent is not None:
        return True
    if (sum(before.totals.values()) < 0) != (sum(tally.totals.values()) < 0):
        return True
    overdue = step.settings.aging.overdue
    return covered_by_cash(before.totals, before.withheld, overdue) or covered_by_cash(
        tally.totals, tally.withheld, overdue
    )


def _settle_promised(step: Step, document_key: str) -> None:
    """A promise began or ended: what may be dunned of the document is another amount, and nothing else of it."""
    document = step.state.get(Document, document_key)
    held_back = Minor(0) if document is None else withheld(step, document_key, document)
    if document is not None and held_back != document.withheld_shown:
        tally = _tally(step, document.account, document.currency)
        tally.shift_beside(0, held_back - document.withheld_shown)
        step.state.put(document_key, msgspec.structs.replace(document, withheld_shown=held_back))


def _settle_receipt(step: Step, receipt_key: str, receipt: ReceiptState) -> None:
    today = step.today
    is_other = receipt is not step.state.get(ReceiptState, receipt_key)
    (line,) = receipt.lines
    if receipt.account:
        shown = contribution(line, today, step.settings.aging)
        if shown != line.shown:
            _tally(step, receipt.account, receipt.currency).shift(line.shown, shown)
            line = msgspec.structs.replace(line, shown=shown)
    receipt = cash_alerts.watch(step, msgspec.structs.replace(receipt, lines=(line,)))
    soonest = _expiry(step, line.postings[-1][0]) if receipt.remainder == 0 else cash_alerts.next_stage(step, receipt)
    after = msgspec.structs.replace(
        receipt,
        # Only what has cash left is looked for by remittances and promises, so that their cost does not grow with time.
        listed_under=account_key("receipts", step.company, receipt.account)
        if receipt.account and receipt.remainder
        else "",
        wake=_wake([line], today, step.settings.aging, soonest),
    )
    step.state.put(receipt_key, after)
    if is_other:
        _put_out_receipt(step, after)


def contribution(line: Line, today: Day | None, buckets: Buckets) -> Shown | None:
    """What a line adds to its account's totals on a day: a bucket, or a column of credits; None for nothing."""
    if today is None:
        return None
    amount = line.open_at(today)
    if not amount:
        return None
    placement = line.placement_at(today)
    column = placement.balance_class
    if column == INVOICE:
        column = buckets.name(today - placement.age_date)
    return Shown(column, amount)


def _wake(lines: list[Line], today: Day | None, buckets: Buckets, soonest: Day | None) -> Day | None:
    """The next local day on which a line changes by itself, or `soonest`, whichever comes first."""
    if today is None:  # before the first tick nothing has happened yet: begin with the first posting
        return min([line.postings[0][0] for line in lines])
    for line in lines:
        for day, delta in reversed(line.postings):
            if day <= today:
                break
            if delta:
                soonest = day if soonest is None or day < soonest else soonest
        for placement in reversed(line.placements):
            if placement.since <= today:
                break
            if line.open_at(placement.since):
                soonest = placement.since if soonest is None or placement.since < soonest else soonest
        shown = line.shown
        if shown is not None and shown.column not in _CREDIT_CLASSES:
            change = buckets.next_change(line.placement_at(today).age_date, today)
            if change is not None and (soonest is None or change < soonest):
                soonest = change
    return soonest


def _tally(step: Step, account: str, currency: str) -> Tally:
    balance_key = account_key("balance", step.company, account, currency)
    tally = step.balances.get(balance_key)
    if tally is None:
        tally = step.balances[balance_key] = Tally(step.state.get(Balance, balance_key), account, currency)
    return tally


def _put_out_transition(step: Step, document: Document, line: Line, shown: Shown | None, today: Day) -> None:
    """Old bucket to new; from `none` where the item arrives or reopens overdue (SEMANTICS 2.12)."""
    if shown is None or shown.amount < 0 or shown.column in _CREDIT_CLASSES:
        return
    before = NONE if line.shown is None or line.shown.amount < 0 else line.shown.column
    if before == shown.column or (before == NONE and shown.column == NOT_DUE):
        return
    step.effects.append(
        AgingTransition(
            company=step.company,
            account_id=document.account,
            document_type=document.document_type,
            document_id=document.document_id,
            instalment=line.number or None,
            currency=document.currency,
            local_date=today,
            from_bucket=before,
            to_bucket=shown.column,
            open_minor=shown.amount,
            due_date=line.placement_at(today).age_date,
            fired_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def _put_out_item(step: Step, document: Document, open_now: Minor) -> None:
    lines = document.lines
    open_due = [line.due_date for line in lines if line.open]
    step.effects.append(
        Item(
            company=step.company,
            account_id=document.account,
            document_type=document.document_type,
            document_id=document.document_id,
            currency=document.currency,
            amount_minor=document.amount,
            open_minor=open_now,
            status=document.status if not open_now or document.cancelled else "open",
            document_date=document.document_date,
            posting_date=document.posting_date,
            due_date=min(open_due) if open_due else max(line.due_date for line in lines),
            disputed_minor=Minor(max(0, min(document.disputed, open_now))) if document.disputed else _NOTHING,
            instalments=()
            if len(lines) == 1 and lines[0].number == 0
            else tuple(InstalmentState(line.number, line.due_date, line.amount, line.open) for line in lines),
            reference=document.reference,
            closed_date=document.closed_on,
            region=document.region,
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def _put_out_receipt(step: Step, receipt: ReceiptState) -> None:
    step.effects.append(
        Receipt(
            company=step.company,
            account_id=receipt.account,
            payment_id=receipt.payment_id,
            currency=receipt.currency,
            amount_minor=receipt.amount,
            unapplied_minor=receipt.remainder,
            applied_minor=Minor(0) if receipt.reversed_on is not None else receipt.applied,
            refunded_minor=receipt.refunded,
            status=receipt.status,
            value_date=receipt.value_date,
            method=receipt.method,
            payer_reference=receipt.payer_reference,
            bank_reference=receipt.bank_reference,
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def _put_out(step: Step, tally: Tally) -> None:
    totals = tally.totals
    names = step.settings.aging.names
    today = step.today
    step.effects.append(
        AccountAging(
            company=step.company,
            account_id=tally.account,
            currency=tally.currency,
            as_of=Day(0) if today is None else today,
            buckets=names,
            bucket_minor=tuple([totals.get(name, _NOTHING) for name in names]),
            unapplied_minor=Minor(-totals.get(UNAPPLIED, 0)),
            on_account_minor=Minor(-totals.get(ON_ACCOUNT, 0)),
            credits_minor=Minor(-totals.get(CREDIT, 0)),
            disputed_minor=tally.disputed,
            total_minor=Minor(sum(totals.values())),
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def _expiry(step: Step, closed_on: Day | None) -> Day | None:
    """The day on which a closed entity may be forgotten: counted from its closing or, if later, from today.

    A backfill closes items years after the fact; what reverses them may still be on its way (SEMANTICS 1.8).
    """
    if closed_on is None:
        return None
    return Day(max(closed_on, step.today or closed_on) + step.settings.closed_item_days)
