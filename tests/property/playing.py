"""Playing a history: the fold, with its carried events fed back, and what it put out."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from jobs import Fold
from jobs.effects import Carried, Effect
from jobs.events import Event
from tests.jobs.books import Outputs

_ENCODER = msgspec.msgpack.Encoder()


@dataclass
class Play:
    """A fold and everything it put out, by step."""

    fold: Fold = field(default_factory=Fold)
    out: Outputs = field(default_factory=Outputs)
    steps: list[tuple[Event, str, list[Effect]]] = field(default_factory=list)

    def take(self, event: Event) -> list[Effect]:
        """One event of the log, and what it carries to other accounts."""
        waiting = deque([event])
        effects: list[Effect] = []
        while waiting:
            current = waiting.popleft()
            result = self.fold.step(current)
            self.steps.append((current, result.outcome, result.effects))
            self.out.take(result.effects)
            effects += result.effects
            waiting.extend(effect.event for effect in result.effects if isinstance(effect, Carried))
        return effects

    def all(self, events: Iterable[Event]) -> "Play":
        """Every event of a log."""
        for event in events:
            self.take(event)
        return self


def encoded(effects: Iterable[Effect]) -> list[bytes]:
    """Effects as bytes, with their kinds."""
    return [type(effect).__name__.encode() + _ENCODER.encode(effect) for effect in effects]


def state_of(fold: Fold) -> dict[str, bytes]:
    """The state records of a fold, without the chunks of event ids, whose layout follows the batches."""
    fold.take_changes()
    return {key: value for key, value in fold._state._resting.items() if not key.startswith("seen")}


def restarted(fold: Fold) -> Fold:
    """A new fold from the state records of another."""
    fold.take_changes()
    other = Fold()
    for key, value in fold._state._resting.items():
        other.restore(key, value)
    other.restored()
    return other
