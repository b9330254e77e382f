"""Where a statement ends, where its data begin, and what it is, seen without a parser of SQL."""

import pytest

from pipeline.local.clickhouse_http.errors import EngineError
from pipeline.local.clickhouse_http.statement import find_data, parse


@pytest.mark.parametrize(
    ("text", "target", "settings", "name", "data"),
    [
        (b"INSERT INTO t FORMAT Native\nABC\x00", b"INSERT INTO t ", b"", "Native", b"ABC\x00"),
        (b"insert into t (a, `format`) format CSV 1,2", b"insert into t (a, `format`) ", b"", "CSV", b"1,2"),
        (b"INSERT INTO t SETTINGS a = 1 FORMAT TSV\r\n1", b"INSERT INTO t ", b"SETTINGS a = 1 ", "TSV", b"1"),
        (b"-- VALUES\nINSERT INTO t VALUES (1, ';')", b"-- VALUES\nINSERT INTO t ", b"", "Values", b" (1, ';')"),
        (b"INSERT INTO TABLE d.t FORMAT JSONEachRow\n\n{}", b"INSERT INTO TABLE d.t ", b"", "JSONEachRow", b"\n{}"),
    ],
)
def test_an_insert_with_data_is_taken_apart(
    text: bytes, target: bytes, settings: bytes, name: str, data: bytes
) -> None:
    insert = find_data(text)
    assert insert is not None
    assert (insert.target, insert.settings, insert.format) == (target, settings, name)
    assert text[insert.data_start :] == data


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 'INSERT INTO t FORMAT Native'",
        b"INSERT INTO t SELECT * FROM u FORMAT Native",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"INSERT INTO t (a) ",
        b"INSERT INTO t FORMAT",
    ],
)
def test_any_other_statement_has_no_data(text: bytes) -> None:
    assert find_data(text) is None


def test_an_insert_from_a_file_keeps_its_settings_and_quotes_the_path() -> None:
    insert = find_data(b"INSERT INTO t (a) SETTINGS b = 1 FORMAT CSV\n1")
    assert insert is not None
    expected = rb"INSERT INTO t (a)  FROM INFILE '/it\'s here' COMPRESSION 'none' SETTINGS b = 1  FORMAT CSV"
    assert insert.from_file("/it's here") == expected


@pytest.mark.parametrize(
    ("text", "keyword", "name"),
    [
        (b"select 1", "SELECT", None),
        (b"SELECT 1 FORMAT JSON", "SELECT", "JSON"),
        (b"/* a */ WITH 1 AS x SELECT format('{}', x) SETTINGS max_threads = 1 FORMAT CSV", "WITH", "CSV"),
        (b"CREATE TABLE t (format String) ENGINE = Memory", "CREATE", None),
        (b"INSERT INTO t SELECT 1", "INSERT", None),
    ],
)
def test_a_statement_is_known_by_its_first_word_and_its_format(text: bytes, keyword: str, name: str | None) -> None:
    statement = parse(text)
    assert (statement.keyword, statement.format) == (keyword, name)


def test_a_final_semicolon_is_not_part_of_the_statement() -> None:
    assert parse(b"SELECT ';' ; -- done; really\n").text == b"SELECT ';' "


@pytest.mark.parametrize("text", [b"SELECT 1; SELECT 2", b"DROP TABLE t;; DROP TABLE u"])
def test_several_statements_are_refused_as_clickhouse_does(text: bytes) -> None:
    with pytest.raises(EngineError, match="Multi-statements are not allowed"):
        parse(text)


@pytest.mark.parametrize("text", [b"", b"  -- nothing\n", b";"])
def test_an_empty_query_is_refused(text: bytes) -> None:
    with pytest.raises(EngineError, match="Empty query"):
        parse(text)


@pytest.mark.parametrize(
    "text", [b"SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV", b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV"]
)
def test_files_of_the_server_are_out_of_reach(text: bytes) -> None:
    with pytest.raises(EngineError, match="is for clients only"):
        parse(text)


@pytest.mark.parametrize("text", [b"SET a = 1", b"USE d", b"CREATE TEMPORARY TABLE t (a Int8)"])
def test_statements_that_change_the_session_are_noticed(text: bytes) -> None:
    assert parse(text).changes_session
    assert not parse(b"CREATE TABLE t (a Int8) ENGINE = Memory").changes_session
