"""Dead letters sent again: the same bytes, key and headers, to the topic they came from, once unless asked twice."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from pipeline.dead_letters.letter import DeadLetter, LetterFilter
from pipeline.errors import Problem
from pipeline.log_reader import LogReader
from topics import EVENTS, PRODUCER_OPTIONS, RECORD_BYTES_MAX, Topic, partition_of

REPLAYED_FROM = "replayed_from"
"""Header of a record that was sent again: the place of its dead letter, as in ``ar.failed/3/17``."""

Outcome = Literal["sent", "replayed before", "not replayable"]

_REFERENCE = "ar.reference"
_CLOCK = "ClockTicked"
_DELIVERY_SECONDS_MAX = 60.0
# So far the clocks of two brokers may be apart.
_SKEW_MILLISECONDS = 60_000


class ReplayOptions(msgspec.Struct, frozen=True):
    """`again`: also what was sent again before. `rate` is in records a second, None for as fast as it goes.

    `limit` counts what is sent, so that the same call again goes on where the one before it ended.
    """

    dry_run: bool = False
    again: bool = False
    limit: int | None = None
    rate: float | None = None


def obstacle(letter: DeadLetter, prefix: str) -> str | None:
    """Why a letter cannot be sent again, in words that say what to do; None when it can."""
    if letter.is_from_file:
        return "it never was in a topic of ours: `arrears dlq export` writes it to a file, to be mended and ingested"
    if letter.topic not in {prefix + EVENTS, prefix + _REFERENCE}:
        return f"{letter.topic} is written by the pipeline alone; mend the cause and compute it anew"
    if letter.event_type == _CLOCK:
        return "the clock does not go back"
    if letter.value is None:
        return "its bytes were too many to be kept, or it had none"
    return None


class Replayer:
    """Sends letters and tells what became of each. Use ``replay`` once."""

    def __init__(
        self,
        client_config: Mapping[str, Any],
        topics: Mapping[str, Topic],
        prefix: str,
        options: ReplayOptions,
        note: Callable[[DeadLetter, Outcome], None] = lambda *_: None,
    ) -> None:
        self._client_config = client_config
        self._partitions = {topics[name].name: topics[name].partitions for name in (EVENTS, _REFERENCE)}
        self._prefix = prefix
        self._options = options
        self._note = note
        self._failures: list[KafkaError] = []

    def replay(
        self, chosen: Sequence[DeadLetter], read: Callable[[LetterFilter], Iterator[DeadLetter]]
    ) -> Counter[Outcome]:
        """Send the chosen letters, which `read` reads once more: they may come without their bytes (``without_bytes``).

        Letters of one partition are sent in their order. Raises ``Problem`` when the broker does not acknowledge one;
        the rest is not sent then.
        """
        outcomes: Counter[Outcome] = Counter()
        sendable = [letter for letter in chosen if obstacle(letter, self._prefix) is None]
        before = set() if self._options.again or not sendable else self._replayed_before(sendable)
        for letter in chosen:
            if obstacle(letter, self._prefix) is not None:
                self._tell(letter, "not replayable", outcomes)
            elif self._mark(letter) in before:
                self._tell(letter, "replayed before", outcomes)
        left = [letter.place for letter in sendable if self._mark(letter) not in before][: self._options.limit]
        if left:
            self._send_all(read(LetterFilter(places=frozenset(left))), outcomes)
        return outcomes

    def _tell(self, letter: DeadLetter, outcome: Outcome, outcomes: Counter[Outcome]) -> None:
        outcomes[outcome] += 1
        self._note(letter, outcome)

    def _send_all(self, letters: Iterator[DeadLetter], outcomes: Counter[Outcome]) -> None:
        producer = None if self._options.dry_run else self._producer()
        started = time.monotonic()
        for letter in letters:
            self._send(producer, letter)
            self._keep_pace(started, outcomes["sent"] + 1)
            self._tell(letter, "sent", outcomes)
        if producer is not None:
            self._check(producer.flush(_DELIVERY_SECONDS_MAX))

    def _mark(self, letter: DeadLetter) -> str:
        return f"{self._prefix}ar.failed/{letter.place.partition}/{letter.place.offset}"

    def _replayed_before(self, letters: list[DeadLetter]) -> set[str]:
        """The marks of letters that stand in their topics again already.

        The record that was sent again is itself the note of it, so there is nothing beside the log that could say
        something else. Only partitions in question are read, from the time of the oldest letter on.
        """
        wanted: dict[str, list[DeadLetter]] = {}
        for letter in letters:
            wanted.setdefault(letter.topic, []).append(letter)
        found: set[str] = set()
        for topic, its_letters in wanted.items():
            partitions = {self._partition(letter) for letter in its_letters}
            since = min(letter.arrived_milliseconds for letter in its_letters) - _SKEW_MILLISECONDS
            # Only the event topic is in the order of its times.
            from_time = since if topic == self._prefix + EVENTS else None
            with LogReader(self._client_config) as reader:
                found |= {mark for message in reader.read(topic, partitions, from_time) if (mark := _mark_of(message))}
        return found

    def _partition(self, letter: DeadLetter) -> int:
        """Where its key belongs, which is not where it stood if that was what was wrong with it."""
        if letter.key is None:
            return letter.partition
        return partition_of(letter.key, self._partitions[letter.topic])

    def _send(self, producer: Producer | None, letter: DeadLetter) -> None:
        if producer is None:
            return
        headers: list[tuple[str, str | bytes | None]] = [
            (name, value) for name, value in letter.headers if name != REPLAYED_FROM
        ]
        headers.append((REPLAYED_FROM, self._mark(letter).encode()))
        while True:
            try:
                producer.produce(
                    letter.topic,
                    letter.value,
                    letter.key,
                    self._partition(letter),
                    headers=headers,
                    on_delivery=self._delivered,
                )
            except BufferError:
                producer.poll(0.1)
            else:
                break
        producer.poll(0)
        self._check(0)

    def _keep_pace(self, started: float, sent: int) -> None:
        if self._options.rate is not None and not self._options.dry_run:
            time.sleep(max(0.0, started + sent / self._options.rate - time.monotonic()))

    def _producer(self) -> Producer:
        return Producer(
            {
                **self._client_config,
                **PRODUCER_OPTIONS,
                "enable.idempotence": True,
                "acks": "all",
                "delivery.timeout.ms": int(_DELIVERY_SECONDS_MAX * 1000),
                "message.max.bytes": RECORD_BYTES_MAX,
                "log_level": 0,
            }
        )

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error)

    def _check(self, left: int) -> None:
        if self._failures or left:
            reason = self._failures[0].str() if self._failures else "no answer in time"
            raise Problem(
                f"the broker did not acknowledge {len(self._failures) + left} of the records ({reason})",
                "Run the same command again: what was sent is known by its header and is not sent twice",
            )


def _mark_of(message: Message) -> str | None:
    for name, value in dict(message.headers() or ()).items():
        if name == REPLAYED_FROM:
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return None
