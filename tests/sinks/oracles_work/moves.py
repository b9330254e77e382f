"""What people do beside billing and cash: contacts, logged activities, cases, due dates, master data."""

from collections.abc import Callable
from random import Random

from jobs.events import (
    AccountChanged,
    AccountHoldPlaced,
    AccountHoldReleased,
    CashApplied,
    DisputeAssigned,
    DisputeOpened,
    DisputeResolved,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    ExceptionRouted,
    InvoiceDueDateChanged,
    InvoiceIssued,
    PaymentReceived,
)
from jobs.values import Day, Instant
from tests.sinks.oracles_work.desks import HOUR, WorkDesk

Move = Callable[[WorkDesk, Random, str], None]


def _contact(desk: WorkDesk, choose: Random, account: str) -> None:
    right_party = choose.choice((True, True, False, None))
    desk.say(
        "ContactAttempted", account if choose.random() < 0.95 else None, activity_id=f"K{len(desk.log)}",
        channel=choose.choice(("call", "email", "letter")), direction=choose.choice(("outbound", "inbound")),
        outcome=choose.choice(("reached", "no_answer", "promise", "refused")), right_party=right_party, note="rang",
    )  # fmt: skip


def _log_activity(desk: WorkDesk, choose: Random, account: str) -> None:
    things = [
        *(("payment", payment) for _, payment in desk.payments[-6:]),
        *(("invoice", invoice) for _, invoice in (*desk.invoices[-6:], *desk.plans[-2:])),
        *(("credit_memo", memo) for _, memo in desk.memos[-3:]),
        *(("payment", payment) for payment in desk.unidentified),
        (None, None),
    ]
    kind, name = choose.choice(things)
    if kind is not None:
        kind = choose.choice((kind, kind.title(), "workbench", "payment", "debit_memo", None))
    desk.say(
        "UserActivityLogged", choose.choice((account, None)), entity_type=kind, entity_id=name,
        action=choose.choice(("login", "logout", "view", "data_changed")), succeeded=choose.random() < 0.8,
        changes=[{"field": "limit", "old": "1", "new": "2"}] if choose.random() < 0.2 else None, ip="10.0.0.7",
    )  # fmt: skip


def _issue_variously(desk: WorkDesk, choose: Random, account: str) -> None:
    invoice, amount = desk.id("I"), choose.choice((30, 60, 100, 101))
    document_date = Day(desk.today + choose.choice((0, 0, -1, -7)))
    given: dict[str, object] = {"due_date": Day(document_date + choose.choice((0, 1, 3, 25)))}
    listed = desk.invoices
    if choose.random() < 0.4:
        parts = [(1, amount // 3), (2, amount // 3), (3, amount - 2 * (amount // 3))]
        given["instalments"] = [
            {"number": number, "due_date": Day(document_date + choose.choice((0, 2, 8, 20))), "amount_minor": part}
            for number, part in parts
        ]
        listed = desk.plans
    desk.add(
        InvoiceIssued, account, invoice_id=invoice, amount_minor=amount, document_date=document_date,
        posting_date=choose.choice((None, None, Day(document_date + 2))),
        document_type=choose.choice(("invoice", "invoice", "debit_memo")), **given,
    )  # fmt: skip
    listed.append((account, invoice))
    desk.left[invoice] = amount


def _pay_instalments(desk: WorkDesk, choose: Random, account: str) -> None:
    owing = [each for each in desk.plans if desk.left[each[1]] > 0]
    if not owing:
        _issue_variously(desk, choose, account)
        return
    owner, invoice = choose.choice(owing)
    payment, amount = desk.id("R"), choose.choice((desk.left[invoice], 10, 40))
    value_date = Day(desk.today + choose.choice((0, 0, -1, -3, 2)))
    desk.add(PaymentReceived, owner, payment_id=payment, amount_minor=amount, value_date=value_date)
    applied = min(amount, desk.left[invoice])
    desk.add(
        CashApplied, owner, application_id=desk.id("A"), payment_id=payment, invoice_id=invoice, amount_minor=applied
    )
    desk.applications.append((owner, f"A{len(desk.events) - 1}"))
    desk.payments.append((owner, payment))
    desk.left[payment], desk.left[invoice] = amount - applied, desk.left[invoice] - applied


def _move_due_date(desk: WorkDesk, choose: Random, account: str) -> None:
    known = [each for each in desk.invoices if each[0] == account]
    if known:
        desk.add(
            InvoiceDueDateChanged, account, invoice_id=choose.choice(known[-5:])[1],
            due_date=Day(desk.today + choose.choice((-12, -2, 0, 5, 30))),
        )  # fmt: skip


def _except(desk: WorkDesk, choose: Random, account: str) -> None:
    if not desk.cases or choose.random() < 0.35:
        name = f"X{len(desk.events)}"
        again = choose.random() < 0.4 and desk.cases
        owner, name = choose.choice(desk.cases[-4:]) if again else (choose.choice((account, None)), name)
        money = {"amount_minor": 10} if int(name[1:]) % 2 else {"currency": None}
        desk.add(
            ExceptionFlagged, owner, exception_id=name,
            exception_type=("short_pay", "unmatched")[int(name[1:]) % 3 // 2], subject_type="account",
            subject_id=account, occurred_at=desk.worked_on(name), **money,
        )  # fmt: skip
        if not again:
            desk.cases.append((owner, name))
        return
    owner, name = choose.choice(desk.cases[-4:])
    kind, more = choose.choice(
        (
            (ExceptionReviewed, {}),
            (ExceptionResolved, {"resolution": "done"}),
            (ExceptionResolved, {"resolution": "done"}),
            (ExceptionRouted, {"queue": "collections"}),
        )
    )
    desk.add(kind, owner, exception_id=name, occurred_at=desk.worked_on(name), **more)


def _dispute(desk: WorkDesk, choose: Random, account: str) -> None:
    if desk.disputes and choose.random() < 0.6:
        owner, name = choose.choice(desk.disputes[-4:])
        if choose.random() < 0.25:
            desk.add(DisputeAssigned, owner, dispute_id=name, occurred_at=desk.worked_on(name))
            return
        outcome = choose.choice(("upheld", "rejected", "withdrawn"))
        desk.add(DisputeResolved, owner, dispute_id=name, outcome=outcome, occurred_at=desk.worked_on(name))
        return
    known = [each for each in (*desk.invoices, *desk.plans) if each[0] == account]
    if not known:
        return
    former = [name for owner, name in desk.disputes if owner == account]
    again = former and choose.random() < 0.3
    _, invoice = choose.choice(known[-5:])
    name = choose.choice(former[-4:]) if again else desk.id("D")
    desk.add(
        DisputeOpened, account, dispute_id=name, invoice_id=invoice, amount_minor=choose.choice((5, 10, 40)),
        reason_code=choose.choice(("PRICE", "QUALITY")), occurred_at=desk.worked_on(name),
    )  # fmt: skip
    if not again:
        desk.disputes.append((account, name))


def _change_account(desk: WorkDesk, choose: Random, account: str) -> None:
    kind = choose.random()
    if kind < 0.2:
        desk.add(AccountHoldPlaced, account, reason="fraud")
    elif kind < 0.4:
        desk.add(AccountHoldReleased, account, reason=None)
    else:
        desk.add(
            AccountChanged, account, name=choose.choice((None, "Maison Duval")),
            segment=choose.choice((None, "retail")), collector_id=choose.choice((None, "camille", "zoe")),
            credit_limit_minor=choose.choice((None, 500)),
            dunning_block=choose.choice((None, True, False)), currency="EUR",
        )  # fmt: skip


def _overdraw(desk: WorkDesk, choose: Random, account: str) -> None:
    """Somebody tries what is refused."""
    known = [each for each in desk.payments if each[0] == account]
    owing = [each for each in desk.invoices if each[0] == account]
    if known and owing:
        desk.add(
            CashApplied, account, application_id=desk.id("A"), payment_id=choose.choice(known)[1],
            invoice_id=choose.choice(owing)[1], amount_minor=10**6,
        )  # fmt: skip


def _too_early(desk: WorkDesk, choose: Random, account: str) -> None:
    """Cash is applied, or an exception resolved, before anybody has heard of it: refused, and sent again later."""
    if choose.random() < 0.5:
        name = f"X{len(desk.events)}"
        given = {"exception_type": "unmatched", "subject_type": "account", "subject_id": account, "amount_minor": 10}
        desk.add(ExceptionReviewed, account, exception_id=name)
        early = desk.log[-1]
        desk.add(ExceptionFlagged, account, exception_id=name, occurred_at=desk.worked_on(name), **given)
        desk.again(early, occurred_at=desk.worked_on(name))
        desk.cases.append((account, name))
        return
    owing = [each for each in desk.invoices if each[0] == account and desk.left[each[1]] > 0]
    if not owing:
        return
    invoice, payment, application = choose.choice(owing)[1], desk.id("R"), desk.id("A")
    amount = desk.left[invoice]
    desk.add(
        CashApplied, account, application_id=application, payment_id=payment, invoice_id=invoice, amount_minor=amount
    )
    early = desk.log[-1]
    desk.add(PaymentReceived, account, payment_id=payment, amount_minor=amount, value_date=desk.today)
    desk.again(early)
    desk.applications.append((account, application))
    desk.payments.append((account, payment))
    desk.left[payment], desk.left[invoice] = 0, 0


def _again(desk: WorkDesk, choose: Random, account: str) -> None:
    desk.again()


def _pause(desk: WorkDesk, choose: Random, account: str) -> None:
    """Weeks in which nothing happens."""
    desk.now = Instant(desk.now + choose.choice((20, 45, 80)) * 24 * HOUR)
    desk.tick()


WORK: tuple[tuple[Move, int], ...] = (
    (_contact, 16), (_log_activity, 14), (_issue_variously, 8), (_pay_instalments, 8), (_move_due_date, 4),
    (_except, 14), (_dispute, 12), (_change_account, 4), (_overdraw, 2), (_too_early, 4), (_again, 3), (_pause, 4),
)  # fmt: skip
