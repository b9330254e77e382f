"""What ClickHouse holds of a topic, against what Kafka holds of it."""

from collections.abc import Collection, Mapping
from typing import Any

from clickhouse_connect.driver.client import Client
from confluent_kafka import TopicPartition

from avro import ContractError, contracts
from pipeline.cli.log_counts import Stored
from pipeline.state_topic import LogRange
from sinks.routes import EVENTS_TABLE, Route

_FIRST, _END = "{firsts:Array(UInt64)}[partition + 1]", "{ends:Array(UInt64)}[partition + 1]"
# Rows of records that were counted in Kafka: inside first and last offset of their partition.
_INSIDE = "_offset >= {firsts:Array(UInt64)}[_partition + 1] AND _offset < {ends:Array(UInt64)}[_partition + 1]"
_FAILURES_TABLE = "failed_events_versions"

Compared = tuple[str, str, int]
"""One side in words, the other side in words, and the gap."""


class StoredRows:
    """Questions to the tables. Kafka is asked for its ends once more where a table has rows behind what was counted."""

    def __init__(self, client: Client, client_config: Mapping[str, Any], keyed: Collection[str]) -> None:
        self._client = client
        self._log_range = LogRange(client_config)
        self._keyed = keyed

    def compare(self, route: Route, kafka: Mapping[int, Stored]) -> Compared:
        """Kafka's partitions of the route's topic against its table."""
        beyond = self._beyond(route, kafka)
        if route.table == _FAILURES_TABLE:
            return self._failures(route, kafka)
        if route.topic in self._keyed:
            left, right, gap = self._latest(route, kafka)
        else:
            left, right, gap = self._records(route, kafka)
        return left, right, gap or -beyond

    def sums(self, query: str) -> dict[tuple[str, str], int]:
        """A sum of minor units by company and currency."""
        return {(str(company), str(currency)): int(total) for company, currency, total in self._rows(query)}

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._client.query(query, parameters=parameters).result_rows]

    def _records(self, route: Route, kafka: Mapping[int, Stored]) -> Compared:
        """A log: every record is a row, except ticks and what cannot be decoded."""
        bounds = _bounds(kafka)
        rows = self._rows(
            f"SELECT count(), uniqExact(_partition, _offset) FROM {route.table} "
            f"WHERE _topic = {{topic:String}} AND {_INSIDE}",
            topic=route.topic,
            **bounds,
        )
        count, unique = map(int, rows[0])
        wanted = sum(stored.records - stored.ticks for stored in kafka.values())
        wanted -= self._unreadable(route.topic, bounds) if route.table == EVENTS_TABLE else 0
        missing = wanted - unique
        if missing > 0:
            missing -= len(self._removed(route, kafka))
        gap = missing or unique - count
        return f"{wanted:,} records", f"{count:,} rows in {route.table}", gap

    def _unreadable(self, topic: str, bounds: Mapping[str, object]) -> int:
        """Records that cannot be decoded stand in failed_events instead."""
        inside = _INSIDE.replace("_partition", "partition").replace("_offset", "offset")
        query = (
            "SELECT uniqExact(partition, offset) FROM failed_events "
            f"WHERE topic = {{topic:String}} AND stage = 'decode' AND partition >= 0 AND {inside}"
        )
        return int(self._rows(query, topic=topic, **bounds)[0][0])

    def _latest(self, route: Route, kafka: Mapping[int, Stored]) -> Compared:
        """A table of latest states: the last record of every key is there."""
        rows = self._rows(
            f"SELECT _partition, _offset FROM {route.table} FINAL WHERE _topic = {{topic:String}}", topic=route.topic
        )
        there = {(int(partition), int(offset)) for partition, offset in rows}
        wanted = {(partition, offset) for partition, stored in kafka.items() for offset in stored.latest.values()}
        wanted -= self._removed(route, kafka)
        missing = len(wanted - there)
        return f"{len(wanted):,} keys", f"{len(wanted) - missing:,} of them in {route.table}", missing

    def _failures(self, route: Route, kafka: Mapping[int, Stored]) -> Compared:
        """One row per position and stage of what failed; a replay may have written the same failure again."""
        removed = self._removed(route, kafka)
        wanted = {
            _failure_of(value)
            for partition, stored in kafka.items()
            for offset, value in stored.values.items()
            if (partition, offset) not in removed
        }
        rows = self._rows(
            f"SELECT topic, partition, offset, stage FROM {route.table} FINAL WHERE _topic = {{topic:String}}",
            topic=route.topic,
        )
        there = {(str(topic), int(partition), int(offset), str(stage)) for topic, partition, offset, stage in rows}
        missing = len(wanted - there)
        return f"{len(wanted):,} failures", f"{len(wanted) - missing:,} of them in {route.table}", missing

    def _removed(self, route: Route, kafka: Mapping[int, Stored]) -> set[tuple[int, int]]:
        """Positions inside that retention has removed on purpose and that are not there again."""
        rows = self._rows(
            f"SELECT partition, offset FROM (SELECT partition, arrayJoin(bitmapToArray(bitmapSubsetInRange("
            f"groupBitmapMergeState(offsets), {_FIRST}, {_END}))) AS offset FROM removed_positions "
            "WHERE table = {table:String} AND topic = {topic:String} AND partition < length({firsts:Array(UInt64)}) "
            "GROUP BY partition) WHERE (partition, offset) NOT IN "
            f"(SELECT _partition, _offset FROM {route.table} WHERE _topic = {{topic:String}} AND {_INSIDE})",
            table=route.table,
            topic=route.topic,
            **_bounds(kafka),
        )
        return {(int(partition), int(offset)) for partition, offset in rows}

    def _beyond(self, route: Route, kafka: Mapping[int, Stored]) -> int:
        """Partitions of which the table has rows that Kafka never had."""
        rows = self._rows(
            f"SELECT _partition, max(_offset) FROM {route.table} WHERE _topic = {{topic:String}} GROUP BY _partition",
            topic=route.topic,
        )
        found = 0
        for partition, last in rows:
            counted = kafka.get(int(partition), Stored())
            if int(last) <= counted.last:
                continue
            _, end = self._log_range.of(TopicPartition(route.topic, int(partition)))
            found += int(last) >= end
        return found


def _bounds(kafka: Mapping[int, Stored]) -> dict[str, object]:
    """First offset and the one behind the last, by the number of the partition; an empty one has nothing inside."""
    partitions = range(max(kafka, default=-1) + 1)
    parts = [kafka.get(number, Stored()) for number in partitions]
    return {"firsts": [max(0, part.first) for part in parts], "ends": [part.last + 1 for part in parts]}


def _failure_of(value: bytes) -> tuple[str, int, int, str]:
    try:
        _, record = contracts().decode(value)
    except ContractError:
        return "", -1, -1, ""
    return str(record["topic"]), int(str(record["partition"])), int(str(record["offset"])), str(record["stage"])
