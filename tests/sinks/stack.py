"""The real neighbours of a sink: topics on the broker, tables in ClickHouse, records in transactions, a process."""

import functools
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sinks.clickhouse import Address
from tests.sinks.copies import make_tables
from topics import PRODUCER_OPTIONS, Topic, catalogue


@dataclass(frozen=True)
class System:
    """The address of everything that one test has for itself."""

    bootstrap_servers: str
    prefix: str
    address: Address

    @property
    def client_config(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.bootstrap_servers, "log_level": 2}

    @property
    def topics(self) -> Mapping[str, Topic]:
        return catalogue(self.prefix)

    def prepare(self) -> None:
        """Make all topics and tables."""
        admin = AdminClient(self.client_config)
        wanted = [NewTopic(topic.name, topic.partitions, 1, config=topic.config()) for topic in self.topics.values()]
        for future in admin.create_topics(wanted).values():
            future.result(30)
        make_tables(self.address)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer. Tests ask while they wait, and a new client costs ten times as much as a question."""
        return [tuple(row) for row in _client(self.address).query(sql).result_rows]

    def sink_values(self, **options: object) -> dict[str, Any]:
        """What `tests.sinks.process` makes a sink of."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "prefix": self.prefix,
            "url": self.address.url,
            "database": self.address.database,
            **options,
        }

    def start_sink(self, **options: object) -> "subprocess.Popen[bytes]":
        """A sink in a process of its own."""
        values = json.dumps(self.sink_values(**options))
        return subprocess.Popen([sys.executable, "-m", "tests.sinks.process", values])


@functools.lru_cache(maxsize=2)
def _client(address: Address) -> Client:
    """Of the system that is asked, and the one before."""
    return address.client()


def system(bootstrap_servers: str, url: str, prefix: str) -> System:
    """Topics and a database that no other test uses."""
    return System(bootstrap_servers, prefix, Address(url, "sink_" + prefix.strip(".").replace(".", "_")))


class TransactionalWriter:
    """Writes records the way workers do: in transactions, whose markers leave gaps in the offsets."""

    def __init__(self, client_config: Mapping[str, Any], transactional_id: str) -> None:
        self._producer = Producer(
            {
                **client_config,
                **PRODUCER_OPTIONS,
                "transactional.id": transactional_id,
                "linger.ms": 5,
                "compression.type": "lz4",
            }
        )
        self._producer.init_transactions(30)

    def write(self, topic: str, records: Iterable[tuple[int, bytes]], *, commit: bool = True) -> None:
        """One transaction of (partition, value) records; without `commit` no reader ever sees them."""
        self._producer.begin_transaction()
        for partition, value in records:
            while True:
                try:
                    self._producer.produce(topic, value, b"key", partition, headers=[("company", b"FR01")])
                    break
                except BufferError:
                    self._producer.poll(0.1)
        if commit:
            self._producer.commit_transaction(60)
        else:
            self._producer.flush(30)
            self._producer.abort_transaction(60)
