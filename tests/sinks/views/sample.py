"""The sample company through the worker's own code: its rows for ClickHouse, and the same records for Python."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from avro.text import parse_event
from jobs import EFFECT_TYPES, CompanySettings, Fold
from jobs.effects import Effect, Receipt
from jobs.values import Instant, moment_of
from pipeline.cli.demo_feed import midnights, read_samples
from pipeline.companies import read_companies
from pipeline.scenarios.world import Rate, World
from sources.values import ParsedEvent, Position
from tests.docs.books import REFERENCE, STATE, Books
from topics import EVENTS, partition_key, partition_of

ROOT = Path(__file__).resolve().parents[3]
DAYS = 130
_DAY = 86_400_000_000
_EFFECTS = {effect.__name__: effect for effect in EFFECT_TYPES}
_ENVELOPE = {"company": "FR01", "region": "EU", "source": "test", "actor_id": "camille", "actor_role": "clerk"}


@dataclass
class Sample:
    """What was written, and the world that it came to. `events` are (name, record) in the order of the log."""

    books: Books
    world: World
    companies: dict[str, CompanySettings]
    first: Instant
    last: Instant
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@cache
def played(days: int = DAYS) -> Sample:
    """The first so many days of the sample files, with a tick at every local midnight. Nobody changes them."""
    companies = read_companies(ROOT / "config" / "companies")
    samples = read_samples(ROOT / "examples", sorted(companies))
    first = Instant(int(samples[0].record["recorded_at"]))
    samples = sorted([*samples, *_more(first)], key=lambda event: int(event.record["recorded_at"]))
    last = Instant(first + days * _DAY)
    books = Books()
    for company in companies.values():
        books._configure(company, first)
    position = 0
    for instant in midnights(first, last, list(companies.values())):
        while position < len(samples) and samples[position].record["recorded_at"] <= instant:
            _append(books, samples[position])
            position += 1
        books._tick(instant)
        books._fold()
    world = World(companies, Fold(), last)
    sample = Sample(books, world, companies, first, last)
    _fill(sample)
    return sample


def _more(first: Instant) -> Iterator[ParsedEvent]:
    """What the sample files have too little of: logged activities, write-offs, cases that are opened again."""
    account: dict[str, Any] = {"account_id": "X1", "currency": "EUR"}
    invoice = {"event": "InvoiceIssued", **account, "amount": "90000.00", "due_date": _date(first, 20)}
    case = {"exception_id": "E1", "account_id": "X1"}
    flagged = {"exception_type": "short_pay", "subject_type": "invoice", "subject_id": "X-1"}
    seen = {"event": "UserActivityLogged", "action": "view", "succeeded": True}
    written: list[tuple[float, dict[str, Any]]] = [
        (3, {**invoice, "invoice_id": "X-1", "document_date": _date(first, 3)}),
        (4, {**invoice, "invoice_id": "X-2", "document_date": _date(first, 4)}),
        (5, {**seen, "entity_type": "Invoice", "entity_id": "X-1"}),
        (6, {**seen, "entity_type": "workbench", "entity_id": "X-2"}),
        (7, {**seen, "entity_type": "payment", "entity_id": "X-2"}),
        # Heard of twelve days after the fact, when January is over.
        (
            33,
            {
                "event": "PaymentReceived",
                **account,
                "payment_id": "X-R1",
                "amount": "10.00",
                "value_date": _date(first, 21),
            },
        ),
        (40, {"event": "ExceptionFlagged", **case, **flagged}),
        (41.2, {"event": "ExceptionReviewed", **case}),
        (43.7, {"event": "ExceptionResolved", **case, "resolution": "done"}),
        (60, {"event": "ExceptionFlagged", **case, **flagged}),
        (64.1, {"event": "ExceptionResolved", **case, "resolution": "done again"}),
        (
            70,
            {"event": "ExceptionFlagged", **case, **flagged, "exception_id": "E2", "amount": "5.00", "currency": "EUR"},
        ),
        (71, {"event": "ExceptionReviewed", "exception_id": "E2", "account_id": "X1"}),
        (
            80,
            {
                "event": "InvoiceWrittenOff",
                "write_off_id": "W1",
                "invoice_id": "X-2",
                "amount": "90000.00",
                "account_id": "X1",
            },
        ),
        (95, {"event": "WriteOffRecovered", "write_off_id": "W1", "amount": "40000.00", "account_id": "X1"}),
    ]
    for number, (days, document) in enumerate(written, start=1):
        at = moment_of(Instant(first + int(days * _DAY))).isoformat()
        given = {**_ENVELOPE, "event_id": f"more-{number}", "occurred_at": at, "recorded_at": at}
        yield ParsedEvent(*parse_event(document, given), Position("more", number))


def _date(first: Instant, days: int) -> str:
    return moment_of(Instant(first + days * _DAY)).date().isoformat()


def _append(books: Books, event: ParsedEvent) -> None:
    value = books.contracts.encode(event.name, event.record)
    if event.name in books.topics[REFERENCE].records:
        books.broker.append(REFERENCE, 0, event.record["event_id"].encode(), value)
        return
    key = partition_key(event.record["company"], event.record["account_id"])
    books.broker.append(EVENTS, partition_of(key, books.partitions), key, value)


def _fill(sample: Sample) -> None:
    """The world out of the records themselves, as they are in the topics."""
    books = sample.books
    receipts: list[Receipt] = []
    for name, topic in books.topics.items():
        if name == STATE:
            continue
        for partition in range(topic.partitions):
            effects: list[Effect] = []
            for stored in books.broker.records(name, partition):
                value = stored.value()
                if value is None:
                    continue
                record_name, record = books.contracts.decode(value)
                if record_name in _EFFECTS:
                    effects.append(msgspec.convert(record, _EFFECTS[record_name], strict=False))
                elif name == EVENTS:
                    _event(sample, record_name, record)
                elif name == REFERENCE:
                    sample.world.rates.append(_rate(record))
            sample.world.take(effects)
            receipts += [effect for effect in effects if isinstance(effect, Receipt)]
    # Cash that was identified has states in two partitions; where it lies now is the one that counts.
    moved = {receipt.payment_id for receipt in receipts if receipt.status == "identified"}
    sample.world.take([receipt for receipt in receipts if receipt.account_id or receipt.payment_id not in moved])


def _event(sample: Sample, name: str, record: dict[str, Any]) -> None:
    sample.events.append((name, record))
    sample.world.occurred.setdefault(record["event_id"], record["occurred_at"])
    if name == "UserActivityLogged":
        sample.world.log_activity(record["company"], record["entity_type"], record["entity_id"])


def _rate(record: dict[str, Any]) -> Rate:
    return Rate(
        record["company"],
        record["base_currency"],
        record["quote_currency"],
        Decimal(record["rate"]),
        record["rate_date"],
        record["recorded_at"],
    )
