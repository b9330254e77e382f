"""A collector's desk for tests: books whose carried events find their accounts, with promises, cases and alerts."""

from collections import deque
from typing import NamedTuple

from jobs import StepResult
from jobs.effects import Action, Alert, Carried, DisputeCase, Effect, ExceptionCase, Promise
from jobs.events import (
    AccountChanged,
    DisputeAssigned,
    Event,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    NoticeSent,
    PaymentIdentified,
    PromiseMade,
    PromiseWithdrawn,
    RemittanceReceived,
)
from jobs.values import Day
from tests.jobs.books import Books, day, minor, scaled


class Row(NamedTuple):
    """What of an alert an expectation names; `amount` in minor units."""

    kind: str
    subject: str
    status: str
    amount: int | None


class Desk(Books):
    """Books of several accounts in one partition. Events for other accounts are delivered at once, or held back.

    `rules` are settings of the company.
    """

    def __init__(self, *, start: str | None = "2026-01-01T00:00:00Z", **rules: object) -> None:
        self.alerts: list[Alert] = []
        self.promises: dict[str, Promise] = {}
        self.exceptions: dict[str, ExceptionCase] = {}
        self.exception_history: list[ExceptionCase] = []
        self.dispute_cases: dict[str, DisputeCase] = {}
        self.actions: list[Action] = []
        self.in_flight: deque[Event] = deque()
        self.held = False
        super().__init__(start=start, **rules)  # type: ignore[arg-type]  # code and account are texts

    def _fold(self, event: Event) -> StepResult:
        result = self._step(event)
        self._look_at(result.effects)
        if not self.held:
            self.deliver()
        return result

    def deliver(self, count: int | None = None) -> None:
        """Deliver what is on its way between accounts: everything, or so many events."""
        while self.in_flight and (count is None or count > 0):
            result = self._step(self.in_flight.popleft())
            self._look_at(result.effects)
            count = None if count is None else count - 1

    def _look_at(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Alert():
                    self.alerts.append(effect)
                case Promise():
                    self.promises[effect.promise_id] = effect
                case ExceptionCase():
                    self.exceptions[effect.exception_id] = effect
                    self.exception_history.append(effect)
                case DisputeCase():
                    self.dispute_cases[effect.dispute_id] = effect
                case Action():
                    self.actions.append(effect)
                case Carried():
                    self.in_flight.append(effect.event)
                case _:
                    pass

    # Events

    def promise(self, promise_id: str, amount: str, until: str, *invoices: str, **payload: object) -> StepResult:
        """A promise for invoices, or for the account; `instalments` as (number, promised date, amount)."""
        currency = str(payload.get("currency", "EUR"))
        parts = payload.pop("instalments", None)
        if isinstance(parts, list):
            payload["instalments"] = [
                {"number": number, "promised_date": day(date), "amount_minor": minor(part, currency)}
                for number, date, part in parts
            ]
        return self.record(
            PromiseMade, promise_id=promise_id, amount=amount, promised_date=until, invoice_ids=invoices, **payload
        )

    def withdraw(self, promise_id: str, **payload: object) -> StepResult:
        """A promise is off."""
        return self.record(PromiseWithdrawn, promise_id=promise_id, **payload)

    def pay(self, payment_id: str, amount: str, invoice: str = "I1", **payload: object) -> StepResult:
        """A payment of today, or of `value_date`, applied to an invoice at once; the application is `A-<payment>`."""
        self.payment(payment_id, amount, **payload)
        return self.apply(f"A-{payment_id}", amount, payment_id=payment_id, invoice_id=invoice)

    def identify(self, payment_id: str, account: str) -> StepResult:
        """The account of unidentified cash was found."""
        return self.record(PaymentIdentified, payment_id=payment_id, account_id=account)

    def remit(
        self, remittance_id: str, *lines: tuple[str, str] | tuple[str, str, str, str | None], **payload: object
    ) -> StepResult:
        """A remittance; lines as (invoice, amount) or (invoice, amount, deduction, its reason)."""
        written = []
        for invoice, amount, *deduction in lines:
            places = max(scaled(text)[1] for text in (amount, deduction[0] if deduction else "0") if text)
            line = {
                "invoice_id": invoice,
                "amount_minor": _digits(amount, places),
                "amount_scale": places,
                "deduction_minor": _digits(str(deduction[0]), places) if deduction else None,
                "deduction_reason": deduction[1] if deduction else None,
            }
            written.append(line)
        return self.record(RemittanceReceived, remittance_id=remittance_id, lines=written, **payload)

    def flag(self, exception_id: str, **payload: object) -> StepResult:
        """An exception about payment R1, unless another subject is named."""
        given = {"exception_type": "unmatched_payment", "subject_type": "payment", "subject_id": "R1", **payload}
        return self.record(ExceptionFlagged, exception_id=exception_id, **given)

    def review(self, exception_id: str, **payload: object) -> StepResult:
        """Somebody has looked at an exception."""
        return self.record(ExceptionReviewed, exception_id=exception_id, **payload)

    def settle(self, exception_id: str, **payload: object) -> StepResult:
        """An exception is resolved."""
        return self.record(ExceptionResolved, exception_id=exception_id, resolution="done", **payload)

    def assign(self, dispute_id: str, **payload: object) -> StepResult:
        """Somebody takes a dispute on."""
        return self.record(DisputeAssigned, dispute_id=dispute_id, **payload)

    def change(self, **payload: object) -> StepResult:
        """Master data of the account."""
        return self.record(AccountChanged, **payload)

    def notice(self, notice_id: str, level: int | None, *invoices: str, **payload: object) -> StepResult:
        """A dunning notice went out."""
        given = {"kind": "dunning", "channel": "email", **payload}
        return self.record(NoticeSent, notice_id=notice_id, level=level, invoice_ids=invoices, **given)

    # What came of them

    def status(self, promise_id: str) -> str:
        """The status of a promise."""
        return self.promises[promise_id].status

    def rows(self, kind: str | None = None) -> list[Row]:
        """The alerts so far, or those of a kind."""
        return [
            Row(alert.kind, alert.subject, alert.status, alert.amount_minor)
            for alert in self.alerts
            if kind in {None, alert.kind}
        ]

    def notices(self) -> list[tuple[str, int, tuple[str, ...]]]:
        """(account, level, invoices) of the notices that are due."""
        return [
            (notice.account, notice.level, notice.invoice_ids) for notice in self.fold.notices_due(self.settings.code)
        ]

    def worklist(self) -> list[str]:
        """Accounts to call, in order."""
        return [row.account for row in self.fold.worklist(self.settings.code)]

    def advice(self) -> list[tuple[Day, str, str]]:
        """(local date, account, kind) of the advice published so far."""
        return [(action.local_date, action.account_id, action.kind) for action in self.actions]


def _digits(amount: str, places: int) -> int:
    digits, scale = scaled(amount)
    return digits * int(10 ** (places - scale))
