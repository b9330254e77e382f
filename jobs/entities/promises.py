"""Promises to pay (SEMANTICS 3)."""

import msgspec

from jobs.values import Day, Minor


class CountedCash(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Cash of one value date, applied to covered invoices after the promise was recorded."""

    value_date: Day
    amount: Minor


class PromisedInstalment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One instalment, or the whole promise under number 0.

    `deadline` is the last day on which a payment counts. `kept_amount` is what had to be paid when it was kept,
    `breach_paid` what had been paid when it was judged not to be. `evaluation` is the number of its latest judgement,
    `alert_*` its breach alert, `pending_*` its pending-cash alert.
    """

    number: int
    promised_date: Day
    amount: Minor
    deadline: Day
    status: str = "open"
    kept_amount: Minor = Minor(0)
    evaluation: int = 0
    alert_kind: str = ""
    alert_number: int = 0
    alert_open: bool = False
    pending_number: int = 0
    pending_until: Day | None = None
    breach_paid: Minor = Minor(0)


class PromiseState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A promise and everything its judgement needs, so that an event costs the promises it touches.

    `whole_account` covers what was open when it was made; `covered_open` is what is open of it now. `cash` is merged
    by value date and ascending; an application knows the promises that count it, so that it can be taken back. `ended`
    is superseded, withdrawn or void, None while the instalments decide. `replaced`: a newer promise covers one of its
    invoices in the same way, or it was withdrawn; it does not run again.
    """

    wake: Day | None
    listed_under: str
    account: str
    promise_id: str
    currency: str
    amount: Minor
    made_on: Day
    level: int
    whole_account: bool
    invoice_ids: tuple[str, ...]
    covered_open: Minor
    instalments: tuple[PromisedInstalment, ...]
    content: bytes
    cash: tuple[CountedCash, ...] = ()
    ended: str | None = None
    replaced: bool = False

    @property
    def is_plan(self) -> bool:
        """Whether alerts name instalments."""
        return self.instalments[0].number != 0

    @property
    def deadline(self) -> Day:
        """The last deadline."""
        return max(instalment.deadline for instalment in self.instalments)

    @property
    def status(self) -> str:
        """SEMANTICS 3.3, 3.9: a plan is kept if all are, broken at the first final breach."""
        if self.ended is not None:
            return self.ended
        if not self.is_plan:
            return self.instalments[0].status
        statuses = {instalment.status for instalment in self.instalments} - {"void"}
        if statuses & {"broken", "partially_kept"}:
            return "broken"
        if statuses <= {"kept"}:
            return "kept"
        return "pending_cash" if "pending_cash" in statuses else "open"


class Coverage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The promises made for an invoice, in order, each with its level for this invoice (SEMANTICS 3.7)."""

    wake: Day | None
    listed_under: str
    promises: tuple[tuple[str, int], ...]
