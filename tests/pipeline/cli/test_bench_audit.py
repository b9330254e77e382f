"""The measure of the audit measures what it says: every row is sealed once and verified, or it is an error."""

from pathlib import Path

import pytest

from pipeline.cli.benchmarks.audit import measure_audit
from pipeline.cli.benchmarks.parts import System
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.errors import Problem
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import ClickHouseSettings, KafkaSettings, Settings

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]


def test_rows_are_sealed_and_verified(
    kafka: KafkaBroker, clickhouse: ClickHouseServer, topic_prefix: str, tmp_path: Path
) -> None:
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix),
        clickhouse=ClickHouseSettings(url=clickhouse.url, database="bench_audit"),
    )
    told: list[str] = []
    with System(settings, tmp_path) as system:
        system.prepare(tables=True)
        results = measure_audit(system, 600, told.append)
        assert [one.unit for one in results] == ["rows/s", "rows/s"]
        assert all(one.value > 0 and one.micros is not None for one in results)
        with clickhouse_client(settings) as client:
            assert client.query("SELECT uniqExact(topic, partition, offset) FROM event_chain").result_rows == [(600,)]
        with pytest.raises(Problem, match="600 rows were written"):  # they are there already: each is one too many
            measure_audit(system, 600, told.append)
        with clickhouse_client(settings) as client:
            client.command("DROP DATABASE bench_audit SYNC")
    assert len(told) == 4
