"""Which events were applied before: the same event id again is ignored (SEMANTICS 4.5).

Digests of sixteen bytes in chunks of sixty-four, written as they fill, so that the cost of an event does not grow with
the number of events. Chunks go after `KEPT_DAYS`; what is read again after that is caught by its business key.
"""

from hashlib import blake2b

from jobs.entities import Seen, key
from jobs.state import State
from jobs.values import Day, Instant

KEPT_DAYS = 500
_CHUNK = 64
_DIGEST = 16
_MICROS_A_DAY = 86_400_000_000


class SeenEvents:
    """The event ids applied in a partition. New ones are put into the state by `flush`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._digests: set[bytes] = set()
        self._new: list[tuple[bytes, Day]] = []  # with the day on which each came in
        self._first = 0  # chunks before this one have been forgotten
        self._next = 0  # position of the next digest to be put into a chunk, counted from the first ever

    def restored(self) -> None:
        """All chunks are in the state."""
        numbers = sorted(int(chunk_key.rpartition("\x1f")[2]) for chunk_key in self._state.keys("seen"))
        for number in numbers:
            chunk = self._state.get(Seen, _key(number))
            if chunk is not None:
                self._digests.update(_split(chunk.digests))
                self._next = number * _CHUNK + len(chunk.digests) // _DIGEST
        self._first = numbers[0] if numbers else 0

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._digests

    def add(self, digest: bytes, recorded_at: Instant) -> None:
        """Remember an applied event, after everything of its step that may fail."""
        self._digests.add(digest)
        self._new.append((digest, Day(recorded_at // _MICROS_A_DAY)))

    def flush(self) -> None:
        """Put what came since the last time into its chunks; when that happens does not show in them."""
        new = self._new
        while new:
            number, filled = divmod(self._next, _CHUNK)
            chunk = self._state.get(Seen, _key(number))
            taken, new = new[: _CHUNK - filled], new[_CHUNK - filled :]
            newest = max(day for _, day in taken)
            before, day = (b"", newest) if chunk is None else (chunk.digests, max(chunk.day, newest))
            self._state.put(_key(number), Seen(None, "", day, before + b"".join(digest for digest, _ in taken)))
            self._next += len(taken)
        self._new = []

    def forget(self, now: Instant) -> None:
        """Drop full chunks that are older than `KEPT_DAYS`."""
        oldest = now // _MICROS_A_DAY - KEPT_DAYS
        if self._new and self._new[0][1] < oldest:
            self.flush()  # what came before this tick may go with it, also where both are of one batch
        while self._first < self._next // _CHUNK:
            chunk = self._state.get(Seen, _key(self._first))
            if chunk is not None:
                if chunk.day >= oldest:
                    return
                self._digests.difference_update(_split(chunk.digests))
                self._state.remove(_key(self._first))
            self._first += 1


def digest_of(company: str, event_id: str) -> bytes:
    """Sixteen bytes that stand for an event id of a company: two companies' systems may mint the same one."""
    return blake2b(f"{company}\0{event_id}".encode(), digest_size=_DIGEST).digest()


def _key(number: int) -> str:
    return key("seen", "*", str(number))


def _split(digests: bytes) -> list[bytes]:
    return [digests[position : position + _DIGEST] for position in range(0, len(digests), _DIGEST)]
