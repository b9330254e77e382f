"""Does everything add up? Events in = outcomes, Kafka = ClickHouse, Σ buckets = Σ open items (SEMANTICS 1.4).

Each check counts both sides on its own and gives a `Line`; a gap other than 0 is an error somewhere, never noise. On a
running system time does not stand still, so every comparison is made up to a mark that was taken before, and what is
under way gets a few seconds to arrive.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from avro import contracts
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_client
from pipeline.cli.log_counts import Counts, Stored, Wanted, count_records
from pipeline.cli.stored_rows import StoredRows
from pipeline.errors import Problem
from pipeline.lag import GroupReader, read_progress
from pipeline.progress import Progress
from pipeline.settings import Settings
from pipeline.startup import admin_client, check_topics
from sinks.routes import Route, routes
from topics import EVENTS, catalogue

__all__ = ["Line", "clickhouse_address", "read_all_progress", "reconcile", "wait_until_settled"]

# What is under way has so long to arrive: the sink inserts what is a second old, the group hears of positions as often.
PATIENCE_SECONDS = 6.0
_LOOK_SECONDS = 0.2
_COUNTERS = ("applied", "rejected", "duplicates", "failed", "ticks", "configured", "logged", "expired")


@dataclass(frozen=True)
class Line:
    """One comparison. `gap` is what one side has more than the other."""

    check: str
    of: str
    left: str
    right: str
    gap: int

    @property
    def holds(self) -> bool:
        """Whether both sides agree."""
        return self.gap == 0


def reconcile(settings: Settings, patience_seconds: float = PATIENCE_SECONDS) -> list[Line]:
    """All checks. Raises Problem where a part does not answer."""
    client_config = settings.kafka.client_config()
    topics = catalogue(settings.kafka.topic_prefix)
    known_routes = routes(contracts(), topics)
    check_topics(admin_client(client_config), client_config, topics.values())
    events = topics[EVENTS].name
    keyed = frozenset(topic.name for topic in topics.values() if topic.cleanup_policy == "compact")
    kept = frozenset({topics["ar.failed"].name})
    progress, marks = _read_positions(settings, patience_seconds)
    counts = count_records(settings, Wanted(list(known_routes), marks, keyed, kept))
    deadline = time.monotonic() + patience_seconds
    with clickhouse_client(settings) as client:
        rows = StoredRows(client, client_config, keyed)
        lines = [*_outcomes(events, counts, progress, marks)]
        for route in known_routes.values():
            lines += _settled(partial(_stored, rows, route, counts), deadline)
        lines += _settled(lambda: list(_balances(rows)), deadline)
    return lines


def _settled(look: Callable[[], list[Line]], deadline: float) -> list[Line]:
    """Look until all lines hold, or the deadline has passed."""
    while True:
        lines = look()
        if all(line.holds for line in lines) or time.monotonic() > deadline:
            return lines
        time.sleep(_LOOK_SECONDS)


def _read_positions(
    settings: Settings, patience_seconds: float
) -> tuple[dict[int, Progress], dict[tuple[str, int], tuple[int, int]]]:
    """Take the ends of the event log, let the workers come that far, then read how far they really are.

    Gives the progress by partition, and the marks of the log: position and end.
    """
    topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
    deadline = time.monotonic() + patience_seconds
    with worker_group(settings) as group:
        ends = group.ends(topic.name, topic.partitions)
        while time.monotonic() < deadline:
            lags = group.lag(topic.name, topic.partitions)
            if all((lag.position or 0) >= ends[lag.partition] for lag in lags):
                break
            time.sleep(_LOOK_SECONDS)
    progress = read_all_progress(settings)
    return progress, {(topic.name, number): (one.position, ends[number]) for number, one in progress.items()}


def worker_group(settings: Settings) -> GroupReader:
    """The workers' group as the settings name it."""
    return GroupReader(settings.kafka.client_config(), settings.kafka.topic_prefix + settings.worker.application_id)


def read_all_progress(settings: Settings) -> dict[int, Progress]:
    """The progress record of every partition, by its number."""
    topics = catalogue(settings.kafka.topic_prefix)
    config = settings.kafka.client_config()
    partitions = range(topics[EVENTS].partitions)

    def read(partition: int) -> Progress:
        return read_progress(config, topics["ar.state"].name, partition) or Progress()

    # Side by side: each waits half a second for its connection, whatever it reads.
    with ThreadPoolExecutor(len(partitions)) as threads:
        return dict(zip(partitions, threads.map(read, partitions), strict=True))


def wait_until_settled(settings: Settings, seconds_max: float) -> None:
    """Wait until every event in the log has been applied, with what the jobs wrote for other accounts meanwhile.

    Raises Problem when that takes longer than `seconds_max`.
    """
    deadline = time.monotonic() + seconds_max
    topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
    with worker_group(settings) as group:
        while time.monotonic() < deadline:
            lags = group.lag(topic.name, topic.partitions)
            handled = sum(lag.progress.events for lag in lags if lag.progress is not None)
            stored = sum(part.records for part in count_records(settings, Wanted([topic.name])).values())
            if handled == stored:  # counted after: nothing came in between
                return
            time.sleep(_LOOK_SECONDS)
    raise Problem(
        f"not everything was applied within {seconds_max:.0f} s", "Look at `arrears lag` and the worker's log"
    )


def _outcomes(
    topic: str, counts: Counts, progress: Mapping[int, Progress], marks: Mapping[tuple[str, int], tuple[int, int]]
) -> Iterator[Line]:
    """Events in = applied + rejected + duplicate + failed + logged + clock + configured; and none waits."""
    found = {partition: counts.get((topic, partition), Stored()) for partition in progress}
    parts = list(found.values())
    before, waiting = sum(part.before for part in parts), sum(part.waiting for part in parts)
    handled = Progress(**{name: sum(getattr(one, name) for one in progress.values()) for name in _COUNTERS})
    words = (
        f"{handled.applied:,} applied, {handled.rejected:,} rejected, {handled.failed:,} failed, "
        f"{handled.duplicates:,} duplicates, {handled.logged:,} logged, {handled.ticks:,} ticks, "
        f"{handled.configured:,} settings"
    )
    gap = before - handled.events
    if any(_is_cut(part, *marks[topic, partition]) for partition, part in found.items()):
        # Retention has taken the oldest events, which were counted once: fewer may be left, never more.
        gap = max(0, gap)
    yield Line("events in = outcomes", topic, f"{before:,} in the log", words, gap + handled.expired)
    yield Line("events in = taken in", topic, f"{before + waiting:,} in the log", f"{waiting:,} wait", waiting)


def _is_cut(part: Stored, position: int, end: int) -> bool:
    """Whether Kafka has let records go: the first is not at 0, or none is left of what was applied up to the end."""
    return part.first > 0 or (part.first < 0 and 0 < position <= end)


def _stored(rows: StoredRows, route: Route, counts: Counts) -> list[Line]:
    """Kafka = ClickHouse. Logs compare records; tables of latest states, whose older rows go, the last of each key."""
    kafka = {partition: stored for (topic, partition), stored in counts.items() if topic == route.topic}
    left, right, gap = rows.compare(route, kafka)
    return [Line("Kafka = ClickHouse", route.topic, left, right, gap)]


def _balances(rows: StoredRows) -> Iterator[Line]:
    """Live totals, documents, receipts and ledger entries are four sums of the same money, by company and currency."""
    live = rows.sums("SELECT company, currency, sum(total_minor) FROM account_aging_versions FINAL GROUP BY 1, 2")
    today = rows.sums(
        "SELECT company, currency, sum(delta_minor) FROM ledger_entries_log AS entry "
        "INNER JOIN (SELECT company, max(as_of) AS day FROM account_aging_versions GROUP BY company) AS live "
        "ON entry.company = live.company WHERE effective_date <= day GROUP BY 1, 2",
    )
    yield from _compare("Σ live totals = Σ entries to date", live, today)
    items = rows.sums("SELECT company, currency, sum(open_minor) FROM items_versions FINAL GROUP BY 1, 2")
    cash = rows.sums(
        "SELECT company, currency, -sum(unapplied_minor) FROM receipts_versions FINAL "
        "WHERE account_id != '' GROUP BY 1, 2",
    )
    entries = rows.sums("SELECT company, currency, sum(delta_minor) FROM ledger_entries_log GROUP BY 1, 2")
    states = {place: items.get(place, 0) + cash.get(place, 0) for place in items.keys() | cash.keys()}
    yield from _compare("Σ open items = Σ ledger entries", states, entries)


def _compare(check: str, left: dict[tuple[str, str], int], right: dict[tuple[str, str], int]) -> Iterator[Line]:
    for place in sorted(left.keys() | right.keys()):
        one, other = left.get(place, 0), right.get(place, 0)
        yield Line(check, " ".join(place), f"{one:,}", f"{other:,}", one - other)
