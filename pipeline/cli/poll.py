"""`arrears poll`: rows of a table of any SQL database, as they are inserted and changed, into the event log."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import load_own_settings
from pipeline.cli.feeds import Ending, Printer, Sender, feed_settings, report
from pipeline.cli.redaction import redactor_of
from pipeline.errors import Problem
from pipeline.health import Health, serve_health
from sources import Parsed
from sources import feed_metrics as metrics
from sources.delivery import wait
from sources.mapping import MappingText, load_mapping
from sources.redaction import Redactor
from sources.sql import (
    Database,
    DatabaseUnavailableError,
    KafkaPositions,
    MemoryPositions,
    PollConfig,
    Poller,
    Positions,
    PositionsUnavailableError,
    Round,
    load_poll_config,
)
from topics import EVENTS, catalogue

logger = logging.getLogger(__name__)

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
KEEP_POSITION_SECONDS = 3600.0
COUNT_WITHOUT_WATERMARK_SECONDS = 3600.0  # it may cost a scan of the table

app = typer.Typer(add_completion=False)


@app.command()
def poll(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="FILE", help="Configuration of the poll (TOML).")],
    once: Annotated[bool, typer.Option("--once", help="Poll once, to the last row there is, and end.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Read the table from its beginning, print one JSON event a line and send nothing."
        ),
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="With --dry-run: stop after the first N events.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report at the end, for programs.")] = False,
) -> None:
    """Poll a table by its watermark, and send the events that a mapping makes of its rows, until SIGTERM.

    The address of the database, with its password, comes from the environment variable that the file names. The
    position is kept in Kafka, only after the broker has acknowledged the events, and ids derive from the documents,
    so rows that are read again change nothing. A row that cannot be read never stops the poll: it goes to the topic
    ar.failed. With --once the exit code is 0 only when no row was bad and every row has a watermark.
    """
    poll_config = load_poll_config(config)
    mapping = load_mapping(config.parent / poll_config.mapping)
    database = _database(poll_config)
    run = _Run(poll_config, mapping, database, once=once, as_json=as_json)
    try:
        if dry_run:
            run.print(context, limit)
        else:
            run.send(context)
    finally:
        database.close()


class _Run:
    """One call of the command."""

    def __init__(
        self, config: PollConfig, mapping: MappingText, database: Database, *, once: bool, as_json: bool
    ) -> None:
        self._config = config
        self._mapping = mapping
        self._database = database
        self._once = once
        self._as_json = as_json
        self._health = Health()
        self._ending = Ending()
        self._done = Round()
        self._without_watermark = 0
        self._counted_at: float | None = None

    def print(self, context: typer.Context, limit: int | None) -> None:
        """Read from the beginning and print."""
        redactor = redactor_of(load_own_settings(context).redaction)
        self._ending.listen()
        printer = Printer(limit, redactor, self._ending.ask)
        poller = self._poller(MemoryPositions(), printer.deliver, redactor)
        self._poll(poller)
        report(printer.tally, sent=False, as_json=self._as_json, more=self._more())
        if printer.tally.rejected or self._without_watermark:
            raise typer.Exit(1)

    def send(self, context: typer.Context) -> None:
        """Poll and send, once or until SIGTERM."""
        settings = feed_settings(context, self._config.company)
        redactor = redactor_of(settings.redaction)
        sender = Sender(settings, redactor, self._health, self._ending, patient=not self._once)
        self._ending.listen()
        client, prefix = settings.kafka.client_config(), settings.kafka.topic_prefix
        group = f"{prefix}arrears-poll-{self._config.name}"
        with (
            serve_health(self._health, settings.service.host, settings.service.port),
            KafkaPositions(client, group_id=group, topic=catalogue(prefix)[EVENTS].name) as positions,
        ):
            poller = self._poller(positions, sender.deliver, redactor)
            if self._once:
                self._poll(poller)
            else:
                self._poll_for_ever(poller)
        report(sender.tally, sent=True, as_json=self._as_json, more=self._more())
        if self._once and (sender.tally.rejected or self._without_watermark):
            raise typer.Exit(1)

    def _poller(self, positions: Positions, deliver: Callable[[Sequence[Parsed]], bool], redactor: Redactor) -> Poller:
        return Poller(
            self._config,
            self._mapping,
            self._database,
            positions,
            deliver,
            has_ended=self._ending,
            redactor=redactor,
        )

    def _poll(self, poller: Poller) -> None:
        done = poller.poll()
        self._done.read += done.read
        self._done.repeated += done.repeated
        now = time.monotonic()
        if self._counted_at is None or now - self._counted_at >= COUNT_WITHOUT_WATERMARK_SECONDS:
            self._counted_at = now
            self._without_watermark = poller.rows_without_watermark()
            metrics.ROWS_WITHOUT_WATERMARK.set(self._without_watermark)
            if self._without_watermark:
                logger.warning(
                    "%d rows of %s are never read, for their %s is empty",
                    self._without_watermark, self._config.name, self._config.watermark,
                )  # fmt: skip

    def _poll_for_ever(self, poller: Poller) -> None:
        failures = 0
        kept_at = time.monotonic()
        while not self._ending():
            self._health.heartbeat()
            try:
                self._poll(poller)
                if time.monotonic() - kept_at >= KEEP_POSITION_SECONDS:
                    poller.keep_position()
                    kept_at = time.monotonic()
            except (DatabaseUnavailableError, PositionsUnavailableError) as error:
                logger.warning("read again: %s", error.message)
                metrics.RETRIES.inc()
                self._health.set_ready(False)
                wait(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)], self._ending, self._health.heartbeat)
                failures += 1
                continue
            failures = 0
            metrics.POLLED_AT_SECONDS.set_to_current_time()
            self._health.set_ready(True)
            wait(self._config.interval_seconds, self._ending, self._health.heartbeat)

    def _more(self) -> dict[str, int]:
        return {
            "rows_read": self._done.read,
            "rows_known_already": self._done.repeated,
            "rows_without_watermark": self._without_watermark,
        }


def _database(config: PollConfig) -> Database:
    url = os.environ.get(config.url_variable, "")
    if not url:
        raise Problem(
            f"the environment variable {config.url_variable} is not set",
            "It holds the address of the database, such as postgresql+psycopg://user:password@host:5432/database",
        )
    return Database(url, table_name=config.table, query=config.query, watermark=config.watermark, key=config.key)
