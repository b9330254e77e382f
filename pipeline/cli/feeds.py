"""What the running feeds share, `arrears stream` and `arrears poll`: their settings, their end, their report."""

import json
import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from avro.text import write_event
from pipeline.cli import load_settings
from pipeline.cli.registry import use_registry
from pipeline.companies import read_companies
from pipeline.errors import Problem
from pipeline.health import Health
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from sources import Parsed, ParsedEvent, Publisher, SourceReject, Tally
from sources.delivery import Delivery
from sources.redaction import Redactor

logger = logging.getLogger(__name__)

REJECTS_SHOWN_MAX = 20


class Ending:
    """Whether the feed was asked to end. A first SIGTERM or Ctrl-C asks, a second one ends the process at once."""

    def __init__(self) -> None:
        self._asked = False
        self._then: Callable[[], None] = lambda: None

    def listen(self, then: Callable[[], None] = lambda: None) -> None:
        """Call `then` when it is asked for the first time."""
        self._then = then
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def __call__(self) -> bool:
        """Whether it was asked."""
        return self._asked

    def ask(self) -> None:
        """Ask the feed to end."""
        self._asked = True
        self._then()

    def _on_signal(self, *_: object) -> None:
        if self._asked:
            os._exit(130)
        self.ask()


class Sender:
    """Sends batches to the broker and counts what was acknowledged."""

    def __init__(
        self, settings: Settings, redactor: Redactor, health: Health, ending: Ending, *, patient: bool
    ) -> None:
        self.tally = Tally()
        self._redactor = redactor
        first = self._publisher(settings, health)
        first.connect()
        waiting = [first]
        self._delivery = Delivery(
            lambda: waiting.pop() if waiting else self._publisher(settings, health),
            patient=patient,
            has_ended=ending,
            heartbeat=health.heartbeat,
        )

    def deliver(self, values: Sequence[Parsed]) -> bool:
        """As ``Delivery`` does."""
        redacted = list(redacted_values(values, self._redactor))
        done = self._delivery.deliver(redacted)
        if done:
            count(self.tally, redacted)
        return done

    def _publisher(self, settings: Settings, health: Health) -> Publisher:
        return Publisher(
            settings.kafka.client_config(),
            topic_prefix=settings.kafka.topic_prefix,
            heartbeat=health.heartbeat,
            redactor=self._redactor,
        )


class Printer:
    """Prints the events, one JSON object a line, up to `limit`, and sends nothing."""

    def __init__(self, limit: int | None, redactor: Redactor, stop: Callable[[], None]) -> None:
        self.tally = Tally()
        self._redactor = redactor
        self._left = limit
        self._stop = stop

    def deliver(self, values: Sequence[Parsed]) -> bool:
        """Print the events. Past the limit nothing is taken any more."""
        for value in redacted_values(values, self._redactor):
            if self._left == 0:
                return False
            count(self.tally, [value])
            if isinstance(value, ParsedEvent):
                typer.echo(json.dumps(write_event(value.name, value.record), ensure_ascii=False))
                if self._left is not None:
                    self._left -= 1
        if self._left == 0:
            self._stop()
        return True


def redacted_values(values: Iterable[Parsed], redactor: Redactor) -> Iterator[Parsed]:
    """The values, their rejects redacted as those of files are; events were when they were made."""
    for value in values:
        yield redactor.reject(value) if isinstance(value, SourceReject) else value


def count(tally: Tally, values: Sequence[Parsed]) -> None:
    """Count the values."""
    for _ in tally.watch(values):
        pass


def feed_settings(context: typer.Context, company: str | None) -> Settings:
    """The settings of a feed that sends. Raises ``Problem`` for a company that is not among the configured ones."""
    settings = load_settings(context)
    use_registry(settings)
    reach_broker(settings.kafka.client_config())
    folder = settings.companies.folder
    if company is not None and folder.is_dir() and company not in (known := read_companies(folder)):
        raise Problem(
            f"there is no company {company} in {folder}",
            f"Configured are {', '.join(sorted(known))}; correct the file or add {company}.toml",
        )
    return settings


def report(tally: Tally, *, sent: bool, as_json: bool, more: dict[str, Any]) -> None:
    """What a run came to, on standard output; of a dry run, which has that for its events, on standard error."""
    if as_json:
        document = {
            "sent": sent,
            "events": dict(sorted(tally.events.items())),
            "rejected": tally.rejected,
            "skipped": tally.skipped,
            **more,
            "rejects": [
                {
                    "place": reject.position.file,
                    "offset": reject.position.line,
                    "column": reject.position.column,
                    "field": reject.position.field,
                    "reason": reject.reason,
                    "message": reject.message,
                }
                for reject in tally.rejects
            ],
        }
        typer.echo(json.dumps(document, ensure_ascii=False), err=not sent)
        return
    console = Console(stderr=not sent, highlight=False, soft_wrap=True)
    for reject in tally.rejects[:REJECTS_SHOWN_MAX]:
        console.print(f"[red]rejected[/] {escape(str(reject.position))} {reject.reason}: {escape(reject.message)}")
    if tally.rejected > REJECTS_SHOWN_MAX:
        console.print(f"[red]rejected[/] {tally.rejected - REJECTS_SHOWN_MAX:,} more; --json lists the first ones")
    kept = " and kept in ar.failed" if tally.rejected and sent else ""
    words = f"{tally.event_count:,} events {'sent' if sent else 'read'}, {tally.rejected:,} rejected{kept}"
    words += f", {tally.skipped:,} passed over"
    words += "".join(f", {value:,} {name.replace('_', ' ')}" for name, value in more.items() if value)
    console.print(escape(words if sent else f"{words}; nothing was sent"))
