"""The scenario files through the real system: codec, broker, worker, sink, ClickHouse (SCENARIOS §2).

All scenarios are played as one history into one system (`one_world.py`); each expectation is looked at as of the
instant, or the position of the log, at which it stands. What is compared, and from where:

- From the topics, every kind of expectation: documents, receipts, promises, cases, alerts, transitions, rejections, key
  figures and aging are answered from the records of the output topics; `account`, `notices_due` and `worklist` from
  folds that are restored from the state topic up to that position.
- From ClickHouse's tables of dated changes: `aging`, `invoice`, `transitions`, `alerts`, `alerts_of`, `rejected`.
- From ClickHouse's parameterized views: `aging` by `aging_as_of`, in other credit modes by `aging_by_account`, rolled
  up by `aging_by_group`; amounts and ages of `invoice` by `open_items_as_of` and `disputed_as_of`; with the scenario's
  clock as `known_as_of`.
- Tables of latest states have no past, so they are compared with the last records of the topics when all is done.

Events that cannot be written at all (`invalid_amount`) are refused before the log, as any source refuses them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs import EVENT_TYPES
from jobs.values import date_of, moment_of
from pipeline.cli.reconciliation import Line, clickhouse_address
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.scenarios import load
from pipeline.scenarios.comparison import Mismatch, compare
from pipeline.scenarios.expectations import _as_of, _item, _known_as_of, check
from pipeline.scenarios.format import find
from pipeline.scenarios.world import World
from pipeline.settings import Settings
from tests.integration.installed import LogWriter, installed, remove, wait_until_arrived
from tests.integration.one_world import NOT_FOLDED, Look, Part, parts_of, play
from tests.integration.replay import Replay, differences
from tests.integration.settling import Cutting
from tests.integration.topic_reader import read_topics
from tests.integration.worlds import (
    LOG_TABLES,
    STATE_VIEWS,
    TYPES,
    Found,
    Records,
    from_table,
    from_topics,
    restored_folds,
    world_of,
)
from tests.scenarios.test_scenarios import OWN, SHARED_FILES, named
from topics import catalogue

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

PATHS = [*find([OWN]), *SHARED_FILES]
OF_DATED_CHANGES = frozenset({"aging", "invoice", "transitions", "alerts", "alerts_of", "rejected"})
# Planning such a question costs much more than its rows: each is asked once for all scenarios that have it.
_DATES = "as_of = {as_of:Date32}, known_as_of = {known:DateTime64(6, 'UTC')}"
_OPEN = f"""
SELECT company, item_type, item_id, sum(open), max(days_past_due), argMax(bucket, days_past_due)
FROM open_items_as_of({_DATES})
GROUP BY company, item_type, item_id
"""
_DISPUTED = f"""
SELECT company, document_type, document_id, sum(disputed)
FROM disputed_as_of({_DATES})
GROUP BY company, document_type, document_id
"""
_AGING = """
SELECT company, account_id, currency,
    not_due, buckets, unapplied, on_account, credits, disputed, total, reconciliation_gap
FROM VIEW
"""

Place = tuple[str, str, str]


@dataclass
class Played:
    """The history when all of it has arrived everywhere."""

    settings: Settings
    settling: Cutting
    parts: list[Part]
    lines: list[Line]
    client: Client
    _aging: dict[tuple[str, str, date, datetime], dict[Place, list[dict[str, Any]]]] = field(default_factory=dict)
    _documents: dict[tuple[str, date, datetime], dict[Place, tuple[Any, ...]]] = field(default_factory=dict)

    def part(self, path: object) -> Part:
        """The scenario of a file."""
        return next(part for part in self.parts if part.scenario.path == path)

    @cached_property
    def topics(self) -> Records:
        """What the topics hold."""
        return Records(self.found)

    @cached_property
    def found(self) -> list[Found]:
        """Every record of every topic."""
        wanted = [topic for name, topic in catalogue(self.settings.kafka.topic_prefix).items() if topic.records]
        config = self.settings.kafka.client_config()
        return [*from_topics(read_topics(config, wanted))]

    @cached_property
    def tables(self) -> Records:
        """What ClickHouse's tables of dated changes hold."""
        return Records(one for name in LOG_TABLES for one in from_table(self.client, name))

    def aging(self, view: str, mode: str, as_of: date, known: datetime) -> dict[Place, list[dict[str, Any]]]:
        """The rows of an aging view, by company, account and currency."""
        key = (view, mode, as_of, known)
        if key not in self._aging:
            parameters = _DATES if view == "aging_as_of" else f"{_DATES}, credit_mode = {{mode:String}}"
            values = {"as_of": as_of, "known": known, "mode": mode}
            found: dict[Place, list[dict[str, Any]]] = defaultdict(list)
            query = _AGING.replace("VIEW", f"{view}({parameters})")
            for row in self.client.query(query, parameters=values).named_results():
                found[row.pop("company"), row.pop("account_id"), row.pop("currency")].append(row)
            self._aging[key] = dict(found)
        return self._aging[key]

    def open_documents(self, as_of: date, known: datetime) -> dict[Place, tuple[Decimal, int, str]]:
        """Open amount, age and bucket, by company, type and id."""
        return {
            place: (amount, age, bucket) for place, (amount, age, bucket) in self._asked(_OPEN, as_of, known).items()
        }

    def disputed_documents(self, as_of: date, known: datetime) -> dict[Place, Decimal]:
        """Disputed amount, by company, type and id."""
        return {place: amount for place, (amount,) in self._asked(_DISPUTED, as_of, known).items()}

    def _asked(self, query: str, as_of: date, known: datetime) -> dict[Place, tuple[Any, ...]]:
        key = (query, as_of, known)
        if key not in self._documents:
            rows = self.client.query(query, parameters={"as_of": as_of, "known": known}).result_rows
            self._documents[key] = {tuple(row[:3]): tuple(row[3:]) for row in rows}
            assert len(self._documents[key]) == len(rows)
        return self._documents[key]

    def world(self, part: Part, look: Look, *, of_tables: bool = False) -> World:
        """The world at an expectation; dated changes from ClickHouse where that is asked for."""
        names = [*TYPES, *EVENT_TYPES, *NOT_FOLDED, "RejectedEvent"]
        found = self.topics.of(part, look, [name for name in names if not (of_tables and name in LOG_TABLES)])
        if of_tables:
            found += self.tables.of(part, look, LOG_TABLES)
        folds = None
        if look.cut is not None and look.asks_the_fold:
            topic = catalogue(self.settings.kafka.topic_prefix)["ar.state"]
            folds = restored_folds(part, self.settling.state_records, topic, look.cut)
        return world_of(part, look, found, folds)


@pytest.fixture(scope="module")
def played(
    kafka: KafkaBroker, clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    parts = parts_of(load(path) for path in PATHS)
    companies = [company for part in parts for company in part.companies()]
    folder = tmp_path_factory.mktemp("scenarios")
    ages = (3.0, 4.0)  # nobody asks before the history is written
    with installed(
        kafka, clickhouse, "scenarios.", folder, companies, keeps_data=True, sink_age_seconds=ages
    ) as settings:
        settling = Cutting(settings)
        play(parts, LogWriter(settings), settling)
        lines = wait_until_arrived(settings)
        settling.close()
    with clickhouse_address(settings).client() as client:
        yield Played(settings, settling, parts, lines, client)
    remove(settings)


def told(part: Part, look: Look, mismatches: list[Mismatch]) -> list[str]:
    """Failures as a reader of the scenario understands them."""
    return [
        f"{part.scenario.name}, step {look.step}: {mismatch.field} is {mismatch.actual}, not {mismatch.expected}"
        for mismatch in mismatches
    ]


def test_every_event_is_accounted_for_and_clickhouse_has_what_kafka_has(played: Played) -> None:
    assert [line for line in played.lines if not line.holds] == []
    assert [failure for part in played.parts for failure in part.in_process.failures] == []
    assert [one.record for one in played.found if one.name == "FailedEvent"] == []


@pytest.mark.parametrize("path", PATHS, ids=named)
def test_the_topics_say_what_the_scenario_expects(played: Played, path: object) -> None:
    part = played.part(path)
    assert part.looks
    failures = []
    for look in part.looks:
        world = played.world(part, look)
        for expectation in look.expectations:
            failures += told(part, look, check(expectation, world))
    assert failures == []


@pytest.mark.parametrize("path", PATHS, ids=named)
def test_the_dated_changes_in_clickhouse_say_the_same(played: Played, path: object) -> None:
    part = played.part(path)
    failures = []
    for look in part.looks:
        world = played.world(part, look, of_tables=True)
        for expectation in look.expectations:
            if OF_DATED_CHANGES & expectation.keys():
                failures += told(part, look, check(expectation, world))
    assert failures == []


@pytest.mark.parametrize("path", PATHS, ids=named)
def test_the_as_of_views_say_the_same(played: Played, path: object) -> None:
    part = played.part(path)
    failures = []
    for look in part.looks:
        world = played.world(part, look)
        for expectation in look.expectations:
            if "aging" in expectation:
                failures += told(part, look, aging_by_view(played, part, look, world, expectation))
            if "invoice" in expectation:
                failures += told(part, look, invoice_by_view(played, part, look, world, expectation))
    assert failures == []


def invoice_by_view(
    played: Played, part: Part, look: Look, world: World, expectation: dict[str, Any]
) -> list[Mismatch]:
    """Amounts and age of a document; status and instalments are no columns of the views."""
    item = _item(expectation, world)
    dates = (
        date_of(_as_of(expectation, world, item.company)),
        moment_of(_known_as_of(expectation) or look.clock),
    )
    document = (part.company(item.company), item.document_type, item.document_id)
    asked = expectation.keys()
    answers: dict[str, object] = {}
    amount = Decimal(0)
    if asked & {"open", "days_past_due", "bucket", "collectible"}:
        amount, days_past_due, bucket = played.open_documents(*dates).get(document, (amount, 0, ""))
        answers |= {"open": amount}
        answers |= {"days_past_due": days_past_due if amount else None, "bucket": bucket if amount else None}
    if asked & {"disputed", "collectible"}:
        disputed = played.disputed_documents(*dates).get(document, Decimal(0))
        answers |= {"disputed": disputed, "collectible": amount - disputed}
    return compare({name: value for name, value in expectation.items() if name in answers}, "", answers)


def aging_by_view(played: Played, part: Part, look: Look, world: World, expectation: dict[str, Any]) -> list[Mismatch]:
    """Aging of one account, or rolled up, in the credit mode asked for or the company's own."""
    asked = {**{name: value for name, value in expectation.items() if name != "aging"}, **expectation["aging"]}
    codes = [str(asked["company"])] if "company" in asked else list(world.companies)
    with_account = {entry.company for entry in world.entries if entry.account_id == str(asked["account_id"])}
    company = next((code for code in codes if code in with_account), codes[0])
    settings = world.companies[company]
    mode = asked.get("credit_mode", "")
    view = "aging_as_of"
    if asked.get("rollup") or (mode or settings.credit_mode) != "separate":
        view = "aging_by_group" if asked.get("rollup") else "aging_by_account"
    dates = date_of(_as_of(asked, world, company)), moment_of(_known_as_of(asked) or look.clock)
    place = (part.company(company), str(asked["account_id"]), str(asked["currency"]))
    answers: dict[str, object] = dict.fromkeys(
        (*settings.aging.names, "unapplied", "on_account", "credits", "disputed", "total", "reconciliation_gap"), 0
    )
    for row in played.aging(view, mode, *dates).get(place, []):
        answers |= {part["name"]: part["amount"] for part in row["buckets"]} | row
    return compare({name: value for name, value in expectation.items() if name in answers}, "", answers)


@pytest.mark.parametrize("name", STATE_VIEWS)
def test_the_latest_states_in_clickhouse_are_the_last_records_of_the_topics(played: Played, name: str) -> None:
    keys = {
        "Item": ("company", "document_type", "document_id"),
        "Receipt": ("company", "account_id", "payment_id"),
        "Promise": ("company", "promise_id"),
        "DisputeCase": ("company", "dispute_id"),
        "ExceptionCase": ("company", "exception_id"),
    }[name]
    last: dict[tuple[str, ...], Found] = {}
    for one in played.found:
        if one.name == name:
            place = tuple(str(one.record[key] or "") for key in keys)
            if place not in last or last[place].offset < one.offset:
                last[place] = one
    columns = (*keys, "status", "event_id", "toUnixTimestamp64Micro(recorded_at)", "_offset")
    rows = played.client.query(f"SELECT {', '.join(columns)} FROM {STATE_VIEWS[name]}").result_rows
    found = {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in rows}
    assert len(found) == len(rows) > 0
    assert found == {
        place: (one.record["status"], one.record["event_id"], one.record["recorded_at"], one.offset)
        for place, one in last.items()
        if one.record["status"] != "identified"  # it lies with the account that was found, under the same id
    }


def test_a_replay_into_fresh_topics_gives_the_same_bytes(played: Played, topic_prefix: str, tmp_path: Path) -> None:
    """Every alert, entry and state of the whole history, and not one more."""
    replay = Replay(played.settings, topic_prefix, tmp_path)
    replay.run()
    original, again = replay.outputs()
    assert len(original["ar.alerts.promises"]) > len(played.parts) // 4
    assert differences(original, again) == []
    states, states_again = replay.states()
    assert len(states) > len(played.parts)
    assert states_again == states
