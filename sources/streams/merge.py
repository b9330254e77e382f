"""Records of several partitions in the order of their time, as the database committed what they tell of.

Tables come in topics of their own, and rows of one table in several partitions. What is read first of them is chance;
but an application that comes before its payment is refused. A connector writes changes in the order in which they
were committed, so the timestamps of its records say it again: the oldest record of all partitions goes first, as soon
as none of them can still hold an older one.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from sources.streams.record import StreamRecord

Place = tuple[str, int]


class Merge:
    """Holds records back until their turn comes. Of the same millisecond, topics go in the order of `ranks`."""

    def __init__(self, ranks: Mapping[str, int] | None = None) -> None:
        self._ranks = ranks or {}
        self._waiting: dict[Place, deque[StreamRecord]] = {}
        self._bytes: dict[Place, int] = {}
        self._at_end: set[Place] = set()

    def assign(self, places: Iterable[Place]) -> None:
        """Begin anew with these partitions; what was held back of others is read again by their new owner."""
        self._waiting = {place: deque() for place in places}
        self._bytes = dict.fromkeys(self._waiting, 0)
        self._at_end = set()

    def add(self, record: StreamRecord) -> None:
        """A record that was read, in the order of its partition. One of a partition that was taken away is dropped."""
        place = (record.topic, record.partition)
        if place in self._waiting:
            self._waiting[place].append(record)
            self._bytes[place] += record.size
            self._at_end.discard(place)

    def end(self, place: Place) -> None:
        """The partition has been read to its end: nothing older can come of it."""
        if place in self._waiting:
            self._at_end.add(place)

    def take(self, records_max: int, bytes_max: int = 2**62) -> list[StreamRecord]:
        """The next records whose turn has come, at most so many; the last one may exceed `bytes_max`."""
        taken: list[StreamRecord] = []
        size = 0
        while len(taken) < records_max and size < bytes_max:
            heads = [queue[0] for queue in self._waiting.values() if queue]
            if not heads or any(not queue and place not in self._at_end for place, queue in self._waiting.items()):
                break
            first = min(heads, key=self._order)
            taken.append(first)
            size += first.size
            place = first.topic, first.partition
            self._waiting[place].popleft()
            self._bytes[place] -= first.size
        return taken

    def held(self, place: Place) -> int:
        """How many records of a partition wait."""
        return len(self._waiting.get(place, ()))

    def held_bytes(self, place: Place) -> int:
        """How many bytes they have."""
        return self._bytes.get(place, 0)

    @property
    def is_empty(self) -> bool:
        """Whether no record waits."""
        return not any(self._waiting.values())

    @property
    def is_at_end(self) -> bool:
        """Whether all partitions have been read to their ends, and nothing waits."""
        return self.is_empty and self._at_end >= self._waiting.keys()

    def _order(self, record: StreamRecord) -> tuple[int, int, str, int]:
        return record.timestamp_ms, self._ranks.get(record.topic, len(self._ranks)), record.topic, record.partition
