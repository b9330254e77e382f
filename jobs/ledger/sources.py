"""What an application draws from: a receipt, an open credit, or cash of another account (SEMANTICS 4.4, 4.7)."""

import msgspec

from jobs.effects import Carried
from jobs.entities import Document, ForeignSource, Line, Placement, ReceiptState, key
from jobs.events import ApplicationSettled
from jobs.lines import Movement, cleared, posted
from jobs.step import Step
from jobs.values import Day, Minor

Source = ReceiptState | Document | ForeignSource

_FOREIGN = "foreign"


def source_key(step: Step, payment_id: str | None, credit_memo_id: str | None) -> str:
    """The key of the receipt, else of the credit memo."""
    if payment_id is not None:
        return key("receipt", step.company, payment_id)
    return key("document", step.company, "credit_memo", credit_memo_id or "")


def foreign_key(step: Step, application_id: str) -> str:
    """The key under which the cash of a carried application is kept with the invoice's account."""
    return key(_FOREIGN, step.company, application_id)


def source_of(step: Step, at: str) -> Source | None:
    """The source under a key."""
    if at.startswith("receipt"):
        return step.receipt(at)
    if at.startswith(_FOREIGN):
        return step.state.get(ForeignSource, at)
    return step.document(at)


def remainder(source: Source) -> Minor:
    """What can still be drawn, in minor units."""
    match source:
        case ReceiptState():
            return source.available
        case Document():
            return Minor(-source.open - source.carried)
        case ForeignSource():
            return source.amount


def value_date(source: Source) -> Day | None:
    """The value date of cash; None for a credit."""
    match source:
        case ReceiptState():
            return source.value_date
        case Document():
            return None
        case ForeignSource():
            return source.value_date if source.item_type == "payment" else None


def usable_from(source: Source) -> Day:
    """The first day on which it can settle anything (SEMANTICS 1.3)."""
    return source.posting_date if isinstance(source, Document) else source.value_date


def draw(
    step: Step, at: str, source: Source, amount: Minor, day: Day, entry_type: str, cause: str, note: str | None
) -> None:
    """Take `amount` out of a source on a day (negative: put it back). `note` is a method, else a reason."""
    applied = entry_type == "application"
    method, reason = (note, None) if applied else (None, note)
    match source:
        case ReceiptState():
            line, movements = posted(source.lines[0], amount, day)
            step.post_receipt(source, movements, entry_type, cause=cause, method=method, reason=reason)
            after = msgspec.structs.replace(source, lines=(line,), applied=Minor(source.applied + amount))
            step.put_receipt(at, after)
        case Document():
            memo = step.document(at) or source
            line, movements = posted(memo.lines[0], amount, day)
            step.post_document(memo, 0, movements, entry_type, cause=cause, method=method, reason=reason)
            step.put_document(at, msgspec.structs.replace(memo, lines=(line,), closed_on=None))
        case ForeignSource():
            gone = entry_type == "reversal"  # a reversed payment or a cancelled credit is already off its account
            if not gone:
                _post_foreign(step, source, amount, day, entry_type, cause, method, reason)
            outcome = "applied" if applied else "reversed" if gone else "unapplied"
            step.effects.append(settled(step, source, cause, outcome, None, Minor(abs(amount)), day))


def _post_foreign(
    step: Step,
    source: ForeignSource,
    amount: Minor,
    day: Day,
    entry_type: str,
    cause: str,
    method: str | None,
    reason: str | None,
) -> None:
    placement = Placement(source.value_date, source.balance_class, source.value_date)
    step.post_foreign(source, Movement(day, placement, amount), entry_type, cause=cause, method=method, reason=reason)


def settled(
    step: Step, source: ForeignSource, application_id: str, outcome: str, reason: str | None, amount: Minor, day: Day
) -> Carried:
    """Tell the account that the cash came from what became of it."""
    cash = source.item_type == "payment"
    return Carried(
        event=ApplicationSettled(
            event_id=f"{step.event_id}/{application_id}/{outcome}",
            company=step.company,
            account_id=source.account,
            occurred_at=step.recorded_at,
            recorded_at=step.recorded_at,
            region=source.region,
            application_id=application_id,
            payment_id=source.item_id if cash else None,
            credit_memo_id=None if cash else source.item_id,
            invoice_id=source.invoice_id,
            outcome=outcome,
            reason=reason,
            amount_minor=amount,
            currency=source.currency,
            effective_date=day,
        )
    )


def redraw(step: Step, at: str, source: Source, amount: Minor, day: Day, posted_class: str) -> None:
    """Follow what the other account has already posted for this source: `amount` out of it (negative: back into it).

    Only what differs is posted here: a move where the balance stands in another class by now, and the rest of a
    reversal that was quicker.
    """
    if isinstance(source, ForeignSource):
        return
    line, movements = posted(source.lines[0], amount, day)
    primary, moves = movements[0], movements[1:]
    elsewhere = Placement(primary.placement.since, posted_class, primary.placement.age_date)
    if primary.placement.balance_class != posted_class:
        moves = [Movement(primary.effective, elsewhere, Minor(-amount)), primary, *moves]
    match source:
        case ReceiptState():
            line, moves = _off_if_reversed(source, line, moves)
            step.post_receipt(source, moves, "on_account" if source.reversed_on is None else "reversal")
            after = msgspec.structs.replace(source, lines=(line,), applied=Minor(source.applied + amount))
            step.put_receipt(at, after)
        case Document():
            if source.cancelled:  # it was off before the other account had used it
                line, contra = cleared(line, source.closed_on or day)
                moves = [*moves, *contra]
            step.post_document(source, 0, moves, "cancellation" if source.cancelled else "on_account")
            closed_on = source.closed_on if source.cancelled else None
            step.put_document(at, msgspec.structs.replace(source, lines=(line,), closed_on=closed_on))


def undraw(step: Step, at: str, source: Source, amount: Minor) -> None:
    """The other account has taken back what a source that is gone had paid there; nothing is left to post."""
    if isinstance(source, ReceiptState):
        step.put_receipt(at, msgspec.structs.replace(source, applied=Minor(source.applied - amount)))


def _off_if_reversed(source: ReceiptState, line: Line, moves: list[Movement]) -> tuple[Line, list[Movement]]:
    if source.reversed_on is None:
        return line, moves
    line, contra = cleared(line, source.reversed_on)
    return line, [*moves, *contra]


def hold(step: Step, at: str, source: Source, amount: Minor) -> None:
    """Set `amount` of a source aside while it is on its way to another account (negative: release it)."""
    match source:
        case ReceiptState():
            step.put_receipt(at, msgspec.structs.replace(source, carried=Minor(source.carried + amount)))
        case Document():
            step.put_document(at, msgspec.structs.replace(source, carried=Minor(source.carried + amount)))
        case ForeignSource():
            pass
