"""One step: outcomes, time, duplicates, settings, and what a defect leaves behind (DESIGN §2, SEMANTICS 4.5)."""

from collections.abc import Callable

import pytest

from jobs import Fold
from jobs.effects import AgingTransition
from jobs.events import InvoiceCancelled, InvoiceIssued, PaymentReceived
from jobs.handlers import HANDLERS
from jobs.ledger import invoices
from jobs.step import Step
from jobs.values import Instant
from jobs.verdicts import Verdict
from tests.jobs.books import Books, configured, day, instant, iso, minor, reason, ticked, written


def test_an_event_of_a_company_without_settings_is_rejected_with_what_to_do() -> None:
    result = Fold().step(written(PaymentReceived, Instant(0), "1", "XX01", payment_id="R1", amount="1", value_date=0))
    assert reason(result) == "unknown_company"
    assert "XX01" in str(result.effects[0])


def test_settings_that_are_not_valid_are_rejected_and_the_former_ones_stay() -> None:
    books = Books()
    event = configured(books.settings, "2")
    for settings in ('{"code": "FR01", "timezone": "Paris"}', '{"code": "US01"}', "[", '"FR01"', "[]", "null"):
        changed = written(type(event), Instant(0), "again", "FR01", version="2", settings=settings)
        assert reason(books.fold.step(changed)) == "unknown_company"
    assert books.fold.companies == {"FR01": "1"}
    assert books.invoice("I1", "1.00").outcome == "applied"


def test_the_outcomes_of_a_step() -> None:
    books = Books(start=None)
    assert books.fold.step(configured(books.settings, "2")).outcome == "configured"
    assert books.fold.step(ticked(instant("2026-01-01T00:00:00Z"))).outcome == "clock"
    assert books.invoice("I1", "1.00", event_id="a").outcome == "applied"
    assert books.invoice("I1", "1.00", event_id="a").outcome == "duplicate"
    assert books.invoice("I1", "1.00", event_id="b").outcome == "duplicate"
    assert books.invoice("I1", "2.00", event_id="c").outcome == "rejected"


def test_an_event_id_counts_once_whatever_it_carries() -> None:
    books = Books()
    books.payment("R1", "1.00", event_id="same")
    result = books.payment("R2", "2.00", event_id="same")
    assert (result.outcome, result.effects) == ("duplicate", [])


def test_two_companies_may_use_the_same_event_id() -> None:
    """Their systems number for themselves; both are in one partition, and nothing of either may be lost."""
    books = Books(code="FR01")
    books.fold.step(configured(Books(code="US01", start=None).settings))
    for code in ("FR01", "US01"):
        event = written(
            PaymentReceived, books.now, "1", code, account_id="C1", payment_id="R1", amount="1.00",
            value_date=day("2026-01-02"),
        )  # fmt: skip
        assert books.fold.step(event).outcome == "applied"
        assert books.fold.step(event).outcome == "duplicate"


def test_a_rejected_event_may_come_again_when_it_fits() -> None:
    books = Books()
    books.invoice("I1", "10.00")
    assert reason(books.apply("A1", "10.00", event_id="early")) == "unknown_payment"
    books.payment("R1", "10.00")
    assert books.apply("A1", "10.00", event_id="early").outcome == "applied"


@pytest.mark.parametrize(
    "payload",
    [
        {"due_date": "2200-01-01"},
        {"document_date": "1899-12-31"},
        {"posting_date": 1_000_000_000},
        {"due_date": -1_000_000_000},
        {"instalments": [(1, "9999-12-31", "1.00")]},
        {"occurred_at": 10**18},
        {"occurred_at": -(10**18)},
    ],
)
def test_dates_outside_two_centuries_are_invalid(payload: dict[str, object]) -> None:
    books = Books()
    assert reason(books.invoice("I1", "1.00", **payload)) == "invalid_date"
    assert books.fold.next_wake_micros() is None


def test_the_clock_never_goes_back() -> None:
    books = Books(start="2026-03-01T00:00:00Z")
    books.invoice("I1", "1.00", due_date="2026-02-01")
    assert books.tick("2026-02-01T00:00:00Z") == []
    assert books.fold.clock_micros == instant("2026-03-01T00:00:00Z")
    assert books.tick("2026-03-01T00:00:00Z") == []


def test_nothing_ages_before_the_first_tick_and_then_everything_that_happened_since() -> None:
    books = Books(start=None)
    books.invoice("I1", "1.00", document_date="2026-01-01", due_date="2026-01-31")
    assert books.out.transitions == []
    assert books.fold.clock_micros is None
    books.tick("2026-03-10T00:00:00Z")
    assert books.transitions("I1") == [("2026-02-01", "not_due", "1-30"), ("2026-03-03", "1-30", "31-60")]
    assert books.live().as_of == day("2026-03-03")


def test_timers_of_several_companies_fire_in_order_of_their_instants() -> None:
    books = Books(code="FR01", timezone="Europe/Paris")
    for code, zone in (("NZ01", "Pacific/Auckland"), ("US01", "America/New_York"), ("GB01", "Europe/London")):
        books.fold.step(configured(Books(code=code, timezone=zone, start=None).settings))
    for code in ("US01", "FR01", "GB01", "NZ01"):
        event = written(
            InvoiceIssued, books.now, f"i-{code}", code, account_id="C1", invoice_id="I1", amount="1.00",
            document_date="2026-01-01", due_date="2026-01-31",
        )  # fmt: skip
        books.fold.step(event)
    fired = [
        (effect.company, iso(effect.local_date))
        for effect in books.tick("2026-03-03T12:00:00Z")
        if isinstance(effect, AgingTransition)
    ]
    once = ["NZ01", "FR01", "GB01", "US01"]
    assert fired == [(code, "2026-02-01") for code in once] + [(code, "2026-03-03") for code in once]


def test_what_an_event_posts_is_known_from_the_clock_on_even_if_it_came_late() -> None:
    books = Books(start="2026-03-01T00:00:00Z")
    early = instant("2026-02-01T00:00:00Z")
    books.invoice("I1", "1.00", occurred_at=early, recorded_at=early)
    assert [entry.recorded_at for entry in books.out.entries] == [instant("2026-03-01T00:00:00Z")]
    late = instant("2026-03-01T00:00:09Z")
    books.invoice("I2", "1.00", recorded_at=late)
    assert books.out.entries[-1].recorded_at == late


def test_a_timer_that_is_past_when_it_comes_into_being_fires_with_its_event() -> None:
    books = Books(start="2026-03-01T00:00:00Z")
    result = books.payment("R1", "10.00", value_date="2026-01-05")
    assert "Alert" in {type(effect).__name__ for effect in result.effects}
    upcoming = books.fold.next_wake_micros()
    assert upcoming is None or upcoming > books.now


def test_new_buckets_are_seen_at_once_in_every_open_item() -> None:
    for committed in (False, True):
        books = Books(start="2026-03-01T00:00:00Z")
        books.invoice("I1", "1.00", document_date="2026-01-01", due_date="2026-02-09")
        books.invoice("I2", "2.00", document_date="2026-01-01", due_date="2026-04-01")
        if committed:
            books.fold.take_changes()
        assert books.buckets() == {"1-30": minor("1"), "not_due": minor("2")}
        books.reconfigure(buckets=[10, 25])
        assert books.buckets() == {"11-25": minor("1"), "not_due": minor("2")}
        assert books.transitions("I1")[-1] == ("2026-03-01", "1-30", "11-25")
        books.tick("2026-03-08T00:00:00Z")
        assert books.buckets() == {"26+": minor("1"), "not_due": minor("2")}


def test_a_new_time_zone_moves_the_midnights_of_open_items() -> None:
    books = Books(start="2026-03-01T12:00:00Z")
    books.invoice("I1", "1.00", document_date="2026-03-01", due_date="2026-03-05")
    books.reconfigure(timezone="Pacific/Auckland")
    books.tick("2026-03-05T10:59:59Z")
    assert books.transitions("I1") == []
    books.tick("2026-03-05T11:00:00Z")
    assert books.transitions("I1") == [("2026-03-06", "not_due", "1-30")]


def test_new_settings_forget_nothing_that_is_closed() -> None:
    """SEMANTICS 1.8: a reversal may still come."""
    for committed in (False, True):
        books = Books()
        books.invoice("I1", "10.00", due_date="2026-01-31")
        books.payment("R1", "10.00")
        books.apply("A1", "10.00")
        if committed:
            books.fold.take_changes()
        books.tick("2026-03-01T00:00:00Z")
        books.reconfigure(buckets=[15])
        books.tick("2026-05-01T00:00:00Z")
        assert books.reverse("R1").outcome == "applied"
        assert books.item("I1").open_minor == minor("10.00")


def test_a_tombstone_in_the_state_topic_removes_what_was_restored() -> None:
    fold = Fold()
    fold.restore("account\x1fFR01\x1fC1", b"\x92\xc0\xa0")
    fold.restore("account\x1fFR01\x1fC1", None)
    fold.restored()
    assert fold.statistics()["account"] == 0


def _fails(_: Step, __: object) -> Verdict:
    raise RuntimeError("a defect")


def _fails_after(handler: Callable[[Step, InvoiceCancelled], Verdict]) -> Callable[[Step, InvoiceCancelled], Verdict]:
    def failing(step: Step, event: InvoiceCancelled) -> Verdict:
        handler(step, event)
        raise RuntimeError("a defect")

    return failing


@pytest.mark.parametrize("failing", [_fails, _fails_after(invoices.cancel)])
def test_a_defect_costs_its_event_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, failing: Callable[[Step, InvoiceCancelled], Verdict]
) -> None:
    books, other = Books(), Books()
    for each in (books, other):
        each.invoice("I1", "10.00", due_date="2026-01-31")
        each.payment("R1", "4.00")
        each.apply("A1", "4.00")
    with monkeypatch.context() as patch:
        patch.setitem(_handlers(), InvoiceCancelled, failing)
        with pytest.raises(RuntimeError, match="a defect"):
            books.cancel("I1")
    other._events += 1
    assert books.fold.next_wake_micros() == other.fold.next_wake_micros()
    assert books.fold.take_changes() == other.fold.take_changes()
    assert books.cancel("I1").effects == other.cancel("I1").effects
    assert books.tick("2026-06-01T00:00:00Z") == other.tick("2026-06-01T00:00:00Z")


def _handlers() -> dict[object, object]:
    return HANDLERS  # type: ignore[return-value]  # handlers of any event
