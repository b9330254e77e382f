"""A database by its SQLAlchemy URL: pages of rows in the order of the watermark. No password leaves this module."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    URL,
    Engine,
    and_,
    column,
    create_engine,
    func,
    literal,
    literal_column,
    make_url,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.sql import ColumnElement, FromClause, Select
from sqlalchemy.types import NullType

from sources.errors import SourceError
from sources.sql.watermark import Value

SECRET = "***"  # noqa: S105  what stands in its place


class DatabaseUnavailableError(SourceError):
    """A failure that may pass: the database is away, a connection broke, a lock was not given."""


class Mark(msgspec.Struct, frozen=True):
    """Where a page ended: the watermark of its last row, and the key of it."""

    watermark: Value
    key: tuple[Any, ...]


class Database:
    """One table or query of a database. Raises ``SourceError`` for a URL that cannot be used; it connects later."""

    def __init__(
        self, url: str, *, table_name: str | None, query: str | None, watermark: str, key: Sequence[str]
    ) -> None:
        self._url = _parse(url)
        self._engine = _engine(self._url)
        self._watermark: ColumnElement[Any] = column(watermark)
        self._key: list[ColumnElement[Any]] = [column(name) for name in key]
        self._from = _from(table_name, query)

    @property
    def address(self) -> str:
        """Which database it is, for people: without user, password and options."""
        place = f"{self._url.host}:{self._url.port}" if self._url.port else self._url.host or ""
        return f"{self._url.drivername}://{place}/{self._url.database or ''}"

    def page(self, begin: Value | None, behind: Mark | None, rows_max: int) -> tuple[list[str], list[Sequence[Any]]]:
        """The columns, and the next rows: behind a mark, else from a watermark on, else from the beginning.

        The rows are read whole, so that no transaction is open while their events are sent. Raises
        ``DatabaseUnavailableError`` for what may pass and ``SourceError`` for a table or column that is not there.
        """
        return self._run(self.statement(begin, behind, rows_max))

    def statement(self, begin: Value | None, behind: Mark | None, rows_max: int) -> Select[Any]:
        """The query of a page, which SQLAlchemy writes in the database's own words."""
        statement: Select[Any] = select(literal_column("*")).select_from(self._from)
        if behind is not None:
            statement = statement.where(self._is_behind(behind))
        elif begin is not None:
            statement = statement.where(self._watermark >= _as_it_is(begin))
        else:
            statement = statement.where(self._watermark.is_not(None))
        return statement.order_by(self._watermark, *self._key).limit(rows_max)

    def rows_without_watermark(self) -> int:
        """How many rows no poll ever reads."""
        counted = select(func.count()).select_from(self._from).where(self._watermark.is_(None))
        (row,) = self._run(counted)[1]
        return int(row[0])

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _is_behind(self, mark: Mark) -> ColumnElement[bool]:
        """Keyset: a greater watermark, or the same one and a greater key."""
        places = [(self._watermark, mark.watermark), *zip(self._key, mark.key, strict=True)]
        return or_(
            *(
                and_(
                    *(one == _as_it_is(value) for one, value in places[:number]),
                    places[number][0] > _as_it_is(places[number][1]),
                )
                for number in range(len(places))
            )
        )

    def _run(self, statement: Select[Any]) -> tuple[list[str], list[Sequence[Any]]]:
        with self._failures(), self._engine.connect() as connection:
            result = connection.execute(statement)
            return list(result.keys()), [tuple(row) for row in result]

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            words = self._without_secrets(str(error.orig))
            kind = type(error).__name__
            if error.connection_invalidated or kind in {"OperationalError", "InterfaceError", "InternalError"}:
                raise DatabaseUnavailableError(
                    f"the database {self.address} does not answer: {words}", "Look at its address, login and load"
                ) from None
            raise SourceError(
                f"the database {self.address} refuses the query: {words}", "Look at table, query, key and watermark"
            ) from None
        except SQLAlchemyError as error:
            words = self._without_secrets(str(error))
            raise SourceError(f"the rows of {self.address} cannot be read: {words}", "Look at the query") from None

    def _without_secrets(self, words: str) -> str:
        values = [self._url.password, *_flat(self._url.query)]
        for secret in values:
            if secret:
                words = words.replace(str(secret), SECRET)
        return " ".join(words.split())


def _as_it_is(value: object) -> ColumnElement[Any]:
    """A value without a type: with one, SQLAlchemy casts it for PostgreSQL, where an enum is not above a text."""
    return literal(value, NullType())


def _flat(query: Mapping[str, str | Sequence[str]]) -> Iterator[str]:
    for value in query.values():
        yield from [value] if isinstance(value, str) else value


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise SourceError(
            "the URL of the database is not one of SQLAlchemy's",
            "It looks like postgresql+psycopg://user:password@host:5432/database",
        ) from None


def _engine(url: URL) -> Engine:
    try:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else url.drivername
        raise SourceError(
            f"there is no driver for {url.drivername} here ({missing})",
            "Install the database's driver for Python beside arrears, such as psycopg, pymysql or oracledb",
        ) from None
    except (SQLAlchemyError, TypeError, ValueError):
        raise SourceError(
            f"the URL of the database has options that {url.drivername} does not know", "Correct the URL"
        ) from None


def _from(table_name: str | None, query: str | None) -> FromClause:
    if table_name is not None:
        schema, _, name = table_name.rpartition(".")
        return table(name, schema=schema or None)
    wrapped = (query or "").strip().rstrip(";")
    return text(f"({wrapped}) polled")  # type: ignore[return-value]  # select_from takes a text, too
