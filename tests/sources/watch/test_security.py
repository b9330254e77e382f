"""What somebody may put into a watched folder to get at other files, at memory, or at the watcher."""

import errno
import gzip
import os
import tracemalloc
from pathlib import Path

import pytest

from sources import SourceError
from sources.compressed import ALWAYS_ALLOWED_BYTES
from sources.watch import WatchedFolder
from sources.watch.folder import safe_name
from tests.sources.watch.inbox import Inbox, invoice, lines

GIBIBYTE = 1 << 30
OUTSIDE = "the family silver"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "in")


def test_links_are_not_followed(inbox: Inbox, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_text(lines(invoice(1, reference=OUTSIDE)))
    (inbox.folder / "a.jsonl").symlink_to(outside)
    (inbox.folder / "b.jsonl").symlink_to("../outside.jsonl")
    (inbox.folder / "c.jsonl").symlink_to(tmp_path)  # a folder
    (inbox.folder / "d.jsonl").symlink_to("nowhere")
    reports = inbox.run()
    assert [report.outcome for report in reports] == ["rejected"] * 4
    assert all("symbolic link" in (report.error or "") for report in reports)
    assert inbox.receiver.values == []
    assert outside.read_text() == lines(invoice(1, reference=OUTSIDE))
    for report in (inbox.folder / "rejected").glob("*.report.json"):
        assert OUTSIDE not in report.read_text()


@pytest.mark.parametrize("part", ["processing", "processed", "rejected"])
def test_a_part_of_the_folder_that_leads_elsewhere_is_refused(inbox: Inbox, tmp_path: Path, part: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (inbox.folder / part).symlink_to(elsewhere)
    inbox.put("a.jsonl", lines(invoice(1)))
    with pytest.raises(SourceError, match="is a link, or no folder"):
        inbox.run()
    assert list(elsewhere.iterdir()) == []
    assert inbox.names() == ["a.jsonl", part] if (inbox.folder / part).is_file() else ["a.jsonl"]


def test_a_place_in_processing_that_leads_elsewhere_is_passed_over(inbox: Inbox, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.jsonl").write_text(lines(invoice(1)))
    (inbox.folder / "processing").mkdir()
    (inbox.folder / "processing" / "host-1-abc").symlink_to(elsewhere)
    assert inbox.run() == []
    assert (elsewhere / "a.jsonl").exists()


def test_pipes_do_not_hold_up_the_watcher(inbox: Inbox) -> None:
    os.mkfifo(inbox.folder / "a.jsonl")
    inbox.put("b.jsonl", lines(invoice(1)))
    first, second = inbox.run()
    assert (first.outcome, first.error) == ("rejected", "it is not an ordinary file")
    assert second.outcome == "processed"


def test_names_that_cannot_be_told_are_rejected_under_one_that_can(inbox: Inbox) -> None:
    for name in (b"new\nline.jsonl", b"bell\x07.jsonl", b"latin-\xe9.jsonl"):
        (inbox.folder / os.fsdecode(name)).write_text(lines(invoice(1)))
    assert [report.outcome for report in inbox.run()] == ["rejected"] * 3
    assert [name for name in inbox.names("rejected") if not name.endswith(".json")] == [
        "bell_.jsonl",
        "latin-?.jsonl",
        "new_line.jsonl",
    ]


def test_long_names_leave_room_for_the_report(inbox: Inbox) -> None:
    inbox.put("é" * 120 + ".jsonl", lines(invoice(1), "{broken"))
    inbox.put("n" * 255, lines(invoice(2)))
    assert [report.outcome for report in inbox.run()] == ["processed"] * 2
    assert all(len(name.encode()) <= 255 for name in inbox.names("processed"))


def test_a_name_leads_nowhere() -> None:
    assert safe_name("..") == "file"
    assert safe_name("...a") == "a"
    assert safe_name("a\x00b") == "a_b"


def test_a_bomb_is_not_unpacked(inbox: Inbox) -> None:
    bomb = gzip.compress(bytes(ALWAYS_ALLOWED_BYTES + 1), compresslevel=9)
    assert len(bomb) * 200 < ALWAYS_ALLOWED_BYTES
    inbox.put("a.jsonl.gz", bomb)
    inbox.put("b.zip", b"PK\x03\x04" + bytes(100))
    first, second = inbox.run()
    assert "unpacks to more than 67,108,864 bytes" in (first.error or "")
    assert "is a ZIP archive" in (second.error or "")
    assert inbox.receiver.values == []


def test_a_line_of_a_gigabyte_costs_one_reject_and_little_memory(inbox: Inbox) -> None:
    file = inbox.put("a.jsonl", lines(invoice(1)))
    with file.open("r+b") as stream:
        stream.seek(0, os.SEEK_END)
        stream.truncate(stream.tell() + GIBIBYTE)  # a hole in the file: it takes no room
    tracemalloc.start()
    try:
        (report,) = inbox.run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.outcome, report.events, report.rejected) == ("processed", {"InvoiceIssued": 1}, 1)
    assert (report.rejects[0].line, report.rejects[0].reason) == (2, "line_too_long")
    assert peak < 16 * 1024 * 1024
    assert (inbox.folder / "processed" / "a.jsonl.rejected").stat().st_size <= 4097


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(inbox: Inbox, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no folder"):
        WatchedFolder(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="is not a folder"):
        WatchedFolder(inbox.put("a.jsonl", ""))
    (inbox.folder / "processed").write_text("")
    with pytest.raises(SourceError, match="processed: File exists"):
        inbox.run()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "Make room"), (errno.EACCES, "must be allowed"), (errno.EXDEV, "on one file system")],
)
def test_what_the_file_system_refuses_says_what_to_do(inbox: Inbox, number: int, words: str) -> None:
    with WatchedFolder(inbox.folder) as watched, pytest.raises(SourceError, match=words), watched.clear_errors():
        raise OSError(number, os.strerror(number), "a.jsonl")
