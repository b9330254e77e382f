"""The camt messages as a bank's format: verified as a whole in a first pass, read into entries in a second."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import BinaryIO

from sources.bank.account import BankAccount
from sources.bank.camt.details import Sums, charges_of, detail_amounts
from sources.bank.camt.entries import EntryReader, Verdicts
from sources.bank.camt.head import StatedAmount, batch_size, stated_amount
from sources.bank.camt.messages import Message, MessageName, wrong_message
from sources.bank.camt.parties import account_number
from sources.bank.camt.totals import StatementTotals
from sources.bank.camt.values import EntryFaultError, moment_of, reference
from sources.bank.camt.walk import Part, parts
from sources.bank.entry import BankEntry
from sources.bank.format import BadEntry, PassedOver
from sources.errors import FileRefusedError
from sources.xml import Element, child, line_of, local_name, text


class Camt:
    """Statements, notices and intraday reports. `accepts` are the messages that a file may hold.

    `batches_elsewhere`: batches that a statement or report gives as a total only are announced, because their
    transactions come as cash in notices (camt.054). `is_partial`: entries were left out on purpose, so that balances
    say nothing. Summaries and batches that disagree refuse a file; balances that do are told behind the statement.
    """

    source = "camt"

    def __init__(
        self, accepts: Collection[MessageName], *, batches_elsewhere: bool = False, is_partial: bool = False
    ) -> None:
        self._accepts = frozenset(accepts)
        self._is_partial = is_partial
        self._batches_elsewhere = batches_elsewhere
        self._verdicts: Verdicts | None = None

    def verify(self, stream: BinaryIO) -> None:
        """Read the whole file once. Raises ``FileRefusedError``."""
        self._verdicts = None
        verdicts = Verdicts()
        check = _Verification(verdicts, with_balances=not self._is_partial)
        root = ""
        for part in parts(stream):
            if part.kind in {"root", "other"}:
                root = local_name(part.element)
            elif part.kind == "message":
                self._accept(part)
            check.take(part)
        if not check.has_message:
            raise wrong_message(root, " or ".join(sorted(self._accepts)))
        self._verdicts = verdicts

    def entries(self, stream: BinaryIO) -> Iterator[BankEntry | PassedOver | BadEntry]:
        """The entries of a file, in its order; it is verified first where that has not been done."""
        if self._verdicts is None:
            self.verify(stream)
            stream.seek(0)
        verdicts, self._verdicts = self._verdicts, None
        assert verdicts is not None  # noqa: S101 - verify has set it or raised
        reader = EntryReader(verdicts, batches_elsewhere=self._batches_elsewhere)
        for part in parts(stream):
            if part.kind == "message" and part.message is not None:
                reader.message = part.message.name
            elif part.kind == "statement":
                reader.statement()
            elif part.kind == "created":
                reader.statement_date = _date_of(part.element)
            elif part.kind == "account":
                reader.account = bank_account(part.element)
            elif part.kind == "detail":
                yield from reader.detail(part.element, part.entry)
            elif part.kind == "details":
                reader.details(part.element)
            elif part.kind == "entry":
                yield from reader.end(part.element)
            elif part.kind == "statement_end":
                yield from reader.end_statement()

    def _accept(self, part: Part) -> None:
        message = part.message
        assert message is not None  # noqa: S101 - a message part has its message
        if message.name not in self._accepts:
            raise wrong_message(local_name(part.element), " or ".join(sorted(self._accepts)))


class _Verification:
    """The first pass: totals of statements and batches, and what the second pass must know beforehand."""

    def __init__(self, verdicts: Verdicts, *, with_balances: bool) -> None:
        self._verdicts = verdicts
        self._with_balances = with_balances
        self._message: Message | None = None
        self._totals = StatementTotals()
        self._account: BankAccount | None = None
        self._stated: StatedAmount | None = None
        self._sums: Sums | None = None
        self._has_reference = False
        self._of_batches = 0
        self._is_page = False
        self._in_statement = False

    @property
    def has_message(self) -> bool:
        return self._message is not None

    def take(self, part: Part) -> None:
        """One part of the file. Raises ``FileRefusedError``."""
        element = part.element
        if part.kind == "message":
            self._message = part.message
            self._is_page = False
        elif part.kind == "header":
            pages = StatementTotals()
            pages.page(child(element, "MsgPgntn"))
            self._is_page = pages.is_page
        elif part.kind == "statement":
            self._verdicts.statement()
            self._totals, self._account = StatementTotals(), None
            self._totals.is_page = self._is_page
        elif part.kind == "account":
            self._account = bank_account(element)
        elif part.kind == "balance":
            self._totals.balance(element)
        elif part.kind == "summary":
            self._totals.summary(element)
        elif part.kind == "page":
            self._totals.page(element)
        elif part.kind == "detail":
            self._detail(element, part.entry)
        elif part.kind == "details":
            self._details(element)
        elif part.kind == "entry":
            self._entry(element)
        elif part.kind == "statement_end":
            self._end_statement()

    def _end_statement(self) -> None:
        self._totals.check()
        is_statement = self._message is not None and self._message.name == "camt.053"
        if self._with_balances and is_statement and (gap := self._totals.gap()) is not None:
            self._verdicts.gap(*gap)

    def _check_account(self, element: Element) -> None:
        if self._account is None:
            message = "a statement does not name its account (Acct/Id) before its entries"
            raise FileRefusedError("malformed_file", message, line_of(element))

    def _currency(self) -> str | None:
        return None if self._account is None else self._account.currency

    def _detail(self, element: Element, entry: Element) -> None:
        self._check_account(element)
        try:
            if self._sums is None or self._stated is None:
                self._stated = stated_amount(entry, self._currency())
                self._has_reference = reference(text(entry, "AcctSvcrRef")) is not None
                self._sums = Sums(self._stated.amount, self._stated.is_credit, self._stated.currency)
            self._sums.add(detail_amounts(element, self._sums.currency))
            if not self._has_reference:
                self._verdicts.detail(self._stated, reference(text(element, "Refs", "AcctSvcrRef")))
        except EntryFaultError:
            # The second pass says what is wrong with the entry; here it makes no total.
            self._verdicts.fault()

    def _details(self, element: Element) -> None:
        self._of_batches += batch_size(child(element, "Btch")) or 0
        if self._sums is not None:
            try:
                self._sums.add_batch(element)
            except EntryFaultError:
                self._verdicts.fault()

    def _entry(self, element: Element) -> None:
        self._check_account(element)
        sums, self._sums = self._sums, None
        stated, self._stated = self._stated, None
        of_batches, self._of_batches = self._of_batches, 0
        try:
            stated = stated or stated_amount(element, self._currency())
            if sums is not None and (said := sums.contradiction(charges_of(element, stated.currency))) is not None:
                raise FileRefusedError(
                    "control_total_mismatch", f"an entry contradicts itself: {said}", line_of(element)
                )
            self._totals.entry(stated, max(of_batches, 0 if sums is None else sums.count))
        except EntryFaultError:
            self._verdicts.fault()
        self._verdicts.entry(stated, reference(text(element, "AcctSvcrRef")), sums)


def bank_account(element: Element) -> BankAccount:
    """The account of a statement. Raises ``FileRefusedError`` where it has no number."""
    number = account_number(element)
    if number is None:
        raise FileRefusedError("malformed_file", "a statement does not name its account (Acct/Id)", line_of(element))
    bank = child(element, "Svcr", "FinInstnId")
    servicer = text(bank, "BICFI") or text(bank, "BIC") or text(bank, "ClrSysMmbId", "MmbId")
    return BankAccount(number, text(element, "Ccy"), servicer)


def _date_of(element: Element) -> date | None:
    try:
        moment = moment_of(element)
    except EntryFaultError:
        return None
    return None if moment is None else moment[0]
