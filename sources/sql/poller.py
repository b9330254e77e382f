"""Polls a table: rows behind the watermark and some before it, their events, and only then the position.

1. Begin `overlap` before the position, for transactions that committed late; without a position at the beginning.
2. Read a page of rows in the order of watermark and key, and end the transaction.
3. Drop the versions of rows that this process has sent already.
4. Send the events of the others and wait until the broker has acknowledged them.
5. Keep the position: the highest watermark so far, but none of the future.
6. Go on behind the page until one is not full.

Whatever ends the process before step 5 has the rows read again, and their events have the same ids again.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from sources import feed_metrics as metrics
from sources.errors import SourceError
from sources.intake import SourceOptions, now_utc
from sources.mapping import MappingText
from sources.redaction import STANDARD, Redactor
from sources.sql.config import PollConfig
from sources.sql.database import Mark
from sources.sql.position import PollPosition, Positions
from sources.sql.rows import TableRow, TableRows, check_poll
from sources.sql.watermark import Value, is_after, look_back, not_after_now
from sources.values import Parsed

logger = logging.getLogger(__name__)

# Versions of rows within the overlap that are remembered, about 150 bytes each; the others are sent again.
REMEMBERED_MAX = 500_000


class Pages(Protocol):
    """Where rows come from, such as ``Database``."""

    def page(self, begin: Value | None, behind: Mark | None, rows_max: int) -> tuple[list[str], list[Sequence[object]]]:
        """The columns, and the next rows in the order of watermark and key."""

    def rows_without_watermark(self) -> int:
        """How many rows are in no page."""


class Round(msgspec.Struct):
    """What one poll came to, in rows."""

    read: int = 0
    sent: int = 0
    repeated: int = 0


class Poller:
    """One poll of one table, again and again. `deliver` returns False when it was asked to end while it waited.

    Raises ``SourceError`` for a mapping that is wrong.
    """

    def __init__(
        self,
        config: PollConfig,
        mapping: MappingText,
        pages: Pages,
        positions: Positions,
        deliver: Callable[[Sequence[Parsed]], bool],
        *,
        has_ended: Callable[[], bool] = lambda: False,
        now: Callable[[], datetime] = now_utc,
        redactor: Redactor = STANDARD,
        remembered_max: int = REMEMBERED_MAX,
    ) -> None:
        self._options = SourceOptions(company=config.company, region=config.region, redactor=redactor)
        check_poll(mapping, config, self._options)
        self._config = config
        self._mapping = mapping
        self._pages = pages
        self._positions = positions
        self._deliver = deliver
        self._has_ended = has_ended
        self._now = now
        self._remembered_max = remembered_max
        self._zone = ZoneInfo(config.timezone or mapping.mapping.values.timezone or "UTC")
        self._origin = origin_of(config)
        self._position: PollPosition | None = None
        self._has_read_position = False
        self._rows: TableRows | None = None
        self._sent: dict[int, tuple[Value, int]] = {}  # by key: watermark and content of what was sent

    def poll(self) -> Round:
        """Read all that is new, once. Raises ``SourceError``; it may then be called again."""
        self._read_position()
        begin = self._begin()
        self._forget_before(begin)
        done = Round()
        behind: Mark | None = None
        while not self._has_ended():
            # One row more than is taken: it shows whether the next page would begin with a row of the same place.
            columns, found = self._pages.page(begin, behind, self._config.batch_rows + 1)
            if self._rows is None:
                self._rows = TableRows(self._mapping, self._config, self._options, columns)
            rows = [self._rows.row(values) for values in found]
            self._check_key(rows)
            is_last, rows = len(rows) <= self._config.batch_rows, rows[: self._config.batch_rows]
            if rows and not self._take(self._rows, rows, done):
                break
            if is_last:
                break
            behind = self._next(behind, rows[-1])
        return done

    def _read_position(self) -> None:
        if self._has_read_position:
            return
        position = self._positions.read()
        if position is not None and position.origin != self._origin:
            raise SourceError(
                f"the position of {self._config.name} is that of another table, query, key or watermark",
                "Give the poll another name; it then begins anew, and what was sent before is known by its ids",
            )
        if position is None:
            logger.warning("%s has no position yet and is read from its beginning", self._config.name)
        self._position, self._has_read_position = position, True

    def _begin(self) -> Value | None:
        if self._position is None:
            return None
        return look_back(self._position.watermark, self._config.overlap, self._zone, self._config.watermark)

    def _forget_before(self, begin: Value | None) -> None:
        """Rows before the beginning of a poll do not come again as they are."""
        if begin is not None:
            column = self._config.watermark
            self._sent = {key: sent for key, sent in self._sent.items() if not is_after(begin, sent[0], column)}

    def _take(self, reader: TableRows, rows: Sequence[TableRow], done: Round) -> bool:
        """Steps 3 to 5 for one page; False when the feed was asked to end before all was acknowledged."""
        fresh = [row for row in rows if self._sent.get(row.identity, (None, None))[1] != row.content]
        values = [value for row in fresh for value in reader.read(row)]
        if values and not self._deliver(values):
            return False
        for row in rows:
            if len(self._sent) < self._remembered_max or row.identity in self._sent:
                self._sent[row.identity] = (row.watermark, row.content)
        done.read += len(rows)
        done.sent += len(fresh)
        done.repeated += len(rows) - len(fresh)
        metrics.ROWS.labels("sent").inc(len(fresh))
        metrics.ROWS.labels("repeated").inc(len(rows) - len(fresh))
        self._advance(rows[-1].watermark, len(fresh))
        return True

    def _advance(self, watermark: Value, sent: int) -> None:
        """Step 5. While the overlap is read again the position stays where it is."""
        column = self._config.watermark
        highest = not_after_now(watermark, self._now(), self._zone)
        before = self._position
        if before is not None and not is_after(highest, before.watermark, column):
            highest = before.watermark
            if not sent:
                return
        position = PollPosition(self._origin, highest, (before.rows if before else 0) + sent)
        self._positions.write(position)
        self._position = position

    def rows_without_watermark(self) -> int:
        """How many rows no poll ever reads. It may cost a scan of the table."""
        return self._pages.rows_without_watermark()

    def keep_position(self) -> None:
        """Write the position again as it is: Kafka forgets one that nobody has written for a week."""
        if self._position is not None:
            self._positions.write(self._position)

    def _check_key(self, rows: Sequence[TableRow]) -> None:
        for one, other in pairwise(rows):
            if one.key == other.key and one.watermark == other.watermark:
                raise SourceError(
                    f"two rows of {self._config.name} have the key {', '.join(map(str, one.key))}",
                    "Name all the columns in key that tell rows apart",
                )

    def _next(self, behind: Mark | None, last: TableRow) -> Mark:
        mark = Mark(last.watermark, last.key)
        if mark == behind:
            raise SourceError(
                f"the rows of {self._config.name} do not come in the order of {self._config.watermark} and key",
                "The watermark may be finer than a microsecond; cast it in a query",
            )
        return mark


def origin_of(config: PollConfig) -> str:
    """A digest of what a position belongs to."""
    parts = [config.table or "", config.query or "", config.watermark, *config.key]
    return blake2b("\x1f".join(parts).encode(), digest_size=6).hexdigest()
