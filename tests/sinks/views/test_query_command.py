"""`arrears query` in each of its forms, as an analyst calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import chdb
import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from tests.pipeline.cli.calls import Done, arrears, assert_one_line

Ask = Callable[..., Done]

pytestmark = pytest.mark.clickhouse

BUCKETS = (
    "SELECT bucket, sum(amount) AS open, -sum(amount) AS mirrored FROM aging_buckets_as_of(as_of = '2026-04-30', "
    "known_as_of = '2299-01-01 00:00:00') WHERE company = 'FR01' AND currency = 'EUR' "
    "GROUP BY bucket_number, bucket ORDER BY bucket_number"
)


@pytest.fixture
def ask(client: Client, clickhouse: ClickHouseServer, tmp_path: Path) -> Ask:
    """The command on the database of the views; `columns` is the width of the terminal."""

    def asked(*words: str, columns: str = "100") -> Done:
        where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": "sample"}
        return arrears("query", *words, folder=tmp_path, COLUMNS=columns, **where)

    return asked


def test_a_file_is_written_as_its_name_says(ask: Ask, client: Client, tmp_path: Path) -> None:
    expected = client.query(
        "SELECT company, currency, toString(balance) FROM control_totals(as_of = '2026-04-30', "
        "known_as_of = '2299-12-31 23:59:59') ORDER BY 1, 2"
    ).result_rows
    for name, form in (("totals.csv", "CSVWithNames"), ("totals.parquet", "Parquet"), ("totals.json", "JSONEachRow")):
        assert ask("control_totals", "as_of=2026-04-30", "--output", name).code == 0
        sql = f"SELECT company, currency, toString(toDecimal64(balance, 2)) FROM file('{tmp_path / name}', '{form}')"
        read = chdb.query(sql + " ORDER BY 1, 2", "JSONCompact")  # type: ignore[no-untyped-call]
        rows = json.loads(str(read))["data"]
        assert [tuple(row[:2]) for row in rows] == [row[:2] for row in expected]
        assert [float(row[2]) for row in rows] == [float(row[2]) for row in expected]
    assert [file.name for file in tmp_path.glob("*.part")] == []


def test_bars_in_the_terminal_are_as_long_as_their_amounts(ask: Ask) -> None:
    done = ask(BUCKETS, "--format", "chart", "--up", "open")
    assert done.code == 0
    lines = {line.split()[0]: line for line in done.output.splitlines() if line.strip()}
    assert list(lines)[1:] == ["not_due", "1-30", "31-60", "61-90", "91-120", "121+"]
    assert lines["not_due"].count("█") > lines["1-30"].count("█") > lines["31-60"].count("█") > 0
    assert lines["121+"].count("█") == 0


@pytest.mark.parametrize(("name", "begins"), [("aging.png", b"\x89PNG"), ("aging.svg", b"<?xml")])
def test_a_picture_is_a_file(ask: Ask, tmp_path: Path, name: str, begins: bytes) -> None:
    pytest.importorskip("matplotlib", reason="pictures need the extra `charts`")
    assert ask(BUCKETS, "--output", name).code == 0
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("control_totals", "as_of=2026-04-30", "--format", "chart"), "several currencies"),
        (("SELECT 1 AS one WHERE 0", "--format", "chart"), "no rows"),
        (("SELECT 'a' AS name, 'b' AS other", "--format", "chart"), "needs a column of names and one of numbers"),
        (("SELECT 'a' AS name, 1 AS n", "--format", "chart", "--up", "m"), "no column m"),
        (("control_totals", "as_of=2026-04-30", "--output", "totals.doc"), "does not say how to write it"),
        (("control_totals", "as_of=2026-04-30", "--output", "no/such/folder.csv"), "cannot write"),
        (("SELECT nothing", "--output", "n.csv"), "ClickHouse refuses"),
        (("key_figures", "--output", "k.csv"), "needs from_date, to_date"),
    ],
)
def test_what_cannot_be_is_one_clear_line(ask: Ask, words: tuple[str, ...], told: str) -> None:
    assert_one_line(ask(*words), told)


def test_rows_are_cut_only_where_that_is_said(ask: Ask, tmp_path: Path) -> None:
    assert ask("items", "--rows", "2", "--output", "items.csv").code == 0
    assert len((tmp_path / "items.csv").read_text().splitlines()) == 3
    assert ask("items", "--output", "all.json").code == 0
    assert len((tmp_path / "all.json").read_text().splitlines()) > 100
    assert "only the first 100 rows are shown" in ask("items").errors
