"""A database that cannot be used is one sentence, without the password."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from sources import SourceError
from sources.sql import Database, DatabaseUnavailableError
from sources.sql.cells import text_of
from sources.sql.database import Mark

SECRET = "s3cr3t-Pa55"  # noqa: S105  the one that must not show


def opened(url: str) -> Database:
    return Database(url, table_name="t", query=None, watermark="w", key=["k"])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"nonsense {SECRET}", "is not one of SQLAlchemy's"),
        (f"postgresql+psycopg://user:{SECRET}@host:port/db", "is not one of SQLAlchemy's"),
        (f"nosuch://user:{SECRET}@host/db", "there is no driver for nosuch here"),
        (f"oracle+oracledb://user:{SECRET}@host/db", "there is no driver for oracle+oracledb here (oracledb)"),
        (f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/db", "does not answer"),
        (f"postgresql+psycopg://user@127.0.0.1:1/db?password={SECRET}", "does not answer"),
        (f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/db?application_name={SECRET}&bad=1", ""),
        (f"postgresql+psycopg://user@127.0.0.1:1/db?sslmode={SECRET}", 'invalid sslmode value: "***"'),
    ],
)
def test_what_cannot_be_used_is_told_without_the_password(url: str, words: str) -> None:
    with pytest.raises(SourceError) as raised:
        opened(url).page(None, None, 1)
    assert words in raised.value.message
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None  # the traceback of --debug does not show it either
    assert raised.value.__suppress_context__


def test_a_database_that_is_away_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"sqlite:////.*/none/x\.sqlite does not answer: unable to open"):
        opened(f"sqlite:///{tmp_path / 'none' / 'x.sqlite'}").page(None, None, 1)


def test_the_address_names_neither_user_nor_password() -> None:
    url = f"postgresql+psycopg://user:{SECRET}@db.example:5432/finance?sslmode=require"
    assert opened(url).address == "postgresql+psycopg://db.example:5432/finance"


def test_a_number_that_is_not_exact_is_no_text() -> None:
    assert text_of(0.1, "x") == "0.1"
    assert text_of(1e16, "x") == "10000000000000000"
    with pytest.raises(Exception, match="cast the column to a decimal type"):
        text_of(0.1 + 0.2, "x")


@pytest.mark.parametrize(
    ("dialect", "page"),
    [
        (
            postgresql,
            "WHERE w > %(param_1)s OR w = %(param_2)s AND k > %(param_3)s ORDER BY w, k LIMIT %(param_4)s::INTEGER",
        ),
        (mysql, "WHERE w > %s OR w = %s AND k > %s ORDER BY w, k LIMIT %s"),
        (sqlite, "WHERE w > ? OR w = ? AND k > ? ORDER BY w, k LIMIT ? OFFSET ?"),
        (mssql, "SELECT TOP __[POSTCOMPILE_param_1] * FROM"),
        (oracle, "ORDER BY w, k FETCH FIRST __[POSTCOMPILE_param_4] ROWS ONLY"),
    ],
)
@pytest.mark.parametrize("query", [None, "select * from a join b on a.id = b.id;"])
def test_the_pages_of_every_database_are_in_its_own_words(dialect: Any, page: str, query: str | None) -> None:
    polled = Database("sqlite://", table_name=None if query else "ar.t", query=query, watermark="w", key=["k"])
    written = str(polled.statement(None, Mark(5, (1,)), 10).compile(dialect=dialect.dialect()))
    written = " ".join(written.split())
    assert page in written
    source = "(select * from a join b on a.id = b.id) polled" if query else "ar.t"
    assert f"FROM {source}" in written
