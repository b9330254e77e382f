"""What may happen in a random history: one function for each kind of event, with how often it is chosen."""

from collections.abc import Callable
from random import Random

from jobs.events import (
    AccountChanged,
    CashApplied,
    CashUnapplied,
    CreditMemoIssued,
    DisputeOpened,
    DisputeResolved,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    InvoiceAdjusted,
    InvoiceCancelled,
    InvoiceDueDateChanged,
    InvoiceIssued,
    InvoiceWrittenOff,
    NoticeSent,
    PaymentIdentified,
    PaymentPlacedOnAccount,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
    PromiseMade,
    PromiseWithdrawn,
    RemittanceReceived,
    WriteOffRecovered,
)
from jobs.money import exponent
from jobs.values import Day
from tests.property.writer import (
    DAY,
    AccountBook,
    Writer,
    currency_of,
    fitting_amount,
    id_of,
    minor_amount,
    new_id,
    next_id,
    no_longer,
    one_of,
    scaled_amount,
)

REFERENCES = (None, None, "TRN-1", "TRN-2")
"""What payments and remittances call themselves, when they do."""


def _issue(writer: Writer, choose: Random, account: AccountBook) -> None:
    currency = currency_of(choose, account)
    invoice_id = new_id(choose, "I", account)
    account.left.setdefault(invoice_id, 0)
    document_date = writer.day(choose)
    amount = minor_amount(choose, currency)
    payload: dict[str, object] = {"due_date": Day(document_date + choose.choice((0, 3, 10, 30)))}
    if choose.random() < 0.2:
        payload = {"payment_terms": choose.choice(("NET5", "whenever"))}
    if choose.random() < 0.3 and amount > 3:
        first, second = amount // 2, amount // 3
        payload["instalments"] = [
            {"number": number, "due_date": Day(document_date + choose.choice((0, 4, 15, 40))), "amount_minor": part}
            for number, part in ((1, first), (2, second), (3, amount - first - second))
        ]
    writer.add(
        InvoiceIssued, choose, account, invoice_id=invoice_id, document_date=document_date, amount_minor=amount,
        currency=currency, document_type="debit_memo" if choose.random() < 0.1 else "invoice",
        posting_date=Day(document_date + choose.choice((0, 1, 6))) if choose.random() < 0.3 else None, **payload,
    )  # fmt: skip
    account.left[invoice_id] = account.left[invoice_id] or amount
    account.invoices.append((invoice_id, currency))


def _cancel(writer: Writer, choose: Random, account: AccountBook) -> None:
    known = account.credit_memos if choose.random() < 0.2 else account.invoices
    invoice_id, _ = one_of(choose, known, "none")
    writer.add(InvoiceCancelled, choose, account, invoice_id=invoice_id, effective_date=writer.effective(choose))
    no_longer(choose, known, invoice_id)


def _adjust(writer: Writer, choose: Random, account: AccountBook) -> None:
    known = account.credit_memos if choose.random() < 0.1 else account.invoices
    invoice_id, currency = one_of(choose, known, "none")
    amount = scaled_amount(choose, currency)
    if choose.random() < 0.5:
        amount["amount_minor"] = -int(str(amount["amount_minor"]))
    adjustment_id = f"{account.account_id}-J{choose.randrange(40)}"
    writer.add(
        InvoiceAdjusted, choose, account, adjustment_id=adjustment_id, invoice_id=invoice_id,
        effective_date=writer.effective(choose), **amount,
    )  # fmt: skip


def _move_due_date(writer: Writer, choose: Random, account: AccountBook) -> None:
    invoice_id, _ = one_of(choose, account.invoices, "none")
    writer.add(
        InvoiceDueDateChanged, choose, account, invoice_id=invoice_id, due_date=writer.day(choose),
        instalment=choose.choice((None, None, None, None, 1, 2)),
    )  # fmt: skip


def _write_off(writer: Writer, choose: Random, account: AccountBook) -> None:
    invoice_id, currency = one_of(choose, account.invoices, "none")
    write_off_id = new_id(choose, "W", account)
    writer.add(
        InvoiceWrittenOff, choose, account, write_off_id=write_off_id, invoice_id=invoice_id,
        effective_date=writer.effective(choose), **fitting_amount(choose, currency, account.left.get(invoice_id)),
    )  # fmt: skip
    account.left[invoice_id] = account.left.get(invoice_id, 0) // 2
    account.write_offs.append(write_off_id)


def _recover(writer: Writer, choose: Random, account: AccountBook) -> None:
    if not account.write_offs:
        _write_off(writer, choose, account)
        return
    writer.add(
        WriteOffRecovered, choose, account, write_off_id=id_of(choose, account.write_offs),
        effective_date=writer.effective(choose), **fitting_amount(choose, currency_of(choose, account), 500),
    )  # fmt: skip


def _credit(writer: Writer, choose: Random, account: AccountBook) -> None:
    invoice_id, currency = one_of(choose, account.invoices, next_id("I", account))
    credit_memo_id = new_id(choose, "M", account)
    writer.add(
        CreditMemoIssued, choose, account, credit_memo_id=credit_memo_id, amount_minor=minor_amount(choose, currency),
        currency=currency, document_date=writer.day(choose), invoice_id=invoice_id if choose.random() < 0.6 else None,
    )  # fmt: skip
    account.left.setdefault(credit_memo_id, 5 * 10 ** (exponent(currency) or 0))
    account.credit_memos.append((credit_memo_id, currency))


def _pay(writer: Writer, choose: Random, account: AccountBook) -> None:
    currency = currency_of(choose, account)
    payment_id = new_id(choose, "R", account)
    unidentified = writer.crossing and choose.random() < 0.1
    given: dict[str, object] = {"account_id": None} if unidentified else {}
    amount = minor_amount(choose, currency)
    account.left.setdefault(payment_id, amount)
    if unidentified:
        writer.unidentified.append(payment_id)
    writer.add(
        PaymentReceived, choose, account, payment_id=payment_id, amount_minor=amount,
        currency=currency, value_date=writer.day(choose), on_account=choose.random() < 0.15,
        payer_reference=choose.choice(REFERENCES), **given,
    )  # fmt: skip
    if not unidentified:
        account.payments.append((payment_id, currency))


def _identify(writer: Writer, choose: Random, account: AccountBook) -> None:
    if writer.crossing:
        payment_id = id_of(choose, writer.unidentified)
        writer.add(PaymentIdentified, choose, account, payment_id=payment_id)
        account.payments.append((payment_id, "EUR"))


def _park(writer: Writer, choose: Random, account: AccountBook) -> None:
    payment_id, _ = one_of(choose, account.payments, "none")
    writer.add(PaymentPlacedOnAccount, choose, account, payment_id=payment_id)


def _apply(writer: Writer, choose: Random, account: AccountBook) -> None:
    owner = account
    if writer.crossing and choose.random() < 0.25:
        owner = choose.choice([other for other in writer.accounts if other.company == account.company])
    by_credit = choose.random() < 0.2
    waiting = [each for each in owner.invoices if owner.left[each[0]] > 0]
    if not waiting and choose.random() < 0.8:
        _issue(writer, choose, owner)
        return
    invoice_id, currency = one_of(choose, waiting, next_id("I", owner))
    having = account.credit_memos if by_credit else account.payments
    known = [each for each in having if each[1] == currency and account.left.get(each[0], 0) > 0]
    if not known and choose.random() < 0.9:
        _pay(writer, choose, account)
        return
    source, _ = one_of(choose, known, "none")
    application_id = new_id(choose, "A", account)
    amount = fitting_amount(choose, currency, account.left.get(source), owner.left.get(invoice_id))
    for of, used in ((account, source), (owner, invoice_id)):
        of.left[used] = of.left.get(used, 0) - int(str(amount["amount_minor"]))
    writer.add(
        CashApplied, choose, account, application_id=application_id,
        payment_id=None if by_credit else source, credit_memo_id=source if by_credit else None,
        invoice_id=invoice_id, instalment=choose.choice((None,) * 30 + (1, 2)),
        invoice_account_id=None if owner is account else owner.account_id,
        effective_date=writer.effective(choose), **amount,
    )  # fmt: skip
    account.applications.append(application_id)


def _unapply(writer: Writer, choose: Random, account: AccountBook) -> None:
    if not account.applications:
        _apply(writer, choose, account)
        return
    writer.add(
        CashUnapplied, choose, account, application_id=id_of(choose, account.applications),
        effective_date=writer.effective(choose),
    )  # fmt: skip


def _reverse(writer: Writer, choose: Random, account: AccountBook) -> None:
    payment_id, _ = one_of(choose, account.payments, "none")
    writer.add(PaymentReversed, choose, account, payment_id=payment_id, effective_date=writer.effective(choose))
    no_longer(choose, account.payments, payment_id)


def _refund(writer: Writer, choose: Random, account: AccountBook) -> None:
    payment_id, currency = one_of(choose, account.payments, "none")
    writer.add(
        PaymentRefunded, choose, account, payment_id=payment_id, effective_date=writer.effective(choose),
        **fitting_amount(choose, currency, account.left.get(payment_id)),
    )  # fmt: skip


def _remit(writer: Writer, choose: Random, account: AccountBook) -> None:
    """Of a payment that is there, or to come; mostly of what is open, now and then of what is not known yet."""
    payment_id, currency = one_of(choose, account.payments, next_id("R", account))
    remittance_id = new_id(choose, "T", account)
    lines = []
    for number in range(choose.choice((1, 1, 2, 3))):
        known = [each for each in account.invoices if each[1] == currency]
        invoice_id, _ = one_of(choose, known, next_id("I", account))
        amount = fitting_amount(choose, currency, account.left.get(invoice_id), account.left.get(payment_id))
        deduction = choose.choice((None, None, None, 0, 1, 500))
        lines.append({"invoice_id": invoice_id, **amount, "deduction_minor": deduction, "deduction_reason": None})
        account.applications.append(f"{remittance_id}/{number + 1}")
        for used in (invoice_id, payment_id):
            account.left[used] = account.left.get(used, 0) - int(str(amount["amount_minor"]))
    writer.add(
        RemittanceReceived, choose, account, remittance_id=remittance_id, lines=lines,
        payment_id=payment_id if choose.random() < 0.5 else None, payer_reference=choose.choice(REFERENCES),
        currency=currency if choose.random() < 0.2 else None,
    )  # fmt: skip


def _dispute(writer: Writer, choose: Random, account: AccountBook) -> None:
    invoice_id, currency = one_of(choose, account.invoices, "none")
    dispute_id = new_id(choose, "D", account)
    writer.add(
        DisputeOpened, choose, account, dispute_id=dispute_id, invoice_id=invoice_id, **scaled_amount(choose, currency)
    )
    account.disputes.append(dispute_id)


def _resolve(writer: Writer, choose: Random, account: AccountBook) -> None:
    if not account.disputes:
        _dispute(writer, choose, account)
        return
    outcome = choose.choice(("upheld", "upheld", "rejected", "withdrawn"))
    writer.add(DisputeResolved, choose, account, dispute_id=id_of(choose, account.disputes), outcome=outcome)


def _promise(writer: Writer, choose: Random, account: AccountBook) -> None:
    if account.promises and choose.random() < 0.2:
        writer.add(PromiseWithdrawn, choose, account, promise_id=id_of(choose, account.promises))
        return
    invoice_id, currency = one_of(choose, account.invoices, "none")
    promise_id = new_id(choose, "P", account)
    writer.add(
        PromiseMade, choose, account, promise_id=promise_id, amount_minor=abs(minor_amount(choose, currency)),
        invoice_ids=[invoice_id] if choose.random() < 0.7 else [], currency=currency,
        promised_date=Day(writer.now // DAY + choose.choice((0, 1, 5, 14))),
    )  # fmt: skip
    account.promises.append(promise_id)


def _except(writer: Writer, choose: Random, account: AccountBook) -> None:
    what = choose.random()
    if account.exceptions and what < 0.3:
        writer.add(ExceptionReviewed, choose, account, exception_id=id_of(choose, account.exceptions))
    elif account.exceptions and what < 0.6:
        writer.add(
            ExceptionResolved, choose, account, exception_id=id_of(choose, account.exceptions), resolution="done"
        )
    else:
        exception_id = new_id(choose, "X", account)
        writer.add(
            ExceptionFlagged, choose, account, exception_id=exception_id, exception_type="other",
            subject_type="account", subject_id=account.account_id,
        )  # fmt: skip
        account.exceptions.append(exception_id)


def _collect(writer: Writer, choose: Random, account: AccountBook) -> None:
    if choose.random() < 0.5:
        limit = choose.choice((0, 1_000, 20_000))
        writer.add(AccountChanged, choose, account, credit_limit_minor=limit, currency="EUR")
        return
    invoice_id, _ = one_of(choose, account.invoices, "none")
    writer.add(
        NoticeSent, choose, account, notice_id=f"{account.account_id}-N{choose.randrange(40)}", kind="dunning",
        level=choose.choice((1, 1, 2)), invoice_ids=[invoice_id], channel="email",
    )  # fmt: skip


Move = Callable[[Writer, Random, AccountBook], None]

KINDS: tuple[tuple[Move, int], ...] = (
    (_issue, 18), (_pay, 14), (_apply, 30), (_credit, 7), (_adjust, 4), (_write_off, 4), (_recover, 3), (_cancel, 4),
    (_move_due_date, 5), (_unapply, 4), (_reverse, 5), (_refund, 3), (_park, 3), (_identify, 2), (_remit, 6),
    (_dispute, 4), (_resolve, 3), (_promise, 3), (_except, 2), (_collect, 2),
)  # fmt: skip


FIRST_KINDS: tuple[tuple[Move, int], ...] = ((_issue, 5), (_pay, 4), (_credit, 1))
