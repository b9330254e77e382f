"""Interchanges, groups and sets: the control segments and what they promise (ASC X12.5, X12.6, X12.22).

ISA … IEA is an interchange, GS … GE a group of sets of one kind, ST … SE a transaction set. A trailer repeats the
control number of its header and counts what stands between: groups, sets, segments. A number or a count that
disagrees, a header without a trailer and a segment outside a set refuse the file whole. Control numbers compare as
numbers, because some senders pad only one of the two with zeros.
"""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from sources.errors import FileRefusedError
from sources.x12.segments import Segment, segments


class TransactionSet(msgspec.Struct, frozen=True, gc=False):
    """What the headers say of a set. `kind` is ST01 (820), `control` ST02; the rest is empty where a file begins at
    the set. `date` is that of the group, else of the interchange, as written."""

    kind: str
    control: str
    line: int
    sender: str = ""
    receiver: str = ""
    group_sender: str = ""
    group_receiver: str = ""
    date: str = ""

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"the {self.kind} with control number {self.control}"


def transaction_sets(stream: BinaryIO) -> Iterator[tuple[TransactionSet, Segment]]:
    """Each segment of each set, ST and SE included, with the set it stands in. An SE that is given has agreed.

    Raises ``FileRefusedError``: `malformed_file`, `truncated_file`, `control_total_mismatch`.
    """
    envelope = _Envelope()
    for segment in segments(stream):
        current = envelope.take(segment)
        if current is not None:
            yield current, segment
    envelope.close()


class _Level:
    """One header that is open, and what it has held so far."""

    def __init__(self, header: Segment, trailer: str, control: str) -> None:
        self.header = header
        self.trailer = trailer
        self.control = control
        self.held = 0

    def end(self, trailer: Segment, what: str) -> None:
        """Compare with the trailer."""
        header = self.header.name
        if not _same_number(trailer[2], self.control):
            message = f"{trailer.name} ends number {trailer[2]!r}, but {header} began {self.control!r}"
            raise FileRefusedError("control_total_mismatch", message, trailer.line)
        if not _same_number(trailer[1], str(self.held)):
            message = f"{trailer.name} {trailer[2]} counts {trailer[1]!r} {what}, there are {self.held}"
            raise FileRefusedError("control_total_mismatch", message, trailer.line)


class _Envelope:
    """The levels that are open."""

    def __init__(self) -> None:
        self._interchange: _Level | None = None
        self._group: _Level | None = None
        self._set: _Level | None = None
        self._current: TransactionSet | None = None
        self._sets = 0

    def take(self, segment: Segment) -> TransactionSet | None:
        """The set that the segment stands in, or None for a segment of the envelope."""
        match segment.name:
            case "ISA":
                self._expect_closed(segment, self._interchange, self._group, self._set)
                self._interchange = _Level(segment, "IEA", segment[13])
            case "GS":
                self._expect_closed(segment, self._group, self._set)
                self._group = _Level(segment, "GE", segment[6])
                if self._interchange:
                    self._interchange.held += 1
            case "ST":
                self._expect_closed(segment, self._set)
                self._open_set(segment)
            case "SE":
                return self._close_set(segment)
            case "GE":
                self._expect_closed(segment, self._set)
                _opened(self._group, segment, "GS").end(segment, "sets")
                self._group = None
            case "IEA":
                self._expect_closed(segment, self._group, self._set)
                _opened(self._interchange, segment, "ISA").end(segment, "groups")
                self._interchange = None
            case _ if self._set:
                self._set.held += 1
            case "TA1" if self._interchange and not self._group:
                pass  # an acknowledgement of another interchange
            case _:
                message = f"{segment.name[:20]!r} stands outside of a transaction set"
                raise FileRefusedError("malformed_file", message, segment.line)
        return self._current

    def close(self) -> None:
        """The end of the file."""
        for level in (self._set, self._group, self._interchange):
            if level:
                message = f"it ends before {level.trailer}, which belongs to {level.header.name} {level.control}"
                raise FileRefusedError("truncated_file", f"{message}; fetch it again", level.header.line)
        if not self._sets:
            raise FileRefusedError("malformed_file", "it has no transaction set", 0)

    def _open_set(self, segment: Segment) -> None:
        if self._interchange and not self._group:
            raise FileRefusedError("malformed_file", "a set begins outside of a group", segment.line)
        if self._group:
            self._group.held += 1
        self._set = _Level(segment, "SE", segment[2])
        self._set.held = 1
        self._sets += 1
        interchange = self._interchange.header if self._interchange else None
        group = self._group.header if self._group else None
        self._current = TransactionSet(
            kind=segment[1],
            control=segment[2],
            line=segment.line,
            sender=interchange[6] if interchange else "",
            receiver=interchange[8] if interchange else "",
            group_sender=group[2] if group else "",
            group_receiver=group[3] if group else "",
            date=(group[4] if group else "") or (interchange[9] if interchange else ""),
        )

    def _close_set(self, segment: Segment) -> TransactionSet | None:
        level = _opened(self._set, segment, "ST")
        level.held += 1
        level.end(segment, "segments")
        ended, self._set, self._current = self._current, None, None
        return ended

    def _expect_closed(self, segment: Segment, *levels: _Level | None) -> None:
        for level in levels:
            if level:
                message = f"{segment.name} stands before {level.trailer}, which belongs to"
                message = f"{message} {level.header.name} {level.control}; is a part of the file missing?"
                raise FileRefusedError("truncated_file", message, segment.line)


def _opened(level: _Level | None, segment: Segment, header: str) -> _Level:
    if level is None:
        message = f"{segment.name} ends what no {header} began; is a part of the file missing?"
        raise FileRefusedError("truncated_file", message, segment.line)
    return level


def _same_number(one: str, other: str) -> bool:
    if one == other:
        return True
    return one.isdecimal() and other.isdecimal() and one.lstrip("0") == other.lstrip("0")
