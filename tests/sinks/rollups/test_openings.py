"""Openings never change an as-of answer: against a plain sum in Python, and against the same views without openings, on
random histories with late, future-dated and out-of-order postings and with retention in between."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cli.preparation import prepare_tables
from pipeline.local import ClickHouseServer
from pipeline.settings import Settings
from sinks.clickhouse import Address
from sinks.retention import ledger
from sinks.retention.policy import Policy
from sinks.rollups import forget_openings, write_openings
from sinks.rollups.openings import Bounds, below, read_counts, read_openings, wanted

pytestmark = pytest.mark.clickhouse

DATABASE = "openings"
FIRST = date(2025, 1, 1)
DAYS = 150
EVER = "2299-12-31 23:59:59"


def month(year: int, number: int) -> int:
    return year * 12 + number


THROUGH = month(2025, 6)


class Posting(NamedTuple):
    """A row of the ledger, or of the disputes where its class is `disputed`."""

    account: str
    item: str
    kind: str
    minor: int
    effective: date
    recorded: datetime
    due: date
    entry_type: str


@st.composite
def postings(draw: st.DrawFn) -> Posting:
    """Mostly known on their day; some late by weeks, some months ahead of their day."""
    day = draw(st.integers(0, DAYS))
    late = draw(st.sampled_from([0, 0, 0, 0, 20, 60, -25]))
    recorded = datetime.combine(FIRST, datetime.min.time()) + timedelta(
        days=max(0, day + late), seconds=draw(st.sampled_from([0, 1, 43_200, 86_399]))
    )
    account = draw(st.sampled_from(["C1", "C1", "C2"]))
    kind = draw(st.sampled_from(["invoice", "invoice", "invoice", "unapplied", "on_account", "credit", "disputed"]))
    due = FIRST + timedelta(days=draw(st.sampled_from([0, 20, 45, 100])))
    entry_type = draw(st.sampled_from(["invoice", "application", "write_off", "other"]))
    item, minor = draw(st.sampled_from(["1", "2", "3"])), draw(st.sampled_from([100, 100, -100, -100, 50, -50, 70]))
    return Posting(account, item, kind, minor, FIRST + timedelta(days=day), recorded, due, entry_type)


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database with all tables and no rows."""
    address = Address(clickhouse.url, DATABASE)
    own = Settings().with_addresses("", clickhouse.url)
    prepare_tables(own.model_copy(update={"clickhouse": own.clickhouse.model_copy(update={"database": DATABASE})}))
    with address.client() as client:
        yield client
        client.command(f"DROP DATABASE {DATABASE} SYNC")


def clear(client: Client) -> None:
    for table in ("ledger_entries_log", "dispute_entries_log", "openings", "opening_items", "retired_items"):
        client.command(f"TRUNCATE TABLE {table}")


def rows(client: Client, query: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in client.query(query).result_rows), key=repr)


_numbers = iter(range(10_000_000))


def post(client: Client, batch: list[Posting]) -> None:
    """Insert them as the sink would, in one block a table."""
    common = ("company", "account_id", "currency", "delta_minor", "effective_date", "recorded_at", "entry_type")
    ledger_names = (*common, "item_type", "item_id", "balance_class", "due_date", "event_id", "_offset")
    dispute_names = (*common, "document_type", "document_id", "dispute_id", "event_id", "_offset")
    entries, disputes = [], []
    for one in batch:
        number = next(_numbers)
        head = ("FR01", one.account, "EUR", one.minor, one.effective, one.recorded.replace(tzinfo=UTC))
        if one.kind == "disputed":
            disputes.append((*head, "opened", "invoice", one.item, "D1", f"e{number}", number))
        else:
            item_type = "invoice" if one.kind == "invoice" else "payment"
            entry_type = "payment" if one.entry_type == "invoice" and item_type == "payment" else one.entry_type
            entries.append((*head, entry_type, item_type, one.item, one.kind, one.due, f"e{number}", number))
    if entries:
        client.insert("ledger_entries_log", entries, ledger_names)
    if disputes:
        client.insert("dispute_entries_log", disputes, dispute_names)


def open_lines(known: list[Posting], as_of: date, known_as_of: str) -> dict[tuple[Any, ...], int]:
    """The plain sum of SEMANTICS 1.2, line by line."""
    until = datetime.fromisoformat(known_as_of)
    sums: Counter[tuple[Any, ...]] = Counter()
    for one in known:
        if one.kind != "disputed" and one.effective <= as_of and one.recorded <= until:
            sums[one.account, one.kind, one.item, one.due] += one.minor
    return {line: minor for line, minor in sums.items() if minor}


def questions(as_of: date, known: str) -> list[str]:
    """Every view that starts from openings, for two dates."""
    dates = f"as_of = '{as_of}', known_as_of = '{known}'"
    window = f"from_date = '{as_of - timedelta(days=40)}', to_date = '{as_of}', known_as_of = '{known}'"
    return [
        f"SELECT * FROM aging_as_of({dates})",
        f"SELECT * FROM disputed_as_of({dates})",
        f"SELECT * FROM control_totals({dates})",
        f"SELECT * FROM aging_change({window})",
        f"SELECT * EXCEPT line FROM account_statement(company = 'FR01', account_id = 'C1', {window})",
        f"SELECT * FROM aging_as_of({dates}) WHERE company = 'FR01' AND account_id = 'C2'",
    ]


DATES = [
    (FIRST + timedelta(days=100), EVER),
    (FIRST + timedelta(days=89), "2025-03-31 23:59:59"),
    (FIRST + timedelta(days=40), "2025-05-10 00:00:00"),
    (FIRST + timedelta(days=170), "2025-04-01 00:00:00"),
]


def check(client: Client, known: list[Posting], dates: list[tuple[date, str]], renew: int = 0) -> None:
    """All answers, with whatever openings there are, against the sum and against the views without any; where `renew`
    tells after how many postings one is wanted, also with those that a rollup leaves."""
    for as_of, known_as_of in dates:
        items = rows(
            client,
            "SELECT account_id, balance_class, item_id, due_date, toInt64(open * 100) "
            f"FROM open_items_as_of(as_of = '{as_of}', known_as_of = '{known_as_of}')",
        )
        assert {row[:-1]: row[-1] for row in items} == open_lines(known, as_of, known_as_of), (as_of, known_as_of)
    asked = [query for pair in dates for query in questions(*pair)]
    answers = {query: rows(client, query) for query in asked}
    heads = client.query("SELECT * FROM openings").result_rows
    client.command("TRUNCATE TABLE openings")
    for query in asked:
        assert rows(client, query) == answers[query], query
    if heads:
        client.insert("openings", heads, ["opening_id", "effective_month", "recorded_month", "written_at"])
    if renew:
        write_openings(client, THROUGH, renew)
        counts = read_counts(client)
        stored = {one.bounds: one for one in read_openings(client)}
        assert set(stored) == set(wanted(counts, THROUGH, renew))
        assert all(one.is_whole and one.postings == below(counts, bounds) for bounds, one in stored.items())
        for query in asked:
            assert rows(client, query) == answers[query], query


def retire(client: Client, known: list[Posting], cutoff: date) -> list[Posting]:
    """Closed items before a day go; gives what is left."""
    midnight = datetime.combine(cutoff, datetime.min.time(), tzinfo=UTC)
    old = ledger.old_postings(Policy({"ledger": 0}, hot_days=0), midnight, None)
    ledger.write_down(client, ledger.closed_items(old, []))
    ledger.delete_written_down(client, old)
    left = set(rows(client, "SELECT DISTINCT account_id, item_type, item_id FROM ledger_entries_log"))
    lost = {one for one in known if one.kind != "disputed"} if not left else set()
    return [
        one
        for one in known
        if one.kind == "disputed"
        or (one not in lost and (one.account, "invoice" if one.kind == "invoice" else "payment", one.item) in left)
    ]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(postings(), min_size=6, max_size=25), min_size=2, max_size=3),
    step=st.sampled_from([1, 4]),
    reached=st.integers(month(2025, 2), THROUGH),
    dates=st.lists(st.sampled_from(DATES), min_size=1, max_size=2, unique=True),
    retires=st.booleans(),
)
def test_no_answer_depends_on_openings(
    client: Client,
    batches: list[list[Posting]],
    step: int,
    reached: int,
    dates: list[tuple[date, str]],
    retires: bool,
) -> None:
    clear(client)
    known: list[Posting] = []
    for batch in batches:
        post(client, batch)
        known += batch
        if batch is not batches[-1]:
            write_openings(client, reached, step)
    if retires:
        # Retention answers for dates from the cut-off on; here everything that is asked.
        known = retire(client, known, FIRST + timedelta(days=35))
    check(client, known, dates, step)


def _sample() -> list[Posting]:
    """An invoice a week and its payment five weeks later."""
    found = []
    for week in range(20):
        day, paid = FIRST + timedelta(days=7 * week), FIRST + timedelta(days=7 * week + 35)
        for minor, on, entry_type in ((100, day, "invoice"), (-100, paid, "application")):
            at = datetime.combine(on, datetime.min.time()) + timedelta(hours=9)
            found.append(Posting("C1", f"I{week}", "invoice", minor, on, at, day + timedelta(days=30), entry_type))
    return found


def _used(client: Client, as_of: date, known: str = EVER) -> set[str]:
    """The tables of the opening that an answer reads from, as the engine's plan tells."""
    query = f"EXPLAIN indexes = 1 SELECT * FROM open_items_as_of(as_of = '{as_of}', known_as_of = '{known}')"
    text = "\n".join(str(row[0]) for row in client.query(query).result_rows)
    ids = {one.opening_id for one in read_openings(client)}
    return {id_ for id_ in ids if id_ in text}


def test_a_late_posting_makes_an_opening_useless_until_the_next_rollup(client: Client) -> None:
    clear(client)
    known = _sample()
    post(client, known)
    assert write_openings(client, THROUGH, 5).written > 2
    before = FIRST + timedelta(days=140)
    assert len(_used(client, before)) == 1
    assert write_openings(client, THROUGH, 5).written == 0
    second = date(2025, 2, 2)
    assert len(_used(client, second)) == 1
    late = Posting(
        "C2",
        "LATE",
        "invoice",
        900,
        date(2025, 2, 3),
        datetime.fromisoformat("2025-02-04"),
        date(2025, 3, 1),
        "invoice",
    )
    post(client, [late])
    known.append(late)
    assert _used(client, before) == set()
    assert len(_used(client, second)) == 1  # what lies before the late one
    check(client, known, DATES[:1])
    mended = write_openings(client, THROUGH, 5)
    assert 0 < mended.written < mended.held
    assert len(_used(client, before)) == 1


def test_lines_that_are_lost_make_an_opening_useless(client: Client) -> None:
    clear(client)
    known = _sample()
    post(client, known)
    write_openings(client, THROUGH, 5)
    client.command("ALTER TABLE opening_items DELETE WHERE item_id = 'I15' SETTINGS mutations_sync = 2")
    check(client, known, DATES[:1])
    assert write_openings(client, THROUGH, 5).written > 0


@pytest.mark.parametrize("view", ["aging_as_of", "aging_as_of_wide"])
def test_what_no_column_of_an_aging_shows_is_its_gap(client: Client, view: str) -> None:
    clear(client)
    day = date(2025, 3, 1)
    recorded = datetime.combine(day, datetime.min.time())
    owed = Posting("C1", "1", "invoice", 100, day, recorded, day, "invoice")
    post(client, [owed, owed._replace(item="2", kind="deposit", minor=-30)])
    found = client.query(
        f"SELECT not_due + overdue, unapplied + on_account + credits, total, reconciliation_gap "
        f"FROM {view}(as_of = '2025-04-15', known_as_of = '{EVER}')"
    ).result_rows
    assert found == [(Decimal("1.00"), Decimal(0), Decimal("0.70"), Decimal("0.30"))]


def test_one_account_is_found_by_the_sorting_key_in_both_parts(client: Client) -> None:
    clear(client)
    post(client, _sample())
    write_openings(client, THROUGH, 5)
    query = (
        "EXPLAIN indexes = 1 SELECT * FROM aging_as_of(as_of = '2025-05-20', known_as_of = '2025-05-21 00:00:00') "
        "WHERE company = 'FR01' AND account_id = 'C1'"
    )
    text = "\n".join(str(row[0]) for row in client.query(query).result_rows)
    for table in ("opening_items", "ledger_entries_log"):
        plan = text.split(f"({DATABASE}.{table})")[1].split("ReadFromMergeTree")[0]
        keys = plan.split("PrimaryKey")[1].split("Condition")[0]
        assert {"company", "account_id"} <= set(keys.split()), plan


def test_retention_makes_them_again(client: Client) -> None:
    clear(client)
    known = _sample()
    post(client, known)
    write_openings(client, None, 5)
    assert forget_openings(client)
    assert not forget_openings(client)
    write_openings(client, None, 5)
    left = retire(client, known, date(2025, 3, 1))
    assert len(left) < len(known)
    check(client, left, DATES[:1])


class TestWanted:
    def test_a_month_with_enough_postings_gets_one(self) -> None:
        counts = {(10, 10): 100, (11, 11): 20, (12, 12): 90, (13, 13): 500}
        assert wanted(counts, 13, 100) == [Bounds(11, 11), Bounds(13, 13)]

    def test_late_postings_get_another_one_when_they_are_many(self) -> None:
        counts = {(10, 10): 100, (10, 12): 99, (10, 13): 1}
        assert wanted(counts, 14, 100) == [Bounds(11, 11), Bounds(11, 14)]
        assert wanted(counts, 13, 100) == [Bounds(11, 11)]

    def test_a_backfill_gets_one_for_each_month_it_covers(self) -> None:
        counts = {(month, 30): 100 for month in range(10, 14)}
        assert wanted(counts, 31, 100) == [Bounds(month, 31) for month in range(11, 15)]
        assert wanted(counts, 30, 100) == []

    def test_nothing_wants_nothing(self) -> None:
        assert wanted({}, 30, 100) == []
