"""Whether a statement agrees with itself: entries with their summary (`TxsSummry`), balances with the entries between.

What may differ is left alone: a page of several (its totals may be those of all pages), pending entries within or
without the totals, sums over several currencies, counts of entries or of their transactions.
"""

from decimal import Decimal

import msgspec

from sources.bank.camt.head import StatedAmount
from sources.bank.camt.values import EntryFaultError, amount_of, count_of, is_credit
from sources.errors import FileRefusedError
from sources.xml import Element, child, line_of, text

_ZERO = Decimal(0)
# The booked balance before the entries: of the opening, or of the closing of the statement before.
_OPENING = ("OPBD", "PRCD")
_CLOSING = "CLBD"


class _Counted(msgspec.Struct, gc=False):
    """Entries of one direction: how many, with how many transactions, Σ of their amounts."""

    entries: int = 0
    transactions: int = 0
    total: Decimal = _ZERO

    def add(self, amount: Decimal, transactions: int) -> None:
        self.entries += 1
        self.transactions += transactions
        self.total += amount


class _Stated(msgspec.Struct, frozen=True, gc=False):
    """One total of the summary, as it stands."""

    what: str
    entries: int | None
    total: Decimal | None


class _Balance(msgspec.Struct, frozen=True, gc=False):
    code: str
    amount: Decimal
    currency: str


class StatementTotals:
    """What one statement says of itself, and what its entries come to."""

    def __init__(self) -> None:
        self._stated: list[_Stated] = []
        self._balances: list[_Balance] = []
        self._currencies: set[str] = set()
        # By direction, all entries and only the booked ones.
        self._all = {True: _Counted(), False: _Counted()}
        self._booked = {True: _Counted(), False: _Counted()}
        self._line = 0
        self.is_page = False

    def page(self, pagination: Element | None) -> None:
        """A page number: whether the statement is one of several pages."""
        if pagination is not None:
            first, last = text(pagination, "PgNb"), text(pagination, "LastPgInd")
            if (first is not None and first.lstrip("0") != "1") or last in {"false", "0"}:
                self.is_page = True

    def balance(self, balance: Element) -> None:
        """A balance. One that cannot be read takes part in no check."""
        amount = child(balance, "Amt")
        code = text(balance, "Tp", "CdOrPrtry", "Cd") or text(balance, "Tp", "Cd") or ""
        if amount is None or code not in {*_OPENING, _CLOSING}:
            return
        try:
            said = amount_of(amount)
            signed = said if is_credit(balance) is not False else -said
        except EntryFaultError as error:
            raise FileRefusedError(
                "malformed_file", f"a balance says that {error.message}", line_of(balance)
            ) from error
        self._balances.append(_Balance(code, signed, amount.get("Ccy") or ""))
        self._line = self._line or line_of(balance)

    def summary(self, summary: Element) -> None:
        """The summary of the entries."""
        self._line = line_of(summary)
        for name, what in (("TtlNtries", "entries"), ("TtlCdtNtries", "credits"), ("TtlDbtNtries", "debits")):
            total = child(summary, name)
            count, stated = text(total, "NbOfNtries"), child(total, "Sum")
            message = f"its summary of {what} cannot be read; ask the bank for another file"
            try:
                said = None if stated is None else amount_of(stated)
            except EntryFaultError as error:
                raise FileRefusedError("malformed_file", message, line_of(summary)) from error
            entries = count_of(count)
            if entries is None and count is not None:
                raise FileRefusedError("malformed_file", message, line_of(summary))
            self._stated.append(_Stated(what, entries, said))

    def entry(self, stated: StatedAmount, transactions: int) -> None:
        """An entry and the number of transactions that it has, listed or only counted."""
        self._currencies.add(stated.currency)
        for counted in (self._all, self._booked) if stated.is_booked else (self._all,):
            counted[stated.is_credit].add(stated.amount, max(transactions, 1))

    def check(self) -> None:
        """Raises ``FileRefusedError`` where the statement disagrees with its own summary."""
        if not self.is_page:
            for stated in self._stated:
                self._check_total(stated)

    def _check_total(self, stated: _Stated) -> None:
        readings = [self._counted(stated.what, counted) for counted in (self._all, self._booked)]
        if stated.entries is not None and not any(
            stated.entries in {reading.entries, reading.transactions} for reading in readings
        ):
            message = f"the statement says it has {stated.entries:,} {stated.what}, it has {readings[0].entries:,}"
            raise self._mismatch(message)
        is_one_currency = len(self._currencies) <= 1
        totals = {reading.total for reading in readings}
        if stated.what == "entries":  # some banks give the net
            totals |= {abs(counted[True].total - counted[False].total) for counted in (self._all, self._booked)}
        if stated.total is not None and is_one_currency and stated.total not in totals:
            message = f"the statement says its {stated.what} make {stated.total}, they make {readings[0].total}"
            raise self._mismatch(message)

    def _counted(self, what: str, counted: dict[bool, _Counted]) -> _Counted:
        if what != "entries":
            return counted[what == "credits"]
        credit, debit = counted[True], counted[False]
        return _Counted(
            credit.entries + debit.entries, credit.transactions + debit.transactions, credit.total + debit.total
        )

    def gap(self) -> tuple[int, str] | None:
        """Where and how the balances disagree with the booked entries, for every pair that the statement gives.

        A statement may leave entries out or give balances of another kind, so this alone refuses nothing.
        """
        if self.is_page:
            return None
        pairs = [
            (opening, closing)
            for opening in self._balances
            for closing in self._balances
            if opening.code in _OPENING and closing.code == _CLOSING and opening.currency == closing.currency
        ]
        pairs = [pair for pair in pairs if self._currencies <= {pair[0].currency}]
        between = self._booked[True].total - self._booked[False].total
        if pairs and not any(opening.amount + between == closing.amount for opening, closing in pairs):
            opening, closing = pairs[0]
            message = (
                f"the balance goes from {opening.amount} to {closing.amount} {opening.currency}, "
                f"but the booked entries make {between}, so that entries are missing or wrong"
            )
            advice = "the entries are taken; ask the bank, or say --as camt053-partial where that is on purpose"
            return self._line, f"{message}; {advice}"
        return None

    def _mismatch(self, message: str) -> FileRefusedError:
        return FileRefusedError("control_total_mismatch", f"{message}; ask the bank for another file", self._line)
