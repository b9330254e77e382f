"""Time is an event: who appends ``ClockTicked`` to the log, and when (DESIGN §2).

Live, the owner of a partition appends a tick every interval and right after each timer of the fold, through the
partition's own transactional producer, so that a worker that was replaced cannot make time pass. External, nobody
does but the caller of ``publish_tick``: a demo or a backfill that runs months in seconds.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from confluent_kafka import KafkaException, Producer

from pipeline.errors import Problem
from pipeline.ports import Headers

TICK_HEADERS: Headers = [("event_type", b"ClockTicked"), ("company", b"")]
FLUSH_SECONDS_MAX = 30.0


class TickRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``ClockTicked`` with its envelope. It concerns no company and no account."""

    event_id: str
    at: int
    occurred_at: int
    recorded_at: int
    company: str = ""
    account_id: str | None = None
    region: str = ""
    source: str = "arrears"
    actor_id: str = "clock"
    actor_role: str = "system"
    correlation_id: str | None = None


def tick_record(at_micros: int) -> TickRecord:
    """The tick of an instant. Its id is the instant: the same tick twice is one tick."""
    return TickRecord(event_id=f"clock/{at_micros}", at=at_micros, occurred_at=at_micros, recorded_at=at_micros)


def now_micros() -> int:
    """The wall clock, microseconds since 1970."""
    return int(datetime.now(tz=UTC).timestamp() * 1_000_000)


class TickSchedule:
    """When the live clock of one partition ticks next."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = int(interval_seconds * 1_000_000)
        self._last: int | None = None

    def due_micros(self, clock_micros: int | None, next_wake_micros: int | None) -> int:
        """The instant of the next tick; 0 = now.

        A timer that the last tick has already passed asks for nothing: that tick is in the log and will fire it.
        """
        last = self._last if self._last is not None else clock_micros
        if last is None:
            return 0
        if next_wake_micros is not None and next_wake_micros > last:
            return min(last + self._interval, next_wake_micros)
        return last + self._interval

    def tick(self, now: int, clock_micros: int | None) -> int:
        """Take the tick of ``now``; never before one that was taken, whatever a clock of this machine says."""
        self._last = max(now, self._last or 0, clock_micros or 0)
        return self._last


def publish_tick(
    producer: Producer, topic: str, partitions: int, at_micros: int, encode: Callable[[TickRecord], bytes]
) -> None:
    """Append the tick to every partition and wait until the broker has them all.

    Raises ``Problem`` when it does not answer; then some partitions may have the tick, and the same call again does
    no harm.
    """
    value = encode(tick_record(at_micros))
    failures: list[str] = []

    def delivered(error: object, _: object) -> None:
        if error is not None:
            failures.append(str(error))

    try:
        for partition in range(partitions):
            producer.produce(topic, value, None, partition, headers=[*TICK_HEADERS], on_delivery=delivered)
        left = producer.flush(FLUSH_SECONDS_MAX)
    except (KafkaException, BufferError) as error:
        raise Problem(f"the clock cannot be written to {topic}: {error}", "Look at the broker") from error
    if left or failures:
        reason = failures[0] if failures else f"no answer in {FLUSH_SECONDS_MAX:.0f} s"
        raise Problem(f"the clock cannot be written to {topic}: {reason}", "Look at the broker")
