"""The sample company's months, replayed in order: files through the real adapters, and the clock between them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from avro import contracts
from jobs import CompanySettings
from jobs.values import Day, Instant, moment_of
from pipeline.errors import Problem
from pipeline.log_writer import LogWriter
from pipeline.settings import Settings
from sources.formats import adapter
from sources.intake import SourceOptions
from sources.publisher import Publisher
from sources.values import ParsedEvent, SourceReject
from topics import EVENTS, catalogue

_RATE = "ExchangeRateSet"
# File, format, mapping. The order is that of what happens at the same instant: a document before its cash.
_FILES = (
    ("invoices.csv", "csv", "invoices.toml"),
    ("cash.csv", "csv", "cash.toml"),
    ("activity.jsonl", "jsonl", None),
)


@dataclass
class Progress:
    """How far the replay is. Written by the thread that feeds, read by the one that shows."""

    now: Instant | None = None
    read: int = 0
    sent: int = 0
    ticks: int = 0
    read_seconds: float = 0.0
    sent_seconds: float = 0.0
    finished: bool = False


def read_samples(folder: Path, companies: list[str]) -> list[ParsedEvent]:
    """All events of the sample files in the order in which they were entered. Raises Problem for a bad row."""
    events: list[ParsedEvent] = []
    for company in companies:
        for name, form, mapping in _FILES:
            file = folder / company / name
            if not file.exists():
                raise Problem(f"the sample file {file} is missing", "Run the demo in a checkout of the project")
            options = SourceOptions(company=company)
            reader = adapter(form, options, None if mapping is None else folder / company / mapping)
            with file.open("rb") as stream:
                for value in reader.read(stream, str(file)):
                    if isinstance(value, SourceReject):
                        raise Problem(f"{value.position}: {value.message}", "Run `python examples/generate.py` again")
                    if isinstance(value, ParsedEvent):
                        events.append(value)
    return sorted(events, key=lambda event: int(event.record["recorded_at"]))


def midnights(first: Instant, last: Instant, companies: list[CompanySettings]) -> Iterator[Instant]:
    """The companies' local midnights between two instants, ascending, and the end itself."""
    found: set[Instant] = set()
    for company in companies:
        day = company.calendar.day(first)
        while (instant := company.calendar.midnight(Day(day + 1))) <= last:
            found.add(instant)
            day = Day(day + 1)
    return chain(sorted(found), [last])


class Feed:
    """Writes events and ticks in the order of time, and notes how far it is."""

    def __init__(self, settings: Settings, events: list[ParsedEvent], companies: list[CompanySettings]) -> None:
        self.progress = Progress(read=len(events))
        self._rates = [event for event in events if event.name == _RATE]
        self._events = [event for event in events if event.name != _RATE]
        self._companies = companies
        prefix = settings.kafka.topic_prefix
        self._publisher = Publisher(settings.kafka.client_config(), topic_prefix=prefix)
        self._topic = catalogue(prefix)[EVENTS]
        self._writer = LogWriter(settings.kafka.client_config(), self._topic)
        self._encode = contracts().encode

    def run(
        self, end: Instant, closes: list[Instant], settled: Callable[[], None], stopped: Callable[[], bool]
    ) -> None:
        """Replay everything up to `end`; `stopped` is asked between two midnights. Raises Problem.

        At each of `closes` a report is given: before the clock passes it, `settled` waits until everything recorded
        so far has been applied. Months pass in seconds here, and an event that hops between accounts would otherwise
        be known days late.
        """
        started = time.monotonic()
        self._publisher.connect()
        # Rates concern no account and have a topic of their own, so they may come before everything else.
        self.progress.sent += self._publisher.publish(self._rates)
        position = 0
        first = Instant(int(self._events[0].record["recorded_at"]))
        for instant in sorted({*midnights(first, end, self._companies), *(close for close in closes if close < end)}):
            while position < len(self._events) and self._events[position].record["recorded_at"] <= instant:
                self._write(self._events[position])
                position += 1
            self._writer.tick(instant)
            self.progress.ticks += self._topic.partitions
            self.progress.now = instant
            self.progress.sent_seconds = time.monotonic() - started
            if stopped():
                return
            if instant in closes:
                self._writer.flush()
                settled()
        self._writer.flush()
        self.progress.finished = True

    def _write(self, event: ParsedEvent) -> None:
        record = event.record
        self._writer.write(event.name, record["company"], record["account_id"], self._encode(event.name, record))
        self.progress.sent += 1


def end_of(events: list[ParsedEvent], companies: list[CompanySettings]) -> Instant:
    """An instant on the day after the last event, when that day has begun for every company."""
    last = Instant(int(events[-1].record["recorded_at"]))
    return max(company.calendar.midnight(Day(company.calendar.day(last) + 1)) for company in companies)


def date_text(instant: Instant) -> str:
    """The date of an instant, in UTC."""
    return moment_of(instant).date().isoformat()
