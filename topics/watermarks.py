"""Where a partition of the log begins and ends, asked of a broker that may just be choosing its leader."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

_LEADERLESS_CODES = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
_PAUSE_SECONDS = 0.1


def watermarks(consumer: Consumer, place: TopicPartition, timeout_seconds: float) -> tuple[int, int]:
    """The oldest offset that is held, and one past the last that this consumer may read.

    A partition that has no leader just now, as one of a young topic or of a broker that was started again, is asked
    again until the time is over. Raises ``KafkaException``: at once for what waiting does not mend, with
    ``_TIMED_OUT`` when the broker does not answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            found = consumer.get_watermark_offsets(place, timeout=timeout_seconds, cached=False)
        except KafkaException as error:
            if not _will_pass(error.args[0]) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            if not found:  # None when the time is over, whatever the binding's types say
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  its public name for it
            return found


def _will_pass(error: KafkaError) -> bool:
    return error.retriable() or error.code() in _LEADERLESS_CODES
