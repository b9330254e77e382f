"""What the last list of open items said, kept in a file; and the step that is on its way.

The protocol, so that no crash sends half of a difference and then another one:

1. the events of the step, then the state after it, are written beside the state file (`.pending.jsonl`, `.pending`);
2. the events are sent, and the broker acknowledges them;
3. the state after it takes the place of the state, in one rename; the events are removed.

Who finds a `.pending` file sends its events again before anything else: their ids make repetitions harmless.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from sources.errors import SourceError
from sources.snapshot.items import Kind

_VERSION = 1


class Part(msgspec.Struct, array_like=True, gc=False):
    """A document of our ledger that stands for an item, and what is open of it."""

    number: str
    open: int


class KnownItem(msgspec.Struct, array_like=True, gc=False):
    """An item of some list before. `parts` are the documents that stand for it, mostly one under its own number.

    `closed_on` is the day of the list from which on it is gone. `due` are days since 1970-01-01.
    """

    kind: Kind
    number: str
    account: str | None
    currency: str
    due: int | None
    parts: list[Part]
    closed_on: str = ""

    @property
    def key(self) -> str:
        """What tells it from all other items."""
        return f"{self.kind}|{self.number}"

    @property
    def open(self) -> int:
        """What is open of all its parts."""
        return sum(part.open for part in self.parts)


class KnownPayment(msgspec.Struct, array_like=True, gc=False):
    """A payment of the lists of payments, and what of it explains nothing yet."""

    number: str
    account: str | None
    currency: str
    left: int


class State(msgspec.Struct, frozen=True):
    """Everything that the next list is compared with. `open_count` is the number of open items in the last one."""

    company: str
    mapping: str
    sequence: int = 0
    as_of: str = ""
    open_count: int = 0
    items: tuple[KnownItem, ...] = ()
    payments: tuple[KnownPayment, ...] = ()
    applications: tuple[str, ...] = ()
    version: int = _VERSION


class StateFile:
    """The file of a state. Raises ``SourceError`` when it cannot be read or written, or is of something else."""

    def __init__(self, path: Path, company: str, mapping: str) -> None:
        self._path = path
        self._new = State(company, mapping)
        self._pending = path.with_name(path.name + ".pending")
        self._events = path.with_name(path.name + ".pending.jsonl")

    @property
    def path(self) -> Path:
        """Where the state lies."""
        return self._path

    def load(self) -> State:
        """The state after the last step, also one that still has to be sent; an empty one where there is no file."""
        path = self._pending if self._pending.exists() else self._path
        if not path.exists():
            return self._new
        state = _decoded(path)
        if (state.company, state.mapping) != (self._new.company, self._new.mapping):
            raise SourceError(
                f"{self._path} is the state of {state.company} with the mapping {state.mapping}, "
                f"not of {self._new.company} with {self._new.mapping}",
                "Give another --state for every company and mapping",
            )
        return state

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out while this one compares and sends: both would start from the same list.

        The lock ends with the process. Raises ``SourceError`` when another run holds it.
        """
        try:
            stream = self._path.with_name(self._path.name + ".lock").open("ab")
        except OSError as error:
            raise SourceError(f"cannot write beside {self._path}: {error.strerror}", "Give --state a place") from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise SourceError(
                    f"another run is comparing lists with {self._path}", "Wait until it is done; it may be a schedule"
                ) from error
            yield

    def prepare(self, documents: Iterable[dict[str, Any]], state: State) -> None:
        """Step 1: keep what is about to be sent. `documents` are events in their written form, with their ids."""
        try:
            with self._events.open("wb") as stream:
                for document in documents:
                    stream.write(msgspec.json.encode(document) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            _write(self._pending, state)
        except OSError as error:
            raise SourceError(
                f"cannot write {self._events}: {error.strerror}", "Give --state a place to write"
            ) from error

    def pending(self) -> Iterator[dict[str, Any]] | None:
        """The events of a step that was not finished; None where there is none."""
        return self._read_events() if self._pending.exists() else None

    def finish(self) -> None:
        """Step 3: the broker has acknowledged the events."""
        self._pending.replace(self._path)
        self._events.unlink(missing_ok=True)

    def _read_events(self) -> Iterator[dict[str, Any]]:
        with self._events.open("rb") as stream:
            for line in stream:
                yield msgspec.json.decode(line)


def _decoded(path: Path) -> State:
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}", "Check its permissions") from error
    except msgspec.DecodeError as error:
        raise SourceError(
            f"{path} is not the state of a list of open items: {error}", "Give --state the file that a run wrote"
        ) from error
    if state.version != _VERSION:
        raise SourceError(f"{path} was written by another release (version {state.version})", "Use that release")
    return state


def _write(path: Path, state: State) -> None:
    """In one step: a reader sees the old file or the new one, and a crash of the machine leaves one of them."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as stream:
        stream.write(msgspec.json.encode(state))
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
