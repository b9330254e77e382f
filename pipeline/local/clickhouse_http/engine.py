"""The embedded engine: sessions over one data folder, several at a time.

Measured with chdb 4.4 on two cores: any number of connections of one process share one data folder; each has its
own settings and current database; opening one takes 0.3 ms; a connection runs one query at a time and lets the
interpreter go meanwhile. An insert beside a query that keeps both cores busy for 18 s takes 4 to 15 ms.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import chdb

from pipeline.local.clickhouse_http.errors import (
    SESSION_IS_LOCKED,
    SESSION_NOT_FOUND,
    UNKNOWN_SETTING,
    EngineError,
    engine_error,
)

DEFAULT_DATABASE = "default"
IDLE_SESSIONS_MAX = 16
# Their output is the same whole or in pieces; other formats have a head or a foot around the rows.
STREAMED_FORMATS = frozenset(
    {"Native", "RowBinary", "TabSeparated", "TSV", "CSV", "JSONEachRow", "JSONCompactEachRow", "RawBLOB"}
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Result(Protocol):
    """What chdb gives back for a statement, or for a piece of its rows."""

    def bytes(self) -> bytes: ...
    def rows_read(self) -> int: ...
    def storage_rows_read(self) -> int: ...
    def storage_bytes_read(self) -> int: ...
    def rows_written(self) -> int: ...
    def bytes_written(self) -> int: ...


class Session:
    """One connection with its settings and current database; one statement at a time."""

    def __init__(self, path: Path) -> None:
        connect: Any = chdb.connect  # typed in some versions of the package only
        self._connection: Any = connect(str(path))
        self._database: str | None = DEFAULT_DATABASE
        self._settings: dict[str, str] = {}
        self.is_reusable = True

    def distance(self, database: str, settings: Mapping[str, str]) -> int:
        """How many statements ``prepare`` would need."""
        return (database != self._database) + (settings != self._settings)

    def forget_state(self) -> None:
        """A statement changed the session itself: it is not like a new one any more."""
        self._database = None
        self.is_reusable = False

    def prepare(self, database: str | None, settings: Mapping[str, str]) -> None:
        """Make this the current database (None: leave it) and these the settings besides those of SET."""
        self.is_reusable = False  # until both are done
        if database is not None and database != self._database:
            self.execute(f"USE {quote_name(database)}")
            self._database = database
        assignments = [f"{name} = {quote(value)}" for name, value in settings.items() - self._settings.items()]
        assignments += [f"{name} = DEFAULT" for name in self._settings.keys() - settings.keys()]
        if assignments:
            self.execute(f"SET {', '.join(assignments)}")
            self._settings = dict(settings)
        # A session once read-only cannot be made writable again.
        self.is_reusable = "readonly" not in settings

    def execute(
        self, sql: str, output_format: str = "TabSeparated", parameters: Mapping[str, str] | None = None
    ) -> Result:
        """Run one statement to its end. Raises ``EngineError``."""
        try:
            return cast("Result", self._connection.query(sql, output_format, params=dict(parameters or {})))
        except Exception as error:
            raise engine_error(error) from error

    def stream(self, sql: str, output_format: str, parameters: Mapping[str, str]) -> Iterator[Result]:
        """Run one query; its rows come in pieces. Closing the iterator cancels it. Raises ``EngineError``."""
        try:
            pieces = self._connection.send_query(sql, output_format, params=dict(parameters))
            with contextlib.closing(pieces):
                yield from pieces
        except Exception as error:
            raise engine_error(error) from error

    def close(self) -> None:
        """Give the connection back to the engine."""
        with contextlib.suppress(Exception):
            self._connection.close()


class Engine:
    """All sessions of one data folder. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._idle: list[Session] = []
        self._named: dict[str, tuple[Session | None, float]] = {}
        # The engine closes the folder with its last connection: this one stays open.
        self._anchor = Session(path)
        self.version = self._anchor.execute("SELECT version()").bytes().decode().strip()
        self.timezone = self._anchor.execute("SELECT timezone()").bytes().decode().strip()

    @contextlib.contextmanager
    def session(self, database: str, settings: Mapping[str, str]) -> Iterator[Session]:
        """Lend a session with this database and these settings; it returns to the pool when it is like new."""
        for name in settings:
            check_name(name)
        with self._guard:
            session = min(self._idle, key=lambda idle: idle.distance(database, settings), default=None)
            if session is not None:
                self._idle.remove(session)
        session = session or Session(self._path)
        try:
            session.prepare(database, settings)
            yield session
        except BaseException:
            # An abandoned stream, a statement cut off in the middle: do not trust what is left.
            session.is_reusable = False
            raise
        finally:
            self._take_back(session)

    def _take_back(self, session: Session) -> None:
        with self._guard:
            if session.is_reusable and len(self._idle) < IDLE_SESSIONS_MAX:
                self._idle.append(session)
                return
        session.close()

    @contextlib.contextmanager
    def named_session(
        self, name: str, database: str | None, settings: Mapping[str, str], timeout_seconds: float, must_exist: bool
    ) -> Iterator[Session]:
        """Lend the session of this ``session_id``; it keeps what SET, USE and temporary tables left in it."""
        for setting in settings:
            check_name(setting)
        session = self._take_named(name, must_exist)
        try:
            session.prepare(database, settings)
            yield session
        finally:
            with self._guard:
                self._named[name] = (session, time.monotonic() + timeout_seconds)

    def _take_named(self, name: str, must_exist: bool) -> Session:
        now = time.monotonic()
        with self._guard:
            expired = [key for key, (session, until) in self._named.items() if session and until < now]
            closing = [session for key in expired if (session := self._named.pop(key)[0])]
            if name not in self._named and must_exist:
                raise EngineError(SESSION_NOT_FOUND, f"Session {name} not found. (SESSION_NOT_FOUND)")
            session, _ = self._named.get(name, (None, 0.0))
            if session is None and name in self._named:
                raise EngineError(
                    SESSION_IS_LOCKED, f"Session {name} is locked by a concurrent client. (SESSION_IS_LOCKED)"
                )
            self._named[name] = (None, 0.0)
        for idle in closing:
            idle.close()
        return session or Session(self._path)

    def cancel(self, mark: str) -> None:
        """End the running query that carries this mark in a comment."""
        with contextlib.suppress(EngineError), self.session(DEFAULT_DATABASE, {}) as session:
            session.execute(f"KILL QUERY WHERE endsWith(query, {quote(mark)}) ASYNC")

    def close(self) -> None:
        """Close all idle sessions and the data folder."""
        with self._guard:
            sessions = [*self._idle, *(session for session, _ in self._named.values() if session), self._anchor]
            self._idle, self._named = [], {}
        for session in sessions:
            session.close()


def quote(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """An identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a setting. Raises ``EngineError`` (UNKNOWN_SETTING)."""
    if not _NAME.match(name):
        raise EngineError(UNKNOWN_SETTING, f"Unknown setting '{name}'. (UNKNOWN_SETTING)")
