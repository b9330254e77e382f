"""The circuit breaker: many events in a row that the jobs cannot fold are a defect of the program, not bad data.

Without it a bad release would move every event to ``ar.failed`` and commit that. The worker stops instead, before the
batch is committed, and a repaired release goes on where it stopped.
"""

from collections import deque
from dataclasses import dataclass

from pipeline.errors import Problem


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """When to stop: more than ``share_max`` of the last ``window_events`` failed, counted from ``events_min`` on.

    ``restores_max``: an effect that cannot be encoded costs a restore of the partition; more of them than this among
    the last ``window_events`` stop the worker, too.
    """

    share_max: float = 0.5
    window_events: int = 2_000
    events_min: int = 100
    restores_max: int = 5


class Breaker:
    """Counts over a sliding window of events, over all partitions of the worker. One thread at a time."""

    def __init__(self, options: BreakerOptions) -> None:
        self._options = options
        self._window: deque[tuple[int, int, int]] = deque()
        self._events = 0
        self._defects = 0
        self._restores = 0

    def count(self, events: int, defects: int, restores: int = 0) -> None:
        """Add what was tried and what of it failed by a defect (stage ``fold`` or ``encode``)."""
        if not events:
            return
        self._window.append((events, defects, restores))
        self._events += events
        self._defects += defects
        self._restores += restores
        while self._events - self._window[0][0] >= self._options.window_events:
            events, defects, restores = self._window.popleft()
            self._events -= events
            self._defects -= defects
            self._restores -= restores

    def check(self, last_error: str) -> None:
        """Raise ``Problem`` when the window holds too many defects; ``last_error`` is shown with it."""
        options = self._options
        if self._events >= options.events_min and self._defects > options.share_max * self._events:
            raise Problem(
                f"{self._defects} of the last {self._events} events failed in the jobs, the last one with {last_error}",
                "This is a defect, not bad data: nothing of the last batch was committed; start a repaired version",
            )
        if self._restores > options.restores_max:
            raise Problem(
                f"{self._restores} of the last {self._events} events had effects that cannot be written, the last one "
                f"with {last_error}",
                "This is a defect, not bad data: nothing of the last batch was committed; start a repaired version",
            )
