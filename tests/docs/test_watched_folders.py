"""The page on watched folders: its file gives its report."""

import json
from pathlib import Path

from tests.docs.pages import DOCS, blocks
from tests.sources.watch.inbox import Inbox


def test_the_file_of_the_page_gives_the_report_that_it_shows(tmp_path: Path) -> None:
    given, shown = (block.text for block in blocks(DOCS / "sources" / "watched-folders.md") if block.language == "json")
    inbox = Inbox(tmp_path / "in")
    inbox.put("monday.jsonl", given)
    inbox.run()
    assert inbox.report("processed/monday.jsonl") == json.loads(shown)
    assert inbox.text("processed/monday.jsonl.report.json") == shown
