"""What a broker has on disk of a topic: the headers of its record batches, read without the broker.

A record that a producer was told is there, and that a reader does not find, was either never appended or not read. The
batches say which: an idempotent producer numbers its records in each partition from 0, so a batch that is missing is a
gap in the sequences of its producer id, and a batch that the broker took for a repetition is absent although another
one of the same id and sequence is there.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from topics import Topic

# Magic 2: base offset, length, leader epoch, magic, CRC, attributes, last offset delta, base and maximal timestamp,
# producer id, producer epoch, base sequence, count of records. The length counts from behind itself.
_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH_ENDS = 12


class StoredBatch(NamedTuple):
    """One record batch. ``sequence`` is that of its first record, -1 of a producer that is not idempotent."""

    offset: int
    records: int
    producer_id: int
    epoch: int
    sequence: int
    appended_at_ms: int


def stored_batches(data: Path, topic: str, partition: int) -> Iterator[StoredBatch]:
    """The batches of one partition, in the order of their offsets. ``data`` is the folder of the broker's logs."""
    for segment in sorted((data / f"{topic}-{partition}").glob("*.log")):
        content = segment.read_bytes()
        start = 0
        while start + _HEADER.size <= len(content):
            (offset, length, _, _, _, _, _, _, newest, producer_id, epoch, sequence, count) = _HEADER.unpack_from(
                content, start
            )
            yield StoredBatch(offset, count, producer_id, epoch, sequence, newest)
            start += _LENGTH_ENDS + length


def describe(data: Path, topic: Topic) -> str:
    """All batches of a topic, one a line, for the message of a test that misses records."""
    lines = [f"batches of {topic.name} on disk: partition, offset, records, producer, epoch, sequence, appended (ms)"]
    for partition in range(topic.partitions):
        lines += [
            f"{partition:3d} {' '.join(map(str, batch))}" for batch in stored_batches(data, topic.name, partition)
        ]
    return "\n".join(lines)
