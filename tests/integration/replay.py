"""The whole event log of a system, from its beginning, into the fresh topics of another one."""

from collections import Counter, defaultdict
from pathlib import Path

from confluent_kafka import Message

from avro import contracts
from pipeline.companies import PUBLISHED_PREFIX
from pipeline.progress import PROGRESS_KEY
from pipeline.settings import Settings, variable_name
from tests.integration.topic_reader import read_topics
from tests.integration.workers import System
from topics import EVENTS, catalogue

APPLIED_SECONDS_MAX = 90.0
STATE = "ar.state"
NO_OUTPUTS = frozenset({EVENTS, STATE, "ar.reference"})
WITH_POSITIONS = frozenset({"ar.rejected", "ar.failed"})
Record = tuple[bytes | None, bytes | None]
Records = dict[str, list[Record]]


class Replay:
    """A system that folds the log of another one again; what accounts sent one another is in that log, too."""

    def __init__(self, of: Settings, prefix: str, folder: Path) -> None:
        self._original = of
        only_read = {variable_name("worker", "forward_events"): "false"}
        self._system = System(of.kafka.bootstrap_servers, prefix, folder, only_read)
        self._system.create_topics()

    def run(self) -> None:
        """Copy the log record by record, partition by partition, and fold it."""
        producer = self._system.producer()
        config = self._original.kafka.client_config()
        for message in read_topics(config, [catalogue(self._original.kafka.topic_prefix)[EVENTS]]):
            producer.produce(
                self._system.topic(EVENTS).name,
                message.value(),
                message.key(),
                message.partition() or 0,
                headers=message.headers() or [],
            )
            producer.poll(0)
        assert producer.flush(60) == 0
        self._system.start_worker()
        self._system.wait_until_applied(APPLIED_SECONDS_MAX)
        self._system.stop_workers()

    def outputs(self) -> tuple[Records, Records]:
        """What both have put out, by topic: of the original, and of the replay."""
        return self._outputs(self._original.kafka.topic_prefix), self._outputs(self._system.prefix)

    def states(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """The latest state of every entity and partition: of the original, and of the replay."""
        return self._states(self._original.kafka.topic_prefix), self._states(self._system.prefix)

    def _outputs(self, prefix: str) -> Records:
        topics = catalogue(prefix)
        names = {topic.name: name for name, topic in topics.items() if name not in NO_OUTPUTS}
        found: Records = defaultdict(list)
        for message in self._read(prefix, *names.values()):
            name, value = names[message.topic() or ""], message.value()
            if name in WITH_POSITIONS and value is not None:
                value = _without_position(value)
            found[name].append((message.key(), value))
        # Partitions of the log go on at their own pace: what several of them write into one topic has no common order.
        return {name: sorted(records, key=repr) for name, records in found.items()}

    def _states(self, prefix: str) -> dict[bytes, bytes]:
        """Positions and counters tell how a log was read, notes of settings what was published; neither is state."""
        latest: dict[bytes, bytes] = {}
        for message in self._read(prefix, STATE):
            key = message.key() or b""
            if key == PROGRESS_KEY or key.startswith(PUBLISHED_PREFIX):
                continue
            place = b"%d/%s" % (message.partition() or 0, key)
            latest[place] = message.value() or b""
        return {place: value for place, value in latest.items() if value}

    def _read(self, prefix: str, *names: str) -> list[Message]:
        topics = catalogue(prefix)
        return read_topics(self._system.client_config, [topics[name] for name in names])


def _without_position(value: bytes) -> bytes:
    """Where the event of a rejection lies is another place in another topic, and nothing else of it may differ."""
    name, record = contracts().decode(value)
    return contracts().encode(name, record | {"topic": "", "offset": 0})


def differences(original: Records, again: Records) -> list[str]:
    """What one of them has put out and the other has not, or not as often, decoded."""
    found = []
    for name in sorted(original.keys() | again.keys()):
        once, twice = Counter(original.get(name, [])), Counter(again.get(name, []))
        found += [f"{name}, only in the original: {_told(record)}" for record in (once - twice).elements()]
        found += [f"{name}, only in the replay: {_told(record)}" for record in (twice - once).elements()]
    return found


def _told(record: Record) -> object:
    return contracts().decode(record[1]) if record[1] else record
