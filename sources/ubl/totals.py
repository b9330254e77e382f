"""The totals of a UBL document, which must agree with one another as far as they are given (EN 16931, BR-CO-10 to 16).

Senders place two amounts differently, so each is accepted in either place: the rounding in the total with tax or only
in what is payable; and TaxExclusiveAmount, in which OIOUBL keeps the tax itself.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from sources.errors import FileRefusedError
from sources.xml import Element, child, children, line_of, text

_AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})")
_NOTHING = Decimal(0)


def amount_of(element: Element | None, *path: str) -> Decimal | None:
    """The amount at the end of a path. Raises ``FileRefusedError`` where it is none."""
    found = child(element, *path)
    written = text(found)
    if found is None or written is None:
        return None
    if not _AMOUNT.fullmatch(written):
        message = f"{path[-1]} is {written[:40]!r}, which is no amount; the document cannot be added up"
        raise FileRefusedError("malformed_file", message, line_of(found))
    return Decimal(written)


class Totals:
    """The amounts of one document: `total` is its LegalMonetaryTotal, `lines` the sum of its lines."""

    def __init__(self, document: Element, currency: str, lines: Decimal | None) -> None:
        self._total = child(document, "LegalMonetaryTotal")
        if self._total is None:
            raise FileRefusedError("malformed_file", "it has no LegalMonetaryTotal", line_of(document))
        self._document = document
        self._currency = currency
        self._lines = lines

    @property
    def payable(self) -> Decimal:
        """What is owed: PayableAmount. Raises ``FileRefusedError`` where there is none, or in another currency."""
        payable = self._said("PayableAmount")
        if payable is None:
            raise FileRefusedError("malformed_file", "it has no PayableAmount", line_of(self._document))
        stated = child(self._total, "PayableAmount")
        other = None if stated is None else stated.get("currencyID")
        if other not in {None, self._currency}:
            message = f"its PayableAmount is in {other}, but the document in {self._currency}"
            raise FileRefusedError("malformed_file", message, line_of(self._document))
        return payable

    def check(self) -> None:
        """Raises ``FileRefusedError`` (`control_total_mismatch`) with the numbers of the first that disagrees."""
        lines, net = self._said("LineExtensionAmount"), None
        if lines is not None:
            self._agree("LineExtensionAmount", lines, self._lines, "its lines add up to")
            net = lines - self._allowances(is_charge=False) + self._allowances(is_charge=True)
        tax, gross = self._tax(), self._said("TaxInclusiveAmount")
        rounding = self._said("PayableRoundingAmount") or _NOTHING
        exclusive = self._said("TaxExclusiveAmount")
        if exclusive is not None and exclusive != tax:
            self._agree("TaxExclusiveAmount", exclusive, net, "lines less allowances and charges come to")
        net = exclusive if net is None else net
        if gross is not None and net is not None and tax is not None and gross != net + tax + rounding:
            self._agree("TaxInclusiveAmount", gross, net + tax, "net and tax come to")
        self._check_payable(gross, rounding, None if net is None or tax is None else net + tax)

    def _check_payable(self, gross: Decimal | None, rounding: Decimal, untouched: Decimal | None) -> None:
        if gross is None:
            return
        payable = self.payable
        due = gross - (self._said("PrepaidAmount") or _NOTHING) - self._withheld()
        third_parties = sum(self._third_parties(), _NOTHING)
        # The rounding may stand in the total with tax; then it must not be added again.
        is_rounded = untouched is not None and bool(rounding) and gross == untouched + rounding
        accepted = {due} if is_rounded else {due + rounding}
        if payable not in accepted | {each + third_parties for each in accepted}:
            self._agree("PayableAmount", payable, due + rounding, "total less prepayment, with rounding, comes to")

    def _agree(self, name: str, stated: Decimal, summed: Decimal | None, words: str) -> None:
        if summed is not None and stated != summed:
            found = child(self._total, name)
            message = f"{name} is {stated}, but {words} {summed} {self._currency}"
            raise FileRefusedError("control_total_mismatch", message, 0 if found is None else line_of(found))

    def _said(self, name: str) -> Decimal | None:
        return amount_of(self._total, name)

    def _tax(self) -> Decimal | None:
        """Σ TaxTotal in the document's currency; a second one may repeat it in the currency of the tax office."""
        taxes = [
            amount
            for total in children(self._document, "TaxTotal")
            if (stated := child(total, "TaxAmount")) is not None
            and stated.get("currencyID") in {None, self._currency}
            and (amount := amount_of(total, "TaxAmount")) is not None
        ]
        return sum(taxes, _NOTHING) if taxes else None

    def _allowances(self, *, is_charge: bool) -> Decimal:
        """The total as stated, else the sum of the document's allowances or charges."""
        stated = self._said("ChargeTotalAmount" if is_charge else "AllowanceTotalAmount")
        if stated is not None:
            return stated
        return sum(
            (
                amount_of(each, "Amount") or _NOTHING
                for each in children(self._document, "AllowanceCharge")
                if (text(each, "ChargeIndicator") in {"true", "1"}) is is_charge
            ),
            _NOTHING,
        )

    def _withheld(self) -> Decimal:
        return sum(
            (amount_of(each, "TaxAmount") or _NOTHING for each in children(self._document, "WithholdingTaxTotal")),
            _NOTHING,
        )

    def _third_parties(self) -> Iterator[Decimal]:
        """What the invoice collects for others beside its own total (XRechnung extension, BT-DEX-002)."""
        for each in children(self._document, "PrepaidPayment"):
            yield amount_of(each, "PaidAmount") or _NOTHING
