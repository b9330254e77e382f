"""What a run came to: events by type, rejects with their places, skipped rows."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sources.values import Parsed, ParsedEvent, SourceReject

REJECTS_KEPT_MAX = 1000


class Tally:
    """Counts the values that pass through it. Of the rejects it keeps the first ``REJECTS_KEPT_MAX``."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.rejects: list[SourceReject] = []
        self.rejected = 0
        self.skipped = 0
        self.skip_reasons: Counter[str] = Counter()

    @property
    def event_count(self) -> int:
        """Number of events of all types."""
        return self.events.total()

    def watch(self, values: Iterable[Parsed]) -> Iterator[Parsed]:
        """The same values, counted."""
        for value in values:
            if isinstance(value, ParsedEvent):
                self.events[value.name] += 1
            elif isinstance(value, SourceReject):
                self.rejected += 1
                if len(self.rejects) < REJECTS_KEPT_MAX:
                    self.rejects.append(value)
            else:
                self.skipped += 1
                if value.reason:
                    self.skip_reasons[value.reason] += 1
            yield value


def first_events(values: Iterable[Parsed], events_max: int) -> Iterator[Parsed]:
    """The values up to and including the event of number `events_max`."""
    remaining = events_max
    for value in values:
        yield value
        remaining -= isinstance(value, ParsedEvent)
        if remaining <= 0:
            return
