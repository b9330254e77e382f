"""Entries one by one: each transaction on its own where the transactions make up the entry, else the entry as one."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from sources.bank.account import BankAccount
from sources.bank.camt.details import AS_ONE, Sums
from sources.bank.camt.head import EntryHead, StatedAmount, batch_reference, batch_size, completed, entry_head
from sources.bank.camt.messages import MessageName
from sources.bank.camt.repeated import Key, RepeatedReferences
from sources.bank.camt.tagged_text import tagged
from sources.bank.camt.transaction import Booked, Transaction, bank_entry, transaction_of
from sources.bank.camt.values import EntryFaultError
from sources.bank.entry import BankEntry
from sources.bank.format import BadEntry, PassedOver
from sources.errors import FileRefusedError
from sources.xml import Element, child, line_of, source_of

# How much of an entry that cannot be read is kept beside its head.
_ORIGINAL_BYTES_MAX = 256 * 1024
_FAULTY = 254
# So many statements whose balances disagree are told one by one; a file of more is not worth believing.
GAPS_MAX = 1_000
# How many transactions of an entry that is taken as one are named in its reference.
_NAMED_MAX = 10


class Verdicts:
    """What the first pass found out for the second: one byte an entry, and the references that are repeated."""

    def __init__(self) -> None:
        self.references = RepeatedReferences()
        self._readings = bytearray()
        self._statements = 0
        self._is_faulty = False
        self._gaps: dict[int, BadEntry] = {}

    def statement(self) -> None:
        """A statement begins."""
        self._statements += 1

    def gap(self, line: int, message: str) -> None:
        """The statement's balances disagree with its entries. Raises ``FileRefusedError`` for too many of these."""
        if len(self._gaps) >= GAPS_MAX:
            raise FileRefusedError("control_total_mismatch", f"{GAPS_MAX:,} statements disagree: {message}", line)
        self._gaps[self._statements] = BadEntry(line, "balance_mismatch", message, message.encode())

    def gap_of(self, statement: int) -> BadEntry | None:
        """What is to be told of a statement, counted from 1."""
        return self._gaps.get(statement)

    def fault(self) -> None:
        """The entry that is read cannot be taken."""
        self._is_faulty = True

    def entry(self, stated: StatedAmount | None, reference_: str | None, sums: Sums | None) -> None:
        """An entry has ended; `sums` are those of its transactions. Nothing is stated by one that cannot be read."""
        reading = AS_ONE if sums is None else sums.reading()
        self._readings.append(_FAULTY if self._is_faulty else reading)
        self._is_faulty = False
        if stated is not None and reference_ is not None:
            directions = {stated.is_credit} if sums is None or not sums.is_mixed else {True, False}
            for is_credit in directions:
                self.references.note(_key(self._statements, is_credit, stated.is_booked, reference_))

    def detail(self, stated: StatedAmount, reference_: str | None) -> None:
        """A transaction with a reference of its own, of an entry without one."""
        if reference_ is not None:
            key = _key(self._statements, stated.is_credit, stated.is_booked, reference_, of_transaction=True)
            self.references.note(key)

    def reading(self, ordinal: int) -> int:
        """How the transactions of an entry are read; ``AS_ONE`` where they do not make it up."""
        return self._readings[ordinal]


def _key(statement: int, is_credit: bool, is_booked: bool, reference_: str, *, of_transaction: bool = False) -> Key:
    """By what a reference of the bank is counted: a fee beside a credit, or its announcement, has places of its own."""
    return (statement, f"{is_credit:d}{is_booked:d}{of_transaction:d}{reference_}")


def _said_of(transaction: Transaction) -> str:
    """A transaction in a few words, for whoever has to take a payment apart that the file does not."""
    amount = transaction.amounts.amount(0)
    what = transaction.remittance.payment_reference or transaction.end_to_end_id
    return " ".join(filter(None, (None if amount is None else f"{amount:f}", transaction.payer.name, what)))


class EntryReader:
    """The second pass. Holds one transaction at a time, for one that stands alone is the entry itself."""

    def __init__(self, verdicts: Verdicts, *, batches_elsewhere: bool) -> None:
        self.message: MessageName = "camt.053"
        self.account: BankAccount | None = None
        self.statement_date: date | None = None
        self._verdicts = verdicts
        self._batches_elsewhere = batches_elsewhere
        self._statements = 0
        self._entries = 0
        self._begin()

    def statement(self) -> None:
        """A statement begins."""
        self._statements += 1
        self.account = self.statement_date = None

    def end_statement(self) -> Iterator[BadEntry]:
        """A statement ends: what its balances do not prove is told behind its entries."""
        gap = self._verdicts.gap_of(self._statements)
        if gap is not None:
            yield gap

    def _begin(self) -> None:
        self._head: EntryHead | None = None
        self._fault: EntryFaultError | None = None
        self._held: tuple[Transaction, int] | None = None
        self._count = 0
        self._directions: set[bool] = set()
        self._said: list[str] = []
        self._batch_size = 0
        self._batch_reference: str | None = None
        self._original = bytearray()

    @property
    def _own(self) -> BankAccount:
        assert self.account is not None  # noqa: S101 - the first pass refuses a statement without an account
        return self.account

    @property
    def _reading(self) -> int:
        return self._verdicts.reading(self._entries)

    def detail(self, element: Element, entry: Element) -> Iterator[BankEntry | PassedOver]:
        """A transaction of the entry; gives the one before it, if that is taken on its own."""
        try:
            if self._head is None:
                self._head = entry_head(entry, self._own.currency, self.statement_date)
            transaction = transaction_of(element, self._head, self._own)
        except EntryFaultError as fault:
            self._fault = self._fault or fault
        if self._reading == _FAULTY or self._fault is not None or self._head is None:
            self._keep(element)
            return
        if self._held is not None and self._is_taken_apart(self._head):
            yield self._one_of_several(self._head, *self._held)
        self._held = (transaction, self._place_of(transaction, self._head))
        self._count += 1
        if len(self._said) < _NAMED_MAX and not self._is_taken_apart(self._head):
            self._said.append(_said_of(transaction))

    def details(self, element: Element) -> None:
        """The details of the entry have ended, or one block of several."""
        batch = child(element, "Btch")
        self._batch_size += batch_size(batch) or 0
        self._batch_reference = self._batch_reference or batch_reference(batch)

    def end(self, entry: Element) -> Iterator[BankEntry | PassedOver | BadEntry]:
        """The entry has ended: what is left of it."""
        try:
            yield self._whole(entry)
        except EntryFaultError as fault:
            yield BadEntry(line_of(entry), fault.reason, fault.message, source_of(entry) + bytes(self._original))
        self._entries += 1
        self._begin()

    def _whole(self, entry: Element) -> BankEntry | PassedOver:
        if self._fault is not None:
            raise self._fault
        head = self._head or entry_head(entry, self._own.currency, self.statement_date)
        if self._reading == _FAULTY:
            raise EntryFaultError("invalid_amount", "an amount of its batch (Btch) cannot be read")
        head = completed(head, entry, self._batch_size or None, self._batch_reference)
        outcome = self._rest(head)
        if head.servicer_reference is not None:
            for is_credit in {head.is_credit, *self._directions}:
                key = _key(self._statements, is_credit, head.is_booked, head.servicer_reference)
                self._verdicts.references.take(key, max(self._count, 1))
        return outcome

    def _place_of(self, transaction: Transaction, head: EntryHead) -> int:
        """The place of a transaction among those of its own reference, where its entry has none."""
        if head.servicer_reference is not None or transaction.servicer_reference is None:
            return 0
        reference_ = transaction.servicer_reference
        key = _key(self._statements, head.is_credit, head.is_booked, reference_, of_transaction=True)
        return self._verdicts.references.take(key)

    def _is_taken_apart(self, head: EntryHead) -> bool:
        """Whether several transactions are taken one by one.

        Those of a debit are in any case: a return takes back the whole of a payment, whatever the bank adds to it.
        """
        return self._reading != AS_ONE or not head.is_credit

    def _rest(self, head: EntryHead) -> BankEntry | PassedOver:
        if self._held is None:
            return self._as_one(head)
        transaction, place = self._held
        if self._count > 1:
            return self._one_of_several(head, transaction, place) if self._is_taken_apart(head) else self._as_one(head)
        if self._reading == AS_ONE and (head.batch_size or 1) > 1 and head.is_credit:
            return self._as_one(head)  # what it says is said of one payment of many
        booked = self._booked(head, transaction, place, head.amount, head.is_credit, 0)
        return bank_entry(head, transaction, booked, head.information)

    def _one_of_several(self, head: EntryHead, transaction: Transaction, place: int) -> BankEntry | PassedOver:
        reading = 0 if self._reading == AS_ONE else self._reading
        amount = transaction.amounts.amount(reading)
        is_credit = transaction.amounts.is_credit_in(reading, head.is_credit)
        if amount is None or amount < 0:
            amount, is_credit = head.amount, head.is_credit  # a return; what was returned is known by its reference
        booked = self._booked(head, transaction, place, amount, is_credit, self._count - 1)
        return bank_entry(head, transaction, booked)

    def _as_one(self, head: EntryHead) -> BankEntry | PassedOver:
        booked = self._booked(head, None, 0, head.amount, head.is_credit, 0)
        named = ", ".join(self._said) if self._count > 1 else None
        if named and self._count > _NAMED_MAX:
            named += f", … ({self._count:,} transactions)"
        said = " ".join(filter(None, (head.batch_reference, head.information, named))) or None
        alone = tagged(head.information) if not self._count and (head.batch_size or 1) == 1 else None
        return bank_entry(head, None, booked, said, tags=alone, announced=self._comes_elsewhere(head))

    def _comes_elsewhere(self, head: EntryHead) -> bool:
        """Whether the transactions of a credit are cash of another message, so that its total must not be.

        The day's statement follows an intraday report, and may have them.
        """
        if self.message == "camt.054":
            return False
        is_batch = (head.batch_size or 1) > 1
        return head.details_elsewhere or (is_batch and (self._batches_elsewhere or self.message == "camt.052"))

    def _booked(
        self,
        head: EntryHead,
        transaction: Transaction | None,
        place: int,
        amount: Decimal,
        is_credit: bool,
        number: int,
    ) -> Booked:
        """`number` is the transaction's place in the entry, `place` that among equal references of its own."""
        if head.servicer_reference is None and transaction is not None:
            return Booked(self._own, amount, is_credit, transaction.servicer_reference, place)
        if head.servicer_reference is None:
            return Booked(self._own, amount, is_credit, None, 0)
        key = _key(self._statements, is_credit, head.is_booked, head.servicer_reference)
        self._directions.add(is_credit)
        first = self._verdicts.references.take(key, 0)
        return Booked(self._own, amount, is_credit, head.servicer_reference, first + number)

    def _keep(self, element: Element) -> None:
        if len(self._original) < _ORIGINAL_BYTES_MAX:
            self._original += source_of(element)
