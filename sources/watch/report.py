"""What became of a delivered file: the report that is put beside it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

from avro import amounts
from avro.amounts import InvalidNumber
from sources.values import Parsed, ParsedEvent, SourceReject

FileOutcome = Literal["processed", "rejected"]


class RejectedRow(msgspec.Struct, frozen=True):
    """A row of which no event was taken; `line` 0 is the file as a whole."""

    line: int
    column: str | None
    field: str | None
    reason: str
    message: str


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report. `sums` are by event and currency, as decimals; `rejects` are the first thousand.

    `repeated_of` is a file with the same content that was processed before. `error` says why a file was refused whole.
    """

    file: str
    outcome: FileOutcome
    format: str
    company: str | None
    sha256: str
    bytes: int
    repeated_of: str | None
    events: dict[str, int]
    sums: dict[str, dict[str, str]]
    skipped: dict[str, int]
    rejected: int
    rejects: list[RejectedRow]
    rejected_rows: str | None
    error: str | None
    taken_at: str
    finished_at: str

    def summary(self) -> str:
        """One line for people."""
        if self.error is not None:
            return f"{self.file}: rejected, {self.error}"
        repeated = f", the same content as {self.repeated_of}" if self.repeated_of else ""
        count = sum(self.events.values())
        return f"{self.file}: {self.outcome}, {count:,} events, {self.rejected:,} rows rejected{repeated}"


class Sums:
    """Amounts of the events that pass, by event and currency, in minor units."""

    def __init__(self) -> None:
        self._minor: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def watch(self, values: Iterable[Parsed]) -> Iterator[Parsed]:
        """The same values, added up."""
        for value in values:
            if isinstance(value, ParsedEvent):
                amount, currency = value.record.get("amount_minor"), value.record.get("currency")
                if amount is not None and currency is not None:
                    self._minor[value.name][currency] += amount
            yield value

    def written(self) -> dict[str, dict[str, str]]:
        """As decimals."""
        return {
            name: {currency: _decimal(minor, currency) for currency, minor in sorted(by_currency.items())}
            for name, by_currency in sorted(self._minor.items())
        }


def rejected_row(reject: SourceReject) -> RejectedRow:
    """A reject as it stands in a report."""
    position = reject.position
    return RejectedRow(position.line, position.column, position.field, reject.reason, reject.message)


def written_time(instant: datetime) -> str:
    """An instant as reports have it: UTC, to the second."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _decimal(minor: int, currency: str) -> str:
    try:
        return amounts.from_minor(minor, currency)
    except InvalidNumber:
        return f"{minor} minor units"
