"""Unapplied and unidentified cash: alert, escalation, resolution (SEMANTICS 4.2).

The stages are days after the value date: `unapplied_after_days` raises, each of `unapplied_escalate_days` beyond it
escalates. A limit ends with the local day that lies so many days later, so its stage fires at the midnight after it.
"""

import msgspec

from jobs import alerts
from jobs.entities import ReceiptState
from jobs.step import Step
from jobs.values import Day

UNAPPLIED_CASH = "unapplied_cash"
UNIDENTIFIED_CASH = "unidentified_cash"


def watch(step: Step, receipt: ReceiptState) -> ReceiptState:
    """Raise, escalate or resolve by the receipt's state and the company's local date.

    Returns the receipt with the stage it is in and the day it wants to be woken for the next one.
    """
    kind = UNAPPLIED_CASH if receipt.account else UNIDENTIFIED_CASH
    amount = receipt.remainder
    left = amount if receipt.moved_to is None else receipt.unapplied  # of identified cash: it goes on as unapplied
    quiet = receipt.on_account or amount <= step.settings.amount("unapplied_min_amount", receipt.currency)
    if receipt.alert_kind and (quiet or receipt.alert_kind != kind):
        alerts.put_out(
            step,
            receipt.alert_kind,
            receipt.payment_id,
            receipt.alert_number,
            alerts.RESOLVED,
            f"payment {receipt.payment_id} is no longer {receipt.alert_kind.replace('_', ' ')}; "
            f"{alerts.money(left, receipt.currency)} remain",
            account=receipt.account or None,
            amount=left,
            currency=receipt.currency,
        )
        receipt = msgspec.structs.replace(receipt, alert_kind="", alert_stage=0)
    if quiet or step.today is None:
        return receipt
    stages = _stages(step)
    stage = receipt.alert_stage
    number = receipt.alert_number
    while stage < len(stages) and (limit := _limit(step, receipt.value_date, stages[stage])) < step.today:
        if stage == 0:
            number += 1
        alerts.put_out(
            step,
            kind,
            receipt.payment_id,
            number,
            alerts.RAISED if stage == 0 else alerts.ESCALATED,
            f"{alerts.money(amount, receipt.currency)} of payment {receipt.payment_id} "
            f"{'unapplied' if receipt.account else 'without an account'} for more than {stages[stage]} "
            f"{step.settings.unapplied_calendar} days: "
            f"{'apply, park or refund it' if receipt.account else 'find whose it is'}",
            account=receipt.account or None,
            amount=amount,
            currency=receipt.currency,
            deadline=step.settings.calendar.midnight(Day(limit + 1)),
        )
        stage += 1
    if stage == receipt.alert_stage:
        return receipt
    return msgspec.structs.replace(receipt, alert_kind=kind if stage else "", alert_stage=stage, alert_number=number)


def next_stage(step: Step, receipt: ReceiptState) -> Day | None:
    """The local day at whose midnight the next stage fires."""
    stages = _stages(step)
    if (
        receipt.on_account
        or receipt.alert_stage >= len(stages)
        or receipt.remainder <= step.settings.amount("unapplied_min_amount", receipt.currency)
    ):
        return None
    return Day(_limit(step, receipt.value_date, stages[receipt.alert_stage]) + 1)


def _stages(step: Step) -> tuple[int, ...]:
    """Ages that raise, then escalate; one that is not beyond the first has nothing to escalate."""
    first = step.settings.unapplied_after_days
    return (first, *(days for days in step.settings.unapplied_escalate_days if days > first))


def _limit(step: Step, value_date: Day, days: int) -> Day:
    """The last day that still is within the limit."""
    if step.settings.unapplied_calendar == "business":
        return step.settings.calendar.business_days_after(value_date, days)
    return Day(value_date + days)
