"""Rows that settle each other (`[clearing]`): documents with the same clearing number become applications.

ERPs like SAP do not say which credit paid which invoice; they give every item that was cleared together the number of
the clearing document, and the items of one clearing add up to zero. So within a clearing

1. a credit that names a document is applied to that one first,
2. what is left is applied oldest due first: invoices of the credit's own account before others, credit memos before
   payments,
3. what a clearing leaves over, because its other side is not in the file, is adjusted away with the reason
   ``cleared_in_erp``: the ERP says that the item is closed.

Other ERPs (`[clearing.line]`) say how much of every document a payment or a worksheet settled, credits below zero, but
not what settled what. The same rules hold; the payment settles what the credits do not.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from avro.amounts import from_minor
from sources.mapping.cleared import Cleared, Line
from sources.mapping.model import Clearing
from sources.values import ParsedEvent, Position

REASON = "cleared_in_erp"
Document = Mapping[str, Any]
_Kind = Literal["debit", "credit_memo", "payment"]
_KINDS: dict[str, tuple[_Kind, str]] = {
    "InvoiceIssued": ("debit", "invoice_id"),
    "CreditMemoIssued": ("credit_memo", "credit_memo_id"),
    "PaymentReceived": ("payment", "payment_id"),
}


class _Item(msgspec.Struct):
    """A document of a clearing. `left` is what of it is not settled yet, in minor units, above zero."""

    kind: _Kind
    company: str
    account: str | None
    number: str
    currency: str
    left: int
    due: int
    value_date: int | None
    reference: str
    position: Position
    envelope: Mapping[str, Any] = {}


class Clearings:
    """Collects the documents of a file by clearing, and gives the events that settle them.

    A clearing is settled and forgotten as soon as its items add up to zero; only those that do not wait for the end.
    """

    def __init__(self, rule: Clearing, timezone: str | None) -> None:
        self._method = rule.method
        self._zone = ZoneInfo(timezone or "UTC")
        self._open: dict[tuple[str, str, str], list[_Item]] = {}
        self._days: dict[tuple[str, str, str], str] = {}
        self._sums: Counter[tuple[str, str, str]] = Counter()
        self._spoilt: set[str] = set()
        self._lines: dict[tuple[str, str, str], list[tuple[Line, Position]]] = {}

    def take_line(self, cleared: Cleared, position: Position) -> None:
        """Keep what a row says was settled until the end of the file."""
        line = cleared.line
        if line is None or not cleared.key:
            return
        key = (line.envelope.get("company") or "", line.currency, cleared.key)
        self._lines.setdefault(key, []).append((line, position))
        self._days[key] = cleared.day or ""

    def take(self, events: Iterable[ParsedEvent], cleared: Cleared) -> Iterator[tuple[Document, Position]]:
        """The settlements that the documents of a row bring about."""
        for event in events:
            if event.name not in _KINDS:
                continue
            item = _item(event, cleared.reference)
            if item.left <= 0:
                continue  # the ledger refuses such a document, so nothing settles it
            if not cleared.key:
                if item.kind == "payment" and item.reference:
                    yield self._application(item, item.reference, item.left, None)
                continue
            key = (item.company, item.currency, cleared.key)
            self._open.setdefault(key, []).append(item)
            self._days[key] = cleared.day or ""
            self._sums[key] += _signed(item)
            if self._sums[key] == 0:
                yield from self._settled(key)

    def spoil(self, key: str) -> None:
        """A row of this clearing could not be read: what is left of it is not adjusted away."""
        self._spoilt.add(key)

    def finish(self) -> Iterator[tuple[Document, Position]]:
        """The clearings whose other side is not in the file, in the order of their first row."""
        for key, lines in self._lines.items():
            self._open[key] = _items_of(key, lines)
        self._lines.clear()
        for key in list(self._open):
            if key[2] not in self._spoilt:
                yield from self._settled(key)
        self._open.clear()

    def _settled(self, key: tuple[str, str, str]) -> Iterator[tuple[Document, Position]]:
        items = self._open.pop(key)
        self._sums.pop(key, None)
        day, number = self._days.pop(key), key[2]
        debits = sorted((item for item in items if item.kind == "debit"), key=lambda item: (item.due, item.number))
        memos_first = sorted(
            (item for item in items if item.kind != "debit"), key=lambda item: (item.kind, item.due, item.number)
        )
        by_number = {item.number: item for item in debits}
        for credit in memos_first:
            named = by_number.get(credit.reference)
            if named is not None and (amount := min(named.left, credit.left)):
                named.left -= amount
                credit.left -= amount
                if credit.kind == "payment":  # a credit memo that names its invoice has settled it itself
                    yield self._application(credit, named.number, amount, None, named.account)
        for credit, debit, amount in _paired(memos_first, debits):
            yield self._application(credit, debit.number, amount, (number, day), debit.account)
        for item in items:
            if item.left:
                yield from self._left_over(item, number, day)

    def _application(
        self,
        credit: _Item,
        invoice_id: str,
        amount: int,
        clearing: tuple[str, str] | None,
        invoice_account: str | None = None,
    ) -> tuple[Document, Position]:
        number, day = clearing or ("", _iso(credit.value_date or credit.due))
        prefix = f"{number}:" if number else ""
        document: dict[str, Any] = {
            **self._envelope(credit, day),
            "event": "CashApplied",
            "application_id": f"{prefix}{credit.number}>{invoice_id}",
            "payment_id" if credit.kind == "payment" else "credit_memo_id": credit.number,
            "invoice_id": invoice_id,
            "amount": from_minor(amount, credit.currency),
            "currency": credit.currency,
            "effective_date": day,
            "method": self._method,
        }
        if invoice_account is not None and invoice_account != credit.account:
            document["invoice_account_id"] = invoice_account
        return document, credit.position

    def _left_over(self, item: _Item, number: str, day: str) -> Iterator[tuple[Document, Position]]:
        amount = from_minor(item.left, item.currency)
        envelope = self._envelope(item, day)
        if item.kind != "payment":
            yield (
                {
                    **envelope,
                    "event": "InvoiceAdjusted",
                    "adjustment_id": f"{number}:{item.number}",
                    "invoice_id": item.number,
                    "amount": amount if item.kind == "credit_memo" else f"-{amount}",
                    "currency": item.currency,
                    "effective_date": day,
                    "reason": REASON,
                },
                item.position,
            )
            return
        # Cash cannot be adjusted; what it was cleared against is a debit that the file does not show.
        debit_memo = f"{number}:{item.number}"
        yield (
            {
                **envelope,
                "event": "InvoiceIssued",
                "invoice_id": debit_memo,
                "document_type": "debit_memo",
                "document_date": day,
                "due_date": day,
                "amount": amount,
                "currency": item.currency,
                "reference": REASON,
            },
            item.position,
        )
        yield self._application(item, debit_memo, item.left, (number, day))

    def _envelope(self, item: _Item, day: str) -> dict[str, Any]:
        moment = datetime.combine(date.fromisoformat(day), time(12), self._zone)
        return {
            **item.envelope,
            "company": item.company or None,
            "account_id": item.account,
            "occurred_at": moment.isoformat(),
            "recorded_at": moment.isoformat(),
        }


def _item(event: ParsedEvent, reference: str) -> _Item:
    record = event.record
    kind, number = _KINDS[event.name]
    days = (record.get(name) for name in ("due_date", "document_date", "value_date"))
    return _Item(
        kind=kind,
        company=record["company"],
        account=record["account_id"],
        number=record[number],
        currency=record["currency"],
        left=record["amount_minor"],
        due=next(day for day in days if day is not None),
        value_date=record.get("value_date"),
        reference=reference,
        position=event.position,
    )


def _items_of(key: tuple[str, str, str], lines: list[tuple[Line, Position]]) -> list[_Item]:
    """The lines of a clearing as documents: netted by document, and the payment for what the credits leave."""
    settled: dict[str, _Item] = {}
    for line, position in lines:
        item = settled.get(line.document)
        if item is None:
            item = _Item("debit", key[0], line.account, line.document, key[1], 0, 0, None, "", position, line.envelope)
            settled[line.document] = item
        item.left += line.amount
    for item in settled.values():
        if item.left < 0:
            item.kind, item.left = "credit_memo", -item.left
    items = [item for item in settled.values() if item.left]
    rest = sum(_signed(item) for item in items)
    payer = next((line for line, _ in lines if line.payment), None)
    if payer is not None and payer.payment is not None and rest > 0:
        account = payer.payment_account or payer.account
        position = lines[0][1]
        items.append(
            _Item("payment", key[0], account, payer.payment, key[1], rest, 0, None, "", position, payer.envelope)
        )
    return items


def _paired(credits_in_order: Sequence[_Item], debits: Sequence[_Item]) -> Iterator[tuple[_Item, _Item, int]]:
    """Each credit with the debits that it settles: first those of its own account, then others, each oldest first."""
    of_account: dict[str | None, deque[_Item]] = {}
    for debit in debits:
        of_account.setdefault(debit.account, deque()).append(debit)
    for own in (True, False):
        others = deque(debits)
        for credit in credits_in_order:
            waiting = of_account.get(credit.account, deque()) if own else others
            while credit.left and waiting:
                debit = waiting[0]
                if amount := min(debit.left, credit.left):
                    debit.left -= amount
                    credit.left -= amount
                    yield credit, debit, amount
                if not debit.left:
                    waiting.popleft()


def _signed(item: _Item) -> int:
    return item.left if item.kind == "debit" else -item.left


def _iso(days: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + days).isoformat()
