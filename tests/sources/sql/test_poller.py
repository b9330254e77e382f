"""A polled table in SQLite: every version of a row once in effect, whatever the order of commits and restarts."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from sources import Parsed, SourceError
from sources.sql import MemoryPositions, PollPosition, Round
from tests.sources.sql.tables import COLUMNS, MAPPING, NOW, POLL, Log, Table, configured, poller

REFUNDS = (
    MAPPING.partition('[[event]]\nevent = "PaymentReceived"')[0]
    + '[[event]]\nevent = "PaymentRefunded"\n[event.fields]\noccurred_at = "changed"\npayment_id = "number"\n'
    + 'amount = "amount"\n'
)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """An empty table."""
    return Table(tmp_path)


def test_rows_become_the_events_that_an_extract_would_give(tmp_path: Path, table: Table) -> None:
    table.put("I1", "2026-03-01 10:00:00", amount=1234.56)
    table.put("I2", "2026-03-02 10:00:00", paid_on="2026-03-20")
    table.put("I3", "2026-03-02 10:00:00", status="draft")
    log = Log()
    done = poller(configured(tmp_path), table.url, log.deliver).poll()
    assert done == Round(read=3, sent=3, repeated=0)
    events = list(log.in_effect().values())
    assert [event["event"] for event in events] == ["InvoiceIssued", "InvoiceIssued", "PaymentReceived"]
    assert events[0] == {
        "event": "InvoiceIssued", "event_id": events[0]["event_id"], "company": "FR01", "account_id": "C1",
        "occurred_at": "2026-03-01T08:12:00Z", "recorded_at": events[0]["recorded_at"], "region": "",
        "invoice_id": "I1", "document_type": "invoice", "document_date": "2026-03-01", "amount": "1234.56",
        "currency": "EUR", "source": "erp", "actor_id": "erp", "actor_role": "system",
    }  # fmt: skip
    assert events[0]["event_id"].startswith("erp/FR01/InvoiceIssued/invoice/I1@")


def test_what_was_sent_is_not_sent_again_while_the_process_lives(tmp_path: Path, table: Table) -> None:
    table.put("I1", "2026-03-01 10:00:00")
    log = Log()
    polling = poller(configured(tmp_path), table.url, log.deliver)
    assert polling.poll() == Round(read=1, sent=1)
    assert polling.poll() == Round(read=1, repeated=1)
    table.put("I1", "2026-03-01 10:00:05")  # touched, but nothing that the mapping looks at
    assert polling.poll() == Round(read=1, repeated=1)
    table.put("I2", "2026-03-01 10:00:05")
    assert polling.poll() == Round(read=2, sent=1, repeated=1)
    assert len(log.events) == 2


def test_a_restart_reads_the_overlap_again_under_the_same_ids(tmp_path: Path, table: Table) -> None:
    for number in range(7):
        table.put(f"I{number}", f"2026-03-01 10:0{number}:00")
    log, positions, config = Log(), MemoryPositions(), configured(tmp_path)
    poller(config, table.url, log.deliver, positions).poll()
    table.put("I7", "2026-03-01 10:07:00")
    again = poller(config, table.url, log.deliver, positions).poll()
    assert again == Round(read=7, sent=7)  # those of the five minutes before 10:06, and the new one
    assert len(log.events) == 14
    assert len(log.in_effect()) == 8


def test_a_transaction_that_committed_late_is_found_within_the_overlap(tmp_path: Path, table: Table) -> None:
    log, positions, config = Log(), MemoryPositions(), configured(tmp_path)
    table.put("I2", "2026-03-01 10:04:00")
    polling = poller(config, table.url, log.deliver, positions)
    polling.poll()
    table.put("I1", "2026-03-01 10:00:00")  # began before, committed after
    assert polling.poll() == Round(read=2, sent=1, repeated=1)
    table.put("I0", "2026-03-01 09:58:59")  # further back than the overlap
    assert polling.poll() == Round(read=2, repeated=2)
    assert [number for number, _ in log.invoices()] == ["I2", "I1"]


def test_a_changed_amount_is_another_event_of_the_same_document(tmp_path: Path, table: Table) -> None:
    log = Log()
    polling = poller(configured(tmp_path), table.url, log.deliver)
    for amount in (100, 90):
        table.put("I1", f"2026-03-01 10:00:{amount % 60:02}", amount=amount)
        polling.poll()
    assert log.invoices() == [("I1", "100"), ("I1", "90")] or log.invoices() == [("I1", "100.00"), ("I1", "90.00")]


def test_a_row_of_the_far_future_does_not_hide_what_comes_after_it(tmp_path: Path, table: Table) -> None:
    log, positions, config = Log(), MemoryPositions(), configured(tmp_path)
    table.put("I1", "2099-01-01 00:00:00")
    polling = poller(config, table.url, log.deliver, positions)
    polling.poll()
    table.put("I2", "2026-03-10 12:59:00")
    polling.poll()
    assert [number for number, _ in log.invoices()] == ["I1", "I2"]
    assert positions.position is not None
    assert positions.position.watermark == "2026-03-10 13:00:00"  # now, in the zone of the mapping


def test_rows_of_the_hour_that_comes_twice_are_found(tmp_path: Path, table: Table) -> None:
    """At the end of summer time 02:59 is followed by 02:00, so newer rows have older watermarks."""
    autumn = POLL.replace("batch_rows", "overlap = 60\nbatch_rows")
    log, config = Log(), configured(tmp_path, autumn)
    now = datetime(2026, 10, 26, tzinfo=NOW.tzinfo)
    polling = poller(config, table.url, log.deliver)
    polling._now = lambda: now
    table.put("I1", "2026-10-25 02:59:00")
    polling.poll()
    table.put("I2", "2026-10-25 02:00:30")
    polling.poll()
    table.put("I3", "2026-10-25 03:05:00")
    polling.poll()
    assert [number for number, _ in log.invoices()] == ["I1", "I2", "I3"]
    assert polling.poll() == Round(read=1, repeated=1)  # and from then on only the overlap is read


def test_whole_numbers_are_a_watermark_and_the_overlap_counts_them(tmp_path: Path) -> None:
    table = Table(tmp_path, COLUMNS.replace("changed text", "changed integer"))
    log, positions = Log(), MemoryPositions()
    config = configured(tmp_path, POLL + "overlap = 10\n")
    polling = poller(config, table.url, log.deliver, positions)
    for number in (101, 105, 103, 96, 94):
        table.put(f"I{number}", number)
        polling.poll()
    assert [number for number, _ in log.invoices()] == ["I101", "I105", "I103", "I96"]
    assert positions.position is not None
    assert positions.position.watermark == 105


def test_many_rows_of_one_watermark_are_read_page_by_page(tmp_path: Path, table: Table) -> None:
    for number in range(10):
        table.put(f"I{number}", "2026-03-01 10:00:00")
    log = Log()
    assert poller(configured(tmp_path), table.url, log.deliver).poll() == Round(read=10, sent=10)
    assert log.batches == 4


def test_a_query_may_stand_for_a_table_and_names_are_found_in_any_case(tmp_path: Path, table: Table) -> None:
    query = (
        "select number as NUMBER, customer, status, issued, amount, currency, paid_on, entered, changed "
        "from ar_invoices;"
    )
    table.put("I1", "2026-03-01 10:00:00")
    log = Log()
    config = configured(tmp_path, POLL.replace('table = "ar_invoices"', f'query = "{query}"'))
    poller(config, table.url, log.deliver).poll()
    assert [number for number, _ in log.invoices()] == ["I1"]


def test_bad_rows_are_rejected_with_the_row_and_the_others_are_sent(tmp_path: Path, table: Table) -> None:
    table.put("I1", "2026-03-01 10:00:00", amount="12,50")
    table.put("I2", "2026-03-01 10:00:01", amount=0.1 + 0.2)
    table.put("I3", "2026-03-01 10:00:02", issued=b"\0")
    table.put("I4", "2026-03-01 10:00:03")
    log = Log()
    poller(configured(tmp_path), table.url, log.deliver).poll()
    assert [(str(one.position), one.reason) for one in log.rejects] == [
        ("invoices:0 (amount)", "invalid_amount"),
        ("invoices:0 (amount)", "inexact_value"),
        ("invoices:0 (issued)", "invalid_value"),
    ]
    assert [one.message.partition(":")[0] for one in log.rejects] == ["row number I1", "row number I2", "row number I3"]
    assert json.loads(log.rejects[0].original)["amount"] == "12,50"
    assert [number for number, _ in log.invoices()] == ["I4"]


def test_rows_without_a_watermark_are_counted(tmp_path: Path, table: Table) -> None:
    table.put("I1", None)
    table.put("I2", "2026-03-01 10:00:01")
    log = Log()
    polling = poller(configured(tmp_path), table.url, log.deliver)
    assert polling.poll() == Round(read=1, sent=1)
    assert polling.rows_without_watermark() == 1


def test_an_unacknowledged_batch_keeps_the_position_where_it_was(tmp_path: Path, table: Table) -> None:
    for number in range(6):
        table.put(f"I{number}", f"2026-03-01 10:0{number}:00")
    log, positions, config = Log(), MemoryPositions(), configured(tmp_path)

    def broken(values: Sequence[Parsed]) -> bool:
        if log.batches == 1:
            raise SourceError("the broker did not acknowledge")
        return log.deliver(values)

    with pytest.raises(SourceError, match="did not acknowledge"):
        poller(config, table.url, broken, positions).poll()
    assert positions.position is not None
    assert positions.position.watermark == "2026-03-01 10:02:00"
    poller(config, table.url, log.deliver, positions).poll()
    assert len(log.invoices()) == 6


def test_a_poll_that_is_asked_to_end_while_it_sends_keeps_nothing_of_the_page(tmp_path: Path, table: Table) -> None:
    for number in range(6):
        table.put(f"I{number}", f"2026-03-01 10:0{number}:00")
    positions, answers = MemoryPositions(), iter([False, True])
    polling = poller(configured(tmp_path), table.url, lambda values: next(answers), positions)
    assert polling.poll() == Round()
    assert positions.position is None
    assert next(answers)  # the second page was not tried


def test_a_position_never_goes_back(tmp_path: Path, table: Table) -> None:
    """Not even while the overlap is read again, page by page: a process that ends then would go back ever further."""
    for number in range(8):
        table.put(f"I{number}", f"2026-03-01 10:0{number}:00")
    config, kept = configured(tmp_path), History()
    poller(config, table.url, Log().deliver, kept).poll()
    table.put("late", "2026-03-01 10:04:30")
    poller(config, table.url, Log().deliver, kept).poll()
    watermarks = [str(position.watermark) for position in kept.written]
    assert watermarks == sorted(watermarks)
    assert watermarks[-1] == "2026-03-01 10:07:00"


class History(MemoryPositions):
    """Positions that remember all that was ever written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[PollPosition] = []

    def write(self, position: PollPosition) -> None:
        """Keep it."""
        super().write(position)
        self.written.append(position)


def test_what_is_remembered_is_bounded_and_the_rest_is_sent_again(tmp_path: Path, table: Table) -> None:
    for number in range(6):
        table.put(f"I{number}", "2026-03-01 10:00:00")
    log = Log()
    polling = poller(configured(tmp_path), table.url, log.deliver, remembered_max=4)
    polling.poll()
    assert polling.poll() == Round(read=6, sent=2, repeated=4)
    assert len(log.in_effect()) == 6


@pytest.mark.parametrize(
    ("poll", "mapping", "words"),
    [
        (POLL.replace("changed", "chnaged"), MAPPING, "chnaged"),
        (POLL.replace('"number"', '"no"'), MAPPING, "no"),
        (POLL, MAPPING.replace('"issued"', '"isued"'), "invoices has no column 'isued' (did you mean issued?)"),
        (POLL.replace("ar_invoices", "invoices"), MAPPING, "no such table: invoices"),
        (POLL, MAPPING.replace("InvoiceIssued", "InvoiceIsued"), "there is no event InvoiceIsued"),
        (POLL.replace('company = "FR01"\n', ""), MAPPING, "maps no company"),
        (POLL, REFUNDS, "PaymentRefunded: occurred_at is part of its id, and changed changes whenever"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_sent(
    tmp_path: Path, table: Table, poll: str, mapping: str, words: str
) -> None:
    table.put("I1", "2026-03-01 10:00:00")
    log = Log()
    with pytest.raises(SourceError) as raised:
        poller(configured(tmp_path, poll), table.url, log.deliver, mapping=mapping).poll()
    assert words in raised.value.message
    assert log.values == []


def test_a_position_of_another_table_is_not_taken(tmp_path: Path, table: Table) -> None:
    table.put("I1", "2026-03-01 10:00:00")
    log, positions = Log(), MemoryPositions()
    poller(configured(tmp_path), table.url, log.deliver, positions).poll()
    other = configured(tmp_path, POLL.replace('"number"', '"number", "customer"'))
    with pytest.raises(SourceError, match="is that of another table, query, key or watermark"):
        poller(other, table.url, log.deliver, positions).poll()


def test_an_empty_key_is_refused(tmp_path: Path, table: Table) -> None:
    table.put("I1", "2026-03-01 10:00:00", customer=None)
    config = configured(tmp_path, POLL.replace('"number"', '"customer"'))
    with pytest.raises(SourceError, match=r"a row of invoices has an empty key \(customer\)"):
        poller(config, table.url, Log().deliver).poll()


@pytest.mark.parametrize("batch_rows", [1, 3, 10])
def test_a_key_that_is_not_unique_is_refused(tmp_path: Path, table: Table, batch_rows: int) -> None:
    """Of two rows of one place in the order the second would be lost between two pages."""
    for customer in ("C1", "C2"):
        table.run(
            "insert into ar_invoices values ('I1', :customer, 'posted', '2026-03-01', 1, 'EUR', null, "
            "'2026-03-01 09:00:00', '2026-03-01 10:00:00')",
            customer=customer,
        )
    config = configured(tmp_path, POLL.replace("batch_rows = 3", f"batch_rows = {batch_rows}"))
    with pytest.raises(SourceError, match="two rows of invoices have the key I1"):
        poller(config, table.url, Log().deliver).poll()


@pytest.mark.parametrize(
    ("poll", "line", "words"),
    [
        (POLL.replace("watermark", "watermrk"), 6, "unknown key watermrk (did you mean watermark?)"),
        (POLL + 'query = "select 1"\n', 1, "give either table or query"),
        (POLL + 'timezone = "Paris"\n', 8, "is not an IANA time zone"),
        (POLL.replace('["number"]', "[]"), 5, "key: "),
    ],
)
def test_errors_of_the_configuration_name_the_line(tmp_path: Path, poll: str, line: int, words: str) -> None:
    with pytest.raises(SourceError) as raised:
        configured(tmp_path, poll)
    assert f"poll.toml:{line}: " in raised.value.message
    assert words in raised.value.message


def test_the_position_is_written_again_for_kafka_not_to_forget_it(tmp_path: Path, table: Table) -> None:
    table.put("I1", "2026-03-01 10:00:00")
    positions = MemoryPositions()
    polling = poller(configured(tmp_path), table.url, Log().deliver, positions)
    polling.keep_position()
    assert positions.position is None  # nothing has been read, so there is nothing to keep
    polling.poll()
    kept, positions.position = positions.position, None
    polling.keep_position()
    assert positions.position == kept
