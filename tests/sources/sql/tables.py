"""A table in SQLite that is polled, and the log that the events go to."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, text

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceReject
from sources.mapping import read_mapping
from sources.sql import Database, MemoryPositions, PollConfig, Poller, Positions, load_poll_config

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MAPPING = """\
source = "erp"
[values]
timezone = "Europe/Paris"
[all]
account_id = "customer"
[[skip]]
when = { status = "draft" }
[[event]]
event = "InvoiceIssued"
[event.fields]
occurred_at = "entered"
invoice_id = "number"
document_date = "issued"
amount = "amount"
currency = "currency"
[[event]]
event = "PaymentReceived"
when = { paid_on = { empty = false } }
[event.fields]
occurred_at = { template = "{paid_on} 12:00:00" }
payment_id = { template = "P-{number}" }
value_date = "paid_on"
amount = "amount"
currency = "currency"
"""
POLL = """\
name = "invoices"
mapping = "invoices.toml"
company = "FR01"
table = "ar_invoices"
key = ["number"]
watermark = "changed"
batch_rows = 3
"""
COLUMNS = (
    "number text, customer text, status text, issued text, amount numeric, currency text, paid_on text, "
    "entered text, changed text"
)


class Log:
    """The log as the worker sees it: what came, and what of it has an effect, once for each id."""

    def __init__(self) -> None:
        self.values: list[Parsed] = []
        self.batches = 0

    def deliver(self, values: Sequence[Parsed]) -> bool:
        """Take a batch and acknowledge it."""
        self.values += values
        self.batches += 1
        return True

    @property
    def rejects(self) -> list[SourceReject]:
        """The rejects, in the order in which they came."""
        return [value for value in self.values if isinstance(value, SourceReject)]

    @property
    def events(self) -> list[ParsedEvent]:
        """The events, in the order in which they came."""
        return [value for value in self.values if isinstance(value, ParsedEvent)]

    def in_effect(self) -> dict[str, dict[str, Any]]:
        """The events by their ids, in their written form; what comes again under its id has no effect."""
        found: dict[str, dict[str, Any]] = {}
        for event in self.events:
            found.setdefault(event.record["event_id"], write_event(event.name, event.record))
        return found

    def invoices(self) -> list[tuple[str, str]]:
        """Number and amount of the invoices in effect, in the order in which they came."""
        events = self.in_effect().values()
        return [(event["invoice_id"], event["amount"]) for event in events if event["event"] == "InvoiceIssued"]


class Table:
    """The table, with the changes that a test makes to it."""

    def __init__(self, folder: Path, columns: str = COLUMNS) -> None:
        self.url = f"sqlite:///{folder / 'erp.sqlite'}"
        self.engine: Engine = sqlalchemy.create_engine(self.url)
        self.run(f"create table ar_invoices ({columns})")

    def run(self, statement: str, **values: object) -> None:
        """One statement in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def put(self, number: str, changed: object, **values: object) -> None:
        """Insert a row, or change all that there is of it."""
        row: dict[str, object] = {
            "number": number, "customer": "C1", "status": "posted", "issued": "2026-03-01", "amount": 100,
            "currency": "EUR", "paid_on": None, "entered": "2026-03-01 09:12:00", "changed": changed, **values,
        }  # fmt: skip
        self.run("delete from ar_invoices where number = :number", number=number)
        names = ", ".join(row)
        self.run(f"insert into ar_invoices ({names}) values ({', '.join(':' + name for name in row)})", **row)


def configured(folder: Path, poll: str = POLL, mapping: str = MAPPING) -> PollConfig:
    """The configuration, read from its file."""
    (folder / "poll.toml").write_text(poll, encoding="utf-8")
    (folder / "invoices.toml").write_text(mapping, encoding="utf-8")
    return load_poll_config(folder / "poll.toml")


def database(config: PollConfig, url: str) -> Database:
    """What the configuration reads, at a URL."""
    return Database(url, table_name=config.table, query=config.query, watermark=config.watermark, key=config.key)


def poller(
    config: PollConfig,
    url: str,
    deliver: Callable[[Sequence[Parsed]], bool],
    positions: Positions | None = None,
    mapping: str = MAPPING,
    **options: Any,
) -> Poller:
    """A process that polls, as it starts."""
    text_of_mapping = read_mapping(mapping, f"{os.sep}invoices.toml")
    kept = MemoryPositions() if positions is None else positions
    return Poller(config, text_of_mapping, database(config, url), kept, deliver, now=lambda: NOW, **options)
