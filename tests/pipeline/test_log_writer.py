"""The log writer and the waiting for everything to be applied, on a real broker with a real worker."""

from pathlib import Path

import pytest

from avro import contracts
from jobs import settings_from
from pipeline.cli.benchmarks.history import COMPANY, SETTINGS, end_micros, history, invoice
from pipeline.cli.settling import Settling
from pipeline.errors import Problem
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.log_writer import LogWriter
from pipeline.settings import KafkaSettings, Settings
from tests.integration.installed import installed
from tests.integration.topic_reader import read_topics
from topics import EVENTS, catalogue, partition_key, partition_of


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_ticks_and_events_lie_in_the_order_in_which_they_were_written_and_are_waited_for(
    kafka: KafkaBroker, clickhouse: ClickHouseServer, topic_prefix: str, tmp_path: Path
) -> None:
    settings_of_company = settings_from({"code": COMPANY, "timezone": "Europe/Paris"})
    with installed(kafka, clickhouse, topic_prefix, tmp_path, [settings_of_company]) as settings:
        topic = catalogue(topic_prefix)[EVENTS]
        writer = LogWriter(settings.kafka.client_config(), topic)
        for number in range(300):
            account = f"C{number % 7}"
            writer.write("InvoiceIssued", COMPANY, account, invoice(f"I{number}", account, number, 20_454, 100))
            writer.tick(number)
        writer.flush()
        settling = Settling(settings)
        settling.wait(60.0)
        configured = topic.partitions
        assert settling.handled == writer.count + configured == 300 + 300 * topic.partitions + configured
        settling.close()
        places: dict[int, list[tuple[str, int]]] = {}
        for message in read_topics(settings.kafka.client_config(), [topic]):
            name, record = contracts().decode(message.value() or b"")
            if name == "InvoiceIssued":
                key = partition_key(COMPANY, str(record["account_id"]))
                assert message.partition() == partition_of(key, topic.partitions)
            if name != "CompanyConfigured":
                places.setdefault(message.partition() or 0, []).append((name, int(str(record["recorded_at"]))))
    assert len(places) == topic.partitions
    for written in places.values():
        # An invoice lies before the tick of its instant.
        assert written == sorted(written, key=lambda one: (one[1], one[0] == "ClockTicked"))


def test_a_broker_that_is_not_there_is_a_problem_and_not_silence() -> None:
    settings = Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:9"))
    writer = LogWriter(settings.kafka.client_config() | {"delivery.timeout.ms": 500}, catalogue()[EVENTS])
    writer.tick(0)
    with pytest.raises(Problem, match="the broker does not take the events"):
        writer.flush()


def test_the_history_of_the_bench_is_the_same_at_every_run_and_ends_before_its_end() -> None:
    first, second = list(history(200, 10)), list(history(200, 10))
    assert first == second
    assert contracts().decode(first[0][2])[1]["settings"] == SETTINGS
    moments = [int(str(contracts().decode(value)[1]["recorded_at"])) for _, _, value in first]
    assert moments == sorted(moments)
    assert moments[-1] < end_micros()
