"""A score is the sum of its parts, each within its bounds and out of the answers that it names."""

from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import date_of
from tests.sinks.views.sample import Sample
from tests.sinks.views.test_statements import EVER, ask, days_of

pytestmark = pytest.mark.clickhouse

MOST = {"pays_late": 30, "overdue_share": 25, "oldest_overdue": 15, "broken_promises": 20, "getting_later": 10}
_DATES = "(as_of = {day:Date32}, known_as_of = {known:String})"


@pytest.mark.parametrize("as_of", [60, 125])
def test_every_part_is_what_its_rule_says(client: Client, sample: Sample, as_of: int) -> None:
    day, _ = days_of(sample, as_of, as_of)
    given = {"day": date_of(day), "known": EVER}
    rows = ask(client, f"SELECT * FROM risk_score{_DATES}", **given)
    behaviour = {
        (row["company"], row["account_id"], row["currency"]): row
        for row in ask(client, f"SELECT * FROM payment_behaviour{_DATES}", **given)
    }
    owed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    overdue: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    oldest: dict[tuple[str, str, str], int] = {}
    for row in ask(client, f"SELECT * FROM open_items_as_of{_DATES} WHERE balance_class = 'invoice'", **given):
        key = row["company"], row["account_id"], row["currency"]
        owed[key] += row["open"]
        overdue[key] += row["open"] if row["days_past_due"] > 0 else 0
        oldest[key] = max(oldest.get(key, -999), row["days_past_due"])
    year = date_of(day) - timedelta(days=365)
    broken: dict[tuple[str, str, str], int] = defaultdict(int)
    for promise in sample.world.promises.values():
        if promise.status == "broken" and year < date_of(promise.deadline) <= date_of(day):
            broken[promise.company, promise.account_id, promise.currency] += 1
    assert {(row["company"], row["account_id"], row["currency"]) for row in rows} == owed.keys()
    seen: set[str] = set()
    for row in rows:
        key = row["company"], row["account_id"], row["currency"]
        found = {rule: int(points) for rule, points in (part.split("=") for part in row["parts"])}
        assert row["score"] == sum(found.values())
        assert 0 <= row["score"] <= 100
        assert list(found.values()) == sorted(found.values(), reverse=True)
        late = behaviour.get(key, {})
        expected = {
            "pays_late": Decimal(late.get("days_late_mean") or 0),
            "overdue_share": 25 * overdue[key] / owed[key] if owed[key] > 0 else Decimal(0),
            "oldest_overdue": Decimal(oldest[key]) / 6,
            "broken_promises": Decimal(10 * broken[key]),
            "getting_later": Decimal(late.get("trend") or 0),
        }
        for rule, points in expected.items():
            bounded = min(Decimal(MOST[rule]), max(Decimal(0), points))
            assert found.get(rule, 0) == bounded.quantize(Decimal(1), ROUND_HALF_UP), (key, rule)
        seen |= found.keys()
    assert {"pays_late", "overdue_share", "oldest_overdue"} <= seen
