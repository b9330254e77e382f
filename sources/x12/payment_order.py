"""The payment order and remittance advice, 820: what a payer says that a payment is for.

The advice is not the cash. Whatever BPR01 says of how money and advice travel, the money arrives on a bank account and
the bank reports it there; a payment made of the advice as well would be there twice. So an 820 becomes a
``RemittanceReceived`` that waits for its payment. Only where nothing else reports the cash is the advice taken for it
too (the format `x12-820-cash`): then the handling codes that move money (`_MOVES_MONEY`) with a credit are payments.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from sources.bank.account import BankAccount
from sources.bank.payers import Payers
from sources.errors import FileRefusedError
from sources.verified_file import BadEntry, PassedOver, Written
from sources.x12.envelope import TransactionSet
from sources.x12.form import Taken
from sources.x12.parties import Parties
from sources.x12.remittance import LINES_MAX, Remittance
from sources.x12.segments import Segment
from sources.x12.values import UnreadableError, day, decimal, instant

_MOVES_MONEY = frozenset("CDEUX")
"""BPR01, data element 305: payment with or without remittance in the same transmission. Not among them: I (remittance
information only), H (notification only), P (prenotification of future transfers), Z (mutually defined)."""

_PAYER = ("PR", "RM")  # N101: payer, remitter
_PRENOTE = "P"
_DATES = ("097", "007", "009", "036", "695")  # DTM01: transaction creation, effective, process, expiration, payment
_REFERENCES = ("TN", "CK", "2I", "TJ", "55", "EF")  # REF01 that number a payment, where there is no TRN
_HOME = "USD"  # X12 is North American: a payment that names no currency is in US dollars
_DIGEST_BYTES = 8


def payment_orders(payers: Payers, *, is_cash: bool) -> Callable[[TransactionSet], "PaymentOrder"]:
    """What opens the readers of one file: equal references within it are told apart by a count."""
    seen: Counter[str] = Counter()
    return lambda opened: PaymentOrder(opened, payers, seen, is_cash=is_cash)


class PaymentOrder:
    """Reads one 820."""

    def __init__(self, opened: TransactionSet, payers: Payers, seen: Counter[str], *, is_cash: bool) -> None:
        self._opened = opened
        self._payers = payers
        self._seen = seen
        self._is_cash = is_cash
        self._order: Segment | None = None
        self._trace: Segment | None = None
        self._currency: str | None = None
        self._references: dict[str, str] = {}
        self._dates: dict[str, str] = {}
        self._parties = Parties()
        self._remittance = Remittance()
        self._in_detail = False
        self._digest = blake2b(digest_size=_DIGEST_BYTES)

    def take(self, segment: Segment) -> Iterator[Taken]:
        """A segment between ST and SE; nothing is complete before the end."""
        self._digest.update(segment.text.encode())
        if segment.name in {"ENT", "RMR", "ADX"}:
            self._in_detail = True
        if self._in_detail:
            self._remittance.take(segment)
        elif not self._parties.take(segment):
            self._heading(segment)
        return iter(())

    def _heading(self, segment: Segment) -> None:
        match segment.name:
            case "BPR" if self._order is None:
                self._order = segment
            case "TRN" if self._trace is None:
                self._trace = segment
            case "CUR":
                self._currency = segment[2] or None
            case "REF" if segment[1] in _REFERENCES:
                self._references.setdefault(segment[1], segment[2])
            case "DTM" if segment[1] in _DATES:
                self._dates.setdefault(segment[1], segment[2])

    def end(self) -> Iterator[Taken]:
        """The advice. Taken as cash, its items must add up to its total."""
        order = self._order
        if order is None:
            raise FileRefusedError("malformed_file", f"{self._opened.name} has no BPR", self._opened.line)
        amount = decimal(order, 2) or Decimal(0)
        self._check_total(amount, order)
        if order[1] == _PRENOTE:
            yield PassedOver(self._opened.line, "prenotification")
        elif self._remittance.is_too_long:
            message = f"{self._opened.name} has {self._remittance.count:,} items; more than {LINES_MAX:,} fit no event"
            yield BadEntry(self._opened.line, "too_many_lines", message, order.text.encode())
        else:
            try:
                documents = list(self._documents(order, amount))
            except UnreadableError as error:
                message = f"{self._opened.name}: {error.message}"
                yield BadEntry(self._opened.line, error.reason, message, order.text.encode())
                return
            yield Written(self._opened.line, documents)

    def _check_total(self, amount: Decimal, order: Segment) -> None:
        """Cash must agree with itself. Advice that does not is taken: it moves nothing, payers' systems are sloppy
        here, and the ledger flags what differs from the payment when it arrives (SEMANTICS 4.3)."""
        remittance = self._remittance
        if not self._is_cash or not remittance.has_amounts or remittance.adds_up_to(amount):
            return
        total = remittance.paid + remittance.adjusted
        message = f"{self._opened.name} is over {amount} (BPR02), but its items and adjustments add up to {total}"
        if remittance.adjusted_in_items:
            message += f", or {total + remittance.adjusted_in_items} with the adjustments of items taken off"
        raise FileRefusedError("control_total_mismatch", message, order.line)

    def _documents(self, order: Segment, amount: Decimal) -> Iterator[dict[str, Any]]:
        payer = self._parties.first(*_PAYER)
        trace = self._trace[2] if self._trace else ""
        reference = trace or next((self._references[q] for q in _REFERENCES if q in self._references), "")
        unique = self._unique(order, reference)
        said_on = day(self._opened.date, "the date of the group (GS04)") or self._value_date(order)
        if said_on is None:
            raise UnreadableError("missing_date", "neither BPR16, a DTM nor the group (GS04) has a date")
        envelope = {
            "occurred_at": instant(said_on),
            "account_id": self._payers.account_of(self._names(order)) or (payer.number_of_ours if payer else None),
        }
        lines = list(self._remittance.lines(amount))
        payment_id = None
        if self._is_cash and order[1] in _MOVES_MONEY and order[3] != "D" and amount > 0:
            payment_id = self._payment_id(order, unique)
            yield envelope | {
                "event": "PaymentReceived",
                "payment_id": payment_id,
                "amount": format(amount, "f"),
                "currency": self._currency or _HOME,
                "value_date": (self._value_date(order) or said_on).isoformat(),
                "method": order[4].lower() or None,
                "end_to_end_id": reference or None,
                "payer_name": payer.name or None if payer else None,
                "payer_account": order[9] or None,
            }
        if lines:
            yield envelope | {
                "event": "RemittanceReceived",
                "remittance_id": unique,
                "payment_id": payment_id,
                "payer_reference": reference or None,
                "currency": self._currency,
                "lines": lines,
            }
        elif payment_id is None:
            yield envelope | self._announcement(unique, amount, self._value_date(order), reference)

    def _unique(self, order: Segment, reference: str) -> str:
        """``<payer>:<reference>``, with a count where a file says it more than once: advice for parts of a payment."""
        payer = self._parties.first(*_PAYER)
        candidates = (self._trace[3] if self._trace else "", order[10], payer.number if payer else "")
        who = next(filter(None, candidates), "") or (payer.name if payer else "") or self._opened.sender
        unique = f"{who}:{reference or '~' + self._digest.hexdigest()}"
        self._seen[unique] += 1
        return unique if self._seen[unique] == 1 else f"{unique}:{self._seen[unique]}"

    def _payment_id(self, order: Segment, unique: str) -> str:
        account = BankAccount(order[15] or self._opened.sender)
        return f"{account.fingerprint}:{unique}"

    def _names(self, order: Segment) -> list[str]:
        """What may stand for the payer in the table of payers, the most exact first."""
        payer = self._parties.first(*_PAYER)
        numbers = [payer.number, *payer.numbers] if payer else []
        trace = [self._trace[3]] if self._trace else []
        name = [payer.name] if payer else []
        return [*numbers, order[10], *trace, order[9], *name, self._opened.sender, self._opened.group_sender]

    def _value_date(self, order: Segment) -> date | None:
        effective = day(order[16], "the effective date (BPR16)")
        if effective is not None:
            return effective
        return next((day(self._dates[q], f"DTM*{q}") for q in _DATES if self._dates.get(q)), None)

    def _announcement(self, unique: str, amount: Decimal, value_date: date | None, reference: str) -> dict[str, Any]:
        """An order without remittance tells of cash to come and nothing of what it is for; it is logged."""
        said = {
            "amount": f"{amount:f} {self._currency or _HOME}",
            "value_date": None if value_date is None else value_date.isoformat(),
            "end_to_end_id": reference or None,
        }
        return {
            "event": "UserActivityLogged",
            "action": "cash_announced",
            "entity_type": "payment",
            "entity_id": unique,
            "changes": {field: {"old": None, "new": value} for field, value in said.items() if value is not None},
            "succeeded": True,
        }
