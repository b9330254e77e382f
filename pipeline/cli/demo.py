"""`arrears demo`: a sample company's nine months through the whole system, in about a minute."""

import json
import shutil
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from jobs import CompanySettings
from jobs.values import Instant, date_of, instant_of, moment_of
from pipeline.cli import load_own_settings
from pipeline.cli.demo_feed import Feed, date_text, end_of, read_samples
from pipeline.cli.demo_view import View
from pipeline.cli.reconcile import table as reconciliation_table
from pipeline.cli.reconciliation import (
    Line,
    clickhouse_address,
    read_all_progress,
    reconcile,
)
from pipeline.cli.services import Installation
from pipeline.cli.settling import Settling
from pipeline.cli.up import ending_by_signal, fetch_progress, show_until_stopped
from pipeline.companies import read_companies
from pipeline.errors import Problem
from pipeline.settings import Settings, variable_name

app = typer.Typer()

_CHECKOUT = Path(__file__).resolve().parents[2]
_EXAMPLES = (_CHECKOUT / "examples", Path(__file__).parent / "examples")
_SHOW_SECONDS = 0.5
_WIDTH = 160  # of output that goes to a file
_DRAIN_SECONDS_MAX = 120.0
_REJECTED = "SELECT event_type, reason, count(), any(message) FROM rejected_events GROUP BY event_type, reason"
_MARK = "demo.txt"


@dataclass
class Timing:
    """Seconds of each stage."""

    sent: float = 0.0
    drained: float = 0.0


@app.command()
def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up at the end, until Ctrl-C.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where the demo's data go; emptied first. Default: .arrears/demo")
    ] = None,
) -> None:
    """Run nine months of a sample company through real Kafka, the worker and ClickHouse, and check every number.

    Starts the local stack, reads the extracts in examples/ through the real adapters, drives the clock through the
    months they cover, shows aging and alerts as they happen, and ends with the reconciliation. The first run fetches
    the broker (45 MB). The exit code is 0 only when everything adds up.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    settings = _own(load_own_settings(context), folder)
    companies_folder = settings.companies.folder
    environment = {
        variable_name("clock", "mode"): "external",
        variable_name("companies", "folder"): str(companies_folder),
    }
    companies = list(read_companies(companies_folder).values())
    samples = next((found for found in _EXAMPLES if found.is_dir()), None)
    if samples is None:
        raise Problem("the sample files are missing", "Run the demo in a checkout of the project")
    holds = False
    with ending_by_signal(), fetch_progress(console) as progress:
        started = time.monotonic()
        with Installation(settings, context.obj, progress, environment=environment) as installation:
            console.print("starting Kafka and ClickHouse …")
            installation.start_stack()
            installation.prepare(lambda words: console.print(f"[dim]{words}[/dim]"))
            installation.start_services()
            installation.wait_until_ready()
            console.print(f"ready after {time.monotonic() - started:.1f} s")
            holds = _Run(installation, samples, companies, console).run()
            if keep:
                console.print("everything stays up; Ctrl-C ends it")
                show_until_stopped(installation, console)
    if not holds:
        raise typer.Exit(1)


def _own(settings: Settings, folder: Path | None) -> Settings:
    """The settings of the demo: a folder of its own, which is emptied, and the sample companies."""
    own = (folder or settings.stack.folder / "demo").absolute()
    if own.exists() and any(own.iterdir()) and not (own / _MARK).exists():
        raise Problem(f"{own} is not empty and not the demo's", "Name another --folder, or empty it yourself")
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    (own / _MARK).write_text("Data of `arrears demo`; emptied when it starts.\n", encoding="utf-8")
    companies = settings.companies.folder
    if not companies.is_dir():
        companies = _CHECKOUT / "config" / "companies"
    return settings.model_copy(
        update={
            "stack": settings.stack.model_copy(update={"folder": own}),
            "companies": settings.companies.model_copy(update={"folder": companies.absolute()}),
        }
    )


class _Run:
    def __init__(
        self, installation: Installation, samples: Path, companies: list[CompanySettings], console: Console
    ) -> None:
        self._installation = installation
        self._settings = installation.settings
        self._samples = samples
        self._companies = companies
        self._console = console
        self._timing = Timing()
        self._failure: Exception | None = None
        self._stopped = False

    def run(self) -> bool:
        """Feed, show, wait, report; whether everything adds up."""
        started = time.monotonic()
        events = read_samples(self._samples, [company.code for company in self._companies])
        feed = Feed(self._settings, events, self._companies)
        feed.progress.read_seconds = time.monotonic() - started
        counts = Counter(event.name for event in events)
        self._console.print(f"read {len(events):,} events of {len(counts)} types in {feed.progress.read_seconds:.1f} s")
        end = end_of(events, self._companies)
        feeding = threading.Thread(target=self._feed, args=(feed, end), daemon=True)
        with clickhouse_address(self._settings).client() as client:
            view = View(client)
            feeding.start()
            try:
                lines = self._watch(view, feed, feeding)
            finally:
                self._stopped = True
                feeding.join(timeout=10)
            return self._report(view, feed, end, lines)

    def _feed(self, feed: Feed, end: Instant) -> None:
        try:
            closes = [instant_of(moment) for moment in self._closes()]
            with closing(Settling(self._settings)) as settling:
                feed.run(end, closes, lambda: settling.wait(_DRAIN_SECONDS_MAX), lambda: self._stopped)
        except Exception as error:  # noqa: BLE001  shown by the thread that waits
            self._failure = error

    def _closes(self) -> list[datetime]:
        """The instants as of whose knowledge the generator computed balances."""
        expected = self._expected()
        rows = (*expected["restated"], *expected["as_reported"])
        return sorted({datetime.fromisoformat(row["known_as_of"]) for row in rows})

    def _expected(self) -> dict[str, Any]:
        expected: dict[str, Any] = json.loads((self._samples / "expected.json").read_text(encoding="utf-8"))
        return expected

    def _watch(self, view: View, feed: Feed, feeding: threading.Thread) -> list[Line]:
        """Show how it goes until all is sent and has arrived; the last reconciliation."""
        started = time.monotonic()
        terminal = self._console.is_terminal
        shown_month = ""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while feeding.is_alive():
                self._check()
                progress = feed.progress
                date = "" if progress.now is None else date_text(progress.now)
                rate = progress.sent / progress.sent_seconds if progress.sent_seconds else 0
                counters = f"{date}  {progress.sent:,} of {progress.read:,} events sent, {rate:,.0f}/s"
                if terminal:
                    live.update(view.live(counters, self._console.width), refresh=True)
                elif date[:7] != shown_month:
                    shown_month = date[:7]
                    self._console.print(f"{counters}; alerts: {view.alerts_so_far() or 'none yet'}")
                time.sleep(_SHOW_SECONDS)
            self._check()
            self._timing.sent = feed.progress.sent_seconds
            lines = self._drain(started)
            if terminal and feed.progress.now is not None:
                live.update(view.live("", self._console.width), refresh=True)
        return lines

    def _drain(self, started: float) -> list[Line]:
        """Wait until every stage has everything: the reconciliation says so itself."""
        deadline = time.monotonic() + _DRAIN_SECONDS_MAX
        while True:
            self._check()
            lines = reconcile(self._settings)
            if all(line.holds for line in lines) or time.monotonic() > deadline:
                self._timing.drained = time.monotonic() - started
                return lines
            time.sleep(_SHOW_SECONDS)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        for service in self._installation.services:
            service.check()

    def _report(self, view: View, feed: Feed, end: Instant, lines: list[Line]) -> bool:
        console = self._console
        last_day = date_of(min(company.calendar.day(end) for company in self._companies))
        known_as_of = moment_of(end)
        console.print(view.aging(last_day, known_as_of, f"Aging as of {last_day}"))
        for table in (view.promises(), view.unapplied(last_day), view.disputes(), view.worklist(), view.alerts()):
            console.print(table)
        console.print(reconciliation_table(lines))
        for event_type, reason, count, message in view.rows(_REJECTED):
            console.print(f"[red]{count:,} {event_type} rejected, {reason}: {message}[/]")
        different = self._compare_with_expected(view)
        progress = read_all_progress(self._settings)
        applied = sum(one.applied + one.logged for one in progress.values())
        rejected, failed = (sum(getattr(one, name) for one in progress.values()) for name in ("rejected", "failed"))
        seconds = self._timing.drained
        zones = len({company.timezone for company in self._companies})
        console.print(
            f"read {feed.progress.read:,} events, {feed.progress.read / feed.progress.read_seconds:,.0f}/s; "
            f"sent with the clock of {zones} time zones in {self._timing.sent:.1f} s; "
            f"{applied:,} applied, {rejected:,} rejected, {failed:,} failed; all in ClickHouse after {seconds:.1f} s"
        )
        holds = all(line.holds for line in lines) and not different and not rejected and not failed
        console.print("[green]everything adds up[/]" if holds else "[red]something does not add up[/]")
        self._say_how_to_ask(last_day.isoformat(), known_as_of)
        return holds

    def _compare_with_expected(self, view: View) -> int:
        """The month ends that the generator of the sample files computed on its own, against ClickHouse."""
        expected = self._expected()
        compared = different = 0
        for row in (*expected["restated"], *expected["as_reported"]):
            found = view.rows(
                "SELECT sum(not_due), sum(unapplied), sum(on_account), sum(credits), sum(total) FROM "
                "aging_as_of(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')}) "
                "WHERE company = {company:String} AND currency = {currency:String}",
                as_of=row["as_of"],
                known_as_of=datetime.fromisoformat(row["known_as_of"]),
                company=row["company"],
                currency=row["currency"],
            )
            names = ("not_due", "unapplied", "on_account", "credits", "total")
            for name, amount in zip(names, found[0] if found else (), strict=bool(found)):
                compared += 1
                if Decimal(row[name]) != amount:
                    different += 1
                    place = f"{row['company']} {row['currency']} {row['as_of']} known {row['known_as_of']}"
                    self._console.print(f"[red]{place}: {name} is {amount}, expected {row[name]}[/]")
        outcome = f"{compared - different:,} of {compared:,} agree"
        self._console.print(f"month ends, as reported and restated, against examples/expected.json: {outcome}")
        return different + (compared == 0)

    def _say_how_to_ask(self, day: str, known_as_of: datetime) -> None:
        url = self._settings.clickhouse.url
        database = self._settings.clickhouse.database
        instant = f"{known_as_of:%Y-%m-%d %H:%M:%S}"
        self._console.print(f"\nClickHouse answers at {url}, database {database}, while the demo is up (--keep):")
        dates = f"as_of = '{day}', known_as_of = '{instant}'"
        for query in (
            f"SELECT * FROM aging_as_of_wide({dates}) ORDER BY overdue DESC LIMIT 10",
            "SELECT kind, status, count() FROM alert_history GROUP BY kind, status ORDER BY kind, status",
            "SELECT * FROM items WHERE status = 'open' ORDER BY due_date LIMIT 10",
        ):
            self._console.print(f'  curl "{url}/?database={database}" --data-binary "{query}"', soft_wrap=True)
