"""Records → Kafka, and an answer only when the broker has acknowledged them (acks=all, idempotent).

One producer serves all requests of the process. Acknowledgements are fetched by a timer of the event loop, many at
once: never a flush for one request, and no second thread that would fight for the interpreter with the first.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from avro import contracts
from sources import metrics
from sources.errors import SourceError
from sources.event_fields import event_names
from sources.http.limits import overloaded
from sources.http.options import ApiOptions
from sources.publisher import record_key
from sources.values import ParsedEvent
from topics import PRODUCER_OPTIONS, Topic, catalogue

FAILED_EVENT = "FailedEvent"
VALUE_BYTES_MAX = 900_000
"""A record's value at most; brokers refuse messages above 1 MB by default."""
_BUSY_SECONDS = 0.003
# A broker pays for each partition of a request more than for a record in it. So while many requests come in, records
# are gathered over a few rounds of the timer; a few go at once, and so does a batch.
_FEW_REQUESTS = 4
_MANY_RECORDS = 200
_ROUNDS_MAX = 4
_IDLE_SECONDS = 0.25
_PROBE_SECONDS = 1.0
_PROBE_TIMEOUT_SECONDS = 2.0
_RETRY_SECONDS = 2.0
_HEADERS_KEPT = 4096
logger = logging.getLogger(__name__)

Headers = list[tuple[str, str | bytes | None]]


class OutgoingRecord(msgspec.Struct, frozen=True, gc=False):
    """One record, encoded: where it goes and what it is."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class _Delivery:
    """The records of one request, until all of them are acknowledged or failed. ``told`` is called for each."""

    __slots__ = ("error", "future", "left", "records", "told")

    def __init__(
        self,
        records: Sequence[OutgoingRecord],
        future: "asyncio.Future[KafkaError | None]",
        told: Callable[[int], None],
    ) -> None:
        self.records = records
        self.left = len(records)
        self.error: KafkaError | None = None
        self.future = future
        self.told = told

    def on_delivery(self, error: KafkaError | None, _: Message) -> None:
        self.end(1, error)

    def end(self, records: int, error: KafkaError | None) -> None:
        self.told(records)
        self.left -= records
        self.error = self.error or error
        if not self.left and not self.future.done():
            self.future.set_result(self.error)


class Acknowledged:
    """The producer of the API. Everything but ``start`` and ``close`` is for the event loop's thread only.

    `client_options` are options of librdkafka, as ``settings.kafka.client_config()`` makes them. While
    `in_flight_records_max` records are under way, requests are turned away (503) before they are read.
    """

    def __init__(
        self,
        client_options: Mapping[str, Any],
        *,
        topic_prefix: str = "",
        options: ApiOptions,
    ) -> None:
        records_max = options.in_flight_records_max
        acknowledge_seconds_max = options.acknowledge_seconds_max
        carried = {*event_names(), FAILED_EVENT}
        self._topics: list[Topic] = [t for t in catalogue(topic_prefix).values() if carried & set(t.records)]
        self._topic_of = {name: topic.name for topic in self._topics for name in topic.records if name in carried}
        self._encode = contracts().encode
        self._records_max = records_max
        self._acknowledge_seconds_max = acknowledge_seconds_max
        self._options = {
            **client_options,
            **PRODUCER_OPTIONS,
            "enable.idempotence": True,
            "acks": "all",
            "delivery.timeout.ms": int(acknowledge_seconds_max * 1000),
            "queue.buffering.max.messages": max(records_max * 2, 1000),
            "queue.buffering.max.kbytes": 1024 * 1024,
            "linger.ms": options.linger_milliseconds,
            "compression.type": "lz4",
            "allow.auto.create.topics": False,
            # A broker that comes back is found soon; librdkafka's own limit is ten seconds.
            "reconnect.backoff.max.ms": 1000,
            "error_cb": self._on_client_error,
            "log_level": 0,
        }
        self._producer = Producer(self._options)
        self._waiting: list[_Delivery] = []
        self._rounds = 0  # of the timer, since the first of those that wait came
        self._headers: dict[tuple[str, str], Headers] = {}
        self._under_way = 0
        self._reachable = False
        self._fatal = False
        self._timer: asyncio.TimerHandle | None = None
        self._fast = False
        self._probing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def under_way(self) -> int:
        """Records that wait for their acknowledgement."""
        return self._under_way

    @property
    def is_reachable(self) -> bool:
        """Whether the broker answered when it was last asked."""
        return self._reachable

    def start(self) -> None:
        """Begin to fetch acknowledgements and to look for the broker; needs a running loop."""
        self._schedule(_IDLE_SECONDS)
        self._probe()

    async def close(self) -> None:
        """Wait for what is under way, as long as an acknowledgement may take; then nothing is sent any more."""
        self._closed = True
        deadline = time.monotonic() + self._acknowledge_seconds_max
        while self._under_way and time.monotonic() < deadline:
            await asyncio.sleep(_BUSY_SECONDS)
        if self._timer is not None:
            self._timer.cancel()
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing
        if self._under_way:
            logger.warning("%d records were not acknowledged before the end", self._under_way)
            self._producer.purge()
        self._producer.poll(0)

    def admit(self) -> None:
        """Raise ``HttpProblem`` 503 when the broker cannot be reached, or has too much to acknowledge already."""
        if not self._reachable:
            raise overloaded("the broker cannot be reached", _RETRY_SECONDS)
        if self._under_way >= self._records_max:
            raise overloaded("the broker has not acknowledged enough of what is under way")

    def record_of(self, event: ParsedEvent) -> OutgoingRecord:
        """An event, encoded and addressed."""
        record, name = event.record, event.name
        headers = self._headers_of(name, record["company"])
        return OutgoingRecord(self._topic_of[name], record_key(name, record), self._encode(name, record), headers)

    def failed_record(self, record: Mapping[str, Any], key: bytes) -> OutgoingRecord:
        """A record of `ar.failed`, encoded and addressed."""
        headers = self._headers_of(FAILED_EVENT, record["company"] or "")
        return OutgoingRecord(self._topic_of[FAILED_EVENT], key, self._encode(FAILED_EVENT, record), headers)

    def _headers_of(self, name: str, company: str) -> Headers:
        found = self._headers.get((name, company))
        if found is None:
            if len(self._headers) >= _HEADERS_KEPT:
                self._headers.clear()
            found = self._headers[name, company] = [("event_type", name), ("company", company)]
        return found

    async def deliver(self, records: Sequence[OutgoingRecord]) -> None:
        """Send records in order and wait until the broker has acknowledged all of them.

        Raises ``HttpProblem`` 503 when it does not in time. Some may have arrived all the same; sending the request
        again does no harm.
        """
        if not records:
            return
        future: asyncio.Future[KafkaError | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Delivery(records, future, self._ended))
        self._under_way += len(records)
        self._hurry()
        failure = await future
        if failure is not None:
            self._note_failure(failure)
            raise overloaded(f"the broker did not acknowledge in time ({failure.str()})", _RETRY_SECONDS)

    def _ended(self, records: int) -> None:
        self._under_way -= records

    def _produce(self, delivery: _Delivery) -> None:
        told, produce = delivery.on_delivery, self._producer.produce
        left = len(delivery.records)
        failure: KafkaError
        try:
            for record in delivery.records:
                produce(record.topic, record.value, record.key, headers=record.headers, on_delivery=told)
                left -= 1
        except BufferError:
            failure = KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001  a public constant
        except KafkaException as error:
            failure = error.args[0]
        else:
            return
        delivery.end(left, failure)

    def _poll(self) -> None:
        if self._waiting:
            self._send_when_due()
        self._producer.poll(0)
        metrics.UNDER_WAY.set(self._under_way)
        self._fast = self._under_way > 0
        self._schedule(_BUSY_SECONDS if self._fast else _IDLE_SECONDS)

    def _send_when_due(self) -> None:
        """Hand what waits to the client: at once where it is little or a batch, else after some rounds."""
        self._rounds += 1
        records = sum(len(delivery.records) for delivery in self._waiting)
        if len(self._waiting) > _FEW_REQUESTS and records < _MANY_RECORDS and self._rounds < _ROUNDS_MAX:
            return
        waiting, self._waiting, self._rounds = self._waiting, [], 0
        for delivery in waiting:
            self._produce(delivery)

    def _hurry(self) -> None:
        """From the slow rhythm of idling to the fast one."""
        if not self._fast and self._timer is not None:
            self._timer.cancel()
            self._fast = True
            self._schedule(_BUSY_SECONDS)

    def _schedule(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._poll)

    def _on_client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():  # noqa: SLF001  a public constant
            self._note_failure(error)

    def _note_failure(self, error: KafkaError) -> None:
        if self._closed or error.code() == KafkaError._QUEUE_FULL:  # noqa: SLF001  a public constant
            return
        self._fatal = self._fatal or error.fatal()
        if self._reachable:
            logger.warning("the broker is not reachable: %s", error.str())
        self._set_reachable(False)
        self._probe()

    def _set_reachable(self, reachable: bool) -> None:
        self._reachable = reachable
        metrics.BROKER_REACHABLE.set(reachable)

    def _probe(self) -> None:
        if self._probing is None or self._probing.done():
            self._probing = asyncio.get_running_loop().create_task(self._look_for_broker())

    async def _look_for_broker(self) -> None:
        """Ask until the broker answers and has the topics as the catalogue says."""
        while not self._reachable:
            if self._fatal:
                # An idempotent producer stays useless after a fatal error. What it holds is told as failed first.
                self._producer.purge()
                self._producer.flush(_PROBE_TIMEOUT_SECONDS)
                self._producer, self._fatal = Producer(self._options), False
            try:
                await asyncio.to_thread(self._check_topics)
            except SourceError as error:
                logger.warning("%s", error)
                await asyncio.sleep(_PROBE_SECONDS)
            else:
                self._set_reachable(True)
                logger.info("the broker is reachable")

    def _check_topics(self) -> None:
        try:
            known = self._producer.list_topics(timeout=_PROBE_TIMEOUT_SECONDS).topics
        except KafkaException as error:
            raise SourceError(f"no answer from the broker ({error.args[0].str()})") from error
        for topic in self._topics:
            if topic.name not in known:
                raise SourceError(f"the broker has no topic {topic.name}", "Run `arrears topics apply`")
            if len(known[topic.name].partitions) != topic.partitions:
                raise SourceError(
                    f"the topic {topic.name} has {len(known[topic.name].partitions)} partitions instead of "
                    f"{topic.partitions}",
                    "Accounts would be looked for in other ones; see `arrears topics plan`",
                )
