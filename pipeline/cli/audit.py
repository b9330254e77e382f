"""`arrears audit`: seal the raw log, verify it, export a period with proofs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from avro import contracts
from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_client, clickhouse_problems
from pipeline.cli.instants import parse_instant
from pipeline.cli.registry import use_registry
from pipeline.cli.repeating import Every, rounds
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from sinks.audit.book import AuditBook
from sinks.audit.chain import Finding
from sinks.audit.deletions import check_deletions
from sinks.audit.export import export as write_export
from sinks.audit.kafka_log import KafkaAuditLog
from sinks.audit.seal import Sealed
from sinks.audit.seal import seal as seal_all
from sinks.audit.signature import make_key, read_key
from sinks.audit.verify import Period, Totals
from sinks.audit.verify import verify as verify_all
from topics import catalogue

app = typer.Typer(
    no_args_is_help=True,
    help="Prove that the raw log is as it was stored: a hash chain per partition, anchors in Kafka, signed exports.",
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
FINDINGS_SHOWN = 200


@app.command()
def seal(
    context: typer.Context,
    every: Every = None,
    as_json: AsJson = False,
) -> None:
    """Take what the sink has stored into the hash chain, and publish an anchor for each partition that moved.

    Run it on a schedule, or let it run with --every. Only what is surely stored is sealed: rows before the sink's
    committed offsets. Running it twice, or two at once, writes nothing twice.
    """
    settings = load_settings(context)
    with audit_log(settings) as log, clickhouse_client(settings) as client:
        for _ in rounds(every):
            ends = log.stored_ends(settings.kafka.topic_prefix + settings.sink.group_id)
            _tell_sealed(seal_all(AuditBook(client), log, ends, lambda: datetime.now(UTC)), as_json=as_json)


@app.command()
def verify(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only what arrived from then on; a day or an instant.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only what arrived before then.")] = None,
    without_kafka: Annotated[
        bool,
        typer.Option("--without-kafka", help="Believe the anchors in ClickHouse. Proves less: all in one place."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute the chain anew and name every row that was changed, removed or inserted since it was sealed.

    Compares events with the chain, the chain with itself, and all with the anchors in Kafka. Memory does not grow with
    the log. With --from and --to whole stretches between anchors are verified, so a little more than asked for. The
    exit code is 0 only when nothing is found.
    """
    settings = load_settings(context)
    period = Period(*(parse_instant(text) if text is not None else None for text in (since, until)))
    totals = Totals()
    with clickhouse_client(settings) as client:
        if without_kafka:
            _tell_findings(verify_all(AuditBook(client), None, totals, period), totals, as_json=as_json)
        else:
            with audit_log(settings) as log:
                findings = _all_findings(AuditBook(client), log, totals, period)
                _tell_findings(findings, totals, as_json=as_json)


@app.command()
def export(
    context: typer.Context,
    company: Annotated[str, typer.Option("--company", metavar="CODE", help="The company.")],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Recorded from then on; a day or an instant.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Recorded before then.")],
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help="A new or empty folder.")],
) -> None:
    """Write events and ledger entries of a period, their part of the chain, a signed manifest, and a verifier.

    Give the folder to the auditor, and the public key on another way. `python3 verify.py --public-key HEX` in it needs
    nothing but Python.
    """
    settings = load_settings(context)
    begin, end = parse_instant(since), parse_instant(until)
    if begin >= end:
        raise Problem("--from is not before --to", "The day of --to is not part of the period")
    with clickhouse_client(settings) as client:
        key = read_key(settings.audit.signing_key_file)
        manifest = write_export(client, company, begin, end, output, key)
    for name, file in manifest["files"].items():
        typer.echo(f"{file['lines']:>10,}  {name}")
    typer.echo(f"{len(manifest['chains'])} chains, {manifest['deleted_events']} events deleted on purpose")
    typer.echo(f"signed; public key {manifest['public_key']}")


@app.command()
def key(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Default: audit.signing_key_file.")] = None,
) -> None:
    """Make a signing key (Ed25519) and print its public key, which auditors need. Never overwrites a key."""
    settings = load_settings(context)
    with clickhouse_problems():
        typer.echo(make_key(file or settings.audit.signing_key_file))


@contextmanager
def audit_log(settings: Settings) -> Iterator[KafkaAuditLog]:
    """The audit's topics, for the block. Raises Problem when no broker answers."""
    use_registry(settings)
    reach_broker(settings.kafka.client_config())
    with (
        clickhouse_problems(),
        KafkaAuditLog(settings.kafka.client_config(), catalogue(settings.kafka.topic_prefix), contracts()) as log,
    ):
        yield log


def _all_findings(book: AuditBook, log: KafkaAuditLog, totals: Totals, period: Period) -> Iterator[Finding]:
    yield from verify_all(book, log.anchors(), totals, period)
    for finding in check_deletions(book.client, log.deletions()):
        totals.findings[finding.kind] += 1
        yield finding


def _tell_sealed(sealed: list[Sealed], *, as_json: bool) -> None:
    if as_json:
        for one in sealed:
            typer.echo(json.dumps({**one.place._asdict(), "rows": one.rows, "total": one.total, "offset": one.offset}))
        return
    rows, total = sum(one.rows for one in sealed), sum(one.total for one in sealed)
    moved = sum(one.rows > 0 for one in sealed)
    typer.echo(f"{rows:,} rows sealed in {moved} partitions; the chains have {total:,} rows")


def _tell_findings(findings: Iterator[Finding], totals: Totals, *, as_json: bool) -> None:
    if as_json:
        for finding in findings:
            typer.echo(json.dumps(finding._asdict()))
        summary = {"rows": totals.rows, "anchors": totals.anchors, "waiting": totals.waiting, "expired": totals.expired}
        typer.echo(json.dumps({**summary, "findings": dict(totals.findings)}))
    else:
        shown = Table(title="Findings", title_justify="left")
        for column in ("what", "topic", "partition", "offset", "event", "why"):
            shown.add_column(column, overflow="fold")
        for number, finding in enumerate(findings):
            if number < FINDINGS_SHOWN:
                place = (finding.topic, str(finding.partition), str(finding.offset)) if finding.topic else ("", "", "")
                shown.add_row(finding.kind, *place, finding.event_id, finding.message)
        if shown.row_count:
            Console(highlight=False).print(shown)
        typer.echo(
            f"{totals.rows:,} rows verified, {totals.anchors:,} anchors in Kafka, {totals.waiting:,} rows not sealed "
            f"yet, {totals.expired:,} deleted by retention: {totals.findings.total():,} findings"
        )
    if totals.findings.total():
        raise typer.Exit(1)
