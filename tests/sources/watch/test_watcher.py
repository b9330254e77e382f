"""Files that are put into a folder: each is taken once, moved on and reported, whatever happens on the way."""

import fcntl
import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pytest

from sources import Parsed, SourceError, SourceOptions, adapter
from tests.sources.watch.inbox import Inbox, invoice, lines

MAPPING = """\
source = "erp"
all.account_id = "CUSTOMER"
all.occurred_at = { template = "{DAY} 09:00:00" }
values.timestamp = "%Y-%m-%d %H:%M:%S"
values.timezone = "UTC"

[[event]]
event = "InvoiceIssued"
fields.invoice_id = "NUMBER"
fields.document_type = { constant = "invoice" }
fields.document_date = "DAY"
fields.amount = "AMOUNT"
fields.currency = "CURRENCY"
"""


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "in")


def test_a_good_file_is_processed_and_reported(inbox: Inbox) -> None:
    content = lines(invoice(1), invoice(2, currency="JPY", amount="500"), invoice(3))
    inbox.put("a.jsonl", content)
    (report,) = inbox.run()
    assert inbox.receiver.ids == [f"jsonl/FR01/InvoiceIssued/invoice/I{number}" for number in (1, 2, 3)]
    assert inbox.names() == []
    assert inbox.names("processing") == []
    assert inbox.names("processed") == ["a.jsonl", "a.jsonl.report.json"]
    assert inbox.text("processed/a.jsonl") == content
    assert inbox.report("processed/a.jsonl") == {
        "file": "a.jsonl",
        "outcome": "processed",
        "format": "jsonl",
        "company": "FR01",
        "sha256": sha256(content.encode()).hexdigest(),
        "bytes": len(content),
        "repeated_of": None,
        "events": {"InvoiceIssued": 3},
        "sums": {"InvoiceIssued": {"EUR": "21.00", "JPY": "500"}},
        "skipped": {},
        "rejected": 0,
        "rejects": [],
        "rejected_rows": None,
        "error": None,
        "taken_at": "2026-03-31T08:00:00Z",
        "finished_at": "2026-03-31T08:00:00Z",
    }
    assert report.summary() == "a.jsonl: processed, 3 events, 0 rows rejected"


def test_bad_rows_do_not_hold_up_the_good_ones_and_are_put_beside(inbox: Inbox) -> None:
    inbox.put("a.jsonl", lines(invoice(1), "{broken", invoice(2, amount="1,00", reference="4111 1111 1111 1111")))
    (report,) = inbox.run()
    assert (report.outcome, report.events, report.rejected) == ("processed", {"InvoiceIssued": 1}, 2)
    assert [(reject.line, reject.reason) for reject in report.rejects] == [(2, "malformed_json"), (3, "invalid_amount")]
    assert report.rejected_rows == "a.jsonl.rejected"
    assert inbox.names("processed") == ["a.jsonl", "a.jsonl.rejected", "a.jsonl.report.json"]
    masked = invoice(2, amount="1,00", reference="**** **** **** 1111")
    assert inbox.text("processed/a.jsonl.rejected") == lines("{broken", masked)


def test_a_file_of_which_nothing_can_be_taken_is_rejected(inbox: Inbox) -> None:
    inbox.put("a.jsonl", lines("{broken", "{broken too"))
    (report,) = inbox.run()
    assert (report.outcome, report.rejected) == ("rejected", 2)
    assert inbox.names("rejected") == ["a.jsonl", "a.jsonl.report.json"]


def test_an_extract_with_the_wrong_columns_is_rejected_whole(tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(MAPPING)
    inbox = Inbox(tmp_path / "in", adapter("csv", SourceOptions(company="FR01"), mapping))
    inbox.put("a.csv", "NUMBER,CUSTOMR,DAY,AMOUNT,CURRENCY\nA1,C1,2026-03-01,1.00,EUR\n")
    inbox.put("b.csv", "NUMBER,CUSTOMER,DAY,AMOUNT,CURRENCY\nA1,C1,2026-03-01,1.00,EUR\n")
    first, second = inbox.run()
    assert "no column 'CUSTOMER' (did you mean CUSTOMR?)" in (first.error or "")
    assert (first.outcome, second.outcome) == ("rejected", "processed")
    assert inbox.names("rejected") == ["a.csv", "a.csv.report.json"]


def test_strictly_a_file_with_any_bad_row_sends_nothing(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "in", strict=True)
    inbox.put("a.jsonl", lines(invoice(1), "{broken"))
    inbox.put("b.jsonl", lines(invoice(2)))
    first, second = inbox.run()
    assert (first.outcome, first.rejected, first.events) == ("rejected", 1, {})
    assert "--strict" in (first.error or "")
    assert (second.outcome, second.events, second.skipped) == ("processed", {"InvoiceIssued": 1}, {})
    assert inbox.receiver.ids == ["jsonl/FR01/InvoiceIssued/invoice/I2"]


def test_what_is_still_on_its_way_is_left_alone(inbox: Inbox) -> None:
    names = ["a.jsonl.tmp", "a.part", "b.filepart", "c.Partial", ".hidden.jsonl"]
    for name in names:
        inbox.put(name, lines(invoice(1)))
    (inbox.folder / "sub").mkdir()
    (inbox.folder / "sub" / "d.jsonl").write_text(lines(invoice(2)))
    assert inbox.run() == []
    assert inbox.names() == sorted(names)
    (inbox.folder / "a.jsonl.tmp").rename(inbox.folder / "a.jsonl")
    assert [report.file for report in inbox.run()] == ["a.jsonl"]


def test_a_file_is_taken_when_it_has_stopped_growing(inbox: Inbox) -> None:
    file = inbox.put("a.jsonl", "")
    running = threading.Thread(target=inbox.run, kwargs={"once": False, "settle_seconds": 0.6})
    running.start()
    for number in range(10):
        with file.open("a") as stream:
            stream.write(lines(invoice(number)))
        time.sleep(0.1)
    _wait_for(inbox, 1)
    inbox.stop.set()
    running.join(30)
    assert inbox.reports[0].events == {"InvoiceIssued": 10}


def test_a_file_that_changes_under_the_reader_goes_back(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "in")

    class Slow:
        """Reads, while its file gets another line the first time."""

        def __init__(self) -> None:
            self.turns = 0

        def check(self, stream: BinaryIO, file: str) -> None: ...

        def read(self, stream: BinaryIO, file: str) -> Iterator[Parsed]:
            yield from adapter("jsonl", SourceOptions(company="FR01")).read(stream, file)
            self.turns += 1
            if self.turns == 1:
                (place,) = (inbox.folder / "processing").glob("*/a.jsonl")
                with place.open("a") as stream_of_another:
                    stream_of_another.write(lines(invoice(2)))

    inbox = Inbox(tmp_path / "in", Slow())
    inbox.put("a.jsonl", lines(invoice(1)))
    assert inbox.run() == []
    assert "still being written" in inbox.complaints[0]
    (report,) = inbox.run()
    assert (report.file, report.events) == ("a.jsonl", {"InvoiceIssued": 2})


def test_the_same_name_and_the_same_content_may_come_again(inbox: Inbox) -> None:
    for number in (1, 1, 2):
        inbox.put("a.jsonl", lines(invoice(number)))
        inbox.run()
    assert [(report.file, report.repeated_of) for report in inbox.reports] == [
        ("a.jsonl", None),
        ("a.jsonl.2", "a.jsonl"),
        ("a.jsonl.3", None),
    ]
    assert "the same content as a.jsonl" in inbox.reports[1].summary()
    assert inbox.text("processed/a.jsonl.3") == lines(invoice(2))
    assert len(set(inbox.receiver.ids)) == 2, "what is sent again has the same ids"


def test_what_a_watcher_had_in_hand_when_it_died_is_taken_by_the_next(inbox: Inbox) -> None:
    dead = inbox.folder / "processing" / "host-1-abc"
    dead.mkdir(parents=True)
    (dead / ".lock").touch()
    (dead / "a.jsonl").write_text(lines(invoice(1)))
    inbox.put("a.jsonl", lines(invoice(2)))
    assert [report.file for report in inbox.run()] == ["a.jsonl", "a.jsonl.2"]
    assert inbox.text("processed/a.jsonl") == lines(invoice(1))
    assert inbox.names("processing") == []


def test_what_a_living_watcher_has_in_hand_is_not_touched(inbox: Inbox) -> None:
    other = inbox.folder / "processing" / "host-1-abc"
    other.mkdir(parents=True)
    (other / "a.jsonl").write_text(lines(invoice(1)))
    with (other / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert inbox.run() == []
    assert [report.file for report in inbox.run()] == ["a.jsonl"]


def test_a_crash_after_the_report_and_before_the_move_is_a_repetition(inbox: Inbox) -> None:
    inbox.put("a.jsonl", lines(invoice(1)))
    inbox.run()
    dead = inbox.folder / "processing" / "host-1-abc"
    dead.mkdir()
    (inbox.folder / "processed" / "a.jsonl").rename(dead / "a.jsonl")
    (report,) = inbox.run()
    assert (report.file, report.repeated_of) == ("a.jsonl.2", "a.jsonl")
    assert set(inbox.names("processed")) >= {"a.jsonl.report.json", "a.jsonl.2", "a.jsonl.2.report.json"}


def test_several_watchers_share_a_folder(tmp_path: Path) -> None:
    watchers = [Inbox(tmp_path / "in") for _ in range(3)]
    for number in range(60):
        watchers[0].put(f"f{number}.jsonl", lines(invoice(number)))
    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(_run_often, watcher) for watcher in watchers]
    for thread in running:
        thread.result()
    ids = [event_id for watcher in watchers for event_id in watcher.receiver.ids]
    assert sorted(ids) == sorted(f"jsonl/FR01/InvoiceIssued/invoice/I{number}" for number in range(60))
    assert len(watchers[0].names("processed")) == 120


def test_while_the_broker_is_away_files_wait_and_none_replaces_another(inbox: Inbox) -> None:
    inbox.put("a.jsonl", lines(invoice(1)))
    inbox.receiver.away = 3

    def complain(why: str) -> None:
        inbox.complaints.append(why)
        inbox.put("a.jsonl", lines(invoice(2)))  # a second delivery of that name meanwhile
        if len(inbox.complaints) == 3:
            threading.Timer(0.5, inbox.stop.set).start()

    inbox.run(complain, once=False)
    assert "did not acknowledge" in inbox.complaints[0]
    assert "Trying again" in inbox.complaints[0]
    assert [report.file for report in inbox.reports] == ["a.jsonl", "a.jsonl.2"]
    assert inbox.receiver.ids == [f"jsonl/FR01/InvoiceIssued/invoice/I{number}" for number in (1, 2)]


def test_once_ends_when_the_broker_is_away_and_the_next_run_goes_on(inbox: Inbox) -> None:
    inbox.put("a.jsonl", lines(invoice(1)))
    inbox.receiver.away = 1
    with pytest.raises(SourceError, match="did not acknowledge"):
        inbox.run()
    assert inbox.names("processed") == []
    assert [report.file for report in inbox.run()] == ["a.jsonl"]


def test_a_defect_of_an_adapter_costs_its_file_only(tmp_path: Path) -> None:
    class Defect:
        def check(self, stream: BinaryIO, file: str) -> None:
            if file.endswith("c.jsonl"):
                raise ZeroDivisionError("division by zero")

        def read(self, stream: BinaryIO, file: str) -> Iterator[Parsed]:
            yield from adapter("jsonl", SourceOptions(company="FR01")).read(stream, file)
            if file.endswith("a.jsonl"):
                raise KeyError("x")

    inbox = Inbox(tmp_path / "in", Defect())
    for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
        inbox.put(name, lines(invoice(1)))
    first, second, third = inbox.run()
    assert (first.outcome, second.outcome, third.outcome) == ("rejected", "processed", "rejected")
    assert "KeyError" in (first.error or "")
    assert "a defect of the program" in (third.error or "")


def test_a_compressed_file_is_unpacked_and_kept_as_it_came(inbox: Inbox) -> None:
    packed = gzip.compress(lines(invoice(1)).encode())
    inbox.put("a.jsonl.gz", packed)
    inbox.put("b.jsonl", packed)
    assert [(report.outcome, report.events) for report in inbox.run()] == [("processed", {"InvoiceIssued": 1})] * 2
    assert (inbox.folder / "processed" / "a.jsonl.gz").read_bytes() == packed


def test_nothing_is_taken_of_a_compressed_file_that_is_cut_off(inbox: Inbox) -> None:
    packed = gzip.compress(lines(*(invoice(number) for number in range(2000))).encode())
    inbox.put("a.jsonl.gz", packed[:-20])
    inbox.put("b.jsonl.gz", packed[:100] + b"\x00" + packed[101:])
    for report in inbox.run():
        assert (report.outcome, report.events) == ("rejected", {})
        assert "damaged or cut off" in (report.error or "")
    assert inbox.receiver.values == []


def _run_often(inbox: Inbox) -> None:
    """Watchers come and go while others work."""
    for _ in range(10):
        inbox.run()


def _wait_for(inbox: Inbox, reports: int) -> None:
    deadline = time.monotonic() + 30
    while len(inbox.reports) < reports:
        assert time.monotonic() < deadline, inbox.names()
        time.sleep(0.02)
