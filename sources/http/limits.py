"""How much is taken: events a second by key, and bytes and records that are under way at once."""

from collections.abc import Callable

from sources.http.problems import HttpProblem


class TokenBucket:
    """Events a second, with a burst. A request that overdraws is taken once; the next waits until the debt is paid.

    So a batch larger than the burst is not refused for ever, and the mean rate holds all the same.
    """

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def wait_seconds(self) -> float:
        """How long a next request has to wait; 0 = it may come now."""
        self._fill()
        return 0.0 if self._tokens > 0 else -self._tokens / self._per_second + 1.0 / self._per_second

    def take(self, events: int) -> None:
        """Pay for the events of a request that was let in."""
        self._fill()
        self._tokens -= events

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now


class Rates:
    """A bucket for each key, made when it is first used: an equal share of its rate in each process."""

    def __init__(self, per_second: float, burst_seconds: float, processes: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._processes = processes
        self._burst_seconds = burst_seconds
        self._clock = clock
        self._buckets: dict[str, TokenBucket | None] = {}

    def of(self, key_id: str, events_per_second: float | None) -> TokenBucket | None:
        """The bucket of a key; None where nothing limits it. `events_per_second` is the key's own, if it has one."""
        if key_id not in self._buckets:
            rate = self._per_second if events_per_second is None else events_per_second
            share = rate / self._processes
            self._buckets[key_id] = TokenBucket(share, share * self._burst_seconds, self._clock) if rate > 0 else None
        return self._buckets[key_id]


class Memory:
    """Bytes of requests that are being read or wait for the broker. Above the limit nobody else is let in."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.held = 0

    def hold(self, size: int) -> None:
        """Count bytes in. Raises ``HttpProblem`` 503 when they would be too many."""
        if self.held and self.held + size > self._bytes_max:
            raise overloaded("too many bytes are under way at once")
        self.held += size

    def release(self, size: int) -> None:
        """Count them out."""
        self.held -= size


def overloaded(why: str, retry_after_seconds: float = 1.0) -> HttpProblem:
    """503: come back soon."""
    detail = f"{why}; send the same request again after Retry-After: events that arrived are known by their ids"
    return HttpProblem(503, "overloaded", detail, retry_after_seconds=retry_after_seconds, closes=True)
