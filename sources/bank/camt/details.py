"""The transactions of an entry (`TxDtls`): their amounts, and whether they make up the entry.

Banks write the amount of a transaction in four places, with or without charges, and in more than one currency. The
cash is what the bank booked: transactions are taken one by one where one reading of their amounts gives exactly the
amount of the entry; else the entry is taken as one.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from sources.bank.camt.values import amount_of, count_of, is_credit
from sources.xml import Element, child, children, text

_ZERO = Decimal(0)

# Where an amount is looked for, in each reading: the first place that has it in the entry's currency.
PLACES: Final = (
    ("Amt", "TxAmt", "CntrValAmt", "InstdAmt"),
    ("TxAmt", "Amt", "CntrValAmt", "InstdAmt"),
    ("CntrValAmt", "TxAmt", "Amt", "InstdAmt"),
    ("InstdAmt", "TxAmt", "Amt", "CntrValAmt"),
)
_READINGS_OF_PLACES: Final = 3
_SIGNED, _AS_ENTRY, _NET = range(_READINGS_OF_PLACES)
AS_ONE: Final = 255
"""The reading of an entry whose transactions do not make it up."""


class DetailAmounts(msgspec.Struct, frozen=True, gc=False):
    """The amounts of a transaction by their place, in the entry's currency; its direction, if it has one of its own.

    `charges` are those taken off it.
    """

    places: Mapping[str, Decimal]
    is_credit: bool | None
    charges: Decimal

    def amount(self, reading: int) -> Decimal | None:
        """The amount in a reading, positive; None where it has none."""
        places, way = divmod(reading, _READINGS_OF_PLACES)
        stated = next((self.places[place] for place in PLACES[places] if place in self.places), None)
        return stated if stated is None or way != _NET else stated - self.charges

    def is_credit_in(self, reading: int, entry_is_credit: bool) -> bool:
        """The direction in a reading."""
        if self.is_credit is None or reading % _READINGS_OF_PLACES == _AS_ENTRY:
            return entry_is_credit
        return self.is_credit


def detail_amounts(transaction: Element, currency: str) -> DetailAmounts:
    """The amounts of a transaction in a currency. Raises ``EntryFaultError``."""
    places: dict[str, Decimal] = {}
    own = child(transaction, "Amt")
    if own is not None and (own.get("Ccy") or currency) == currency:
        places["Amt"] = amount_of(own)
    details = child(transaction, "AmtDtls")
    for place in ("TxAmt", "CntrValAmt", "InstdAmt"):
        stated = child(details, place, "Amt")
        if stated is not None and (stated.get("Ccy") or currency) == currency:
            places[place] = amount_of(stated)
    return DetailAmounts(places, is_credit(transaction), charges_of(transaction, currency))


def charges_of(element: Element, currency: str) -> Decimal:
    """The charges taken off an entry or a transaction in its currency; credits among them count against."""
    total = _ZERO
    for charges in children(element, "Chrgs"):
        records = list(children(charges, "Rcrd"))
        stated = child(charges, "TtlChrgsAndTaxAmt")
        # Up to version 03 a charge stands in Chrgs itself.
        for record in records or ([charges] if stated is None else []):
            amount = child(record, "Amt")
            if amount is not None and (amount.get("Ccy") or currency) == currency:
                total += -amount_of(amount) if is_credit(record) else amount_of(amount)
        if not records and stated is not None and (stated.get("Ccy") or currency) == currency:
            total += amount_of(stated)
    return total


class Sums:
    """Σ of the transactions of one entry in every reading, and what their batches say.

    `is_mixed`: some are of the other direction than the entry.
    """

    def __init__(self, amount: Decimal, entry_is_credit: bool, currency: str) -> None:
        self.count = 0
        self.is_mixed = False
        self._amount = amount
        self._is_credit = entry_is_credit
        self.currency = currency
        self._charges = _ZERO
        self._totals: list[Decimal | None] = [_ZERO] * (len(PLACES) * _READINGS_OF_PLACES)
        self._batches: list[tuple[int | None, Decimal | None]] = []

    def add(self, detail: DetailAmounts) -> None:
        """One transaction."""
        self.count += 1
        self.is_mixed = self.is_mixed or detail.is_credit not in {None, self._is_credit}
        self._charges += abs(detail.charges)
        for reading, total in enumerate(self._totals):
            amount = detail.amount(reading)
            if total is None or amount is None:
                self._totals[reading] = None
            else:
                same = detail.is_credit_in(reading, self._is_credit) == self._is_credit
                self._totals[reading] = total + amount if same else total - amount

    def add_batch(self, details: Element) -> None:
        """What an `NtryDtls` says of its batch; nothing is said without a batch."""
        batch = child(details, "Btch")
        size, stated = text(batch, "NbOfTxs"), child(batch, "TtlAmt")
        comparable = stated is not None and (stated.get("Ccy") or self.currency) == self.currency
        amount = amount_of(stated) if stated is not None and comparable else None
        if batch is not None and amount is not None and is_credit(batch) not in {None, self._is_credit}:
            amount = -amount
        self._batches.append((count_of(size), amount))

    def reading(self) -> int:
        """The first reading in which the transactions make up the entry; ``AS_ONE`` where none does."""
        return next((reading for reading, total in enumerate(self._totals) if total == self._amount), AS_ONE)

    def contradiction(self, entry_charges: Decimal) -> str | None:
        """Where the batches contradict transactions that make up the entry; None where they do not.

        A single transaction may stand for its whole batch, charges may stand between a batch and its entry, and a list
        that does not make up the entry may be a part of it: these are no contradictions.
        """
        if self.count < 2 or self.reading() == AS_ONE:
            return None
        sizes = [size for size, _ in self._batches]
        if sizes and None not in sizes and (said := sum(size or 0 for size in sizes)) != self.count:
            return f"its batch says {said:,} transactions (NbOfTxs), it has {self.count:,}"
        amounts = [amount for _, amount in self._batches]
        total = sum((amount or _ZERO for amount in amounts), _ZERO)
        if amounts and None not in amounts and total != self._amount and not self._charges and not entry_charges:
            return f"its batch says a total of {total} (TtlAmt), its transactions make {self._amount}"
        return None
