"""Unapplied and unidentified cash: when an alert is raised, escalated, resolved (SEMANTICS 4.2)."""

from typing import Any

import pytest

from tests.jobs.desk import Desk, Row


@pytest.fixture
def desk() -> Desk:
    """Payment R1 of 75.00 on Monday 2 March."""
    desk = Desk()
    desk.tick("2026-03-02T09:00:00Z")
    desk.payment("R1", "75.00")
    return desk


def statuses(desk: Desk) -> list[str]:
    return [row.status for row in desk.rows("unapplied_cash")]


@pytest.mark.parametrize(
    ("rules", "instants"),
    [
        ({}, ["2026-03-05", "2026-03-10", "2026-03-17"]),
        ({"unapplied_calendar": "calendar"}, ["2026-03-05", "2026-03-08", "2026-03-13"]),
        ({"unapplied_after_days": 0}, ["2026-03-03", "2026-03-10", "2026-03-17"]),
        ({"unapplied_after_days": 5}, ["2026-03-10", "2026-03-17"]),
        ({"unapplied_after_days": 30, "unapplied_calendar": "calendar"}, ["2026-04-02"]),
        ({"unapplied_escalate_days": []}, ["2026-03-05"]),
        ({"holidays": ["2026-03-03", "2026-03-04"]}, ["2026-03-07", "2026-03-12", "2026-03-19"]),
    ],
)
def test_it_fires_at_the_midnight_after_each_limit(rules: dict[str, Any], instants: list[str]) -> None:
    desk = Desk(**rules)
    desk.tick("2026-03-02T09:00:00Z")
    desk.payment("R1", "75.00")
    for position, date in enumerate(instants):
        assert len(desk.alerts) == position
        desk.tick(f"{date}T00:00:00Z")
        assert len(desk.alerts) == position + 1
    desk.tick("2026-12-31T00:00:00Z")
    assert statuses(desk) == ["raised", *["escalated"] * (len(instants) - 1)]
    assert len({alert.alert_id for alert in desk.alerts}) == 1


class TestEnds:
    @pytest.mark.parametrize(
        ("how", "left"), [("apply", 0), ("refund", 0), ("reverse", 0), ("park", 7_500), ("part", 500)]
    )
    def test_its_last_row_carries_what_remains(self, how: str, left: int) -> None:
        desk = Desk(unapplied_min_amount="5.00")
        desk.tick("2026-03-02T09:00:00Z")
        desk.invoice("I1", "75.00", due_date="2026-12-31")
        desk.payment("R1", "75.00")
        desk.tick("2026-03-05T09:00:00Z")
        match how:
            case "apply":
                desk.apply("A1", "75.00")
            case "refund":
                desk.refund("R1", "75.00")
            case "reverse":
                desk.reverse("R1")
            case "park":
                desk.park("R1")
            case _:
                desk.apply("A1", "70.00")
        assert desk.rows() == [
            Row("unapplied_cash", "R1", "raised", 7_500), Row("unapplied_cash", "R1", "resolved", left)
        ]  # fmt: skip
        desk.tick("2026-06-05T09:00:00Z")
        assert statuses(desk) == ["raised", "resolved"]

    def test_a_part_that_is_applied_does_not_end_it_and_the_next_row_says_what_is_left(self, desk: Desk) -> None:
        desk.tick("2026-03-05T09:00:00Z")
        desk.invoice("I1", "50.00")
        desk.apply("A1", "50.00")
        desk.tick("2026-03-10T09:00:00Z")
        assert desk.rows()[-1] == Row("unapplied_cash", "R1", "escalated", 2_500)

    def test_used_in_time_it_never_begins(self, desk: Desk) -> None:
        desk.tick("2026-03-04T23:59:59Z")
        desk.invoice("I1", "75.00")
        desk.apply("A1", "75.00")
        desk.tick("2026-04-04T00:00:00Z")
        assert desk.rows() == []


def test_free_again_after_its_limits_it_is_another_alert_with_all_stages_at_once(desk: Desk) -> None:
    desk.tick("2026-03-05T09:00:00Z")
    desk.invoice("I1", "75.00", due_date="2026-12-31")
    desk.apply("A1", "75.00")
    desk.tick("2026-03-12T09:00:00Z")
    desk.unapply("A1")
    assert statuses(desk) == ["raised", "resolved", "raised", "escalated"]
    first, _, second, third = desk.alerts
    assert first.alert_id != second.alert_id == third.alert_id


def test_what_never_alerts(desk: Desk) -> None:
    desk.payment("R2", "10.00", on_account=True)
    desk.payment("R3", "10.00", value_date="2026-12-01")
    desk.tick("2026-11-30T09:00:00Z")
    assert {row.subject for row in desk.rows()} == {"R1"}


class TestUnidentified:
    def test_found_its_alert_ends_and_the_age_runs_on(self) -> None:
        desk = Desk()
        desk.tick("2026-03-02T09:00:00Z")
        desk.payment("R1", "75.00", account_id=None)
        desk.tick("2026-03-11T09:00:00Z")
        desk.identify("R1", "C1")
        desk.tick("2026-03-17T00:00:00Z")
        assert desk.rows() == [
            Row("unidentified_cash", "R1", "raised", 7_500), Row("unidentified_cash", "R1", "escalated", 7_500),
            Row("unidentified_cash", "R1", "resolved", 7_500), Row("unapplied_cash", "R1", "raised", 7_500),
            Row("unapplied_cash", "R1", "escalated", 7_500), Row("unapplied_cash", "R1", "escalated", 7_500),
        ]  # fmt: skip
        assert [alert.account_id for alert in desk.alerts] == [None] * 3 + ["C1"] * 3

    def test_what_was_paid_back_before_is_not_found(self) -> None:
        desk = Desk()
        desk.tick("2026-03-02T09:00:00Z")
        desk.payment("R1", "75.00", account_id=None)
        desk.refund("R1", "25.00", account_id=None)
        desk.tick("2026-03-06T09:00:00Z")
        desk.identify("R1", "C1")
        assert [row.amount for row in desk.rows()] == [5_000, 5_000, 5_000]

    def test_reversed_nothing_remains(self) -> None:
        desk = Desk()
        desk.tick("2026-03-02T09:00:00Z")
        desk.payment("R1", "75.00", account_id=None)
        desk.tick("2026-03-06T09:00:00Z")
        desk.reverse("R1", account_id=None)
        assert desk.rows()[-1] == Row("unidentified_cash", "R1", "resolved", 0)


def test_other_limits_of_the_company_take_effect_at_once(desk: Desk) -> None:
    desk.tick("2026-03-03T09:00:00Z")
    assert desk.rows() == []
    desk.reconfigure(unapplied_after_days=0)
    assert statuses(desk) == ["raised"]
    desk.reconfigure(unapplied_min_amount="100.00")
    assert statuses(desk) == ["raised", "resolved"]
