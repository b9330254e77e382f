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


def test_parameters_and_columns_may_be_written_as_options(ask: Ask) -> None:
    asked = ask("control_totals", "as_of=2026-04-30", "known_as_of=2026-05-03 00:00:00", "company=FR01", "--json")
    assert asked.output
    for words in (
        ("--as-of", "2026-04-30", "--known-as-of", "2026-05-03 00:00:00", "--company", "FR01", "--json"),
        ("--json", "--as-of=2026-04-30", "company=FR01", "--known-as-of=2026-05-03 00:00:00"),
    ):
        assert ask("control_totals", *words).output == asked.output


def test_bars_in_the_terminal_are_as_long_as_their_amounts(ask: Ask) -> None:
    done = ask(BUCKETS, "--format", "chart", "--up", "open")
    assert done.code == 0
    lines = {line.split()[0]: line for line in done.output.splitlines() if line.strip()}
    assert list(lines)[1:] == ["not_due", "1-30", "31-60", "61-90", "91-120", "121+"]
    assert lines["not_due"].count("█") > lines["1-30"].count("█") > lines["31-60"].count("█") > 0
    assert lines["121+"].count("█") == 0


def test_amounts_of_rows_with_one_name_are_one_bar(ask: Ask, client: Client) -> None:
    words = ("aging_buckets_as_of", "--as-of", "2026-04-30", "company=FR01", "currency=EUR", "--format", "chart")
    done = ask(*words, "--across", "bucket")
    assert done.code == 0
    lines = [line.split() for line in done.output.splitlines()[1:] if line.strip()]
    expected = client.query(BUCKETS.replace("2299-01-01", "2299-12-31")).result_rows
    assert [(name, amount) for name, amount, *_ in lines] == [
        (name, f"{amount:,.2f}".removesuffix(".00")) for name, amount, _ in expected
    ]
    by_account = ask(*words)  # accounts tell the rows apart, the company does not
    assert len(by_account.output.splitlines()) > 10, by_account.errors


def test_a_long_picture_says_that_it_is_cut(ask: Ask) -> None:
    done = ask("SELECT toString(number) AS name, number AS height FROM numbers(200)", "--format", "chart")
    assert "the first 60 of 200" in done.output
    assert len(done.output.splitlines()) < 70


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
        (
            ("SELECT 'a' AS name, number AS n FROM numbers(2)", "--format", "chart", "--up", "n"),
            "several rows have the same name",
        ),
        (("SELECT 'a' AS name, 'b' AS other", "--format", "chart"), "needs a column of names and one of numbers"),
        (("SELECT 'a' AS name, 1 AS n", "--format", "chart", "--up", "m"), "no column m"),
        (("control_totals", "as_of=2026-04-30", "--output", "totals.doc"), "does not say how to write it"),
        (("control_totals", "as_of=2026-04-30", "--output", "no/such/folder.csv"), "cannot write"),
        (("SELECT nothing", "--output", "n.csv"), "ClickHouse refuses"),
        (("key_figures", "--output", "k.csv"), "needs from_date, to_date"),
        (("control_totals", "--as-of"), "--as-of has no value"),
        (("control_totals", "--as-of", "--json"), "--as-of has no value"),
        (("control_totals", "--as-off", "2026-04-30"), "no parameter and no column as_off"),
        (("--as-of", "2026-04-30", "control_totals"), "Write the name first"),
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


def test_a_name_that_is_nearly_right_and_a_call_that_is_not_whole(ask: Ask) -> None:
    assert_one_line(ask("aging_asof", "as_of=2026-04-30"), "Did you mean aging_as_of")
    done = ask("account_statement", "company=FR01", "to_date=2026-04-30")
    example = "arrears query account_statement company=FR01 account_id=C1 from_date=2026-03-01 to_date=2026-04-30"
    assert_one_line(done, "needs account_id, from_date", example)
    assert ask(*example.split()[2:]).code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("control_totals", "as_of=30/04/2026"), "as_of=30/04/2026 cannot be read. Write a date, as 2026-03-31"),
        (("control_totals", "as_of=2026-04-30", "known_as_of=noon"), "Write an instant in UTC"),
        (("late_applications", "from_date=2026-04-01", "to_date=2026-04-30", "days_min=x"), "a whole number"),
        (("key_figures", "from_date=2026-05-31", "to_date=2026-05-01"), "lies after to_date 2026-05-01"),
        (("control_totals", "as_of=2026-04-30", "compny=FR01"), "no parameter and no column compny"),
    ],
)
def test_a_value_that_cannot_be_meant(ask: Ask, words: tuple[str, ...], told: str) -> None:
    assert_one_line(ask(*words), told)


def test_a_column_with_a_value_leaves_the_rows_that_have_it(ask: Ask, client: Client) -> None:
    """In tables, files and pictures; a number and a date are meant as such."""
    done = ask("items", "company=FR01", "currency=GBP", "status=open", "--json", "--rows", "10000")
    found = [json.loads(line) for line in done.output.splitlines()]
    where = "company = 'FR01' AND currency = 'GBP' AND status = 'open'"
    assert len(found) == client.query(f"SELECT count() FROM items WHERE {where}").result_rows[0][0] > 0
    assert {(row["company"], row["currency"], row["status"]) for row in found} == {("FR01", "GBP", "open")}
    due, amount = found[0]["due_date"], found[0]["amount"]
    same = ask("items", "company=FR01", "currency=GBP", f"due_date={due}", f"amount={amount}", "--json")
    assert found[0]["document_id"] in {json.loads(line)["document_id"] for line in same.output.splitlines()}
    drawn = ask("aging_by_company", "as_of=2026-04-30", "company=FR01", "currency=EUR", "--format", "chart")
    assert drawn.code == 0
    assert ask("control_totals", "as_of=2026-04-30", "currency=XXX").errors == "no rows\n"


def test_rows_come_in_the_order_of_their_columns_and_buckets_by_age(ask: Ask) -> None:
    window = ("from_date=2026-03-31", "to_date=2026-04-30")
    rows = [json.loads(line) for line in ask("roll_rates", *window, "--json").output.splitlines()]
    ages = ["not_due", "1-30", "31-60", "61-90", "91-120", "121+", "settled"]
    places = [
        (row["company"], row["currency"], ages.index(row["from_bucket"]), ages.index(row["to_bucket"])) for row in rows
    ]
    assert len(places) > 10
    assert places == sorted(places)
    lines = ask("control_totals", "as_of=2026-04-30", "--format", "csv").output.splitlines()[1:]
    assert lines == sorted(lines)


def test_a_record_that_is_wider_than_the_terminal_has_a_line_for_each_column(ask: Ask) -> None:
    months = ("from_date=2026-04-01", "to_date=2026-04-30")
    done = ask("key_figures", *months, "company=FR01", "currency=EUR")
    lines = [line.split() for line in done.output.splitlines()]
    assert lines[:2] == [["company", "FR01"], ["currency", "EUR"]]
    (told,) = (line for line in lines if line[0] == "dso")
    (json_line,) = ask("key_figures", *months, "company=FR01", "currency=EUR", "--json").output.splitlines()
    assert told[1] == json.loads(json_line)["dso"]


def test_a_rate_is_no_amount(ask: Ask) -> None:
    """All of its decimals are shown, whatever the currency's."""
    done = ask("roll_rates", "from_date=2026-03-31", "to_date=2026-04-30", "--json", "company=JP01")
    rates = {json.loads(line)["rate"] for line in done.output.splitlines()}
    assert rates
    assert all(len(rate.partition(".")[2]) == 4 for rate in rates)
