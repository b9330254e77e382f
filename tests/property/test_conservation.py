"""Nothing is lost and nothing appears: the ledger, the live totals and the states say the same (SEMANTICS 1.1-1.5)."""

from collections import defaultdict
from itertools import groupby

from hypothesis import given

from jobs.aging import CREDIT, INVOICE, ON_ACCOUNT
from jobs.as_of import age, open_lines
from jobs.collectible import UNAPPLIED
from jobs.effects import LedgerEntry
from jobs.events import ClockTicked
from jobs.values import Day
from tests.jobs.examples import examples
from tests.property.histories import ACCOUNTS, COMPANIES, History, first_day, histories
from tests.property.playing import Play

SETTINGS = {settings.code: settings for settings in COMPANIES}
CURRENCIES = ("EUR", "JPY", "KWD")


def _days(play: Play) -> list[Day]:
    days = {entry.effective_date for entry in play.out.entries}
    return sorted({first_day(), *days, *(Day(on - 1) for on in days), *(Day(on + 1) for on in days)})


def _sums(entries: list[LedgerEntry], as_of: Day) -> dict[tuple[str, str, str], int]:
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for entry in entries:
        if entry.effective_date <= as_of:
            sums[entry.company, entry.account_id, entry.currency] += entry.delta_minor
    return sums


def at_every_date_the_columns_add_up_to_the_open_items(play: Play) -> None:
    for as_of in _days(play):
        sums = _sums(play.out.entries, as_of)
        lines = open_lines(play.out.entries, as_of)
        for company, account in ACCOUNTS:
            for currency in CURRENCIES:
                own = {
                    line: amount
                    for line, amount in lines.items()
                    if (line.company, line.account_id, line.currency) == (company, account, currency)
                }
                for mode in ("separate", "own_date", "oldest_first"):
                    report = age(own, as_of, SETTINGS[company].aging, mode)
                    assert report.reconciliation_gap == 0
                    assert report.total == sums[company, account, currency]


def the_live_totals_are_the_as_of_report_of_the_clocks_day(play: Play) -> None:
    clock = play.fold.clock_micros
    assert clock is not None
    for company, account in ACCOUNTS:
        settings = SETTINGS[company]
        today = settings.calendar.day(clock)
        lines = open_lines(play.out.entries, today)
        for currency in CURRENCIES:
            report = age(
                {
                    line: amount
                    for line, amount in lines.items()
                    if (line.company, line.account_id, line.currency) == (company, account, currency)
                },
                today,
                settings.aging,
            )
            live = play.out.live.get((account, currency))
            if live is None:
                assert not any(report.buckets.values())
                assert report.total == 0
                continue
            assert dict(zip(live.buckets, live.bucket_minor, strict=True)) == report.buckets
            assert (live.unapplied_minor, live.on_account_minor, live.credits_minor) == (
                report.unapplied, report.on_account, report.credits,
            )  # fmt: skip
            assert live.total_minor == report.total


def the_open_amount_of_every_item_and_receipt_is_the_sum_of_its_entries(play: Play) -> None:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    instalments: dict[tuple[str, str, int], int] = defaultdict(int)
    for entry in play.out.entries:
        sums[entry.item_type, entry.item_id] += entry.delta_minor
        instalments[entry.item_type, entry.item_id, entry.instalment] += entry.delta_minor
    for (document_type, document_id), item in play.out.items.items():
        assert item.open_minor == sums[document_type, document_id]
        for part in item.instalments:
            assert part.open_minor == instalments[document_type, document_id, part.number]
    for payment_id, receipt in play.out.receipts.items():
        if receipt.account_id:
            assert receipt.unapplied_minor == -sums["payment", payment_id]


def counting_everything_recorded_nothing_falls_below_zero(play: Play) -> None:
    """SEMANTICS 4.4: more than is open or left is rejected."""
    for (document_type, _), item in play.out.items.items():
        if document_type == "credit_memo":
            assert item.amount_minor <= item.open_minor <= 0
        else:
            assert item.open_minor >= 0
            assert all(part.open_minor >= 0 for part in item.instalments)
        assert (item.status == "open") == (item.open_minor != 0)
        assert 0 <= item.disputed_minor <= max(0, item.open_minor)
    for receipt in play.out.receipts.values():
        assert min(receipt.unapplied_minor, receipt.applied_minor, receipt.refunded_minor) >= 0
        if receipt.status not in {"reversed", "identified"}:
            assert receipt.unapplied_minor + receipt.applied_minor + receipt.refunded_minor == receipt.amount_minor


def a_move_between_places_is_a_pair_that_nets_to_zero(play: Play) -> None:
    for (_, entry_type, day), group in groupby(
        (entry for entry in play.out.entries if entry.entry_type in {"due_date_change", "on_account"}),
        key=lambda entry: (entry.event_id, entry.entry_type, entry.effective_date),
    ):
        assert sum(entry.delta_minor for entry in group) == 0, (entry_type, day)


def invoices_stand_in_buckets_and_cash_in_columns_of_its_own(play: Play) -> None:
    classes = {
        "invoice": {INVOICE},
        "debit_memo": {INVOICE},
        "credit_memo": {CREDIT},
        "payment": {UNAPPLIED, ON_ACCOUNT},
    }
    for entry in play.out.entries:
        assert entry.balance_class in classes[entry.item_type]
        assert entry.delta_minor != 0


@examples(40)
@given(histories(crossing=False))
def test_every_cause_moves_as_much_out_of_its_source_as_off_its_invoice(history: History) -> None:
    """Double entry: an application and its way back are zero-sum within the account, apart from small balances."""
    play = Play().all(history.log)
    sums: dict[tuple[str, str | None], int] = defaultdict(int)
    for entry in play.out.entries:
        if entry.entry_type in {"application", "unapplication"}:
            sums[entry.event_id, entry.cause_id] += entry.delta_minor
    assert not any(sums.values())


def entries_of_an_event_are_numbered_from_one(play: Play) -> None:
    for _, _, effects in play.steps:
        numbers = [effect.entry_number for effect in effects if hasattr(effect, "entry_number")]
        assert numbers == list(range(1, len(numbers) + 1))


# Playing a history costs more than looking at it, so every history is looked at in every way.
LAWS = (
    the_live_totals_are_the_as_of_report_of_the_clocks_day,
    at_every_date_the_columns_add_up_to_the_open_items,
    the_open_amount_of_every_item_and_receipt_is_the_sum_of_its_entries,
    counting_everything_recorded_nothing_falls_below_zero,
    a_move_between_places_is_a_pair_that_nets_to_zero,
    invoices_stand_in_buckets_and_cash_in_columns_of_its_own,
    entries_of_an_event_are_numbered_from_one,
)


@examples(60)
@given(histories())
def test_every_law_holds_of_every_history(history: History) -> None:
    play = Play()
    for event in history.log:
        play.take(event)
        if isinstance(event, ClockTicked):
            the_live_totals_are_the_as_of_report_of_the_clocks_day(play)
    for law in LAWS:
        law(play)
