"""`arrears poll` against a real PostgreSQL server and a real broker."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import Connection, Engine, text

from pipeline.local import KafkaBroker
from sources import Parsed, ParsedEvent, SourceError
from sources.mapping import read_mapping
from sources.sql import (
    Database,
    DatabaseUnavailableError,
    KafkaPositions,
    MemoryPositions,
    PollConfig,
    Poller,
    PollPosition,
    Round,
    load_poll_config,
)
from sources.sql.database import Mark
from tests.integration.feeds import FeedSystem, end, wait_until
from tests.integration.postgres import PASSWORD, postgres_server

TABLE = """
create table if not exists ar_invoices (
    id bigint generated always as identity primary key,
    number text not null unique,
    customer char(10) not null,
    issued date not null,
    amount numeric(15, 2) not null,
    currency char(3) not null default 'EUR',
    entered timestamp not null default '2026-03-01 09:12:00',
    changed timestamptz default clock_timestamp()
)
"""
MAPPING = """\
source = "erp"
[values]
timezone = "Europe/Paris"
[[event]]
event = "InvoiceIssued"
[event.fields]
account_id = "customer"
occurred_at = "entered"
recorded_at = "entered"
invoice_id = "number"
document_date = "issued"
amount = "amount"
currency = "currency"
"""
POLL = """\
name = "invoices"
mapping = "invoices.toml"
company = "FR01"
url_variable = "ERP_URL"
table = "public.ar_invoices"
key = ["id"]
watermark = "changed"
batch_rows = 10
interval_seconds = 0.2
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with the table."""
    with postgres_server() as address:
        yield address


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A client of the ERP's, and its table empty."""
    made = sqlalchemy.create_engine(url)
    with made.begin() as connection:
        connection.execute(text(TABLE))
        connection.execute(text("truncate ar_invoices"))
    yield made
    made.dispose()


def insert(connection: Connection, *numbers: str, amount: object = Decimal("1234.56")) -> None:
    """Invoices, in the transaction of the connection."""
    for number in numbers:
        statement = "insert into ar_invoices (number, customer, issued, amount) values (:n, 'C1', '2026-03-01', :a)"
        connection.execute(text(statement), {"n": number, "a": amount})


class Polled:
    """A poller in this process, and what it delivered."""

    def __init__(self, folder: Path, url: str, poll: str = POLL, mapping: str = MAPPING) -> None:
        self.values: list[Parsed] = []
        (folder / "poll.toml").write_text(poll, encoding="utf-8")
        config: PollConfig = load_poll_config(folder / "poll.toml")
        self.database = Database(
            url, table_name=config.table, query=config.query, watermark=config.watermark, key=config.key
        )
        self.poller = Poller(
            config, read_mapping(mapping, "invoices.toml"), self.database, MemoryPositions(), self._deliver
        )

    def _deliver(self, values: Sequence[Parsed]) -> bool:
        self.values += values
        return True

    def numbers(self) -> list[str]:
        """The invoices that were delivered."""
        return [value.record["invoice_id"] for value in self.values if isinstance(value, ParsedEvent)]


def test_types_of_postgres_become_what_an_extract_would_have(tmp_path: Path, url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        insert(connection, "I1")
    polled = Polled(tmp_path, url)
    assert polled.poller.poll() == Round(read=1, sent=1)
    (event,) = polled.values
    assert isinstance(event, ParsedEvent)
    record = event.record
    assert (record["account_id"], record["amount_minor"], record["currency"]) == ("C1", 123_456, "EUR")
    assert (record["document_date"], record["occurred_at"]) == (20_513, 1_772_352_720_000_000)  # 09:12 in Paris
    polled.database.close()


def test_a_transaction_that_commits_behind_a_later_one_is_found(tmp_path: Path, url: str, engine: Engine) -> None:
    polled = Polled(tmp_path, url)
    with engine.connect() as slow:
        insert(slow, "late")  # its watermark is taken now, it becomes visible with the commit
        with engine.begin() as quick:
            insert(quick, "early")
        polled.poller.poll()
        assert polled.numbers() == ["early"]
        slow.commit()
    assert polled.poller.poll() == Round(read=2, sent=1, repeated=1)
    assert polled.numbers() == ["early", "late"]
    polled.database.close()


def test_a_query_with_a_cast_and_an_integer_watermark(tmp_path: Path, url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        insert(connection, *(f"I{number}" for number in range(25)))
    query = "select *, amount::text as gross from ar_invoices where customer = 'C1'"
    poll = POLL.replace('table = "public.ar_invoices"', f'query = "{query}"').replace('"changed"', '"id"')
    polled = Polled(tmp_path, url, poll, MAPPING.replace('amount = "amount"', 'amount = "gross"'))
    assert polled.poller.poll() == Round(read=25, sent=25)
    with engine.begin() as connection:
        insert(connection, "more")
    assert polled.poller.poll().sent == 1
    polled.database.close()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid", ["00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"]),
        ("status", ["open", "paid"]),
        ("char(8)", ["A", "B"]),
        ("bigint", ["4294967296", "4294967297"]),
        ("numeric(20, 0)", ["4294967296", "4294967297"]),
        ("date", ["2026-03-01", "2026-03-02"]),
    ],
)
def test_keys_of_every_type_lead_from_page_to_page(
    tmp_path: Path, url: str, engine: Engine, kind: str, values: list[str]
) -> None:
    with engine.begin() as connection:
        connection.execute(text("drop table if exists keyed"))
        connection.execute(text("drop type if exists status"))
        connection.execute(text("create type status as enum ('open', 'paid')"))
        connection.execute(text(f"create table keyed (k {kind}, changed timestamp)"))
        for value in values:
            connection.execute(text(f"insert into keyed values ('{value}', '2026-03-01 10:00:00')"))
    polled = Polled(tmp_path, url, POLL.replace("public.ar_invoices", "keyed").replace('"id"', '"k"'))
    begin = datetime(2026, 3, 1, 9)  # noqa: DTZ001  local time, as the database keeps it
    _, (first,) = polled.database.page(begin, None, 1)
    _, (second,) = polled.database.page(begin, Mark(first[1], (first[0],)), 1)
    assert polled.database.page(begin, Mark(second[1], (second[0],)), 1)[1] == []
    assert [str(row[0]).strip() for row in (first, second)] == values
    polled.database.close()


def test_a_server_that_goes_away_may_come_back_and_a_wrong_table_may_not(
    tmp_path: Path, url: str, engine: Engine
) -> None:
    polled = Polled(tmp_path, url)
    polled.poller.poll()
    with engine.begin() as connection:
        connection.execute(text("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"))
        insert(connection, "I1")
    assert polled.poller.poll() == Round(read=1, sent=1)  # the pool connects again by itself
    wrong = Polled(tmp_path, url, POLL.replace("public.ar_invoices", "public.invoices"))
    with pytest.raises(SourceError, match=r'refuses the query: relation "public\.invoices" does not exist') as raised:
        wrong.poller.poll()
    assert not isinstance(raised.value, DatabaseUnavailableError)
    denied = Polled(tmp_path, url.replace("p4ss", "p5ss"))
    with pytest.raises(DatabaseUnavailableError, match="password authentication failed") as refused:
        denied.poller.poll()
    assert "p5ss" not in str(refused.value)
    for each in (polled, wrong, denied):
        each.database.close()


@pytest.mark.kafka
def test_a_position_is_kept_in_kafka(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> None:
    system = FeedSystem(kafka.bootstrap_servers, topic_prefix, tmp_path)
    topic, group = system.source_topic("ar.events", 1), f"{topic_prefix}arrears-poll-x"
    with KafkaPositions(system.client_config, group_id=group, topic=topic) as positions:
        assert positions.read() is None
        positions.write(PollPosition("abc", 41, 3))
        positions.write(PollPosition("abc", "2026-03-01 10:00:00", 4))
    with KafkaPositions(system.client_config, group_id=group, topic=topic) as positions:
        assert positions.read() == PollPosition("abc", "2026-03-01 10:00:00", 4)
    foreign = Consumer({**system.client_config, "group.id": group})
    foreign.commit(offsets=[TopicPartition(topic, 0, 5, "mine")], asynchronous=False)
    foreign.close()
    with (
        KafkaPositions(system.client_config, group_id=group, topic=topic) as positions,
        pytest.raises(SourceError, match="holds a position that no poll wrote"),
    ):
        positions.read()


@pytest.mark.kafka
def test_a_service_polls_until_sigterm_and_goes_on_where_it_was(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path, url: str, engine: Engine
) -> None:
    system = FeedSystem(kafka.bootstrap_servers, topic_prefix, tmp_path)
    system.apply_topics()
    system.file("poll.toml", POLL)
    system.file("invoices.toml", MAPPING)
    with engine.begin() as connection:
        insert(connection, *(f"I{number}" for number in range(25)))
        insert(connection, "bad", amount=Decimal("NaN"))
        connection.execute(text("update ar_invoices set changed = null where number = 'I7'"))
    process = system.start("poll", "poll.toml", "--json", ERP_URL=url)
    wait_until(lambda: len(system.messages("ar.events")) == 24, "the first rows", process)
    with engine.begin() as connection:
        insert(connection, "new")
    wait_until(lambda: len(system.messages("ar.events")) == 25, "the new row", process)
    report = json.loads(end(process))
    assert (report["events"], report["rejected"]) == ({"InvoiceIssued": 25}, 1)
    assert report["rows_without_watermark"] == 1
    (failed,) = system.records("ar.failed")
    assert (failed["topic"], failed["reason"]) == ("invoices", "invalid_value")
    assert json.loads(failed["original_value"])["number"] == "bad"
    log = (tmp_path / "service.log").read_text()
    assert "1 rows of invoices are never read, for their changed is empty" in log
    assert PASSWORD not in log

    with engine.begin() as connection:
        connection.execute(text("update ar_invoices set changed = changed - interval '1 hour'"))
        insert(connection, "after")
    again = system.arrears("poll", "poll.toml", "--once", "--json", ERP_URL=url)
    assert again.returncode == 1  # a row without a watermark is never read, which is no success
    assert json.loads(again.stdout)["rows_read"] == 1  # all others lie before the overlap of the position
    ids = system.event_ids()
    assert len(ids) == len(set(ids)) == 26
