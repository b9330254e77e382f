"""What collectors do about late invoices: calls, promises, reminders, exceptions."""

from datetime import date, timedelta
from typing import Any

from examples.generator.company import Company
from examples.generator.dice import Dice
from examples.generator.facts import END, Fact
from examples.generator.stories import Late

_OUTCOMES = (("reached", 5), ("no_answer", 4), ("voicemail", 2), ("wrong_contact", 1))


class FollowUp:
    """Works on the late invoices of a company, one case each."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.facts: list[Fact] = []
        self._dice = Dice(company.code, "follow-up")
        self._numbers = {"activity": 0, "promise": 0, "notice": 0, "exception": 0}

    def work_on(self, late: list[Late], contested: set[str]) -> None:
        """One case for each late invoice, in order; contested ones are left to the dispute."""
        seen: set[str] = set()
        for case in late:
            if case.invoice.number in seen or case.invoice.number in contested:
                continue
            seen.add(case.invoice.number)
            if self._dice.chance(28):
                self._case(case)
        self._exceptions(late)

    def _case(self, case: Late) -> None:
        until = case.paid_on or END
        day = self.company.business_day(case.due_date + timedelta(days=self._dice.between(3, 7)))
        if day >= until:
            return
        self._notice(case, day)
        for _ in range(self._dice.between(1, 2)):
            day = self.company.business_days_after(day, self._dice.between(2, 6))
            if day >= until:
                return
            outcome = self._dice.weighted(_OUTCOMES)
            self._contact(case, day, outcome)
            if outcome == "reached" and self._dice.chance(70):
                self._promise(case, day)
                return

    def _promise(self, case: Late, day: date) -> None:
        """Promised for just after the payment (kept), or for days before it (broken)."""
        kept = case.paid_on is not None and self._dice.chance(55)
        days = (
            (case.paid_on - day).days + self._dice.between(0, 3) if kept and case.paid_on else self._dice.between(3, 10)
        )
        promised = self.company.business_day(day + timedelta(days=days))
        identifier = self._number("promise", "PTP")
        fields: dict[str, Any] = {"promise_id": identifier, "invoice_ids": [case.invoice.number], "amount": case.amount,
                                  "currency": case.invoice.currency, "promised_date": promised}  # fmt: skip
        if not kept and case.amount >= 100_000 and self._dice.chance(40):
            half = case.amount // 2
            second = self.company.business_day(promised + timedelta(days=14))
            fields["instalments"] = [
                {"number": 1, "promised_date": promised, "amount": half},
                {"number": 2, "promised_date": second, "amount": case.amount - half},
            ]
            fields["promised_date"] = second
        self._enter(case, day, 17, "PromiseMade", **fields)
        if not kept and self._dice.chance(8):
            withdrawn_on = self.company.business_days_after(day, 1)
            self._enter(case, withdrawn_on, 10, "PromiseWithdrawn", promise_id=identifier, reason="customer_request")

    def _contact(self, case: Late, day: date, outcome: str) -> None:
        channel = self._dice.weighted((("call", 6), ("email", 3), ("portal", 1)))
        fields: dict[str, object] = {
            "activity_id": self._number("activity", "ACT"),
            "channel": channel,
            "direction": "outbound",
            "outcome": outcome,
        }
        if channel == "call":
            fields["right_party"] = outcome == "reached"
        self._enter(case, day, 16, "ContactAttempted", **fields)

    def _notice(self, case: Late, day: date) -> None:
        channel = self._dice.pick(("email", "letter"))
        self._enter(case, day, 9, "NoticeSent", notice_id=self._number("notice", "N"), kind="dunning", level=1,
                    invoice_ids=[case.invoice.number], channel=channel)  # fmt: skip

    def _exceptions(self, late: list[Late]) -> None:
        """A few late invoices that somebody flags; most are reviewed and resolved in time."""
        for case in late:
            if not self._dice.chance(4):
                continue
            day = self.company.business_day(case.due_date + timedelta(days=2))
            identifier = self._number("exception", "EX")
            self._enter(case, day, 10, "ExceptionFlagged", exception_id=identifier, exception_type="missing_remittance",
                        subject_type="invoice", subject_id=case.invoice.number, amount=case.amount,
                        currency=case.invoice.currency)  # fmt: skip
            if self._dice.chance(80):
                day = self.company.business_days_after(day, self._dice.between(0, 2))
                self._enter(case, day, 12, "ExceptionReviewed", exception_id=identifier)
                if self._dice.chance(30):
                    self._enter(case, day, 13, "ExceptionRouted", exception_id=identifier, queue="collections",
                                assigned_to=case.invoice.customer.collector)  # fmt: skip
                if self._dice.chance(85):
                    day = self.company.business_days_after(day, self._dice.between(1, 6))
                    self._enter(case, day, 15, "ExceptionResolved", exception_id=identifier, resolution="clarified")

    def _number(self, kind: str, prefix: str) -> str:
        self._numbers[kind] += 1
        return f"{prefix}-{self._numbers[kind]:05}"

    def _enter(self, case: Late, day: date, hour: int, event: str, **fields: object) -> None:
        at = self.company.at(day, self._dice, hour, hour)
        self.facts.append(Fact(at, event, case.invoice.customer.account, case.invoice.customer.collector, fields))
