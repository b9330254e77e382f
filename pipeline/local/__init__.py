"""The local stack: the real Kafka and the real ClickHouse engine, without Docker."""

from pipeline.local.clickhouse import ClickHouseServer
from pipeline.local.kafka import KafkaBroker
from pipeline.local.stack import Stack

__all__ = ["ClickHouseServer", "KafkaBroker", "Stack"]
