"""What user interfaces tell, as events."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sources.http.activities import activity_event
from sources.http.openapi import CHANGE, LOGIN
from sources.intake import Intake, RefusedError, SourceOptions
from sources.values import Position

INTAKE = Intake(SourceOptions(company="FR01", now=lambda: datetime(2026, 3, 30, tzinfo=UTC)), "ui")


def record(document: dict[str, Any]) -> dict[str, Any]:
    event = INTAKE.event(activity_event(document), Position("x", 1))
    assert event.name == "UserActivityLogged"
    return event.record


def test_a_login_that_failed() -> None:
    taken = record(LOGIN)
    assert (taken["action"], taken["actor_id"], taken["succeeded"], taken["ip"]) == (
        "login",
        "marie",
        False,
        "192.0.2.7",
    )


def test_the_id_is_made_of_who_did_what_when() -> None:
    assert record(CHANGE)["event_id"] == record(CHANGE)["event_id"]
    assert record(CHANGE)["event_id"] != record(LOGIN)["event_id"]
    assert record({**CHANGE, "event_id": "own"})["event_id"] == "own"


def test_changes_have_old_and_new() -> None:
    taken = record(CHANGE)
    assert taken["changes"] == [{"field": "credit_limit", "old": "1000.00", "new": "5000.00"}]
    assert taken["succeeded"] is True


def test_whole_records_become_the_fields_that_differ() -> None:
    before = {"name": "Acme", "credit_limit": 1000, "tags": ["a"], "fax": "1"}
    after = {"name": "Acme", "credit_limit": 5000, "tags": ["a", "b"], "mail": "x@y.z"}
    change = {name: value for name, value in CHANGE.items() if name != "changes"}
    taken = record({**change, "before": before, "after": after})
    assert taken["changes"] == [
        {"field": "credit_limit", "old": "1000", "new": "5000"},
        {"field": "tags", "old": '["a"]', "new": '["a","b"]'},
        {"field": "fax", "old": "1", "new": None},
        {"field": "mail", "old": None, "new": "x@y.z"},
    ]
    assert [item["field"] for item in record({**change, "after": {"a": 1}})["changes"]] == ["a"]


@pytest.mark.parametrize(
    ("document", "reason", "field"),
    [
        ({**LOGIN, "event": "PaymentReceived"}, "unknown_event", "event"),
        ({**LOGIN, "event": []}, "unknown_event", "event"),
        ({**CHANGE, "after": {}}, "invalid_value", "changes"),
        ({"before": []}, "invalid_value", "before"),
        ({**LOGIN, "password": "x"}, "unknown_field", "password"),
        ({name: value for name, value in LOGIN.items() if name != "occurred_at"}, "missing_field", "occurred_at"),
    ],
)
def test_what_is_no_activity_is_refused(document: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(RefusedError) as refused:
        record(document)
    assert (refused.value.reason, refused.value.field) == (reason, field)
