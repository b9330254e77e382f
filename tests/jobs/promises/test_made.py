"""Promises are made, refused, replaced and withdrawn (SEMANTICS 3.2, 3.7, 3.8, 3.12, 4.5)."""

import pytest

from jobs import StepResult
from tests.jobs.books import reason
from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Thursday 2 April: I1 and I2 of 100.00 are open, PAID is paid, GONE cancelled, M1 an open credit."""
    desk = Desk(timezone="Europe/Paris")
    desk.tick("2026-04-02T09:00:00Z")
    for invoice in ("I1", "I2", "PAID", "GONE"):
        desk.invoice(invoice, "100.00")
    desk.pay("R0", "100.00", "PAID")
    desk.cancel("GONE")
    desk.credit_memo("M1", "10.00")
    return desk


class TestRefused:
    @pytest.mark.parametrize(
        ("invoices", "payload", "expected"),
        [
            (["NONE"], {}, "unknown_document"),
            (["I1", "GONE"], {}, "document_cancelled"),
            (["I1"], {"currency": "USD"}, "currency_mismatch"),
            (["GONE"], {"currency": "USD"}, "document_cancelled"),
            (["M1"], {}, "wrong_sign"),
            ([], {"currency": "USD"}, "currency_mismatch"),
            (["I1"], {"currency": "ECU"}, "invalid_amount"),
            (["I1"], {"account_id": None}, "unknown_document"),
            (["I1"], {"account_id": "C2"}, "unknown_document"),
        ],
    )
    def test_by_what_it_covers(
        self, desk: Desk, invoices: list[str], payload: dict[str, object], expected: str
    ) -> None:
        assert reason(desk.promise("P1", "100.00", "2026-04-10", *invoices, **payload)) == expected
        assert desk.promises == {}

    @pytest.mark.parametrize(
        ("amount", "until", "parts", "expected"),
        [
            ("-1.00", "2026-04-10", None, "wrong_sign"),
            ("100.00", "2026-04-01", None, "invalid_date"),
            ("100.00", "2026-04-10", [(1, "2026-04-10", "99.99")], "invalid_amount"),
            ("100.00", "2026-04-10", [(1, "2026-04-10", "50.00"), (1, "2026-04-12", "50.00")], "invalid_amount"),
            ("100.00", "2026-04-10", [(0, "2026-04-10", "100.00")], "invalid_amount"),
            ("100.00", "2026-04-10", [(1, "2026-04-10", "110.00"), (2, "2026-04-12", "-10.00")], "wrong_sign"),
            ("100.00", "2026-04-10", [(1, "2026-04-01", "100.00")], "invalid_date"),
        ],
    )
    def test_by_what_it_says(
        self, desk: Desk, amount: str, until: str, parts: list[tuple[int, str, str]] | None, expected: str
    ) -> None:
        assert reason(desk.promise("P1", amount, until, "I1", instalments=parts)) == expected

    def test_it_replaces_nothing_and_leaves_its_key_free(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        desk.promise("P2", "100.00", "2026-04-01", "I1")
        assert desk.status("P1") == "open"
        desk.promise("P2", "100.00", "2026-04-20", "I1")
        assert (desk.status("P1"), desk.status("P2"), desk.promises["P2"].level) == ("superseded", "open", 2)

    def test_of_zero_it_changes_nothing_whatever_it_names(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        assert desk.promise("P2", "0.00", "2026-04-10", "I1").outcome == "applied"
        assert desk.promise("P2", "0.00", "2026-04-10", "NONE").outcome == "applied"
        assert (set(desk.promises), desk.status("P1")) == ({"P1"}, "open")


class TestTwice:
    def outcome(self, result: StepResult) -> str:
        return result.outcome if result.outcome != "rejected" else reason(result)

    def test_the_same_under_another_event_is_a_duplicate(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        assert self.outcome(desk.promise("P1", "100.00", "2026-04-10", "I1", instalments=[])) == "duplicate"
        assert desk.status("P1") == "open"

    @pytest.mark.parametrize(
        ("amount", "until", "invoices"),
        [("99.00", "2026-04-10", ["I1"]), ("100.00", "2026-04-11", ["I1"]), ("100.00", "2026-04-10", ["I1", "I2"])],
    )
    def test_with_other_content_it_is_a_conflict(
        self, desk: Desk, amount: str, until: str, invoices: list[str]
    ) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        assert self.outcome(desk.promise("P1", amount, until, *invoices)) == "conflicting_duplicate"


class TestCovers:
    def test_no_more_than_is_open_from_the_start(self, desk: Desk) -> None:
        desk.promise("P1", "1000.00", "2026-04-10", "I1", "PAID", "I1")
        assert desk.promises["P1"].effective_amount_minor == 10_000
        assert desk.promises["P1"].amount_minor == 100_000

    def test_what_is_paid_already_can_only_be_void(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "PAID")
        assert desk.status("P1") == "void"

    def test_the_account_as_it_is_now_in_the_currency(self, desk: Desk) -> None:
        desk.invoice("D1", "5.00", document_type="debit_memo")
        desk.invoice("YEN", "500", currency="JPY")
        desk.promise("P1", "1000.00", "2026-04-10")
        assert desk.promises["P1"].effective_amount_minor == 20_500
        desk.invoice("I9", "50.00")
        desk.pay("R1", "50.00", "I9")
        assert desk.promises["P1"].paid_in_window_minor == 0

    def test_instalments_by_date_whatever_their_numbers(self, desk: Desk) -> None:
        parts = [(2, "2026-04-10", "70.00"), (1, "2026-04-20", "70.00")]
        desk.promise("P1", "140.00", "2026-04-20", "I1", instalments=parts)
        assert [(part.number, part.amount_minor) for part in desk.promises["P1"].instalments] == [
            (2, 7_000), (1, 3_000)
        ]  # fmt: skip


class TestReplaced:
    def test_one_of_the_account_replaces_one_of_the_account_only(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        desk.promise("P2", "200.00", "2026-04-10")
        desk.promise("P3", "200.00", "2026-04-20")
        assert (desk.status("P1"), desk.status("P2"), desk.status("P3")) == ("open", "superseded", "open")
        assert [desk.promises[each].level for each in ("P1", "P2", "P3")] == [1, 1, 2]

    def test_a_broken_word_counts_whatever_kind_it_was(self, desk: Desk) -> None:
        desk.promise("P1", "200.00", "2026-04-03")
        desk.tick("2026-04-07T09:00:00Z")
        desk.promise("P2", "100.00", "2026-04-10", "I2")
        assert (desk.status("P1"), desk.promises["P2"].level) == ("broken", 2)

    def test_one_that_is_pending_cash_is_not_replaced_and_the_level_stays(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-03", "I1")
        desk.payment("R1", "100.00")
        desk.tick("2026-04-07T09:00:00Z")
        desk.promise("P2", "100.00", "2026-04-10", "I1")
        assert (desk.status("P1"), desk.status("P2"), desk.promises["P2"].level) == ("pending_cash", "open", 1)
        desk.tick("2026-04-13T09:00:00Z")
        desk.promise("P3", "100.00", "2026-04-20", "I1")
        assert (desk.status("P2"), desk.promises["P3"].level) == ("broken", 2)

    def test_a_plan_that_broke_stays_broken_and_the_rest_of_it_is_not_judged(self, desk: Desk) -> None:
        parts = [(1, "2026-04-03", "50.00"), (2, "2026-04-10", "50.00")]
        desk.promise("P1", "100.00", "2026-04-10", "I1", instalments=parts)
        desk.tick("2026-04-07T09:00:00Z")
        desk.promise("P2", "100.00", "2026-04-20", "I1")
        desk.tick("2026-04-13T09:00:00Z")
        assert desk.status("P1") == "broken"
        assert [part.status for part in desk.promises["P1"].instalments] == ["broken", "superseded"]
        assert [row.subject for row in desk.rows("promise_broken")] == ["P1/1"]

    def test_a_kept_one_that_was_followed_by_another_is_not_open_again(self, desk: Desk) -> None:
        desk.promise("P1", "40.00", "2026-04-10", "I1")
        desk.pay("R1", "40.00", "I1")
        desk.promise("P2", "60.00", "2026-04-20", "I1")
        desk.reverse("R1")
        assert (desk.status("P1"), desk.status("P2"), desk.promises["P2"].level) == ("superseded", "open", 1)
        desk.tick("2026-04-13T09:00:00Z")
        assert desk.rows("promise_broken") == []


class TestWithdrawn:
    def test_unknown_or_of_another_account_it_is_refused(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        assert reason(desk.withdraw("P9")) == "unknown_document"
        assert reason(desk.withdraw("P1", account_id="C2")) == "unknown_document"

    def test_twice_or_after_it_was_replaced_it_changes_nothing(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        desk.promise("P2", "100.00", "2026-04-10", "I1")
        assert desk.withdraw("P1").outcome == "duplicate"
        assert (desk.withdraw("P2").outcome, desk.withdraw("P2").outcome) == ("applied", "duplicate")
        assert (desk.status("P1"), desk.status("P2")) == ("superseded", "withdrawn")

    def test_cash_that_comes_afterwards_is_not_its_any_more(self, desk: Desk) -> None:
        desk.promise("P1", "100.00", "2026-04-10", "I1")
        desk.withdraw("P1")
        desk.pay("R1", "100.00")
        assert (desk.status("P1"), desk.promises["P1"].paid_in_window_minor) == ("withdrawn", 0)

    def test_of_a_plan_what_is_judged_stays_judged(self, desk: Desk) -> None:
        parts = [(1, "2026-04-03", "50.00"), (2, "2026-04-10", "50.00")]
        desk.promise("P1", "100.00", "2026-04-10", "I1", instalments=parts)
        desk.pay("R1", "50.00")
        desk.tick("2026-04-07T09:00:00Z")
        desk.withdraw("P1")
        assert desk.status("P1") == "withdrawn"
        assert [part.status for part in desk.promises["P1"].instalments] == ["kept", "withdrawn"]
