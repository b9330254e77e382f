"""Two lists of open items → the events that lead from one to the other. Pure: state and list in, events and state out.

What a list shows is told as it is: new documents, other due dates. What it does not show is inferred, and every such
event says so (`actor_role` is ``inferred``, adjustments have the reason ``inferred_from_snapshot``): which credit
settled which invoice, and that what nothing explains was adjusted. Cash is never invented.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date

import msgspec

from sources.snapshot.drafts import Drafts
from sources.snapshot.explain import Shrunk, Used, explain
from sources.snapshot.items import Application, Companion, OpenItem
from sources.snapshot.state import KnownItem, KnownPayment, Part, State
from sources.values import ParsedEvent

REOPENED_DAYS_MAX = 365  # an invoice gone for longer may be forgotten by the ledger, which keeps closed ones 400 days


class Report(msgspec.Struct):
    """What a comparison found: `found` counts items by what became of them, `inferred` events by their kind."""

    found: Counter[str] = msgspec.field(default_factory=Counter)
    inferred: Counter[str] = msgspec.field(default_factory=Counter)


class Difference(msgspec.Struct, frozen=True):
    """The events in the order in which they are to be sent, and the state after them.

    `refused` are applications of the list of payments for which there is no item, or not enough of it, and why.
    """

    events: tuple[ParsedEvent, ...]
    state: State
    report: Report
    refused: tuple[tuple[Application, str], ...] = ()


def compare(
    state: State,
    items: Sequence[OpenItem],
    *,
    source: str,
    as_of: str,
    occurred_at: str,
    companion: Companion | None = None,
) -> Difference:
    """The difference between the state and a list of the day `as_of`; `occurred_at` is an instant of that day.

    The same state and lists give the same events with the same ids.
    """
    return _Comparison(state, source, as_of, occurred_at).run(items, companion or Companion())


class _Comparison:
    """One run over working copies of the state's items."""

    def __init__(self, state: State, source: str, as_of: str, occurred_at: str) -> None:
        self._state = state
        self._as_of = as_of
        self._drafts = Drafts(state.company, source, as_of, occurred_at, state.sequence + 1)
        self._items = {item.key: _copy(item) for item in state.items}
        self._payments = {known.number: copy(known) for known in state.payments}
        self._applications = dict.fromkeys(state.applications)
        self._found: Counter[str] = Counter()
        self._refused: list[tuple[Application, str]] = []
        self._shrunk: dict[tuple[str, str], list[Shrunk]] = {}
        self._used: dict[tuple[str, str], list[Used]] = {}

    def run(self, items: Sequence[OpenItem], companion: Companion) -> Difference:
        """Documents first, then facts of the list of payments, then amounts, then what explains them."""
        listed = {item.key: item for item in items}
        self._receive(companion, listed)
        for item in items:
            self._bring_in(item)
        for application in companion.applications:
            self._apply(application)
        for key, known in self._items.items():
            self._move(known, listed.get(key))
        self._explain(companion)
        events = self._drafts.events()
        state = State(
            company=self._state.company,
            mapping=self._state.mapping,
            sequence=self._state.sequence + bool(events),
            as_of=self._as_of,
            open_count=len(items),
            items=tuple(self._items.values()),
            payments=tuple(self._payments.values()),
            applications=tuple(self._applications),
        )
        return Difference(events, state, Report(self._found, self._drafts.inferred), tuple(self._refused))

    def _receive(self, companion: Companion, listed: Mapping[str, OpenItem]) -> None:
        """New payments of the list of payments; one that is an open item, too, comes with the items."""
        for payment in companion.payments:
            key = f"payment|{payment.number}"
            if payment.number in self._payments or key in self._items or key in listed:
                continue
            self._payments[payment.number] = KnownPayment(
                payment.number, payment.account, payment.currency, payment.amount
            )
            self._drafts.take_over(payment.event)
            self._found["payments"] += 1

    def _bring_in(self, item: OpenItem) -> None:
        """A document that the ledger does not have yet, or has elsewhere; and its due date."""
        known = self._items.get(item.key)
        if known is None:
            self._found["new"] += 1
            received = self._payments.pop(item.number, None) if item.kind == "payment" else None
            if received is None:
                self._items[item.key] = KnownItem(item.kind, item.number, item.account, item.currency, item.due, [])
                self._issue(self._items[item.key], item, item.amount)
            else:  # a list of payments brought it before
                parts = [Part(item.number, received.left)]
                account = received.account
                self._items[item.key] = KnownItem("payment", item.number, account, received.currency, None, parts)
            known = self._items[item.key]
        if known.account is None and item.account is not None and item.kind == "payment" and known.open:
            self._found["identified"] += 1
            for part in known.parts:
                if part.open:
                    self._drafts.identify(part.number, item.account, item.position)
            known.account = item.account
        if (known.account, known.currency) != (item.account, item.currency):
            self._found["moved"] += 1
            self._move(known, None)
            known.account, known.currency, known.due = item.account, item.currency, item.due
            self._issue(known, item, item.amount)
        elif not known.open:
            self._found["back"] += 1
            if item.kind != "invoice" or self._days_since(known.closed_on) > REOPENED_DAYS_MAX:
                known.due = item.due
                self._issue(known, item, item.open)
        if item.kind == "invoice" and item.due is not None and item.due != known.due:
            self._found["due date changed"] += 1
            self._drafts.change_due_date(known.parts[-1].number, known.account, item.due, item.position)
            known.due = item.due
        known.closed_on = ""

    def _issue(self, known: KnownItem, item: OpenItem, amount: int) -> None:
        """One more document for an item; only the first has its number, which the ledger knows for good."""
        number = item.number if not known.parts else f"{item.number}/{len(known.parts) + 1}"
        self._drafts.issue(item, number, amount)
        known.parts.append(Part(number, amount))

    def _apply(self, application: Application) -> None:
        """Applications that the list of payments names are facts; what the items say is measured after them."""
        if application.number in self._applications:
            return
        invoice = self._items.get(f"invoice|{application.invoice}")
        payment = self._items.get(f"payment|{application.payment}")
        received = self._payments.get(application.payment)
        source = payment.parts[-1] if payment is not None and payment.parts else None
        left = source.open if source is not None else received.left if received is not None else 0
        target = invoice.parts[-1] if invoice is not None else None
        if target is None or target.open < application.amount or left < application.amount:
            what = "open item" if target is None else "amount large enough"
            self._refused.append((application, f"neither list has an {what} for it"))
            return
        target.open -= application.amount
        if source is not None:
            source.open -= application.amount
        elif received is not None:
            received.left -= application.amount
        self._applications[application.number] = None
        self._drafts.take_over(application.event, invoice_id=target.number)
        self._found["applications"] += 1

    def _move(self, known: KnownItem, item: OpenItem | None) -> None:
        """From what the ledger has open of an item to what the list says; without an item, to nothing."""
        open_now, target = known.open, item.open if item is not None else 0
        if item is None and open_now:
            self._found["gone"] += 1
        elif item is not None:
            self._found["larger" if target > open_now else "smaller" if target < open_now else "unchanged"] += 1
        if item is None and not known.closed_on:
            known.closed_on = self._as_of
        if target > open_now and item is not None:
            if known.kind == "invoice":
                part = known.parts[-1]
                self._drafts.adjust(part.number, known.account, known.currency, target - open_now)
                part.open += target - open_now
            else:  # neither a credit memo nor a payment can grow: what is more of it is one more
                self._issue(known, item, target - open_now)
        self._shrink(known, item, open_now - target)

    def _shrink(self, known: KnownItem, item: OpenItem | None, amount: int) -> None:
        place = (known.account or "", known.currency)
        for part in known.parts:
            taken = min(part.open, max(amount, 0))
            if not taken:
                continue
            part.open -= taken
            amount -= taken
            if known.kind == "invoice":
                names = {known.number, part.number, str((item.record if item else {}).get("reference") or known.number)}
                due = known.due if known.due is not None else 0
                self._shrunk.setdefault(place, []).append(
                    Shrunk(part.number, known.account, due, taken, frozenset(names))
                )
            else:
                self._used.setdefault(place, []).append(Used(known.kind, part.number, 0, taken, must=True))

    def _explain(self, companion: Companion) -> None:
        """What credits and payments explain is applied; the rest is adjusted, or left the account."""
        references = {payment.number: payment.references for payment in companion.payments}
        for order, payment in enumerate(self._payments.values()):
            if payment.left and payment.account is not None:
                used = Used("payment", payment.number, order, payment.left, must=False)
                used.references = references.get(payment.number, ())
                self._used.setdefault((payment.account, payment.currency), []).append(used)
        for place in sorted({*self._shrunk, *self._used}):
            account, currency = place[0] or None, place[1]
            shrunk, used_here = self._shrunk.get(place, []), self._used.get(place, [])
            # Cash that nobody owns yet settles nothing.
            for settled in explain(shrunk, used_here) if account else ():
                credit, item = settled.used, settled.shrunk
                self._drafts.apply(credit.kind, credit.number, item.number, account, currency, settled.amount)
            for item in shrunk:
                if item.left:
                    self._drafts.adjust(item.number, account, currency, -item.left)
            for credit in used_here:
                if not credit.must:
                    self._payments[credit.number].left = credit.left
                elif credit.left and credit.kind == "payment":
                    self._drafts.refund(credit.number, account, currency, credit.left)
                elif credit.left:
                    self._drafts.spend(credit.number, account, currency, credit.left)

    def _days_since(self, day: str) -> int:
        return (date.fromisoformat(self._as_of) - date.fromisoformat(day)).days if day else 0


def _copy(item: KnownItem) -> KnownItem:
    parts = [Part(part.number, part.open) for part in item.parts]
    return KnownItem(item.kind, item.number, item.account, item.currency, item.due, parts, item.closed_on)
