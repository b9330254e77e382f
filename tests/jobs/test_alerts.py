"""Rows of alerts: ids, severities, what a person reads (SEMANTICS 3.13)."""

import pytest

from jobs import alerts, settings_from
from jobs.effects import Alert
from jobs.state import State
from jobs.step import Step
from jobs.values import Instant, Minor


@pytest.fixture
def step() -> Step:
    return Step(State(), settings_from({"code": "FR01"}), "e1", Instant(7), None, [])


def row(step: Step, status: str, **payload: str) -> Alert:
    alerts.put_out(step, "promise_broken", "P1", 2, status, "not paid", account="C1", **payload)  # type: ignore[arg-type]
    (alert,) = step.effects
    assert isinstance(alert, Alert)
    return alert


def test_the_id_is_made_of_kind_company_subject_and_number_so_that_a_replay_gives_the_same(step: Step) -> None:
    alert = row(step, alerts.RAISED)
    assert alert.alert_id == "promise_broken/FR01/P1/2" == alerts.alert_id(step, "promise_broken", "P1", 2)
    assert (alert.raised_at, alert.event_id) == (7, "e1")


def test_where_the_subject_alone_is_no_identity_another_stands_in_the_id_and_not_in_the_row(step: Step) -> None:
    alert = row(step, alerts.RAISED, identity="C1/EUR")
    assert (alert.alert_id, alert.subject) == ("promise_broken/FR01/C1/EUR/2", "P1")


@pytest.mark.parametrize(
    ("status", "severity"),
    [(alerts.RAISED, "high"), (alerts.ESCALATED, "high"), (alerts.RESOLVED, "info"), (alerts.CORRECTED, "info")],
)
def test_what_is_over_is_information(step: Step, status: str, severity: str) -> None:
    assert row(step, status).severity == severity


def test_an_escalation_is_urgent_whatever_it_was_before(step: Step) -> None:
    alerts.put_out(step, "unapplied_cash", "R1", 1, alerts.RAISED, "75.00 EUR", account="C1")
    alerts.put_out(step, "unapplied_cash", "R1", 1, alerts.ESCALATED, "75.00 EUR", account="C1")
    assert [effect.severity for effect in step.effects if isinstance(effect, Alert)] == ["medium", "high"]


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(7_500, "EUR", "75.00 EUR"), (75, "JPY", "75 JPY"), (1, "KWD", "0.001 KWD")]
)
def test_amounts_as_a_person_reads_them(amount: int, currency: str, text: str) -> None:
    assert alerts.money(Minor(amount), currency) == text
