"""The lockbox, 823: checks that a bank has received and deposited for us, and what they are for.

DEP is a deposit, with its total (AMT) and counts (QTY); BAT a batch of it, with its own; BPR a payment, RMR what it
pays. Each payment is cash, received on the day of the deposit. A total or a count that is given must agree.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from sources.bank.account import BankAccount
from sources.bank.cash import documents
from sources.bank.entry import BankEntry, RemittedInvoice
from sources.bank.identity import PaymentIds
from sources.bank.payers import Payers
from sources.errors import FileRefusedError
from sources.verified_file import BadEntry, PassedOver, Written
from sources.x12.envelope import TransactionSet
from sources.x12.form import Taken
from sources.x12.parties import Parties
from sources.x12.remittance import LINES_MAX, Remittance
from sources.x12.segments import Segment
from sources.x12.values import UnreadableError, day, decimal

_HOME = "USD"
_BATCHES, _CHECKS, _TRANSACTIONS = _COUNTED = ("41", "42", "46")  # QTY01; others count pages, items and the like
_QUANTITIES_MAX = 10  # the standard has two
_NOTHING = Decimal(0)


class _Sum:
    """A deposit or a batch: what it says of itself, and what it holds."""

    def __init__(self, header: Segment, what: str) -> None:
        self.header = header
        self.what = what
        self.total: tuple[Segment, Decimal] | None = None
        self.quantities: list[tuple[Segment, Decimal]] = []
        self.amount = _NOTHING
        self.payments = 0
        self.checks = 0
        self.batches = 0

    def say(self, segment: Segment) -> None:
        """Take a total or a count that it states."""
        said = decimal(segment, 2)
        if said is not None and segment.name == "AMT" and self.total is None:
            self.total = segment, said
        elif said is not None and segment[1] in _COUNTED and len(self.quantities) < _QUANTITIES_MAX:
            self.quantities.append((segment, said))

    def check(self) -> None:
        """Raises ``FileRefusedError`` where a statement disagrees; one that holds no payments is a mere total."""
        if not self.payments:
            return
        if self.total is not None and self.total[1] != self.amount:
            segment, said = self.total
            message = f"{self.what} states {said} (AMT02), its payments add up to {self.amount}"
            raise FileRefusedError("control_total_mismatch", message, segment.line)
        for segment, said in self.quantities:
            if said not in self._counts(segment[1]):
                message = f"{self.what} states {segment[2]} (QTY02), it has {self._held()}"
                raise FileRefusedError("control_total_mismatch", message, segment.line)

    def _counts(self, qualifier: str) -> set[int]:
        """What a QTY may state, by its qualifier (data element 673). Payments that are no checks count as they like."""
        if qualifier == _BATCHES:
            return {self.batches or 1}
        return {self.payments, self.checks} if qualifier == _CHECKS else {self.payments}

    def _held(self) -> str:
        return f"{self.payments} payments" + (f" in {self.batches} batches" if self.batches else "")


class _Payment(msgspec.Struct):
    """A payment that is being read."""

    order: Segment
    remittance: Remittance
    parties: Parties
    currency: str | None = None
    trace: str = ""
    reference: str = ""


def lockboxes(payers: Payers) -> Callable[[TransactionSet], "Lockbox"]:
    """What opens the readers of one file; equal payments without a reference are counted over all of it."""
    ids, places = PaymentIds(), Counter[str]()
    return lambda opened: Lockbox(opened, payers, ids, places)


class Lockbox:
    """Reads one 823, payment by payment."""

    def __init__(self, opened: TransactionSet, payers: Payers, ids: PaymentIds, places: Counter[str]) -> None:
        self._opened = opened
        self._payers = payers
        self._ids = ids
        self._places = places
        self._deposit: _Sum | None = None
        self._batch: _Sum | None = None
        self._payment: _Payment | None = None

    def take(self, segment: Segment) -> Iterator[Taken]:
        """A segment between ST and SE; gives the payment that it ends."""
        match segment.name:
            case "DEP":
                yield from self._end_deposit()
                self._deposit = _Sum(segment, f"deposit {segment[4] or segment[1]}")
            case "BAT":
                yield from self._end_batch()
                self._begin_batch(segment)
            case "BPR":
                yield from self._end_payment()
                self._begin_payment(segment)
            case _:
                self._detail(segment)

    def end(self) -> Iterator[Taken]:
        """The set has ended."""
        yield from self._end_deposit()

    def _begin_batch(self, segment: Segment) -> None:
        self._batch = _Sum(segment, f"batch {segment[3]}")
        if self._deposit is not None:
            self._deposit.batches += 1

    def _begin_payment(self, segment: Segment) -> None:
        if self._deposit is None:
            raise FileRefusedError("malformed_file", "a payment (BPR) stands before any deposit (DEP)", segment.line)
        amount = decimal(segment, 2)
        if amount is None:
            raise FileRefusedError("malformed_file", "a payment (BPR) has no amount", segment.line)
        signed = -amount if segment[3] == "D" else amount
        self._payment = _Payment(segment, Remittance(), Parties())
        for level in filter(None, (self._deposit, self._batch)):
            level.amount += signed
            level.payments += 1
            level.checks += segment[4] == "CHK"

    def _detail(self, segment: Segment) -> None:
        payment = self._payment
        if payment is None:
            level = self._batch or self._deposit
            if level is not None and segment.name in {"AMT", "QTY"}:
                level.say(segment)
            return
        if segment.name == "TRN":
            payment.trace = payment.trace or segment[2]
        elif segment.name == "CUR":
            payment.currency = segment[2] or None
        elif payment.parties.take(segment) or payment.remittance.take(segment):
            pass
        elif segment.name == "REF":
            payment.reference = payment.reference or segment[2]

    def _end_deposit(self) -> Iterator[Taken]:
        yield from self._end_batch()
        deposit, self._deposit = self._deposit, None
        if deposit is None:
            return
        deposit.check()
        if not deposit.payments:
            yield PassedOver(deposit.header.line, "deposit_without_payments")

    def _end_batch(self) -> Iterator[Taken]:
        yield from self._end_payment()
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.check()

    def _end_payment(self) -> Iterator[Taken]:
        payment, self._payment = self._payment, None
        if payment is None or self._deposit is None:
            return
        order = payment.order
        amount = decimal(order, 2) or _NOTHING
        if order[3] == "D":
            yield PassedOver(order.line, "debit")
        elif not amount:
            yield PassedOver(order.line, "zero_amount")
        elif payment.remittance.is_too_long:
            message = f"a payment has {payment.remittance.count:,} items; more than {LINES_MAX:,} fit no event"
            yield BadEntry(order.line, "too_many_lines", message, order.text.encode())
        else:
            try:
                entry = self._entry(payment, amount, self._deposit.header)
            except UnreadableError as error:
                yield BadEntry(order.line, error.reason, error.message, order.text.encode())
                return
            yield Written(order.line, documents(entry, self._ids.of(entry), self._payers))

    def _entry(self, payment: _Payment, amount: Decimal, deposit: Segment) -> BankEntry:
        order = payment.order
        payer = payment.parties.first("PR", "PY", "BT", "PE") or payment.parties.any()
        deposited_on = self._deposited_on(order, deposit)
        reference = self._servicer_reference(deposit, deposited_on)
        place = 0
        if reference is not None:
            place = self._places[reference]
            self._places[reference] += 1
        return BankEntry(
            line=order.line,
            kind="received",
            account=BankAccount(number=deposit[8] or deposit[1], servicer=deposit[6] or None),
            amount=amount,
            currency=payment.currency or _HOME,
            booking_date=deposited_on,
            value_date=deposited_on,
            servicer_reference=reference,
            detail_index=place,
            end_to_end_id=payment.trace or payment.reference or None,
            payer_name=payer.name or None if payer else None,
            payer_account=order[9] or None,
            payer_id=order[10] or (payer.number if payer else "") or None,
            method=order[4].lower() or None,
            invoices=tuple(_invoices(payment.remittance, amount)),
        )

    def _deposited_on(self, order: Segment, deposit: Segment) -> date:
        batch = self._batch.header[1] if self._batch is not None else ""
        for written, what in (
            (deposit[2], "the date of the deposit (DEP02)"),
            (batch, "the date of the batch (BAT01)"),
            (order[16], "the effective date (BPR16)"),
            (self._opened.date, "the date of the group (GS04)"),
        ):
            found = day(written, what)
            if found is not None:
                return found
        raise UnreadableError("missing_date", "neither DEP02, BAT01, BPR16 nor the group (GS04) has a date")

    def _servicer_reference(self, deposit: Segment, deposited_on: date) -> str | None:
        """Lockbox, day, deposit and batch: what a payment's place in the batch is counted in. None where neither
        deposit nor batch has a number: two files of one day could not be told apart."""
        batch = self._batch.header[3] if self._batch is not None else ""
        if not deposit[4] and not batch:
            return None
        return "/".join(filter(None, (deposit[1], deposited_on.strftime("%Y%m%d"), deposit[4], batch)))


def _invoices(remittance: Remittance, amount: Decimal) -> Iterator[RemittedInvoice]:
    for line in remittance.lines(amount):
        deduction = line.get("deduction_amount")
        yield RemittedInvoice(
            invoice_id=line["invoice_id"],
            amount=Decimal(line["amount"]),
            deduction_amount=None if deduction is None else Decimal(deduction),
            deduction_reason=line.get("deduction_reason"),
        )
