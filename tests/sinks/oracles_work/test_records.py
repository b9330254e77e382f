"""Master data on any day, and counts of events by hour and by month, against the list of events."""

from collections import Counter
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from jobs.values import moment_of
from sinks.retention.apply import Retention
from sinks.retention.policy import Policy
from sinks.rollups.days import roll_up
from tests.sinks.oracles_work.asking import windows
from tests.sinks.oracles_work.debts import Debts, date_at
from tests.sinks.oracles_work.judged import utc
from tests.sinks.oracles_work.playing import Played

pytestmark = pytest.mark.clickhouse

FIELDS = ("name", "segment", "collector_id", "dunning_block", "currency")
NEVER = 100_000
# What the worker itself writes into the log, beside what was sent.
OWN = "event_type NOT IN ('CompanyConfigured') AND source != 'arrears'"


def test_an_account_on_any_day_as_known_at_any_time(client: Client, played: Played) -> None:
    """A field holds from its day until the next change of it, in whatever order changes were told."""
    checked = 0
    for window in windows(played, 11, 8):
        expected: dict[tuple[str, str], dict[str, Any]] = {}
        for code, desk in played.desks.items():
            debts = Debts(desk.settings)
            changes = []
            for place, sent in enumerate(played.happened(code)):
                record = sent.record
                day = debts.day(record["occurred_at"])
                if sent.name.startswith("Account") and day <= window.last and sent.at <= window.instant:
                    changes.append((day, place, sent))
            for _, _, sent in sorted(changes, key=lambda each: each[:2]):
                valid = expected.setdefault(
                    (code, sent.record["account_id"]), {"dunning_block": False, "on_hold": False}
                )
                if sent.name == "AccountChanged":
                    valid |= {name: sent.record[name] for name in FIELDS if sent.record[name] is not None}
                    if sent.record["credit_limit_minor"] is not None:
                        valid["credit_limit"] = decimal_of(sent.record["credit_limit_minor"], "EUR")
                else:
                    valid |= {"on_hold": sent.name == "AccountHoldPlaced", "hold_reason": sent.record["reason"]}
        rows = client.query(
            "SELECT * FROM account_history "
            "WHERE effective_date <= {as_of:Date32} AND recorded_at <= {known_as_of:String} "
            "ORDER BY effective_date, recorded_at, _offset",
            parameters=window.parameters,
        ).named_results()
        found = {(row["company"], row["account_id"]): row for row in rows}
        assert found.keys() == expected.keys()
        for key, valid in expected.items():
            for name in (*FIELDS, "credit_limit", "on_hold", "hold_reason"):
                assert found[key][name] == valid.get(name), (key, name, window)
                checked += 1
    assert checked


def test_activity_by_hour(client: Client, played: Played) -> None:
    """The busiest day of two companies, one of them written twice."""
    for number, code in enumerate(list(played.desks)[:2]):
        debts = Debts(played.desks[code].settings)
        sents = {sent.record["event_id"]: sent for sent in played.of(code) if sent.name != "ClockTicked"}
        sents |= {sent.record["event_id"]: sent for sent in played.happened(code)}
        busiest = Counter(debts.day(sent.record["occurred_at"]) for sent in sents.values()).most_common(1)
        days = [date_at(day) for day, _ in busiest]
        for _ in range(2 - number):
            assert len(list(roll_up(client, {code: days}))) == 1
        expected: Counter[tuple[Any, ...]] = Counter()
        for sent in sents.values():
            record = sent.record
            day = date_at(debts.day(record["occurred_at"]))
            if day in days:
                hour = utc(record["occurred_at"]).replace(minute=0, second=0, microsecond=0)
                expected[day, hour, record["actor_id"], record["actor_role"], sent.name, record["source"]] += 1
        answer = client.query(
            "SELECT local_date, hour, actor_id, actor_role, event_type, source, events FROM activity_hourly "
            f"WHERE company = {{code:String}} AND {OWN}",
            parameters={"code": code},
        ).result_rows
        found = {(day, hour.replace(tzinfo=None), *said): events for day, hour, *said, events in answer}
        assert found == expected
        assert len(found) == len(answer) > 5


def test_events_by_month(client: Client, played: Played) -> None:
    """Records as they were sent, one that was sent twice counted twice, by the month in which Kafka took them in."""
    now = moment_of(played.last).astimezone(UTC) + timedelta(days=70)
    days = dict.fromkeys(("events", "activity", "ledger", "alerts"), NEVER)
    Retention(client, Policy(days, hot_days=0), now).prepare()
    counts: Counter[tuple[str, Any, str, str]] = Counter()
    amounts: Counter[tuple[str, Any, str, str]] = Counter()
    for sent in played.log:
        if sent.name == "ClockTicked":
            continue
        month = moment_of(sent.at).astimezone(UTC).date().replace(day=1)
        currency = sent.record.get("currency") or ""
        key = sent.record["company"], month, sent.name, currency
        counts[key] += 1
        amounts[key] += decimal_of(sent.record.get("amount_minor") or 0, currency or "EUR")  # type: ignore[assignment]
    rows = client.query(
        "SELECT company, month, event_type, currency, events, amount FROM events_monthly "
        "WHERE event_type IN (SELECT event_type FROM events WHERE " + OWN + ")"
    ).result_rows
    assert {tuple(row[:4]): row[4] for row in rows} == counts
    assert {tuple(row[:4]): row[5] for row in rows} == {key: Decimal(amounts[key]) for key in counts}
    assert len({row[1] for row in rows}) > 2
