"""A whole file applied to a real server, in a container; skipped where there is no Docker."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.access import AccessRunner, make_wanted, read_access
from sinks.clickhouse import Address
from sinks.migrations import Runner

ROOT = Path(__file__).resolve().parents[3]
IMAGE = "clickhouse/clickhouse-server:26.8"
PASSWORDS = {f"ARREARS_PASSWORD_{name}": f"pass-{name}" for name in ("SERVICE", "CAMILLE", "AUDIT", "PAGER")}

pytestmark = pytest.mark.docker


def _without_docker() -> str:
    docker: Any = import_module("docker")
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException as error:
        return f"no Docker engine answers: {str(error)[:80]}"
    return ""


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    """A server with our tables."""
    if reason := _without_docker():
        pytest.skip(reason)
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415
    from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415

    container = (
        DockerContainer(IMAGE)
        .with_env("CLICKHOUSE_USER", "arrears")
        .with_env("CLICKHOUSE_PASSWORD", "arrears")
        .with_env("CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT", "1")
        .with_exposed_ports(8123)
        .waiting_for(HttpWaitStrategy(8123, "/ping"))
    )
    with container:
        url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8123)}"
        address = Address(url, "arrears", "arrears", "arrears")
        runner = Runner(address)
        runner.run(runner.plan())
        yield address


def test_a_file_is_applied_and_holds(address: Address) -> None:
    document = tomllib.loads((ROOT / "config/access.reference.toml").read_text(encoding="utf-8"))
    document["users"]["arrears_service"].pop("hosts")
    runner = AccessRunner(address, make_wanted(read_access(document, "file"), "arrears", PASSWORDS))
    done: list[str] = []
    runner.apply(runner.plan(), lambda change: done.append(change.what))
    assert done
    assert runner.plan() == []
    with address.client() as client:
        for number, (company, collector) in enumerate((("FR01", "camille"), ("FR01", "hugo"), ("US01", "camille"))):
            key = f"'{company}', 'C{number}'"
            client.command(
                f"INSERT INTO accounts_log (company, account_id, collector_id) VALUES ({key}, '{collector}')"
            )
            client.command(f"INSERT INTO items_versions (company, account_id, document_id) VALUES ({key}, 'I')")
        client.command("GRANT INSERT ON arrears.events TO arrears_auditor")
    assert [change.what for change in runner.plan()] == ["rights of arrears_auditor"]
    runner.apply(runner.plan(), lambda _: None)
    seen = {"camille": ["C0"], "audit": ["C0", "C1", "C2"]}
    for user, accounts in seen.items():
        with replace(address, user=user, password=f"pass-{user.upper()}").client() as client:
            rows = client.query("SELECT account_id FROM items ORDER BY account_id").result_rows
            assert [account for (account,) in rows] == accounts
            with pytest.raises(ClickHouseError):
                client.command("INSERT INTO events (company) VALUES ('FR01')")
