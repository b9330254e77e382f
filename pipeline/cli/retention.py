"""`arrears retention`: what is too old, what must stay, what must go."""

import getpass
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client
from confluent_kafka import TopicPartition
from rich.console import Console
from rich.table import Table

from avro import contracts
from pipeline.cli import load_settings
from pipeline.cli.audit import audit_log
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from pipeline.state_topic import LogRange
from sinks.migrations import Engines
from sinks.retention.apply import Firsts, Planned, Retention
from sinks.retention.erasure import Erasure, Person
from sinks.retention.holds import Hold, lift_hold, place_hold, read_holds
from sinks.retention.policy import KEPT, Policy
from sinks.retention.rules import rules_by_table
from sinks.retention.storage import Storage
from sinks.routes import routes
from topics import catalogue

app = typer.Typer(
    no_args_is_help=True,
    help="Delete what is too old, keep what is on legal hold, erase what is known of a person.",
)
hold_app = typer.Typer(no_args_is_help=True, help="Accounts of which nothing is deleted or erased, whatever its age.")
app.add_typer(hold_app, name="hold")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
Company = Annotated[str, typer.Option("--company", metavar="CODE", help="The company.")]
AnyAccount = Annotated[str, typer.Option("--account", metavar="ID", help="The account; without it the whole company.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it, for the records. Default: your login.")]
WithoutKafka = Annotated[
    bool,
    typer.Option(
        "--without-kafka", help="Also what Kafka still holds of the logs; `arrears reconcile` does not miss it."
    ),
]


@app.command()
def plan(context: typer.Context, without_kafka: WithoutKafka = False, as_json: AsJson = False) -> None:
    """Show what `apply` would delete, by table and company, and what a legal hold keeps. Changes nothing.

    Every table is named with its days, or with the reason why nothing of it is deleted. What Kafka still holds of a log
    stays until Kafka lets it go, so that both sides can be compared.
    """
    settings = load_settings(context)
    firsts = None if without_kafka else kafka_firsts(settings)
    with clickhouse_client(settings) as client:
        retention = _retention(settings, client, firsts)
        storage = retention.storage()
        _tell(retention.plan(), as_json=as_json)
        _tell_rules(retention.policy, as_json=as_json)
        if not as_json:
            _tell_storage(storage)


@app.command()
def apply(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Delete. Without it nothing is deleted.")] = False,
    by: By = "",
    without_kafka: WithoutKafka = False,
    as_json: AsJson = False,
) -> None:
    """Count old months, move old rows to the cold volume if one is named, and with --yes delete what is too old.

    Each deletion is published in topic ar.audit.deletions before it is done, and `arrears audit verify` knows it.
    As-of answers for dates inside the ledger's days are the same as before. Running it twice deletes nothing more.
    """
    settings = load_settings(context)
    firsts = None if without_kafka else kafka_firsts(settings)
    with audit_log(settings) as log, clickhouse_client(settings) as client:
        retention = _retention(settings, client, firsts)
        months = retention.prepare()
        if not yes:
            planned = retention.plan()
            _tell(planned, as_json=as_json)
            _tell_rules(retention.policy, as_json=as_json)
            if any(one.rows for one in planned):
                raise Problem("nothing was deleted", "Give --yes to delete these rows")
            return
        planned = retention.apply(log, secrets.token_hex(8), by or getpass.getuser())
    _tell(planned, as_json=as_json)
    if not as_json:
        typer.echo(f"{months} months counted, {sum(one.rows for one in planned):,} rows deleted")


@app.command()
def erase(
    context: typer.Context,
    company: Company,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the records; name nobody.")],
    actor: Annotated[str, typer.Option("--actor", metavar="ID", help="A user: who did it becomes a pseudonym.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="ID", help="A customer: names, notes, payers go.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase. Without it only count.")] = False,
    by: By = "",
) -> None:
    """Blank the personal fields of a user or of a customer, in the raw log and in the tables made of it.

    Amounts, dates and ids of documents stay, and the hash chain stays whole. Accounts on legal hold stay as they are.
    What Kafka holds goes with its retention.
    """
    settings = load_settings(context)
    if bool(actor) == bool(account):
        raise Problem("it is not clear whose data are meant", "Give --actor or --account, one of the two")
    person = Person(company, "actor" if actor else "account", actor or account)
    with audit_log(settings) as log, clickhouse_client(settings) as client:
        erasure = Erasure(client, person)
        rows, held = erasure.count()
        if not yes:
            raise Problem(
                f"nothing was erased: {rows:,} events say something, {held:,} more are on legal hold",
                "Give --yes to erase",
            )
        erased = erasure.run(log, by or getpass.getuser(), reason, datetime.now(UTC))
    typer.echo(f"{erased.rows:,} events erased, {erased.held:,} kept by a legal hold: erasure {erased.erasure_id}")
    if actor:
        typer.echo(f"the user is {erased.pseudonym} now")
    if erased.waiting:
        raise Problem(
            f"{erased.waiting:,} events are not sealed yet and stay as they are",
            "Run `arrears audit seal`, then this once more",
        )


@hold_app.command("add")
def add_hold(
    context: typer.Context,
    hold_id: Annotated[str, typer.Argument(metavar="NAME", help="Such as the number of the case.")],
    company: Company,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the records.")],
    account: AnyAccount = "",
    by: By = "",
) -> None:
    """Put an account, or a whole company, on legal hold."""
    settings = load_settings(context)
    with clickhouse_client(settings) as client:
        place_hold(client, Hold(hold_id, company, account, reason, by or getpass.getuser(), datetime.now(UTC)))
    typer.echo(f"hold {hold_id} is in force")


@hold_app.command("list")
def list_holds(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the holds in force."""
    settings = load_settings(context)
    with clickhouse_client(settings) as client:
        holds = read_holds(client)
    if as_json:
        for hold in holds:
            typer.echo(json.dumps({**hold._asdict(), "placed_at": _instant(hold.placed_at)}))
        return
    shown = Table(box=None, header_style="bold")
    for heading in ("hold", "company", "account", "since", "by", "why"):
        shown.add_column(heading, overflow="fold")
    for hold in holds:
        account = hold.account_id or "all"
        shown.add_row(hold.hold_id, hold.company, account, _instant(hold.placed_at)[:10], hold.placed_by, hold.reason)
    Console(highlight=False).print(shown)


@hold_app.command("remove")
def remove_hold(
    context: typer.Context,
    hold_id: Annotated[str, typer.Argument(metavar="NAME", help="The hold.")],
    company: Company,
    account: AnyAccount = "",
    by: By = "",
) -> None:
    """Lift a hold. It stays in the records as lifted, by whom and when."""
    settings = load_settings(context)
    with clickhouse_client(settings) as client:
        lift_hold(client, hold_id, company, account, by or getpass.getuser(), datetime.now(UTC))
    typer.echo(f"hold {hold_id} is lifted")


def policy_of(settings: Settings) -> Policy:
    """The policy that the settings say. Raises SinkProblem for a class or a rule that is not there."""
    section = settings.retention
    return Policy(
        days={
            "events": section.events_days,
            "activity": section.activity_days,
            "ledger": section.ledger_days,
            "alerts": section.alerts_days,
            "snapshots": section.snapshots_days,
            "forecasts": section.forecasts_days,
        },
        hot_days=section.events_days_hot,
        classes=section.classes,
        class_days=section.class_days,
        cold_volume=section.cold_volume,
    )


def kafka_firsts(settings: Settings) -> Firsts:
    """The first offset that Kafka still holds, by topic and partition. Raises Problem when no broker answers."""
    config = settings.kafka.client_config()
    reach_broker(config)
    ranges = LogRange(config)
    topics = catalogue(settings.kafka.topic_prefix)
    written = {topic.name: topic for topic in topics.values() if topic.name in routes(contracts(), topics)}
    return {
        name: {number: ranges.of(TopicPartition(name, number))[0] for number in range(topic.partitions)}
        for name, topic in written.items()
    }


def _retention(settings: Settings, client: Client, firsts: Firsts | None) -> Retention:
    return Retention(client, policy_of(settings), datetime.now(UTC), firsts, Engines(settings.clickhouse.cluster))


def _tell(planned: Sequence[Planned], *, as_json: bool) -> None:
    if as_json:
        for one in planned:
            typer.echo(json.dumps({**one._asdict(), "cutoff": _instant(one.cutoff)}))
        return
    if not planned:
        typer.echo("nothing is too old")
        return
    shown = Table(title="Too old", title_justify="left")
    for heading in ("rule", "table", "company", "before"):
        shown.add_column(heading, overflow="fold")
    for heading in ("rows", "bytes", "on hold"):
        shown.add_column(heading, justify="right")
    for one in planned:
        numbers = (f"{one.rows:,}", f"{one.size_bytes:,}", f"{one.held:,}")
        shown.add_row(one.rule, one.table, one.company, f"{one.cutoff:%Y-%m-%d}", *numbers)
    Console(highlight=False).print(shown)


def _tell_rules(policy: Policy, *, as_json: bool) -> None:
    """Each table with its rule and days, or with why it is kept."""
    rules = rules_by_table()
    if as_json:
        for table, rule in rules.items():
            typer.echo(json.dumps({"table": table, "rule": rule, "days": policy.days[rule]}))
        for table, reason in KEPT.items():
            typer.echo(json.dumps({"table": table, "kept": reason}))
        return
    shown = Table(title="Rules", title_justify="left")
    for heading in ("table", "rule", "days"):
        shown.add_column(heading, overflow="fold")
    for table, rule in rules.items():
        shown.add_row(table, rule, f"{policy.days[rule]:,}")
    for table, reason in KEPT.items():
        shown.add_row(table, f"kept: {reason}", "")
    Console(highlight=False).print(shown)


def _tell_storage(storage: Storage) -> None:
    """What happens to old rows of the raw log, and what `apply` would say to the server."""
    if not storage.moves_to:
        volumes = ", ".join(storage.volumes)
        typer.echo(f"events stay where they are: their storage policy {storage.policy!r} has the volumes {volumes}")
    else:
        typer.echo(f"events move to volume {storage.moves_to} after {storage.days} days")
        if storage.rows:
            typer.echo(f"{storage.rows:,} rows of {storage.size_bytes:,} bytes are older and not there yet")
    if storage.statement:
        typer.echo(f"apply would run: {storage.statement}")


def _instant(moment: datetime) -> str:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return aware.isoformat()
