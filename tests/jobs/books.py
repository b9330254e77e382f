"""A company's books for tests: events in a few words in, what the fold put out to look at."""

from collections import deque
from dataclasses import dataclass, field

from jobs import Fold, StepResult, settings_from
from jobs.as_of import Aging, OpenLine, age, open_lines
from jobs.company import CreditMode
from jobs.effects import (
    AccountAging,
    AgingTransition,
    Carried,
    DisputeEntry,
    Effect,
    Item,
    LedgerEntry,
    Receipt,
    Rejection,
)
from jobs.events import (
    CashApplied,
    CashUnapplied,
    CreditMemoIssued,
    DisputeOpened,
    DisputeResolved,
    Event,
    InvoiceAdjusted,
    InvoiceCancelled,
    InvoiceDueDateChanged,
    InvoiceIssued,
    InvoiceWrittenOff,
    PaymentPlacedOnAccount,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
    WriteOffRecovered,
)
from jobs.values import Day, Instant, Minor
from tests.jobs.written import configured, day, instant, iso, minor, scaled, ticked, written


@dataclass
class Outputs:
    """Effects of a fold by kind: histories as lists, latest states by id."""

    entries: list[LedgerEntry] = field(default_factory=list)
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    live: dict[tuple[str, str], AccountAging] = field(default_factory=dict)
    transitions: list[AgingTransition] = field(default_factory=list)
    disputes: list[DisputeEntry] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    def take(self, effects: list[Effect]) -> None:
        """Add the effects of a step."""
        for effect in effects:
            match effect:
                case LedgerEntry():
                    self.entries.append(effect)
                case Item():
                    self.items[effect.document_type, effect.document_id] = effect
                case Receipt():
                    self.receipts[effect.payment_id] = effect
                case AccountAging():
                    self.live[effect.account_id, effect.currency] = effect
                case AgingTransition():
                    self.transitions.append(effect)
                case DisputeEntry():
                    self.disputes.append(effect)
                case Rejection():
                    self.rejections.append(effect)
                case _:
                    pass


class Books:
    """One fold with one company, its clock and everything it put out. Event ids count from 1."""

    def __init__(
        self, *, start: str | None = "2026-01-01T00:00:00Z", code: str = "FR01", account: str = "C1", **settings: object
    ) -> None:
        self.settings = settings_from({"code": code, **settings})
        self.fold = Fold()
        self.account = account
        self.out = Outputs()
        self.now = Instant(0)
        self._events = 0
        self.fold.step(configured(self.settings))
        if start is not None:
            self.tick(start)

    # Events

    def tick(self, at: str) -> list[Effect]:
        """The clock advances to an instant; what that put out."""
        self.now = instant(at)
        return self._fold(ticked(self.now)).effects

    def record(self, kind: type[Event], /, **payload: object) -> StepResult:
        """Any event, now, of the account in hand."""
        self._events += 1
        given = {"account_id": self.account, "event_id": str(self._events), **payload}
        event_id = str(given.pop("event_id"))
        return self._fold(written(kind, self.now, event_id, self.settings.code, **given))

    def invoice(self, invoice_id: str, amount: str, **payload: object) -> StepResult:
        """An invoice of today; `instalments` as (number, due date, amount)."""
        currency = str(payload.get("currency", "EUR"))
        parts = payload.pop("instalments", None)
        if isinstance(parts, list):
            payload["instalments"] = [
                {"number": number, "due_date": day(due), "amount_minor": minor(part, currency)}
                for number, due, part in parts
            ]
        payload.setdefault("document_date", self.today)
        return self.record(InvoiceIssued, invoice_id=invoice_id, amount=amount, **payload)

    def payment(self, payment_id: str, amount: str, **payload: object) -> StepResult:
        """A payment with the value date of today."""
        payload.setdefault("value_date", self.today)
        return self.record(PaymentReceived, payment_id=payment_id, amount=amount, **payload)

    def credit_memo(self, credit_memo_id: str, amount: str, **payload: object) -> StepResult:
        """A credit memo of today, open or naming an invoice."""
        payload.setdefault("document_date", self.today)
        return self.record(CreditMemoIssued, credit_memo_id=credit_memo_id, amount=amount, **payload)

    def apply(self, application_id: str, amount: str, **payload: object) -> StepResult:
        """Payment R1 to invoice I1, unless others are named."""
        if "credit_memo_id" not in payload:
            payload.setdefault("payment_id", "R1")
        payload.setdefault("invoice_id", "I1")
        return self.record(CashApplied, application_id=application_id, amount=amount, **payload)

    def unapply(self, application_id: str, **payload: object) -> StepResult:
        """An application is taken back."""
        return self.record(CashUnapplied, application_id=application_id, **payload)

    def reverse(self, payment_id: str, **payload: object) -> StepResult:
        """A payment bounced."""
        return self.record(PaymentReversed, payment_id=payment_id, **payload)

    def refund(self, payment_id: str, amount: str, **payload: object) -> StepResult:
        """Money goes back to the payer."""
        return self.record(PaymentRefunded, payment_id=payment_id, amount=amount, **payload)

    def park(self, payment_id: str, **payload: object) -> StepResult:
        """A payment is placed on account."""
        return self.record(PaymentPlacedOnAccount, payment_id=payment_id, **payload)

    def cancel(self, invoice_id: str, **payload: object) -> StepResult:
        """A document is cancelled."""
        return self.record(InvoiceCancelled, invoice_id=invoice_id, **payload)

    def adjust(self, adjustment_id: str, amount: str, **payload: object) -> StepResult:
        """Invoice I1 is adjusted, unless another is named."""
        payload.setdefault("invoice_id", "I1")
        return self.record(InvoiceAdjusted, adjustment_id=adjustment_id, amount=amount, **payload)

    def move_due_date(self, invoice_id: str, due_date: str, **payload: object) -> StepResult:
        """A new due date from today on."""
        return self.record(InvoiceDueDateChanged, invoice_id=invoice_id, due_date=due_date, **payload)

    def write_off(self, write_off_id: str, amount: str, **payload: object) -> StepResult:
        """Invoice I1 is written off, unless another is named."""
        payload.setdefault("invoice_id", "I1")
        return self.record(InvoiceWrittenOff, write_off_id=write_off_id, amount=amount, **payload)

    def recover(self, write_off_id: str, amount: str, **payload: object) -> StepResult:
        """A written-off amount is owed again."""
        return self.record(WriteOffRecovered, write_off_id=write_off_id, amount=amount, **payload)

    def dispute(self, dispute_id: str, amount: str, **payload: object) -> StepResult:
        """A part of invoice I1 is contested, unless another is named."""
        payload.setdefault("invoice_id", "I1")
        return self.record(DisputeOpened, dispute_id=dispute_id, amount=amount, **payload)

    def resolve(self, dispute_id: str, outcome: str, **payload: object) -> StepResult:
        """A dispute is decided."""
        return self.record(DisputeResolved, dispute_id=dispute_id, outcome=outcome, **payload)

    def reconfigure(self, **settings: object) -> StepResult:
        """The company changes its settings."""
        self.settings = settings_from({"code": self.settings.code, **settings})
        self._events += 1
        return self._fold(configured(self.settings, f"changed-{self._events}"))

    def restart(self) -> None:
        """Another process takes over: a new fold from the state records of this one."""
        self.fold.take_changes()
        records = dict(self.fold._state._resting)
        self.fold = Fold()
        for key, value in records.items():
            self.fold.restore(key, value)
        self.fold.restored()

    def _step(self, event: Event) -> StepResult:
        result = self.fold.step(event)
        self.out.take(result.effects)
        return result

    def _fold(self, event: Event) -> StepResult:
        result = self._step(event)
        carried = deque(effect.event for effect in result.effects if isinstance(effect, Carried))
        while carried:
            effects = self._step(carried.popleft()).effects
            carried.extend(effect.event for effect in effects if isinstance(effect, Carried))
        return result

    # What came of them

    @property
    def today(self) -> Day:
        """The company's local date at the clock."""
        return self.settings.calendar.day(self.now)

    def item(self, document_id: str, document_type: str = "invoice") -> Item:
        """The latest state of a document."""
        return self.out.items[document_type, document_id]

    def receipt(self, payment_id: str) -> Receipt:
        """The latest state of a receipt."""
        return self.out.receipts[payment_id]

    def live(self, currency: str = "EUR", account: str | None = None) -> AccountAging:
        """The latest live totals of the account."""
        return self.out.live[account or self.account, currency]

    def lines(
        self, as_of: str, currency: str = "EUR", account: str | None = None, known_as_of: Instant | None = None
    ) -> dict[OpenLine, Minor]:
        """What is open on a day."""
        return {
            line: amount
            for line, amount in open_lines(self.out.entries, day(as_of), known_as_of).items()
            if (line.account_id, line.currency) == (account or self.account, currency)
        }

    def aging(
        self,
        as_of: str,
        currency: str = "EUR",
        mode: CreditMode = "separate",
        account: str | None = None,
        known_as_of: Instant | None = None,
    ) -> Aging:
        """The aging report of a day."""
        return age(self.lines(as_of, currency, account, known_as_of), day(as_of), self.settings.aging, mode)

    def open_at(
        self, document_id: str, as_of: str, document_type: str = "invoice", instalment: int | None = None
    ) -> int:
        """What of a document or receipt is open on a day."""
        return sum(
            amount
            for line, amount in open_lines(self.out.entries, day(as_of)).items()
            if (line.item_type, line.item_id) == (document_type, document_id) and instalment in {None, line.instalment}
        )

    def transitions(self, document_id: str) -> list[tuple[str, str, str]]:
        """(local date, from, to) of a document."""
        return [
            (iso(transition.local_date), transition.from_bucket, transition.to_bucket)
            for transition in self.out.transitions
            if transition.document_id == document_id
        ]

    def buckets(self, currency: str = "EUR") -> dict[str, int]:
        """The live buckets that are not zero."""
        live = self.live(currency)
        return {name: amount for name, amount in zip(live.buckets, live.bucket_minor, strict=True) if amount}


def reason(result: StepResult) -> str:
    """Why an event was rejected; it put out nothing else."""
    assert result.outcome == "rejected", result.outcome
    (rejection,) = result.effects
    assert isinstance(rejection, Rejection)
    return rejection.reason


def nothing(result: StepResult) -> bool:
    """The event was taken and changed nothing that anybody can see (SEMANTICS 1.5)."""
    return result.outcome == "applied" and not result.effects


__all__ = [
    "Books",
    "Outputs",
    "configured",
    "day",
    "instant",
    "iso",
    "minor",
    "nothing",
    "reason",
    "scaled",
    "ticked",
    "written",
]
