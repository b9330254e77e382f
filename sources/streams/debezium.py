"""Debezium's change events → events, each table through its own mapping."""

import logging
from collections.abc import Iterator
from pathlib import Path

from sources import feed_metrics as metrics
from sources.errors import SourceError, UnreadableError
from sources.intake import SourceOptions
from sources.mapping import load_mapping
from sources.streams.change import Change, read_change
from sources.streams.columns import declared_type
from sources.streams.config import StreamConfig
from sources.streams.record import StreamRecord
from sources.streams.rows import ChangedRows, unreadable
from sources.values import Parsed, SkippedRow

logger = logging.getLogger(__name__)


class Debezium:
    """Pure but for its log: a record in, values out. Mappings are named as seen from `folder`.

    Raises ``SourceError`` for a mapping that is wrong, and for a table that is named twice.
    """

    def __init__(self, config: StreamConfig, options: SourceOptions, folder: Path) -> None:
        self._company = options.company
        self._tables: dict[str, ChangedRows] = {}
        self._passed_tables: set[str] = set()
        for rule in config.table:
            if rule.name in self._tables:
                raise SourceError(f"the table {rule.name} is named twice", "Give each table one [[table]]")
            declared = {column: declared_type(name) for column, name in rule.types.items()}
            self._tables[rule.name] = ChangedRows(load_mapping(folder / rule.mapping), options, declared)

    def read(self, record: StreamRecord) -> Iterator[Parsed]:
        """The events of one record, a skip, or a reject with the reason. Never nothing."""
        try:
            change = read_change(record)
        except UnreadableError as error:
            yield unreadable(record, error, self._company)
            return
        if not isinstance(change, Change):
            metrics.PASSED_RECORDS.labels(change).inc()
            yield SkippedRow(record.position)
            return
        rows = next((self._tables[name] for name in reversed(change.names) if name in self._tables), None)
        if rows is None:
            self._pass_table(change)
            yield SkippedRow(record.position)
        else:
            yield from rows.read(change, record)

    def _pass_table(self, change: Change) -> None:
        """Changes of a table without a mapping are passed over, which is told once for each."""
        metrics.PASSED_RECORDS.labels("other_table").inc()
        name = change.names[-2] if len(change.names) > 1 else change.names[0]
        if name not in self._passed_tables:
            self._passed_tables.add(name)
            logger.warning("changes of %s are passed over: no [[table]] of the stream names it", name)
