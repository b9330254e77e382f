"""Runs one statement and gives its answer in pieces, ready for the wire."""

import json
import time
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from pipeline.local.clickhouse_http.call import Call
from pipeline.local.clickhouse_http.engine import DEFAULT_DATABASE, STREAMED_FORMATS, Engine, Result, Session
from pipeline.local.clickhouse_http.errors import SYNTAX_ERROR, EngineError
from pipeline.local.clickhouse_http.statement import Statement, parse
from pipeline.local.clickhouse_http.upload import Upload

CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "XML": "application/xml; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "RowBinaryWithNamesAndTypes": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
}
TEXT_CONTENT_TYPE = "text/tab-separated-values; charset=UTF-8"


@dataclass
class Counters:
    """What a statement read, wrote and gave back so far."""

    started: float = field(default_factory=time.monotonic)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Take over the counts of one result, or of one piece of it."""
        for name, count in (
            ("read_rows", result.storage_rows_read()),
            ("read_bytes", result.storage_bytes_read()),
            ("written_rows", result.rows_written()),
            ("written_bytes", result.bytes_written()),
            ("result_rows", result.rows_read()),
        ):
            self.rows[name] = self.rows.get(name, 0) + count

    def summary(self) -> str:
        """The X-ClickHouse-Summary header; its numbers are strings, as ClickHouse writes them."""
        names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read", "result_rows")
        counts = {name: str(self.rows.get(name, 0)) for name in names}
        elapsed = int((time.monotonic() - self.started) * 1_000_000_000)
        return json.dumps({**counts, "elapsed_ns": str(elapsed)}, separators=(",", ":"))


class Answer:
    """One statement and its result. Everything that blocks is in ``execute`` and ``pieces``."""

    def __init__(self, engine: Engine, call: Call, upload: Upload) -> None:
        self._engine = engine
        self._call = call
        self._upload = upload
        # The text of an INSERT with data is our own rewriting of one that was looked at already.
        self.statement = parse(upload.text) if upload.data is None else Statement(upload.text, "INSERT")
        self.format = self.statement.format or call.default_format
        self.counters = Counters()

    @property
    def content_type(self) -> str:
        """The media type of the output format."""
        return CONTENT_TYPES.get(self.format, TEXT_CONTENT_TYPE)

    def execute(self) -> bytes:
        """Run a statement that writes, to its end, and remove its data file."""
        try:
            with self._session() as session:
                result = session.execute(self._sql(), self._call.default_format, self._call.parameters)
                self.counters.add(result)
                if self.statement.changes_session:
                    session.forget_state()
                return result.bytes()
        finally:
            self._upload.discard()

    def pieces(self) -> Generator[bytes]:
        """Run a query; its answer comes in pieces. Closing the generator cancels the query."""
        with self._session() as session:
            sql = f"{self._sql()}\n{self.mark}"
            arguments = (sql, self._call.default_format, self._call.parameters)
            if self.statement.keyword in {"SELECT", "WITH"} and self.format in STREAMED_FORMATS:
                for piece in session.stream(*arguments):
                    self.counters.add(piece)
                    yield piece.bytes()
            else:
                result = session.execute(*arguments)
                self.counters.add(result)
                yield result.bytes()

    def cancel(self) -> None:
        """End the query that ``pieces`` is running in another thread."""
        self._engine.cancel(self.mark)

    @property
    def mark(self) -> str:
        """The comment by which ``cancel`` finds the query."""
        return f"/*{id(self):x}.{self.counters.started}*/"

    def _sql(self) -> str:
        try:
            return self.statement.text.decode()
        except UnicodeDecodeError as error:
            raise EngineError(SYNTAX_ERROR, f"Syntax error: not UTF-8: {error}. (SYNTAX_ERROR)") from error

    def _session(self) -> AbstractContextManager[Session]:
        call = self._call
        if call.session_id is None:
            return self._engine.session(call.database or DEFAULT_DATABASE, call.settings)
        return self._engine.named_session(
            call.session_id, call.database, call.settings, call.session_seconds, call.session_must_exist
        )
