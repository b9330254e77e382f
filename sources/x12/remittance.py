"""What a payer says is paid: open items (RMR) and adjustments (ADX), in an 820 and under a check of an 823.

RMR04 is what is paid of an item, RMR05 its total, RMR06 the discount taken, RMR07 and RMR08 a further adjustment with
its reason. An ADX under an RMR adjusts that item; one before any RMR, under the entity, adjusts the payment as a whole.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from sources.x12.segments import Segment
from sources.x12.values import decimal

LINES_MAX = 10_000
"""A remittance is one record of the log; with more items than this it would pass what a broker takes."""

DISCOUNT = "discount"
"""The reason of a deduction by RMR06, which has no code."""

UNREFERENCED = "unreferenced"
"""Stands for the number of what is kept back where the payer names none."""

_INVOICE = "IV"
_NOTHING = Decimal(0)


class Deduction(msgspec.Struct, frozen=True, gc=False):
    """What is kept back (above zero) or paid on top (below), with the code of data element 426 or the kind of it."""

    amount: Decimal
    reason: str


class Item(msgspec.Struct):
    """An open item that is paid, or an adjustment of the payment as a whole, which is free of items.

    `qualifier` says what the reference is (data element 128). `kept` is what it says itself, `adjustments` what the ADX
    under it say.
    """

    qualifier: str
    reference: str
    paid: Decimal
    kept: list[Deduction]
    adjustments: list[Deduction]
    is_free: bool = False
    full: Decimal | None = None
    """RMR05 less RMR06: what is due before adjustments, where it is said."""


class Remittance:
    """The items of one payment, and their sums. Beyond `LINES_MAX` it adds up and keeps nothing."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.count = 0
        self.paid = _NOTHING
        """Σ RMR04."""
        self.adjusted = _NOTHING
        """Σ ADX01 of the payment as a whole."""
        self.adjusted_in_items = _NOTHING
        """Σ ADX01 under items."""
        self.has_amounts = False
        """Whether any of them says how much; a payer with one invoice to pay may name it and no more."""
        self._open: Item | None = None
        self._entity_begins()

    def take(self, segment: Segment) -> bool:
        """Take a segment of the remittance; False for one that is none of it."""
        match segment.name:
            case "RMR":
                self._item(segment)
            case "ADX":
                self._adjust(segment)
            case "REF":
                return self._refer(segment)
            case "ENT":
                self._entity_begins()
            case _:
                return False
        return True

    @property
    def is_too_long(self) -> bool:
        """Whether it has more items and adjustments than a record can hold."""
        return self.count > LINES_MAX

    def adds_up_to(self, payment: Decimal) -> bool:
        """Whether items and adjustments come to the payment, in one of the two ways in which senders write them."""
        total = self.paid + self.adjusted
        return payment in {total, total + self.adjusted_in_items}

    def lines(self, payment: Decimal) -> Iterator[dict[str, Any]]:
        """The lines of a ``RemittanceReceived``: one for each item, and for each further reason of a deduction.

        Without amounts, a single item is paid by all of the `payment`; several say too little to apply cash.
        A line's amount is what is paid, never below zero: an item with a negative amount is a credit that the payer
        takes, by a credit memo or a claim of its own, and stands as a deduction on the number that it names.
        Some senders put into RMR04 what stands before the adjustments under it. If the items come to the payment with
        those taken off, and not without, they are taken off; where neither comes to it, an item's own total tells.
        An adjustment of the whole payment that names an item of it is an adjustment of that item.
        """
        if not self.has_amounts:
            if len(self.items) == 1 and self.items[0].reference:
                yield {"invoice_id": self.items[0].reference, "amount": format(payment, "f")}
            return
        total = self.paid + self.adjusted
        is_net, is_gross = payment == total, payment == total + self.adjusted_in_items
        for item in self._settled():
            paid = item.paid
            if not is_net and (is_gross or _is_before_adjustments(item)):
                paid -= _sum(item.adjustments)
            deductions = [each for each in (*item.kept, *item.adjustments) if each.amount > 0]
            if paid < 0:
                deductions = deductions or [Deduction(-paid, item.qualifier)]
                paid = _NOTHING
            if item.reference or deductions:  # without a number it stays unapplied
                yield from _lines(item.reference or UNREFERENCED, paid, _by_reason(deductions))

    def _settled(self) -> Iterator[Item]:
        """The items, with the free adjustments that name one of them moved there."""
        named = {item.reference: item for item in reversed(self.items) if not item.is_free and item.paid > 0}
        moved: dict[str, list[Deduction]] = {}
        for item in self.items:
            if item.is_free and item.reference in named:
                moved.setdefault(item.reference, []).extend(item.kept)
        for item in self.items:
            if item.is_free and item.reference not in named:
                yield msgspec.structs.replace(item, paid=max(-_sum(item.kept), _NOTHING))
            elif not item.is_free:
                more = moved.get(item.reference, []) if named.get(item.reference) is item else []
                yield msgspec.structs.replace(item, paid=item.paid - _sum(more), kept=[*item.kept, *more])

    def _entity_begins(self) -> None:
        self._open = None
        self._is_in_item = False

    def _item(self, segment: Segment) -> None:
        total, discount = decimal(segment, 5), decimal(segment, 6) or _NOTHING
        paid = decimal(segment, 4)
        self.has_amounts = self.has_amounts or paid is not None or total is not None
        if paid is None:  # paid in full
            paid = _NOTHING if total is None else total - discount
        kept = [Deduction(abs(discount), DISCOUNT)] if discount else []
        further = decimal(segment, 8)
        if further:
            # Interest or a penalty paid on top, unless the item's own numbers say that it is kept back.
            is_kept = total is not None and paid == total - discount - further
            kept.append(Deduction(further if is_kept else -further, segment[7]))
        self.paid += paid
        self._is_in_item = True
        full = None if total is None else total - discount
        self._keep(Item(segment[1] or _INVOICE, segment[2], paid, kept, [], full=full))

    def _adjust(self, segment: Segment) -> None:
        amount = decimal(segment, 1) or _NOTHING
        self.has_amounts = True
        adjustment = Deduction(-amount, segment[2])
        if self._is_in_item:
            self.adjusted_in_items += amount
            self.count += 1
            if self._open is not None and not self.is_too_long:
                self._open.adjustments.append(adjustment)
        else:
            self.adjusted += amount
            self._keep(Item(segment[3], segment[4], _NOTHING, [adjustment], [], is_free=True))

    def _refer(self, segment: Segment) -> bool:
        """A REF names an item that has no number yet, or the invoice of an item that names something else."""
        if self._open is None:
            return self._is_in_item
        if not self._open.reference or (segment[1] == _INVOICE and self._open.qualifier != _INVOICE):
            self._open.qualifier, self._open.reference = segment[1], segment[2]
        return True

    def _keep(self, item: Item) -> None:
        self.count += 1
        self._open = None
        if not self.is_too_long:
            self.items.append(item)
            self._open = item


def _is_before_adjustments(item: Item) -> bool:
    """Whether the item's own numbers say that its adjustments are not in what is paid."""
    return bool(item.adjustments) and item.paid == item.full and _sum(item.adjustments) != 0


def _lines(reference: str, paid: Decimal, deductions: dict[str, Decimal]) -> Iterator[dict[str, Any]]:
    line = {"invoice_id": reference, "amount": format(paid, "f")}
    if not deductions:
        yield line
    for number, (reason, amount) in enumerate(deductions.items()):
        if number:
            line["amount"] = "0.00"
        yield line | {"deduction_amount": format(amount, "f"), "deduction_reason": reason or None}


def _by_reason(deductions: list[Deduction]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in deductions:
        found[each.reason] = found.get(each.reason, _NOTHING) + each.amount
    return found


def _sum(deductions: list[Deduction]) -> Decimal:
    return sum((each.amount for each in deductions), _NOTHING)
