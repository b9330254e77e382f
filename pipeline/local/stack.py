"""Broker and ClickHouse together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from pipeline.local import clickhouse, kafka
from pipeline.local.clickhouse import ClickHouseServer
from pipeline.local.kafka import KafkaBroker
from pipeline.local.kafka_files import Progress


class Stack:
    """The local Kafka and ClickHouse, with their data in ``folder`` between runs.

    Both start side by side, and can be stopped and started one by one. A part that is not wanted, because its
    address was given, is None.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka_port: int = kafka.DEFAULT_PORT,
        clickhouse_port: int = clickhouse.DEFAULT_PORT,
        kafka_heap_mib: int = kafka.HEAP_MIB,
        cache_folder: Path | None = None,
        clickhouse_user: str = "default",
        clickhouse_password: str = "",
        with_kafka: bool = True,
        with_clickhouse: bool = True,
        progress: Progress | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.kafka = (
            KafkaBroker(folder / "kafka", kafka_port, kafka_heap_mib, cache_folder, progress) if with_kafka else None
        )
        self.clickhouse = (
            ClickHouseServer(folder / "clickhouse", clickhouse_port, clickhouse_user, clickhouse_password)
            if with_clickhouse
            else None
        )

    @property
    def kafka_bootstrap_servers(self) -> str:
        """Address of the broker; empty when the stack has none."""
        return self.kafka.bootstrap_servers if self.kafka else ""

    @property
    def clickhouse_url(self) -> str:
        """Address of ClickHouse; empty when the stack has none."""
        return self.clickhouse.url if self.clickhouse else ""

    def start(self) -> None:
        """Start what is not running, side by side. Raises ``Problem`` when a part does not start; then none runs."""
        parts = [part for part in (self.kafka, self.clickhouse) if part]
        try:
            _all_at_once([part.start for part in parts])
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End what is running, in order, side by side."""
        _all_at_once([part.stop for part in (self.kafka, self.clickhouse) if part])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _all_at_once(actions: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(max(len(actions), 1)) as threads:
        for running in [threads.submit(action) for action in actions]:
            running.result()
