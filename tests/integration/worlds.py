"""What a scenario's events came to, as Kafka or ClickHouse tells it: the worlds that expectations look at.

`pipeline.scenarios` answers expectations from a `World` of effects. In process the effects come from the fold; here
they are read from the output topics, or where a table keeps every row, from ClickHouse. Questions to the fold itself
(credit standing, notices due, worklist) are answered by folds restored from the state topic, as a worker restores
them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import msgspec
from clickhouse_connect.driver.client import Client
from confluent_kafka import Message

from avro import contracts
from jobs import EFFECT_TYPES, EVENT_TYPES, Fold
from jobs.credit import Standing
from jobs.dunning import Notice
from jobs.effects import Effect
from jobs.values import day_of, instant_of
from jobs.worklist import WorklistRow
from pipeline.progress import RESERVED
from pipeline.scenarios.world import Rate, World
from tests.integration.one_world import Look, Part
from tests.integration.settling import Cut
from topics import Topic, partition_key, partition_of

TYPES = {effect_type.__name__: effect_type for effect_type in EFFECT_TYPES}
# Tables of dated changes: they keep every row, and each row its position, so that a cut can be applied to them.
LOG_TABLES = {
    "LedgerEntry": "ledger_entries_log",
    "DisputeEntry": "dispute_entries_log",
    "AgingTransition": "aging_transitions_log",
    "Alert": "alerts_log",
    "Account": "accounts_log",
    "RejectedEvent": "rejected_events",
}
# Tables of latest states: what they show is compared as it stands in the end.
STATE_VIEWS = {
    "Item": "items",
    "Receipt": "receipts",
    "Promise": "promises",
    "DisputeCase": "disputes",
    "ExceptionCase": "exceptions",
}


@dataclass(frozen=True)
class Found:
    """A record of a topic or a row of a table, with the position of the record."""

    name: str
    record: dict[str, Any]
    topic: str
    partition: int
    offset: int
    written: int  # milliseconds; orders what one event wrote after another

    @property
    def company(self) -> str:
        return str(self.record["company"])

    @property
    def moment(self) -> int:
        """When it happened by the pipeline's clock, microseconds."""
        return int(next(self.record[name] for name in ("raised_at", "fired_at", "recorded_at") if name in self.record))


def from_topics(messages: Iterable[Message]) -> Iterator[Found]:
    """The records of topics, decoded."""
    for message in messages:
        name, record = contracts().decode(message.value() or b"")
        yield Found(
            name,
            record,
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
        )


def from_table(client: Client, name: str) -> Iterator[Found]:
    """The rows of a log table, as records again: days and instants as numbers."""
    found = client.query(f"SELECT * FROM {LOG_TABLES[name]}")
    for values in found.result_rows:
        row = {column: _plain(value) for column, value in zip(found.column_names, values, strict=True)}
        position = row.pop("_topic"), row.pop("_partition"), row.pop("_offset"), row.pop("_appended_at") // 1000
        if "account_id" in row and name == "Alert":
            row["account_id"] = row["account_id"] or None  # ClickHouse has the empty text for no account
        yield Found(name, row, *position)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_of(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    return day_of(value) if isinstance(value, date) else value


class RestoredFolds:
    """The folds of all partitions at a cut, with the answers of the one that has the account, or of all together."""

    def __init__(self, part: Part, folds: dict[int, Fold]) -> None:
        self._part = part
        self._folds = folds

    def credit(self, company: str, account: str, currency: str | None = None) -> Standing:
        """See ``jobs.Fold.credit``."""
        code = self._part.company(company)
        return self._folds[partition_of(partition_key(code, account), len(self._folds))].credit(code, account, currency)

    def notices_due(self, company: str) -> list[Notice]:
        """See ``jobs.Fold.notices_due``."""
        code = self._part.company(company)
        notices = [notice for fold in self._folds.values() for notice in fold.notices_due(code)]
        return sorted(notices, key=lambda notice: (notice.account, notice.level))

    def worklist(self, company: str) -> list[WorklistRow]:
        """See ``jobs.Fold.worklist``."""
        code = self._part.company(company)
        return [row for fold in self._folds.values() for row in fold.worklist(code)]


def restored_folds(part: Part, messages: Iterable[Message], topic: Topic, cut: Cut) -> RestoredFolds:
    """What a worker that starts at the cut restores from the state topic, of the scenario's companies."""
    mark = part.mark.encode()
    latest: dict[int, dict[bytes, bytes]] = {number: {} for number in range(topic.partitions)}
    for message in messages:
        partition, key, value = message.partition() or 0, message.key() or b"", message.value()
        is_its_own = mark in key or key.startswith(b"clock")
        if not is_its_own or key.startswith(RESERVED) or not cut.has(topic.name, partition, message.offset() or 0):
            continue
        if value is None:
            latest[partition].pop(key, None)
        else:
            latest[partition][key] = value
    folds = {}
    for partition, state in latest.items():
        folds[partition] = fold = Fold()
        for key, value in state.items():
            fold.restore(key.decode(), value)
        fold.restored()
    return RestoredFolds(part, folds)


class Records:
    """Everything that the topics, or the tables, hold, by company."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._by_company: dict[str, list[Found]] = defaultdict(list)
        for one in found:
            self._by_company[one.company].append(one)

    def of(self, part: Part, look: Look, names: Iterable[str]) -> list[Found]:
        """A scenario's records up to a look, in the order in which they happened.

        What one event put out lies in one partition in its order. Where an event went on to another account, the
        second partition wrote later. Alerts of one instant are ordered by subject, as everywhere.
        """
        wanted = set(names)
        found = [
            one
            for company in part.scenario.companies
            for one in self._by_company[part.company(company.code)]
            if one.name in wanted and _is_seen(one, look)
        ]
        return sorted(found, key=lambda one: (one.moment, _subject(one), one.written, one.partition, one.offset))


def _is_seen(found: Found, look: Look) -> bool:
    if look.cut is not None:
        return look.cut.has(found.topic, found.partition, found.offset)
    return found.moment <= look.clock


def _subject(found: Found) -> str:
    return str(found.record["subject"]) if found.name == "Alert" else ""


def world_of(part: Part, look: Look, found: Iterable[Found], folds: RestoredFolds | None) -> World:
    """The world of a scenario where one of its expectations stands."""
    companies = {company.code: company for company in part.scenario.companies}
    world = World(companies, cast("Fold", folds), clock=look.clock, steps=part.in_process.world.steps)
    refused = [*look.refused_at_source]
    for one in found:
        record = {
            **one.record,
            "company": part.own(one.company),
            "event_id": part.own(str(one.record["event_id"])),
        }
        if one.name == "RejectedEvent":
            refused.append((one.moment, record["event_id"], str(record["reason"])))
        elif one.name == "ExchangeRateSet":
            world.rates.append(_rate(record))
        elif one.name == "UserActivityLogged":
            world.log_activity(record["company"], record["entity_type"], record["entity_id"])
        elif one.name in EVENT_TYPES:
            world.occurred.setdefault(record["event_id"], record["occurred_at"])
        else:
            world.take([effect_of(one.name, record)])
    order = world.steps.get
    refused.sort(key=lambda refusal: (refusal[0], order(refusal[1], 0)))
    world.rejected += [(event_id, reason) for _, event_id, reason in refused]
    return world


def effect_of(name: str, record: dict[str, Any]) -> Effect:
    """An effect from its record."""
    return msgspec.convert(record, TYPES[name])


def _rate(record: dict[str, Any]) -> Rate:
    return Rate(
        record["company"],
        record["base_currency"],
        record["quote_currency"],
        Decimal(record["rate"]),
        record["rate_date"],
        record["recorded_at"],
    )
