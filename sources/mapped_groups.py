"""Rows of an audit table that belong together: one event, whose changes are those of all its rows."""

from collections.abc import Iterator, Sequence

import msgspec

from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

GROUP_ROWS_MAX = 2000


class _Member(msgspec.Struct, frozen=True):
    position: Position
    original: bytes
    values: Sequence[Parsed]


class Groups:
    """Merges rows that follow each other and share a group. A group is taken whole or not at all.

    A change that came later under the same event id would be taken for a repetition, so where one row of a group is
    bad, all are rejected: they are mended and sent again together.
    """

    def __init__(self) -> None:
        self._group = ""
        self._members: list[_Member] = []

    def take(self, group: str, values: Sequence[Parsed], position: Position, original: bytes) -> Iterator[Parsed]:
        """The group before, when this row begins another one; a row without a group stands for itself."""
        if self._members and group != self._group:
            yield from self.finish()
        if group and not isinstance(values[0], SkippedRow):
            self._group = group
            self._members.append(_Member(position, original, values))
            if len(self._members) == GROUP_ROWS_MAX:
                yield from self.finish()
        else:
            yield from values

    def finish(self) -> Iterator[Parsed]:
        """The group that is still held back."""
        members, self._members = self._members, []
        if not members:
            return
        bad = [value for member in members for value in member.values if isinstance(value, SourceReject)]
        if bad:
            for member in members:
                yield _rejected(member, bad[0], f"another row of {self._group} is bad ({bad[0].position})")
        elif len(members) == GROUP_ROWS_MAX:
            problem = f"{self._group} has {GROUP_ROWS_MAX:,} rows or more, too many for one event"
            for member in members:
                yield _rejected(member, None, problem)
        else:
            yield from _merged(members)


def _rejected(member: _Member, bad: SourceReject | None, message: str) -> SourceReject:
    own = member.values[0]
    if isinstance(own, SourceReject):
        return own
    event = own if isinstance(own, ParsedEvent) else None
    company = event.record["company"] if event else (bad.company if bad else None)
    return SourceReject(
        member.position, "group_incomplete", message, member.original, company, event.name if event else None
    )


def _merged(members: Sequence[_Member]) -> Iterator[ParsedEvent]:
    """The events of the first row with the changes of the events of the same name in all rows."""
    first = [value for value in members[0].values if isinstance(value, ParsedEvent)]
    for event in first:
        changes: list[dict[str, str | None]] = []
        names: set[str] = set()
        for member in members:
            for value in member.values:
                if isinstance(value, ParsedEvent) and value.name == event.name:
                    changes += [
                        {**change, "field": _free_name(change["field"], names)}
                        for change in value.record.get("changes") or ()
                    ]
        yield ParsedEvent(event.name, {**event.record, "changes": changes} if changes else event.record, event.position)


def _free_name(name: str, taken: set[str]) -> str:
    """The name, numbered where a field of this name was changed before (in another row of its table)."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free
