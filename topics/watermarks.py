"""Where a partition of the log begins and ends, asked of a broker that may just be choosing its leader."""

import time
from math import inf

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

_LEADERLESS_CODES = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
# A topic that was made this instant may be known before its last partitions are.
_YOUNG_CODES = frozenset({KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART})  # noqa: SLF001
_YOUNG_SECONDS_MAX = 2.0
_PAUSE_SECONDS = 0.1


def watermarks(consumer: Consumer, place: TopicPartition, timeout_seconds: float) -> tuple[int, int]:
    """The oldest offset that is held, and one past the last that this consumer may read.

    A partition that has no leader just now, as one of a young topic or of a broker that was started again, is asked
    again until the time is over, and one that is not known for two seconds. Raises ``KafkaException``: at once for
    what waiting does not mend, with ``_TIMED_OUT`` when the broker does not answer.
    """
    began = time.monotonic()
    while True:
        try:
            found = consumer.get_watermark_offsets(place, timeout=timeout_seconds, cached=False)
        except KafkaException as error:
            if time.monotonic() - began > min(timeout_seconds, _patience_seconds(error.args[0])):
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            if not found:  # None when the time is over, whatever the binding's types say
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  its public name for it
            return found


def _patience_seconds(error: KafkaError) -> float:
    """How long the broker may go on to answer so; 0 for what waiting does not mend."""
    if error.code() in _YOUNG_CODES:
        return _YOUNG_SECONDS_MAX
    return inf if error.retriable() or error.code() in _LEADERLESS_CODES else 0.0
