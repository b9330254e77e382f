"""The state of one partition: entities at rest as bytes, touched ones decoded, with timers and indexes beside them.

Pure and in memory. A step of the fold changes it through `put` and `remove`; `keep` makes the step's changes part of
the state, `undo` takes them all back, so that an event on which a job fails costs that event and nothing else.
"""

import heapq
from collections.abc import Iterator
from typing import Any, TypeVar, cast

import msgspec

from jobs.company import CompanySettings
from jobs.entities import KINDS, SEPARATOR, Head
from jobs.values import Day, Instant

E = TypeVar("E", bound=msgspec.Struct)

_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(Head)
_DECODERS = {entity: msgspec.msgpack.Decoder(entity) for entity in KINDS.values()}
_AT_REST = Head(None, "")  # stands for an entity that is not decoded
_NOTHING = Head(None, "")  # stands for an entity that does not exist: no timer, no listing
_DECODED_MAX = 5_000  # decoded entities kept between batches; the rest goes back to bytes


class State:
    """Entities by key, an index of keys by what they are listed under, and timers by company and local day."""

    def __init__(self) -> None:
        self.companies: dict[str, CompanySettings] = {}
        self._resting: dict[str, bytes] = {}
        self._decoded: dict[str, msgspec.Struct | None] = {}
        self._dirty: dict[str, None] = {}
        self._pending: dict[str, msgspec.Struct | None] = {}
        self._undo: dict[str, msgspec.Struct | None] = {}
        self._index: dict[str, dict[str, None]] = {}
        self._timers: dict[str, dict[Day, dict[str, None]]] = {}
        self._midnights: list[tuple[Instant, str, Day]] = []
        self._firing: set[tuple[str, Day]] = set()  # days taken from `_midnights` in this step
        self._counts: dict[str, int] = {}
        self._bytes = 0

    # Reading

    def get(self, entity: type[E], key: str) -> E | None:
        """The entity under a key, or None. Keys of one kind hold entities of one type."""
        known = self._decoded.get(key, _AT_REST)
        if known is not _AT_REST:
            return known  # type: ignore[return-value]  # one type per kind of key
        resting = self._resting.get(key)
        if resting is None:
            return None
        found = cast("E", _DECODERS[entity].decode(resting))
        self._decoded[key] = found
        return found

    def listed(self, under: str) -> list[str]:
        """The keys listed under a name, in order of key."""
        siblings = self._index.get(under)
        if siblings is None:
            return []
        return sorted(siblings) if len(siblings) > 1 else list(siblings)

    def lists(self, under: str) -> bool:
        """Whether anything is listed under a name."""
        return under in self._index

    def keys(self, kind: str) -> Iterator[str]:
        """All keys of a kind, in no particular order."""
        prefix = kind + SEPARATOR
        for key in self._resting:
            if key.startswith(prefix) and self._decoded.get(key, _AT_REST) is not None:
                yield key
        for key, entity in self._decoded.items():
            if entity is not None and key.startswith(prefix) and key not in self._resting:
                yield key

    # Changing, within a step

    def put(self, key: str, entity: msgspec.Struct) -> None:
        """Make `entity` the one under the key, until `keep` or `undo`."""
        if key not in self._pending:
            self._remember(key)
        self._decoded[key] = entity

    def remove(self, key: str) -> None:
        """Forget the entity under the key."""
        if key not in self._pending:
            self._remember(key)
        self._decoded[key] = None

    def _remember(self, key: str) -> None:
        """Note what is under a key before its first change since the last `keep`."""
        before = self._decoded.get(key, _AT_REST)
        if before is _AT_REST:
            resting = self._resting.get(key)
            before = None if resting is None else _DECODERS[KINDS[key.split(SEPARATOR, 1)[0]]].decode(resting)
        self._pending[key] = before

    def keep(self) -> None:
        """Timers and indexes follow what changed since the last `keep`. May be called several times in a step."""
        if not self._pending:
            return
        decoded = self._decoded
        undo = self._undo
        for key, before in self._pending.items():
            after = decoded[key]
            if after is before:
                continue
            self._relist(key, before, after)
            if key not in undo:
                undo[key] = before
        self._pending.clear()

    def finish(self) -> None:
        """The step is over: its changes are part of the state and due to be written."""
        self.keep()
        if self._undo:
            self._dirty.update(dict.fromkeys(self._undo))
            self._undo.clear()
        self._firing.clear()

    def undo(self) -> None:
        """Take back everything since the last `finish`."""
        for key, before in self._pending.items():
            self._decoded[key] = before
        self._pending.clear()
        for key, before in self._undo.items():
            self._relist(key, self._decoded[key], before)
            self._decoded[key] = before
        self._undo.clear()
        self._firing.clear()
        for company in self.companies:
            self.rebuild_timers(company)  # midnights that the step took from the queue

    def _relist(self, key: str, before: msgspec.Struct | None, after: msgspec.Struct | None) -> None:
        old: Any = _NOTHING if before is None else before  # every entity begins as a head does
        new: Any = _NOTHING if after is None else after
        old_wake, new_wake = old.wake, new.wake
        old_under, new_under = old.listed_under, new.listed_under
        if old_under != new_under:
            if old_under:
                siblings = self._index[old_under]
                del siblings[key]
                if not siblings:
                    del self._index[old_under]
            if new_under:
                self._index.setdefault(new_under, {})[key] = None
        if old_wake != new_wake:
            self._reschedule(key, old_wake, new_wake)
        elif self._firing and new_wake is not None:
            self._fire_again(key.split(SEPARATOR, 2)[1], new_wake)

    # Timers

    def _reschedule(self, key: str, old: Day | None, new: Day | None) -> None:
        company = key.split(SEPARATOR, 2)[1]
        days = self._timers.setdefault(company, {})
        if old is not None:
            waiting = days[old]
            del waiting[key]
            if not waiting:
                del days[old]
        if new is not None:
            if new not in days:
                days[new] = {}
                heapq.heappush(self._midnights, (self.companies[company].calendar.midnight(new), company, new))
            else:
                self._fire_again(company, new)
            days[new][key] = None

    def _fire_again(self, company: str, day: Day) -> None:
        """What is set to a day whose timers are firing just now fires after them, at the same instant."""
        if (company, day) in self._firing:
            self._firing.remove((company, day))
            heapq.heappush(self._midnights, (self.companies[company].calendar.midnight(day), company, day))

    def next_wake(self) -> Instant | None:
        """The instant of the next timer."""
        midnights = self._midnights
        while midnights and midnights[0][2] not in self._timers.get(midnights[0][1], {}):
            heapq.heappop(midnights)
        return midnights[0][0] if midnights else None

    def due_at(self, instant: Instant) -> list[tuple[str, Day, str]]:
        """The timers that begin at an instant: (company, local day, key), by company and key."""
        days: set[tuple[str, Day]] = set()  # a midnight may be in the queue twice
        while self._midnights and self._midnights[0][0] <= instant:
            _, company, day = heapq.heappop(self._midnights)
            days.add((company, day))
        self._firing |= days
        return [
            (company, day, key)
            for company, day in sorted(days)
            for key in sorted(self._timers.get(company, {}).get(day, ()))
        ]

    def rebuild_timers(self, company: str) -> None:
        """Compute the midnights of a company anew: after a change of its time zone, or of an undone step."""
        self._midnights = [entry for entry in self._midnights if entry[1] != company]
        calendar = self.companies[company].calendar
        self._midnights.extend((calendar.midnight(day), company, day) for day in self._timers.get(company, {}))
        heapq.heapify(self._midnights)

    # At rest

    def restore(self, key: str, value: bytes | None) -> None:
        """One record of the state topic; a later one of the same key replaces an earlier one."""
        self._rest(key, value)

    def _rest(self, key: str, value: bytes | None) -> None:
        before = self._resting.get(key)
        if value is None:
            if before is not None:
                del self._resting[key]
                self._counts[key.split(SEPARATOR, 1)[0]] -= 1
        else:
            self._resting[key] = value
            if before is None:
                kind = key.split(SEPARATOR, 1)[0]
                self._counts[kind] = self._counts.get(kind, 0) + 1
        self._bytes += len(value or b"") - len(before or b"")

    def restored(self) -> None:
        """All records are in: build indexes and timers. `companies` must be set."""
        for key, value in self._resting.items():
            head = _HEAD.decode(value)
            if head.listed_under:
                self._index.setdefault(head.listed_under, {})[key] = None
            if head.wake is not None:
                self._reschedule(key, None, head.wake)

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        """The records to write since the last call, in order of first change; None is a tombstone."""
        changes: list[tuple[str, bytes | None]] = []
        for key in self._dirty:
            entity = self._decoded[key]
            if entity is None:
                if key in self._resting:
                    self._rest(key, None)
                    changes.append((key, None))
                continue
            value = _ENCODER.encode(entity)
            self._rest(key, value)
            changes.append((key, value))
        self._dirty.clear()
        if len(self._decoded) > _DECODED_MAX:
            self._decoded.clear()
        return changes

    def statistics(self) -> dict[str, int]:
        """Entities by kind, and their bytes at rest."""
        return {**self._counts, "bytes": self._bytes}
