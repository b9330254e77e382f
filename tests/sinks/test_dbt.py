"""The files for dbt name what is there: sources are generated, exposures and models refer to them, models run."""

import re
from pathlib import Path

import pytest
import yaml
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from sinks.dbt import document
from tests.sinks.copies import make_tables

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "dbt" / "models"
_SOURCE = re.compile(r"source\('arrears', '(\w+)'\)")


def names() -> set[str]:
    (source,) = yaml.safe_load(document())["sources"]
    return {table["name"] for table in source["tables"]}


def test_the_sources_are_what_the_migrations_say() -> None:
    written = (FOLDER / "arrears.yml").read_text(encoding="utf-8")
    assert written == document(), "run `python -m sinks.dbt examples/dbt/models/arrears.yml`"
    assert {"ledger_entries", "events", "alerts", "promises"} <= names()


def test_whatever_hangs_on_a_source_names_one() -> None:
    for file in (FOLDER / "exposures.yml", *FOLDER.glob("*.sql")):
        used = _SOURCE.findall(file.read_text(encoding="utf-8"))
        assert used
        assert set(used) <= names(), file.name


@pytest.mark.clickhouse
def test_the_models_run(clickhouse: ClickHouseServer) -> None:
    address = Address(clickhouse.url, "dbt_example")
    make_tables(address)
    with address.client() as client:
        _run_all(client)
        client.command("DROP DATABASE dbt_example SYNC")


def _run_all(client: Client) -> None:
    for file in FOLDER.glob("*.sql"):
        sql = re.sub(r"\{\{ source\('arrears', '(\w+)'\) \}\}", r"\1", file.read_text(encoding="utf-8"))
        client.command(f"CREATE VIEW model AS {sql}")  # as dbt makes it
        assert client.query("DESCRIBE TABLE model").result_rows[0][0] == "company"
        client.command("DROP VIEW model")
