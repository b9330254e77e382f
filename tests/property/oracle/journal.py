"""The books of several companies, written from the list of events by the rules alone (SEMANTICS 1, 2, 4).

Every event that moves a balance adds dated changes to the documents and receipts it concerns. What a rule refuses, and
what was there before, changes nothing; whether it is called refused or repeated is no matter of balances.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from jobs import events
from jobs.company import CompanySettings
from jobs.money import rescale
from jobs.values import Day, Instant, Minor, day_of, moment_of
from tests.property.oracle.dated import Case, Cash, Line, Paper, Part
from tests.property.oracle.remittances import Remittances


class Journal(Remittances):
    """Several companies. `take` every event of the log, ticks too; ask when the log has been read far enough."""

    def __init__(self, settings: Mapping[str, CompanySettings]) -> None:
        super().__init__()
        self.settings = settings
        self.zones = {code: ZoneInfo(company.timezone) for code, company in settings.items()}
        self.clock = Instant(0)
        self.seen: set[str] = set()
        self.write_offs: dict[tuple[str, str], _WrittenOff] = {}
        self.adjustments: set[tuple[str, str]] = set()
        self.unidentified: dict[tuple[str, str], Cash] = {}
        self.moved: set[tuple[str, str]] = set()

    def take(self, event: events.Event) -> None:
        """One event. Known is what was heard of, never before the clock (SEMANTICS 1.2)."""
        if isinstance(event, events.ClockTicked):
            self.clock = max(self.clock, event.at)
            return
        handle = _HANDLERS.get(type(event))
        if handle is None or event.event_id in self.seen:
            return
        self.known, self.event_id = max(event.recorded_at, self.clock), event.event_id
        if getattr(event, "amount_minor", None) == 0 or handle(self, event):
            self.seen.add(event.event_id)

    # Documents

    def issue(self, event: events.InvoiceIssued) -> bool:
        parts = event.instalments or ()
        fits = not parts or (
            sum(part.amount_minor for part in parts) == event.amount_minor
            and all(part.amount_minor > 0 for part in parts)
        )
        at = event.company, event.document_type, event.invoice_id
        if event.amount_minor < 0 or not fits or at in self.papers:
            return False
        posting_date = event.document_date if event.posting_date is None else event.posting_date
        wanted = [(part.number, part.due_date, part.amount_minor) for part in parts]
        wanted = wanted or [(0, self._due_date(event), event.amount_minor)]
        account = event.account_id or ""
        paper = Paper(event.company, account, event.document_type, event.invoice_id, event.currency, posting_date, [])
        for number, due, amount in wanted:
            part = Part(number, posting_date, due)
            part.change(self.changed(posting_date, amount, event.document_type))
            paper.parts.append(part)
        self.papers[at] = paper
        self.arrived(paper)
        return True

    def _due_date(self, event: events.InvoiceIssued) -> Day:
        """SEMANTICS 2.11."""
        terms = event.payment_terms or ""
        if event.due_date is not None:
            return event.due_date
        if terms.upper().startswith("NET") and terms[3:].isdigit():
            return Day(event.document_date + int(terms[3:]))
        return Day(event.document_date + (self.settings[event.company].default_terms_days or 0))

    def credit(self, event: events.CreditMemoIssued) -> bool:
        at = event.company, "credit_memo", event.credit_memo_id
        if event.amount_minor < 0 or at in self.papers:
            return False
        account = event.account_id or ""
        named = None if event.invoice_id is None else self.find(event.company, account, event.invoice_id)
        if named is not None and named.currency != event.currency:
            return False
        day = event.document_date
        part = Part(0, day, day)
        part.change(self.changed(day, -event.amount_minor, "credit_memo"))
        memo = self.papers[at] = Paper(
            event.company, account, "credit_memo", event.credit_memo_id, event.currency, day, [part]
        )
        if event.invoice_id is not None and not (named is not None and named.cancelled):
            self.reduce(memo, event.invoice_id, named)
        return True

    def cancel(self, event: events.InvoiceCancelled) -> bool:
        paper = self.find(event.company, event.account_id, event.invoice_id)
        if paper is None or paper.cancelled:
            return False
        day = max(self._day(event, event.effective_date), paper.posting_date)
        for settlement in [*self.settlements.values()]:
            if paper in (settlement.paper, settlement.source):
                gone = settlement.source is paper
                self.take_back(settlement, day, "reversal" if gone else "cancellation", gone=gone)
        self.drop_parked_elsewhere(paper)
        for part in paper.parts:
            part.close(day, self.changed(day, 0, "cancellation"))
        paper.cancelled_on = day
        return True

    def adjust(self, event: events.InvoiceAdjusted) -> bool:
        paper = self.find(event.company, event.account_id, event.invoice_id)
        at = event.company, event.adjustment_id
        amount = None if paper is None else rescale(event.amount_minor, event.amount_scale, paper.currency)
        if paper is None or amount is None or paper.cancelled or at in self.adjustments:
            return False
        fits = 0 < amount <= -paper.open if paper.kind == "credit_memo" else -amount <= paper.open
        if not fits:
            return False
        self.adjustments.add(at)
        day = self._day(event, event.effective_date)
        last = max(paper.parts, key=lambda part: (part.due_at_last, part.number))
        for part, portion in [(last, -amount)] if amount > 0 else paper.fill(-amount):
            part.change(self.changed(day, -portion, "adjustment", event.adjustment_id))
        return True

    def move_due_date(self, event: events.InvoiceDueDateChanged) -> bool:
        paper = self.find(event.company, event.account_id, event.invoice_id)
        parts = [] if paper is None or paper.cancelled else paper.parts
        parts = [part for part in parts if event.instalment in {None, part.number}]
        for part in parts:
            part.due_dates.append((max(self._day(event, None), part.since), event.due_date))
        return bool(parts)

    def write_off(self, event: events.InvoiceWrittenOff) -> bool:
        paper = self.find(event.company, event.account_id, event.invoice_id)
        at = event.company, event.write_off_id
        amount = None if paper is None else rescale(event.amount_minor, event.amount_scale, paper.currency)
        if paper is None or amount is None or paper.cancelled or at in self.write_offs:
            return False
        if not 0 < amount <= paper.open:
            return False
        day = max(self._day(event, event.effective_date), paper.posting_date)
        filled = paper.fill(amount)
        for part, portion in filled:
            part.change(self.changed(day, -portion, "write_off", event.write_off_id))
        self.write_offs[at] = _WrittenOff(paper, day, filled)
        return True

    def recover(self, event: events.WriteOffRecovered) -> bool:
        """At most what was written off, on the instalments it came from, in their order."""
        gone = self.write_offs.get((event.company, event.write_off_id))
        if gone is None or gone.paper.account != event.account_id or gone.paper.cancelled:
            return False
        amount = rescale(event.amount_minor, event.amount_scale, gone.paper.currency)
        if amount is None or not 0 < amount <= sum(portion for _, portion in gone.filled):
            return False
        day = max(self._day(event, event.effective_date), gone.day)
        rest: list[tuple[Part, int]] = []
        for part, portion in gone.filled:
            back = min(amount, portion)
            amount = Minor(amount - back)
            rest.append((part, portion - back))
            if back:
                part.change(self.changed(day, back, "recovery", event.write_off_id))
        gone.filled = rest
        return True

    # Cash

    def receive(self, event: events.PaymentReceived) -> bool:
        at = event.company, event.payment_id
        known = self.unidentified if event.account_id is None else self.cash
        if event.amount_minor < 0 or at in known:
            return False
        part = Part(0, event.value_date, event.value_date)
        part.change(self.changed(event.value_date, -event.amount_minor, "payment"))
        known[at] = Cash(
            event.company, event.account_id or "", event.payment_id, event.currency, event.amount_minor,
            event.value_date, part, event.on_account, content=_content(event),
            references=frozenset({event.payer_reference, event.end_to_end_id, event.bank_reference}),
        )  # fmt: skip
        if event.account_id is not None:
            self.came(known[at])
        return True

    def identify(self, event: events.PaymentIdentified) -> bool:
        """The account owns it from its value date on, and that is known from now on (SEMANTICS 4.2).

        Where the account has a payment of that id, it is the same one; or another one, and then nothing moves (4.5).
        """
        at = event.company, event.payment_id
        found, own = self.unidentified.get(at), self.cash.get(at)
        if found is None or found.reversed or at in self.moved:
            return False
        if own is not None and own.account == event.account_id and own.content != found.content:
            return False
        self.moved.add(at)
        if own is None:
            part = Part(0, found.value_date, found.value_date)
            part.change(self.changed(found.value_date, found.part.open, "identification"))
            self.cash[at] = replace(found, account=event.account_id or "", part=part)
            self.came(self.cash[at])
        return True

    def park_cash(self, event: events.PaymentPlacedOnAccount) -> bool:
        cash = self._cash(event.company, event.account_id, event.payment_id)
        if cash is None or cash.reversed or cash.on_account or cash.parked_on:
            return False
        cash.parked_on.append(self._day(event, None))
        cash.parked_after = len(cash.part.changes)
        return True

    def refund(self, event: events.PaymentRefunded) -> bool:
        cash = self._cash(event.company, event.account_id, event.payment_id)
        amount = None if cash is None else rescale(event.amount_minor, event.amount_scale, cash.currency)
        if cash is None or amount is None or not 0 < amount <= cash.left:
            return False
        day = self._day(event, event.effective_date)
        cash.part.change(self.changed(day, amount, "refund"))
        cash.refunds.append((day, amount))
        return True

    def reverse(self, event: events.PaymentReversed) -> bool:
        cash = self._cash(event.company, event.account_id, event.payment_id)
        if cash is None or cash.reversed:
            return False
        day = max(self._day(event, event.effective_date), cash.value_date)
        for settlement in [*self.settlements.values()]:
            if settlement.source is cash:
                self.take_back(settlement, day, "reversal", gone=True)
        self.drop_parked_elsewhere(cash)
        cash.part.close(day, self.changed(day, 0, "reversal"))
        cash.reversed, cash.reversed_on = True, day
        return True

    def _cash(self, company: str, account: str | None, payment_id: str) -> Cash | None:
        cash = (self.unidentified if account is None else self.cash).get((company, payment_id))
        return cash if cash is not None and cash.account == (account or "") else None

    # Exceptions

    def flag(self, event: events.ExceptionFlagged) -> bool:
        """A new case, or the same again after its resolution (SEMANTICS 5)."""
        at = event.company, event.exception_id
        known = self.cases.get(at)
        if known is not None and not known.resolved:
            return False
        case = self.cases.setdefault(at, Case(event.account_id, event.currency))
        case.account = event.account_id
        case.moments.append(("flagged", self._day(event, None), event.occurred_at))
        return True

    def handle(self, event: events.ExceptionReviewed | events.ExceptionResolved) -> bool:
        case = self.cases.get((event.company, event.exception_id))
        if case is None or case.account != event.account_id or case.resolved:
            return False
        status = "resolved" if isinstance(event, events.ExceptionResolved) else "reviewed"
        case.moments.append((status, self._day(event, None), event.occurred_at))
        return True

    # Days

    def today(self, company: str) -> Day:
        return day_of(moment_of(self.clock).astimezone(self.zones[company]).date())

    def _day(self, event: events.Event, given: Day | None) -> Day:
        """The date given, else the company's local date of what happened."""
        if given is not None:
            return given
        return day_of(moment_of(event.occurred_at).astimezone(self.zones[event.company]).date())

    def apply_event(self, event: events.CashApplied) -> bool:
        return self.apply(event, self._day(event, event.effective_date))

    def unapply_event(self, event: events.CashUnapplied) -> bool:
        return self.unapply(event, self._day(event, event.effective_date))

    def advise_event(self, event: events.RemittanceReceived) -> bool:
        return self.advise(event, self._day(event, None))

    def dispute_event(self, event: events.DisputeOpened) -> bool:
        return self.dispute(event, self._day(event, None))

    def decide_event(self, event: events.DisputeResolved) -> bool:
        return self.decide(event, self._day(event, None))

    # Questions

    def lines(self, as_of: Day) -> dict[Line, int]:
        """What is open at the end of a day."""
        found: dict[Line, int] = defaultdict(int)
        for paper in self.papers.values():
            for part in paper.parts:
                line = Line(paper.company, paper.account, paper.currency, paper.kind, paper.number, part.number,
                            paper.balance_class, part.due_on(as_of))  # fmt: skip
                found[line] += part.open_on(as_of)
        for cash in self.cash.values():
            line = Line(cash.company, cash.account, cash.currency, "payment", cash.payment_id, 0,
                        cash.class_on(as_of), cash.value_date)  # fmt: skip
            found[line] += cash.part.open_on(as_of)
        return {line: amount for line, amount in found.items() if amount}


def _content(event: events.PaymentReceived) -> tuple[object, ...]:
    names = [name for name in event.__struct_fields__ if name not in events.Event.__struct_fields__]
    return tuple(getattr(event, name) for name in names)


class _WrittenOff:
    """A write-off and what of it has not been recovered."""

    def __init__(self, paper: Paper, day: Day, filled: list[tuple[Part, int]]) -> None:
        self.paper, self.day, self.filled = paper, day, filled


_HANDLERS: dict[type[events.Event], Callable[[Journal, Any], bool]] = {
    events.InvoiceIssued: Journal.issue,
    events.CreditMemoIssued: Journal.credit,
    events.InvoiceCancelled: Journal.cancel,
    events.InvoiceAdjusted: Journal.adjust,
    events.InvoiceDueDateChanged: Journal.move_due_date,
    events.InvoiceWrittenOff: Journal.write_off,
    events.WriteOffRecovered: Journal.recover,
    events.PaymentReceived: Journal.receive,
    events.PaymentIdentified: Journal.identify,
    events.PaymentPlacedOnAccount: Journal.park_cash,
    events.PaymentRefunded: Journal.refund,
    events.PaymentReversed: Journal.reverse,
    events.RemittanceReceived: Journal.advise_event,
    events.CashApplied: Journal.apply_event,
    events.CashUnapplied: Journal.unapply_event,
    events.DisputeOpened: Journal.dispute_event,
    events.DisputeResolved: Journal.decide_event,
    events.ExceptionFlagged: Journal.flag,
    events.ExceptionReviewed: Journal.handle,
    events.ExceptionResolved: Journal.handle,
}
