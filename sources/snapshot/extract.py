"""A list of open items, and the list of payments beside it, out of extracts by their mappings. Whole or not at all."""

from sys import intern
from typing import BinaryIO

import msgspec

from avro.amounts import InvalidNumber, from_minor, to_minor
from avro.text import parse_event, write_event
from sources.csv_file import CsvFile
from sources.errors import SourceError
from sources.identity import derive_event_id
from sources.mapped_rows import TakenEvent
from sources.mapping import MappingText, RowMapper
from sources.snapshot.items import KINDS, Application, Companion, OpenItem, Payment, packed
from sources.values import Position, SourceReject

_BAD_ROWS_NAMED_MAX = 3


class SnapshotExtract(msgspec.Struct, frozen=True):
    """The open items of a list, in its order. `rows` counts all rows but the trailer."""

    file: str
    company: str
    items: tuple[OpenItem, ...]
    rows: int


def read_extract(adapter: CsvFile, mapping: MappingText, stream: BinaryIO, file: str) -> SnapshotExtract:
    """All open items of a list. Raises ``SourceError`` for a bad row, an item that is there twice, a missing trailer.

    An item whose row cannot be read would look as if it were gone, so a list with a bad row is not compared at all.
    """
    columns = adapter.columns(stream, file)
    stream.seek(0)
    trailer = _Trailer(mapping, columns, file)
    items: dict[str, OpenItem] = {}
    bad: list[SourceReject] = []
    count, company = 0, ""
    for row, taken in adapter.rows(stream, file):
        if trailer.is_last(row.values, count):
            continue
        count += 1
        if isinstance(taken, SourceReject):
            bad.append(taken)
            continue
        for one in taken if isinstance(taken, list) else ():
            item = _item(one)
            if item is None:
                continue
            if (before := items.get(item.key)) is not None:
                raise SourceError(
                    f"{item.position}: {item.kind} {item.number} stands in line {before.position.line} already",
                    "Map a number that is unique, such as one with its instalment or line",
                )
            company = company or one.event.record["company"]
            if one.event.record["company"] != company:
                raise SourceError(
                    f"{item.position}: the list is of {company} and of {one.event.record['company']}",
                    "Extract one list a company",
                )
            items[item.key] = item
    if bad:
        named = "; ".join(f"{reject.position} {reject.message}" for reject in bad[:_BAD_ROWS_NAMED_MAX])
        raise SourceError(
            f"{len(bad)} rows of {file} cannot be read, and their items would look as if they were gone: {named}",
            "Correct the mapping or the rows; nothing was compared",
        )
    trailer.check()
    return SnapshotExtract(file, company, tuple(items.values()), count)


def read_companion(adapter: CsvFile, stream: BinaryIO, file: str) -> Companion:
    """A list of payments and, where it has them, their applications. Raises ``SourceError`` for a bad row."""
    payments: list[Payment] = []
    applications: list[Application] = []
    for row, taken in adapter.rows(stream, file):
        if isinstance(taken, SourceReject):
            raise SourceError(f"{taken.position}: {taken.message}", "Correct the list of payments or its mapping")
        for one in taken if isinstance(taken, list) else ():
            record = one.event.record
            if one.event.name == "PaymentReceived":
                references = tuple(record[name] for name in ("payer_reference", "bank_reference") if record.get(name))
                payments.append(
                    Payment(
                        record["payment_id"], record["account_id"], record["currency"], record["amount_minor"],
                        references, one.event,
                    )
                )  # fmt: skip
            elif one.event.name == "CashApplied" and record["payment_id"] is not None:
                amount = to_minor(write_event("CashApplied", record)["amount"], _currency(record, one.event.position))
                applications.append(
                    Application(
                        record["application_id"], record["payment_id"], record["invoice_id"], amount, one.event,
                        row.original,
                    )
                )  # fmt: skip
            else:
                raise SourceError(
                    f"{one.event.position}: {one.event.name} explains no open item",
                    "The mapping of payments may yield PaymentReceived, and CashApplied with payment_id and currency",
                )
    return Companion(tuple(payments), tuple(applications))


def _currency(record: dict[str, object], position: Position) -> str:
    currency = record.get("currency")
    if not isinstance(currency, str):
        raise SourceError(f"{position}: the application names no currency", "Map the field currency of CashApplied")
    return currency


def _item(one: TakenEvent) -> OpenItem | None:
    """The open item of an event; None for an event that is no document, and for a document of which nothing is open."""
    if one.event.name not in KINDS:
        return None
    kind, field = KINDS[one.event.name]
    record = one.event.record
    amount, currency = record["amount_minor"], intern(record["currency"])
    number = record[field]
    try:
        left = amount if one.open is None else to_minor(one.open, currency)
    except InvalidNumber as error:
        raise SourceError(f"{one.event.position}: what is open of {number} cannot be read: {error}") from error
    if left < 0 and kind == "invoice":
        # More was paid than was owed: nothing is open of the invoice, and the customer has a credit.
        return _overpaid(one, number, -left, currency)
    if left < 0 or amount < 0:
        raise SourceError(
            f"{one.event.position}: {kind} {number} has a negative amount", "Correct the sign in the mapping"
        )
    if left == 0:
        return None
    return OpenItem(
        kind, number, record["account_id"], currency, amount or left, left, record.get("due_date"), packed(record),
        one.event.position,
    )  # fmt: skip


def _overpaid(one: TakenEvent, number: str, left: int, currency: str) -> OpenItem:
    record = one.event.record
    given = write_event(one.event.name, record)
    kept = ("company", "account_id", "occurred_at", "recorded_at", "region", "source", "document_date", "currency")
    document = {name: given[name] for name in kept if name in given}
    document |= {"event": "CreditMemoIssued", "credit_memo_id": f"{number}/overpaid", "reason": "overpaid"}
    document |= {"amount": from_minor(left, currency), "event_id": "to be derived"}
    _, credit = parse_event(document, {"actor_id": given["source"], "actor_role": "system"})
    credit["event_id"] = derive_event_id("CreditMemoIssued", credit)
    return OpenItem(
        "credit_memo", credit["credit_memo_id"], record["account_id"], currency, left, left, None, packed(credit),
        one.event.position,
    )  # fmt: skip


class _Trailer:
    """The row that ends a whole list, where the mapping says that there is one."""

    def __init__(self, mapping: MappingText, columns: list[str], file: str) -> None:
        rule = mapping.mapping.snapshot
        mapper = RowMapper(mapping.mapping, columns)
        self._file = file
        self._is_trailer = mapper.test(rule.trailer) if rule.trailer else None
        self._count_at = None if rule.trailer_count is None else columns.index(rule.trailer_count)
        self._seen = False
        self._problem = ""

    def is_last(self, cells: list[str], rows_before: int) -> bool:
        """Whether this is the trailer. Rows behind one are a problem that ``check`` tells."""
        if self._is_trailer is None or not cells:
            return False
        if self._seen:
            self._problem = self._problem or "rows stand behind the trailer"
            return False
        if not self._is_trailer(cells):
            return False
        self._seen = True
        if self._count_at is not None and cells[self._count_at].lstrip("0") != str(rows_before).lstrip("0"):
            self._problem = f"its trailer counts {cells[self._count_at]} rows, but there are {rows_before}"
        return True

    def check(self) -> None:
        """Raise ``SourceError`` unless the list ended as it should."""
        problem = self._problem or ("" if self._seen or self._is_trailer is None else "it has no trailer")
        if problem:
            raise SourceError(f"{self._file} is not whole: {problem}", "Extract it again; nothing was compared")
