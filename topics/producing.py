"""The options of librdkafka that every producer of ours has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PRODUCER_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        # Java's default, on which all producers must agree (DESIGN §2).
        "partitioner": "murmur2_random",
        # A batch is sent when it is known what became of the one before it. Otherwise a broker that does not lead a
        # young partition yet may refuse a producer's first batch and take its second one, and librdkafka then calls
        # both delivered: silent loss, in spite of idempotence (adr/0071, KAFKA-15591).
        "max.in.flight.requests.per.connection": 1,
    }
)
"""To be put over the client's options. An idempotent or transactional producer keeps the order of a partition."""
