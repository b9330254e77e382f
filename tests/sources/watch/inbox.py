"""A watched folder, and what goes on in it, without a broker: values arrive in a list."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from sources import Adapter, Parsed, ParsedEvent, SourceError, SourceOptions, adapter
from sources.watch import FileReport, FileTaker, WatchedFolder, Watcher, WatchOptions

NOW = datetime(2026, 3, 31, 8, tzinfo=UTC)


def invoice(number: int, **changes: object) -> dict[str, Any]:
    """A written invoice."""
    return {
        "event": "InvoiceIssued",
        "occurred_at": "2026-03-01T09:00:00Z",
        "account_id": "C1",
        "invoice_id": f"I{number}",
        "document_date": "2026-03-01",
        "amount": "10.50",
        "currency": "EUR",
        **changes,
    }


def lines(*documents: dict[str, Any] | str) -> str:
    """A file of JSON lines."""
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in documents)


class Receiver:
    """Takes values as a broker would. While `away`, it takes some and then says that it cannot."""

    def __init__(self) -> None:
        self.values: list[Parsed] = []
        self.away = 0

    def publish(self, values: Iterable[Parsed]) -> int:
        """Keep the values."""
        taken = list(values)
        if self.away:
            self.away -= 1
            raise SourceError("the broker did not acknowledge 1 of 1 records", "Run the same command again")
        self.values += taken
        return len(taken)

    @property
    def ids(self) -> list[str]:
        """Ids of the events."""
        return [value.record["event_id"] for value in self.values if isinstance(value, ParsedEvent)]


class Inbox:
    """The folder with a watcher that runs on request."""

    def __init__(self, folder: Path, reader: Adapter | None = None, *, strict: bool = False) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.receiver = Receiver()
        self.reports: list[FileReport] = []
        self.complaints: list[str] = []
        self.stop = Event()
        self._reader = reader or adapter("jsonl", SourceOptions(company="FR01"))
        self._strict = strict

    def put(self, name: str, content: str | bytes) -> Path:
        """Deliver a file."""
        file = self.folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def run(self, complain: Callable[[str], None] | None = None, **options: Any) -> list[FileReport]:
        """Take what is there; the reports of this run."""
        chosen = WatchOptions(
            **{"settle_seconds": 0.0, "retry_seconds": 0.01, "interval_seconds": 0.01, "once": True, **options}
        )
        before = len(self.reports)
        with WatchedFolder(self.folder) as watched:
            taker = FileTaker("jsonl", self._reader, "FR01", strict=self._strict, now=lambda: NOW)
            complain = complain or self.complaints.append
            Watcher(watched, taker, lambda: self.receiver, chosen, self._tell, complain, self.stop).run()
        return self.reports[before:]

    def _tell(self, report: FileReport) -> None:
        self.reports.append(report)

    def names(self, below: str = "") -> list[str]:
        """Names of the files in a part of the folder."""
        return sorted(file.name for file in (self.folder / below).iterdir() if below or not file.is_dir())

    def text(self, name: str) -> str:
        """Content of a file below the folder."""
        return (self.folder / name).read_text()

    def report(self, name: str) -> dict[str, Any]:
        """A report as it stands in the folder."""
        found: dict[str, Any] = json.loads(self.text(f"{name}.report.json"))
        return found
