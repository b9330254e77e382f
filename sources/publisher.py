"""Parsed values → Kafka: every event to its topic, every reject to `ar.failed`, and nothing left unacknowledged."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from avro import contracts
from sources import metrics
from sources.errors import SourceError
from sources.event_fields import event_names
from sources.failed import failed_event
from sources.intake import now_utc
from sources.redaction import STANDARD, Redactor
from sources.values import Parsed, ParsedEvent, SourceReject
from topics import PRODUCER_OPTIONS, catalogue, partition_key

QUEUE_MESSAGES_MAX = 50_000
QUEUE_KIBIBYTES_MAX = 64 * 1024
_FAILED_EVENT = "FailedEvent"
_EXCHANGE_RATE = "ExchangeRateSet"
_POLL_SECONDS = 0.1
_POLL_EVERY = 1000


class Publisher:
    """An idempotent producer that waits for every acknowledgement (acks=all).

    `client_options` are options of librdkafka, as ``settings.kafka.producer_config()`` makes them. The queue is
    bounded: when the broker is slower than the source, ``publish`` waits. `heartbeat` is called while it works, at
    least every `_POLL_EVERY` values and every tenth of a second of waiting. `now` dates the rejects.
    `redactor` is the last thing that a reject passes, whichever way it came.
    """

    def __init__(
        self,
        client_options: Mapping[str, Any],
        *,
        topic_prefix: str = "",
        connect_seconds_max: float = 10.0,
        delivery_seconds_max: float = 60.0,
        heartbeat: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = now_utc,
        redactor: Redactor = STANDARD,
    ) -> None:
        self._contracts = contracts()
        self._heartbeat = heartbeat
        self._now = now
        self._redactor = redactor
        self._connect_seconds_max = connect_seconds_max
        self._delivery_seconds_max = delivery_seconds_max
        carried = {*event_names(), _FAILED_EVENT}
        self._topics = [topic for topic in catalogue(topic_prefix).values() if carried & set(topic.records)]
        self._topic_of = {name: topic.name for topic in self._topics for name in topic.records if name in carried}
        self._failures = 0
        self._first_failure: KafkaError | None = None
        self._client_error = ""
        self._producer = Producer(
            {
                **client_options,
                **PRODUCER_OPTIONS,
                "enable.idempotence": True,
                "acks": "all",
                "delivery.timeout.ms": int(delivery_seconds_max * 1000),
                "delivery.report.only.error": True,
                "queue.buffering.max.messages": QUEUE_MESSAGES_MAX,
                "queue.buffering.max.kbytes": QUEUE_KIBIBYTES_MAX,
                "linger.ms": 20,
                "compression.type": "lz4",
                "allow.auto.create.topics": False,
                "error_cb": self._note_client_error,
                # An error reaches the user as one line; librdkafka's own log lines would stand beside it.
                "log_level": 0,
            }
        )

    def connect(self) -> None:
        """Reach the broker and see that the topics exist. Raises ``SourceError`` after `connect_seconds_max`."""
        try:
            known = self._producer.list_topics(timeout=self._connect_seconds_max).topics
        except KafkaException as error:
            self._producer.poll(0)  # what the client met on the way says more than the timeout
            reason = self._client_error or error.args[0].str()
            raise SourceError(
                f"no answer from the broker within {self._connect_seconds_max:g} seconds ({reason})",
                "Start it (`arrears up` starts one on this machine), or set kafka.bootstrap_servers",
            ) from error
        missing = sorted(set(self._topic_of.values()) - set(known))
        if missing:
            raise SourceError(f"the broker has no topic {', '.join(missing)}", "Run `arrears topics apply` first")
        for topic in self._topics:
            if (partitions := len(known[topic.name].partitions)) != topic.partitions:
                raise SourceError(
                    f"the topic {topic.name} has {partitions} partitions instead of {topic.partitions}",
                    "Accounts would be looked for in other ones; see `arrears topics plan`",
                )

    def publish(self, values: Iterable[Parsed]) -> int:
        """Send all values in order and wait for the acknowledgements. Returns how many records were acknowledged.

        Raises ``SourceError`` when the broker does not acknowledge a record in time. It is safe to publish the same
        values again: events that arrived before are known by their ids.
        """
        sent = 0
        for number, value in enumerate(values, start=1):
            if isinstance(value, ParsedEvent):
                self._send_event(value)
                sent += 1
            elif isinstance(value, SourceReject):
                self._send_reject(value)
                sent += 1
            if number % _POLL_EVERY == 0:
                self._producer.poll(0)
                self._heartbeat()
            if self._failures:
                break
        self._drain()
        if self._failures:
            raise self._not_acknowledged(sent)
        return sent

    def _send_event(self, event: ParsedEvent) -> None:
        record = event.record
        self._send(
            event.name, record_key(event.name, record), self._contracts.encode(event.name, record), record["company"]
        )
        metrics.EVENTS.labels(event.name).inc()

    def _send_reject(self, reject: SourceReject) -> None:
        reject = self._redactor.reject(reject)
        value = self._contracts.encode(_FAILED_EVENT, failed_event(reject, self._now()))
        company = reject.company or ""
        self._send(_FAILED_EVENT, partition_key(company, None), value, company)
        metrics.REJECTS.labels(reject.reason).inc()

    def _send(self, name: str, key: bytes, value: bytes, company: str) -> None:
        headers: list[tuple[str, str | bytes | None]] = [("event_type", name.encode()), ("company", company.encode())]
        while True:
            try:
                self._producer.produce(
                    self._topic_of[name], key=key, value=value, headers=headers, on_delivery=self._note_delivery
                )
            except BufferError:
                # Back-pressure: the queue is full, so wait until the broker has taken some of it.
                self._producer.poll(_POLL_SECONDS)
                self._heartbeat()
                if self._failures:
                    return
            else:
                return

    def _drain(self) -> None:
        """Wait until nothing is under way. Bounded: each record is acknowledged or failed within its own time."""
        if self._failures:
            self._producer.purge()
        while self._producer.flush(_POLL_SECONDS):
            self._heartbeat()

    def _not_acknowledged(self, sent: int) -> SourceError:
        reason = self._first_failure.str() if self._first_failure else ""
        reason = f"{reason}; {self._client_error}" if self._client_error else reason
        metrics.DELIVERY_FAILURES.inc(self._failures)
        failures, self._failures = self._failures, 0
        return SourceError(
            f"the broker did not acknowledge {failures:,} of {sent:,} records ({reason})",
            "Run the same command again once it is back; events that arrived are known by their ids",
        )

    def _note_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures += 1
            # Records purged after the first failure say nothing of its cause.
            self._first_failure = self._first_failure or error

    def _note_client_error(self, error: KafkaError) -> None:
        self._client_error = error.str()


def record_key(name: str, record: Mapping[str, Any]) -> bytes:
    """The record key that the catalogue asks for."""
    if name == _EXCHANGE_RATE:
        day = date(1970, 1, 1) + timedelta(days=record["rate_date"])
        return "|".join((record["company"], record["base_currency"], record["quote_currency"], str(day))).encode()
    return partition_key(record["company"], record["account_id"])
