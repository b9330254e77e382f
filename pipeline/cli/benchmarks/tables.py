"""What ClickHouse costs: as-of answers over years of postings, a day of the raw log, storage, and inserts.

On a ClickHouse of its own, with rows that it makes itself. Every answer stands beside the plain sum over the whole
ledger in the same run; elapsed time is the median, CPU time is that of the whole server process and the least of the
repetitions, because a shared machine adds to both and takes from neither.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.cli.benchmarks.results import Result
from pipeline.cli.benchmarks.tables_data import DAY_ACTIVITY, INVOICE, TODAY, events_insert, ledger_insert
from pipeline.cli.benchmarks.tables_inserts import measure_inserts
from pipeline.cli.clickhouse import clickhouse_problems
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from sinks.migrations import Runner
from sinks.rollups import forget_openings, write_openings

DATABASE = "bench"
FULL_FOLD = "plain sum of the whole ledger by account, class and due date"
_EVER = "2299-12-31 23:59:59"
_REPETITIONS = 5
_EVENTS_A_STATEMENT = 5_000_000
_SECONDS_MAX = 7200.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LARGEST_COLUMNS = 4
_COMPANY, _ACCOUNT = "EU01", "C001235"

# What is asked, as (name, as_of, known_as_of).
_DATES = (
    ("today", TODAY, _EVER),
    ("17 months ago", "2025-05-15", _EVER),
    ("17 months ago, as known then", "2025-05-15", "2025-05-15 12:00:00"),
    ("today, as known 17 months ago", TODAY, "2025-05-15 12:00:00"),
    ("3 years ago", "2023-12-10", _EVER),
)


class Cost(NamedTuple):
    """Of one query: milliseconds of elapsed and of CPU time."""

    elapsed: float
    cpu: float


class TableBench:
    """All measurements on one server. ``tell`` hears what is being measured."""

    def __init__(self, folder: Path, entries: int, events: int, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._entries = entries
        self._events = events
        self._tell = tell
        self._server = ClickHouseServer(folder / "clickhouse", port=0)

    def run(self) -> list[Result]:
        """Measure everything, in one go. Raises Problem when ClickHouse refuses."""
        with self._server as server, clickhouse_problems():
            address = Address(server.url, DATABASE)
            runner = Runner(address)
            runner.run(runner.plan())
            with address.client(timeout_seconds=_SECONDS_MAX) as client:
                return [*self._ledger(client), *self._raw_log(client), *self._inserts(address)]

    def _ledger(self, client: Client) -> Iterator[Result]:
        self._tell(f"making {self._entries:,} postings")
        cost, rows = self._filled(client, "ledger_entries_log", [ledger_insert(self._entries)])
        yield Result("postings made and inserted in place", rows / cost.elapsed * 1e3, "rows/s", cost.cpu / rows * 1e3)
        yield from _sizes(client, "ledger_entries_log", "posting")
        self._tell("adding all of them up")
        fold = self._timed(client, _FULL_FOLD)
        yield from _results(FULL_FOLD, fold, None)
        yield from _results("aging of all accounts, today, without openings", self._asked(client, *_DATES[0]), fold)
        self._tell("writing openings")
        cost = self._once(lambda: write_openings(client))
        yield Result("writing all openings", cost.elapsed / 1e3, "s", None)
        client.command("OPTIMIZE TABLE opening_items FINAL")
        yield Result("openings, on disk", _bytes(client, "opening_items") / rows, "bytes/posting", None)
        self._tell("as-of answers")
        for name, as_of, known in _DATES:
            yield from _results(f"aging of all accounts, {name}", self._asked(client, name, as_of, known), fold)
        one = f"WHERE company = '{_COMPANY}' AND account_id = '{_ACCOUNT}'"
        for name, as_of, known in (_DATES[0], _DATES[2]):
            yield from _results(f"aging of one account, {name}", self._timed(client, _account(as_of, known)), fold)
        of_all = self._asked(client, *_DATES[0], one)
        yield from _results("aging of one account by the view of all, today", of_all, fold)
        yield from _results("open items of one account, today", self._timed(client, _open_items(one)), fold)
        yield from _results("open items of all accounts, today", self._timed(client, _open_items("")), fold)
        forget_openings(client)

    def _raw_log(self, client: Client) -> Iterator[Result]:
        self._tell(f"making {self._events:,} events")
        statements = [
            events_insert(first, min(_EVENTS_A_STATEMENT, self._events - first), self._events)
            for first in range(0, self._events, _EVENTS_A_STATEMENT)
        ]
        cost, rows = self._filled(client, "events", statements)
        yield Result("events made and inserted in place", rows / cost.elapsed * 1e3, "rows/s", cost.cpu / rows * 1e3)
        yield from _sizes(client, "events", "event")
        yield from _results("activity of a day by user, type and hour", self._timed(client, DAY_ACTIVITY), None)
        company, invoice = client.query(INVOICE).result_rows[0]
        history = f"SELECT * FROM invoice_history(company = '{company}', invoice_id = '{invoice}')"
        yield from _results("history of one invoice, ledger and raw log", self._timed(client, history), None)
        without = f"{history} SETTINGS use_skip_indexes = 0"
        yield from _results("history of one invoice, without indexes", self._timed(client, without), None)

    def _inserts(self, address: Address) -> list[Result]:
        self._tell("inserts as the sink makes them")
        return measure_inserts(address, self._cpu_milliseconds)

    def _filled(self, client: Client, table: str, statements: list[str]) -> tuple[Cost, int]:
        def fill() -> None:
            for statement in statements:
                client.command(statement)

        cost = self._once(fill)
        # As it is after some hours: parts are merged, and no merge disturbs what is measured next.
        client.command(f"OPTIMIZE TABLE {table} FINAL")
        return cost, int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])

    def _asked(self, client: Client, _: str, as_of: str, known: str, where: str = "") -> Cost:
        return self._timed(client, f"SELECT * FROM aging_as_of(as_of = '{as_of}', known_as_of = '{known}') {where}")

    def _timed(self, client: Client, query: str) -> Cost:
        # Otherwise ClickHouse would remember from the first time where there was nothing.
        settings = {"use_query_condition_cache": 0}
        costs = [
            self._once(lambda: client.command(f"{query} FORMAT Null", settings=settings)) for _ in range(_REPETITIONS)
        ]
        return Cost(statistics.median(cost.elapsed for cost in costs), min(cost.cpu for cost in costs))

    def _once(self, work: Callable[[], object]) -> Cost:
        cpu, started = self._cpu_milliseconds(), time.perf_counter()
        work()
        return Cost((time.perf_counter() - started) * 1e3, self._cpu_milliseconds() - cpu)

    def _cpu_milliseconds(self) -> float:
        """CPU time of the server so far, all threads, user and system."""
        fields = Path(f"/proc/{self._server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1e3 / _TICKS


_FULL_FOLD = f"""
SELECT company, account_id, currency, balance_class, due_date, sum(delta_minor) AS minor
FROM ledger_entries_log
WHERE effective_date <= '{TODAY}' AND recorded_at <= '{_EVER}'
GROUP BY company, account_id, currency, balance_class, due_date
HAVING minor != 0"""


def _account(as_of: str, known: str) -> str:
    return (
        f"SELECT * FROM account_aging_as_of(company = '{_COMPANY}', account_id = '{_ACCOUNT}', as_of = '{as_of}', "
        f"known_as_of = '{known}')"
    )


def _open_items(where: str) -> str:
    return f"SELECT * FROM open_items_as_of(as_of = '{TODAY}', known_as_of = '{_EVER}') {where}"


def _results(name: str, cost: Cost, fold: Cost | None) -> Iterator[Result]:
    yield Result(name, cost.elapsed, "ms", None)
    yield Result(f"{name}: CPU", cost.cpu, "ms", None)
    if fold is not None and cost.cpu:
        yield Result(f"{name}: CPU of the plain sum / CPU", fold.cpu / cost.cpu, "x", None)


def _bytes(client: Client, table: str) -> float:
    query = (
        f"SELECT sum(bytes_on_disk) FROM system.parts WHERE database = '{DATABASE}' AND table = '{table}' AND active"
    )
    return float(client.query(query).result_rows[0][0])


def _sizes(client: Client, table: str, row: str) -> Iterator[Result]:
    """Bytes on disk a row, and those of the largest columns."""
    rows = int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])
    yield Result(f"{table}, on disk", _bytes(client, table) / rows, f"bytes/{row}", None)
    found = client.query(
        "SELECT name, data_compressed_bytes FROM system.columns "
        f"WHERE database = '{DATABASE}' AND table = '{table}' ORDER BY 2 DESC LIMIT {_LARGEST_COLUMNS}"
    )
    for name, size in found.result_rows:
        yield Result(f"{table}, column {name}", int(size) / rows, f"bytes/{row}", None)
