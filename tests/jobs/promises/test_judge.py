"""Judgement: what a promise becomes when cash, credits and midnights come in any order (SEMANTICS 3.3-3.6, 3.10)."""

import pytest

from tests.jobs.desk import Desk, Row


@pytest.fixture
def desk() -> Desk:
    """Invoice I1 of 100.00 promised by Friday 10 April as P1, on Thursday 2 April."""
    desk = Desk(timezone="Europe/Paris")
    desk.tick("2026-03-02T09:00:00Z")
    desk.invoice("I1", "100.00", due_date="2026-03-31")
    desk.tick("2026-04-02T09:00:00Z")
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    return desk


class TestVoid:
    """SEMANTICS 3.10."""

    @pytest.mark.parametrize("how", ["write_off", "credit", "old_cash"])
    def test_before_the_deadline_it_is_open_again_when_something_is_owed_again(self, desk: Desk, how: str) -> None:
        if how == "write_off":
            desk.write_off("W1", "100.00")
        elif how == "credit":
            desk.credit_memo("M1", "100.00", invoice_id="I1")
        else:
            desk.pay("R1", "100.00", value_date="2026-04-01")
        assert desk.status("P1") == "void"
        desk.tick("2026-04-03T09:00:00Z")
        if how == "write_off":
            desk.recover("W1", "100.00")
        elif how == "credit":
            desk.cancel("M1")
        else:
            desk.unapply("A-R1")
        assert desk.status("P1") == "open"
        desk.tick("2026-04-11T09:00:00Z")
        assert desk.rows("promise_broken") == [Row("promise_broken", "P1", "raised", 10_000)]

    def test_after_the_deadline_it_stays_void(self, desk: Desk) -> None:
        desk.write_off("W1", "100.00")
        desk.tick("2026-04-11T09:00:00Z")
        desk.recover("W1", "100.00")
        desk.tick("2026-05-11T09:00:00Z")
        assert desk.status("P1") == "void"
        assert desk.rows() == []

    @pytest.mark.parametrize("how", ["replaced", "withdrawn"])
    def test_replaced_or_withdrawn_it_does_not_come_back(self, desk: Desk, how: str) -> None:
        desk.write_off("W1", "100.00")
        if how == "replaced":
            desk.promise("P2", "100.00", "2026-04-20", "I1")
        else:
            desk.withdraw("P1")
        desk.recover("W1", "100.00")
        assert desk.status("P1") == "void"
        desk.tick("2026-04-11T09:00:00Z")
        assert desk.rows() == []

    def test_of_a_plan_only_what_credits_took_comes_back(self) -> None:
        desk = Desk(timezone="Europe/Paris")
        desk.tick("2026-04-02T09:00:00Z")
        desk.invoice("I1", "150.00")
        parts = [(1, "2026-04-10", "100.00"), (2, "2026-04-20", "50.00"), (3, "2026-04-30", "50.00")]
        desk.promise("P1", "200.00", "2026-04-30", "I1", instalments=parts)
        assert [part.status for part in desk.promises["P1"].instalments] == ["open", "open", "void"]
        desk.credit_memo("M1", "80.00", invoice_id="I1")
        assert [part.status for part in desk.promises["P1"].instalments] == ["open", "void", "void"]
        desk.cancel("M1")
        assert [part.status for part in desk.promises["P1"].instalments] == ["open", "open", "void"]

    def test_its_invoice_may_be_dunned_while_it_is_void_and_not_when_it_runs_again(self, desk: Desk) -> None:
        desk.invoice("I2", "7.00", due_date="2026-03-31")
        desk.write_off("W1", "100.00")
        desk.tick("2026-04-03T09:00:00Z")
        assert desk.notices() == [("C1", 1, ("I2",))]
        desk.recover("W1", "100.00")
        assert desk.notices() == [("C1", 1, ("I2",))]
        desk.withdraw("P1")
        assert desk.notices() == [("C1", 1, ("I1", "I2"))]


class TestAfterTheDeadline:
    """SEMANTICS 3.3-3.6."""

    def test_a_kept_promise_falls_even_after_the_company_changed_its_settings(self, desk: Desk) -> None:
        desk.pay("R1", "100.00")
        desk.tick("2026-04-13T09:00:00Z")
        desk.reconfigure(timezone="Europe/Paris", buckets=[10, 20])
        desk.reverse("R1")
        assert desk.status("P1") == "broken"
        assert [alert.supersedes is not None for alert in desk.alerts] == [True]

    def test_cash_that_covers_one_of_two_fallen_promises_goes_to_the_earlier_deadline(self, desk: Desk) -> None:
        desk.invoice("I2", "100.00", due_date="2026-03-31")
        desk.promise("P0", "100.00", "2026-04-13", "I2")
        desk.payment("R1", "200.00")
        desk.apply("A1", "100.00", invoice_id="I1")
        desk.apply("A2", "100.00", invoice_id="I2")
        desk.payment("R2", "100.00")
        desk.tick("2026-04-14T09:00:00Z")
        desk.reverse("R1")
        assert (desk.status("P1"), desk.status("P0")) == ("pending_cash", "broken")

    def test_unapplied_again_it_is_pending_for_the_cash_is_still_there(self, desk: Desk) -> None:
        desk.pay("R1", "100.00")
        desk.tick("2026-04-13T09:00:00Z")
        desk.unapply("A-R1")
        assert desk.status("P1") == "pending_cash"
        desk.apply("A2", "100.00")
        assert desk.status("P1") == "kept"
        desk.unapply("A2")
        desk.tick("2026-04-18T09:00:00Z")
        assert [(row.kind, row.status) for row in desk.rows() if row.kind.startswith("promise")] == [
            ("promise_pending_cash", "raised"), ("promise_pending_cash", "resolved"),
            ("promise_pending_cash", "raised"), ("promise_pending_cash", "resolved"), ("promise_broken", "raised"),
        ]  # fmt: skip
        assert desk.alerts[-1].supersedes is not None

    def test_what_late_cash_resolved_is_raised_again_when_it_goes_and_resolved_when_it_comes_back(
        self, desk: Desk
    ) -> None:
        desk.tick("2026-04-13T09:00:00Z")
        desk.pay("R1", "100.00")
        desk.reverse("R1")
        desk.tick("2026-04-15T09:00:00Z")
        desk.pay("R2", "100.00")
        assert [(row.status, row.amount) for row in desk.rows("promise_broken")] == [
            ("raised", 10_000), ("resolved", 0), ("raised", 10_000), ("resolved", 0)
        ]  # fmt: skip
        first, _, second, _ = desk.alerts
        assert (second.supersedes, first.alert_id != second.alert_id) == (first.alert_id, True)
        promise = desk.promises["P1"]
        assert (promise.status, promise.paid_late_minor, promise.paid_late_days) == ("broken", 10_000, 5)

    def test_partly_kept_then_the_cash_goes_changes_the_status_without_a_new_alert(self, desk: Desk) -> None:
        desk.pay("R1", "40.00")
        desk.tick("2026-04-13T09:00:00Z")
        desk.reverse("R1")
        assert desk.status("P1") == "broken"
        desk.payment("R2", "30.00", value_date="2026-04-09")
        desk.apply("A2", "30.00", payment_id="R2")
        assert desk.status("P1") == "partially_kept"
        assert desk.rows() == [Row("promise_partially_kept", "P1", "raised", 6_000)]

    @pytest.mark.parametrize("how", ["credit", "write_off", "cancel"])
    def test_credited_after_the_breach_nothing_remains_but_it_was_not_kept(self, desk: Desk, how: str) -> None:
        desk.pay("R1", "40.00")
        desk.tick("2026-04-13T09:00:00Z")
        if how == "credit":
            desk.credit_memo("M1", "60.00", invoice_id="I1")
        elif how == "write_off":
            desk.write_off("W1", "60.00")
        else:
            desk.cancel("I1")
        assert desk.status("P1") == "partially_kept"
        assert [(row.status, row.amount) for row in desk.rows("promise_partially_kept")] == [
            ("raised", 6_000), ("resolved", 0)
        ]  # fmt: skip

    def test_credited_in_part_less_late_cash_resolves_it(self, desk: Desk) -> None:
        desk.tick("2026-04-13T09:00:00Z")
        desk.credit_memo("M1", "70.00", invoice_id="I1")
        assert [row.status for row in desk.rows("promise_broken")] == ["raised"]
        desk.pay("R1", "30.00")
        assert [row.status for row in desk.rows("promise_broken")] == ["raised", "resolved"]
        assert (desk.promises["P1"].paid_late_minor, desk.promises["P1"].paid_late_days) == (3_000, 3)

    def test_late_cash_that_covers_it_while_cash_is_pending_raises_and_resolves_at_once(self, desk: Desk) -> None:
        desk.payment("R1", "100.00")
        desk.tick("2026-04-13T09:00:00Z")
        assert desk.status("P1") == "pending_cash"
        desk.pay("R2", "100.00")
        assert desk.status("P1") == "pending_cash"
        desk.tick("2026-04-18T09:00:00Z")
        assert desk.rows("promise_broken") == [
            Row("promise_broken", "P1", "raised", 10_000), Row("promise_broken", "P1", "resolved", 0)
        ]  # fmt: skip
        assert desk.promises["P1"].paid_late_days == 3


class TestCurrency:
    """SEMANTICS 3.12."""

    def test_for_the_whole_account_too_it_is_that_of_what_is_open(self, desk: Desk) -> None:
        assert desk.promise("P2", "10.00", "2026-04-20", currency="USD").outcome == "rejected"
        desk.invoice("I2", "10.00", currency="USD")
        desk.promise("P2", "10.00", "2026-04-20", currency="USD")
        assert desk.status("P2") == "open"

    def test_where_nothing_is_open_nothing_is_promised(self) -> None:
        desk = Desk()
        desk.promise("P1", "10.00", "2026-04-20")
        assert desk.status("P1") == "void"


def test_cash_of_a_pending_promise_that_ends_at_a_midnight_covers_one_whose_deadline_it_is() -> None:
    """In order of deadline, then id, whatever the ids are (SEMANTICS 3.4)."""
    desk = Desk(timezone="Europe/Paris", pending_cash_days=1)
    desk.tick("2026-04-02T09:00:00Z")
    desk.invoice("I1", "100.00")
    desk.invoice("I2", "100.00")
    desk.promise("PZ", "100.00", "2026-04-07", "I1")
    desk.promise("PA", "100.00", "2026-04-08", "I2")
    desk.payment("R1", "100.00")
    desk.tick("2026-04-09T09:00:00Z")
    assert (desk.status("PZ"), desk.status("PA")) == ("broken", "pending_cash")
