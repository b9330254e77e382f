"""Promises by the rules, one after the other (SEMANTICS 3). Nothing is carried along but the judgements themselves."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from jobs.company import CompanySettings
from jobs.events import Event, PromiseMade, PromiseWithdrawn
from jobs.values import date_of, moment_of
from tests.property.oracle.ledger import Applied, Ledger

DECIDED_LATER = ("open", "pending_cash")


@dataclass
class Part:
    """An instalment, or the whole promise."""

    number: int
    amount: int
    deadline: date
    status: str = "open"
    kept_with: int | None = None  # what had been paid of it when it was kept, at most what was needed
    breach_kind: str = ""
    breach_paid: int = 0
    alert_open: bool = False
    pending_until: date | None = None


@dataclass
class Made:
    """A promise."""

    account: str
    promise_id: str
    whole: bool
    invoices: list[str]
    made_on: date
    parts: list[Part]
    level: int
    levels: dict[str, int]
    over: bool = False  # replaced or withdrawn: it does not run again

    @property
    def plan(self) -> bool:
        return self.parts[0].number > 0

    @property
    def deadline(self) -> date:
        return max(part.deadline for part in self.parts)

    @property
    def status(self) -> str:
        statuses = {part.status for part in self.parts}
        if not self.plan:
            return statuses.pop()
        statuses.discard("void")
        if statuses & {"broken", "partially_kept"}:
            return "broken"
        for first in ("pending_cash", "open", "superseded", "withdrawn"):
            if first in statuses:
                return first
        return "kept" if statuses else "void"

    @property
    def ended(self) -> bool:
        return self.status in {"superseded", "withdrawn"}

    @property
    def next_deadline(self) -> date:
        running = [part.deadline for part in self.parts if part.status in DECIDED_LATER]
        return min(running, default=self.deadline)


@dataclass
class Need:
    """What an instalment needs and has."""

    amount: int
    target: int
    paid: int
    late: int

    @property
    def missing(self) -> int:
        return max(0, self.target - self.paid)


class PromiseOracle(Ledger):
    """Every promise is judged anew after every event and at every local midnight."""

    def __init__(self, settings: CompanySettings) -> None:
        super().__init__(settings)
        self.promises: dict[str, Made] = {}

    def look(self) -> None:
        self.judge()

    def other(self, event: Event) -> None:
        if isinstance(event, PromiseMade):
            self._promise(event)
        elif isinstance(event, PromiseWithdrawn):
            self._withdraw(self.promises[event.promise_id])

    def settled(self, applied: Applied) -> None:
        """The promises for which cash counts that is applied now."""
        invoice, receipt = applied.invoice, self.receipts.get(applied.source)
        if receipt is None:
            return
        live = [made for made in self.promises.values() if invoice in made.invoices and not made.ended]
        live = [made for made in live if made.status != "void"]
        windows = {made.promise_id: made.made_on <= receipt.value_date <= made.deadline for made in live}
        for position, made in enumerate(live):
            newer = [other for other in live[position + 1 :] if other.whole == made.whole and windows[other.promise_id]]
            naming = [other for other in live if not other.whole and windows[other.promise_id]]
            if receipt.value_date < made.made_on or (made.whole and naming) or (made.status == "kept" and newer):
                continue
            applied.counts_for.add(made.promise_id)

    # Figures, added up anew

    def deadline(self, promised: date) -> date:
        days = self.settings.promise_tolerance_days
        if self.settings.promise_tolerance_calendar == "business":
            return self.business_days_after(promised, days)
        return promised + timedelta(days=days)

    def cash_of(self, made: Made) -> list[tuple[date, int]]:
        standing = [each for each in self.applied.values() if each.standing and made.promise_id in each.counts_for]
        return sorted((self.receipts[each.source].value_date, each.amount) for each in standing)

    def paid(self, made: Made) -> tuple[int, int, int | None]:
        """(in the window, late, days late) of the whole promise."""
        cash = self.cash_of(made)
        in_window = sum(amount for day, amount in cash if day <= made.deadline)
        late = sum(amount for day, amount in cash if day > made.deadline)
        last = max((day for day, _ in cash if day > made.deadline), default=None)
        return in_window, late, None if last is None else (last - made.deadline).days

    def needs(self, made: Made) -> list[Need]:
        cash = self.cash_of(made)
        everything = sum(amount for _, amount in cash)
        owed = sum(self.open_of(invoice) for invoice in made.invoices)
        rest = min(sum(part.amount for part in made.parts), owed + everything)
        needs = []
        before = 0
        for part in made.parts:
            amount = max(0, min(part.amount, rest))
            rest -= amount
            share = Fraction(self.settings.promise_threshold_percent) / 100
            target = math.ceil(amount * share)
            by_deadline = sum(each for day, each in cash if day <= part.deadline)
            if not made.plan:
                needs.append(Need(amount, target, by_deadline, everything - by_deadline))
                continue
            paid = min(amount, max(0, by_deadline - before))
            done = amount > 0 and paid >= target
            late = 0 if done else min(amount, max(0, everything - before)) - paid
            needs.append(Need(amount, target, paid, late))
            before += paid if done else amount
        return needs

    # Promises

    def _promise(self, event: PromiseMade) -> None:
        if event.promise_id in self.promises:
            return
        account = event.account_id or ""
        owing = [document for document, paper in self.papers.items() if paper.account == account]
        owing = [document for document in owing if self.open_of(document) > 0 and document.startswith("I")]
        invoices = list(dict.fromkeys(event.invoice_ids)) or owing
        whole = not event.invoice_ids
        levels = {invoice: self._next_level(invoice, whole=whole) for invoice in invoices}
        for former in self.promises.values():
            if former.whole == whole and set(former.invoices) & set(invoices) and not former.ended:
                former.over = True
                self._end(former, "superseded")
        rest = sum(self.open_of(invoice) for invoice in invoices)
        wanted = [(part.number, part.amount_minor, part.promised_date) for part in event.instalments or ()]
        wanted = wanted or [(0, event.amount_minor, event.promised_date)]
        parts = []
        for number, amount, promised in sorted(wanted, key=lambda part: (part[2], part[0])):
            capped = min(amount, rest)
            rest -= capped
            parts.append(Part(number, capped, self.deadline(date_of(promised))))
        made_on = moment_of(event.occurred_at).astimezone(self.zone).date()
        level = max(levels.values(), default=1)
        self.promises[event.promise_id] = Made(
            account, event.promise_id, whole, invoices, made_on, parts, level, levels
        )

    def _next_level(self, invoice: str, *, whole: bool) -> int:
        for former in reversed(self.promises.values()):
            if invoice not in former.invoices or former.status == "void":
                continue
            if former.status in DECIDED_LATER and former.whole != whole:
                continue  # it runs on beside the new one
            if former.status == "pending_cash" and "open" not in {part.status for part in former.parts}:
                return former.levels[invoice]
            return 1 if former.status == "kept" else former.levels[invoice] + 1
        return 1

    def _withdraw(self, made: Made) -> None:
        if any(part.status in {"open", "void"} for part in made.parts):
            made.over = True
        self._end(made, "withdrawn")

    def _end(self, made: Made, how: str) -> None:
        for part in made.parts:
            if part.status == "open":
                part.status = how

    # Judgement

    def judge(self) -> None:
        """Every instalment of every promise, in order of deadline, then id."""
        for made in sorted(self.promises.values(), key=lambda made: (made.next_deadline, made.promise_id)):
            if made.ended:
                continue
            for position, part in enumerate(made.parts):
                self._judge(made, part, self.needs(made)[position])

    def _judge(self, made: Made, part: Part, need: Need) -> None:
        passed = self.today is not None and self.today > part.deadline
        enough = need.amount > 0 and need.paid >= need.target
        nothing = need.amount == need.paid == need.late == 0
        if part.status == "void" and not passed and not made.over and need.amount > 0:
            part.status = "open"
        if part.status == "kept":
            self._judge_kept(made, part, need, passed=passed)
        elif part.status == "open":
            if nothing:
                part.status = "void"
            elif enough:
                self._keep(part, need)
            elif passed and not self._wait_for_cash(made, part, need):
                self._breach(made, part, need, supersedes=False)
        elif part.status == "pending_cash":
            over = part.pending_until is not None and self.today is not None and self.today > part.pending_until
            if nothing or enough or over:
                self._alert(made, part, "promise_pending_cash", "resolved", need.missing)
                part.pending_until = None
                self._judge_pending(made, part, need, nothing=nothing, enough=enough)
        elif part.status in {"broken", "partially_kept"}:
            self._judge_breach(made, part, need)

    def _judge_kept(self, made: Made, part: Part, need: Need, *, passed: bool) -> None:
        if need.paid >= min(part.kept_with or 0, need.target):
            return
        if not passed:
            part.kept_with = None
            part.status = "superseded" if made.over else "open"
        elif not self._wait_for_cash(made, part, need):
            self._breach(made, part, need, supersedes=True)

    def _judge_pending(self, made: Made, part: Part, need: Need, *, nothing: bool, enough: bool) -> None:
        if nothing:
            part.status = "void"
        elif enough:
            self._keep(part, need)
        else:
            self._breach(made, part, need, supersedes=part.kept_with is not None)

    def _judge_breach(self, made: Made, part: Part, need: Need) -> None:
        if need.amount > 0 and need.paid >= need.target and need.paid > part.breach_paid:
            self._alert(made, part, part.breach_kind, "corrected", 0, supersedes=True)
            part.alert_open = False
            self._keep(part, need)
            return
        if need.amount:
            part.status = "partially_kept" if need.paid else "broken"
        if part.alert_open and need.late >= need.missing:
            self._alert(made, part, part.breach_kind, "resolved", 0)
            part.alert_open = False
        elif not part.alert_open and need.late < need.missing:
            self._breach(made, part, need, supersedes=True)

    def _keep(self, part: Part, need: Need) -> None:
        part.status = "kept"
        part.kept_with = need.target

    def _breach(self, made: Made, part: Part, need: Need, *, supersedes: bool) -> None:
        part.status = "partially_kept" if need.paid else "broken"
        part.breach_kind = "promise_" + part.status
        part.breach_paid = need.paid
        self._alert(made, part, part.breach_kind, "raised", need.missing, supersedes=supersedes)
        part.alert_open = need.late < need.missing
        if not part.alert_open:
            self._alert(made, part, part.breach_kind, "resolved", 0)

    def _wait_for_cash(self, made: Made, part: Part, need: Need) -> bool:
        until = self.business_days_after(part.deadline, self.settings.pending_cash_days)
        if self.today is None or self.today > until:
            return False
        purse = sorted(
            (receipt.value_date, self.left_of(payment))
            for payment, receipt in self.receipts.items()
            if receipt.account == made.account and self.left_of(payment) > 0
        )
        waiting = [
            (other_part.deadline, other.promise_id, other_part.number, other.made_on, other_need.missing)
            for other in self.promises.values()
            if other.account == made.account and not other.ended
            for other_part, other_need in zip(other.parts, self.needs(other), strict=True)
            if other_part.status == "pending_cash" and other_part is not part
        ]
        for deadline, _, _, made_on, missing in sorted(waiting):
            _spend(purse, made_on, deadline, missing)
        if _spend(purse, made.made_on, part.deadline, need.missing):
            return False
        part.status = "pending_cash"
        part.pending_until = until
        self._alert(made, part, "promise_pending_cash", "raised", need.missing)
        return True

    def _alert(self, made: Made, part: Part, kind: str, status: str, amount: int, *, supersedes: bool = False) -> None:
        subject = f"{made.promise_id}/{part.number}" if made.plan else made.promise_id
        self.row(subject, kind, status, amount, supersedes=supersedes)


def _spend(purse: list[tuple[date, int]], since: date, until: date, amount: int) -> int:
    """Take an amount out of what is dated so, oldest first; what is missing."""
    for position, (day, left) in enumerate(purse):
        if since <= day <= until:
            taken = min(left, amount)
            purse[position] = day, left - taken
            amount -= taken
    return amount
