"""What analysts are told about ClickHouse: every query answers what the page shows, every column is explained."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from sinks.document import BEGIN, END, dictionary, listed, parameters, replace_in
from tests.docs.pages import DOCS, blocks
from tests.docs.sql import Example, answer, examples, fill

PAGE = DOCS / "clickhouse.md"
EXAMPLES = examples(PAGE)


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A database with the rows of the page."""
    address = Address(clickhouse.url, "docs")
    fill(PAGE, address, tmp_path_factory.mktemp("docs"))
    with address.client() as client:
        yield client
        client.command("DROP DATABASE docs")


@pytest.mark.clickhouse
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"line_{example.line}")
def test_a_query_answers_what_the_page_shows(client: Client, example: Example) -> None:
    shown = answer(client, example.sql)
    assert shown == example.answer, f"run `python -m tests.docs.sql docs/clickhouse.md`, then read it:\n{shown}"


@pytest.mark.clickhouse
def test_the_queries_of_the_front_page_are_answered(client: Client, repository: Path) -> None:
    (sql,) = [block.text for block in blocks(repository / "README.md") if block.language == "sql"]
    queries = [query for query in sql.split(";") if query.strip()]
    assert len(queries) == 3
    for query in queries:
        assert client.query(query).result_rows != [], query


def test_every_query_has_its_answer() -> None:
    queries = [block for block in blocks(PAGE) if block.language == "sql"]
    assert len(EXAMPLES) == len(queries) > 10
    assert all(example.answer.strip() for example in EXAMPLES)


def test_the_dictionary_is_what_the_migrations_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert replace_in(page, dictionary()) == page, "run `python -m sinks.document docs/clickhouse.md`"
    assert page.count(BEGIN) == page.count(END) == 1


@pytest.mark.clickhouse
def test_the_dictionary_lists_what_the_database_has(client: Client) -> None:
    """The engine knows of no view, and no column of one, that is not listed."""
    names = client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND "
        "(engine = 'View' OR name IN ('events', 'rejected_events')) ORDER BY name"
    ).result_columns[0]
    assert list(names) == list(listed())
    values = {
        "as_of": "2026-05-31",
        "known_as_of": "2299-12-31 23:59:59",
        "days_min": "3",
        "influence_days": "7",
        "credit_mode": "",
    }
    for name, entry in listed().items():
        given = ", ".join(f"{parameter} = '{values.get(parameter, '2026-05-31')}'" for parameter in parameters(entry))
        found = client.query(
            f"SELECT * FROM {name}{f'({given})' if given else ''} LIMIT 0",
            settings={"asterisk_include_alias_columns": 1},  # those that are computed when asked for, too
        ).column_names
        assert list(found) == [column.name for column in entry.columns], name


def test_every_column_says_what_it_means() -> None:
    silent = [
        f"{name}.{column.name}" for name, entry in listed().items() for column in entry.columns if not column.comment
    ]
    assert silent == []


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        replace_in("# A page\n", dictionary())


def test_the_page_is_found_by_the_help_of_the_command(repository: Path) -> None:
    assert "docs/clickhouse.md" in (repository / "pipeline" / "cli" / "query.py").read_text(encoding="utf-8")
