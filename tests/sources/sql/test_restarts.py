"""Law: whatever the order of changes, late commits, polls and crashes, each version of a row is once in effect."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import Parsed
from sources.sql import MemoryPositions, PollPosition
from tests.sources.sql.tables import POLL, Log, Table, configured, poller

BEGIN = datetime(2026, 3, 1, 10)  # noqa: DTZ001  local time, as the database keeps it
OVERLAP = 60
Crash = Literal["", "before sending", "after sending", "after the position"]

# A step: a row is written now or, by a transaction that commits late, up to the overlap ago; or a poll, with a crash.
writes = st.tuples(st.just("write"), st.integers(0, 4), st.integers(1, 3), st.integers(0, OVERLAP))
polls = st.tuples(
    st.just("poll"), st.sampled_from(["", "", "before sending", "after sending", "after the position"]),
    st.integers(1, 3), st.just(0),
)  # fmt: skip
steps = st.lists(st.one_of(writes, writes, polls), max_size=20)


class Killed(Exception):  # noqa: N818  what happens to the process
    pass


class Process:
    """A poller that dies at one place of one of its batches; the log and the positions outlive it."""

    def __init__(self, log: Log, positions: MemoryPositions, crash: Crash, batch: int) -> None:
        self._log = log
        self._positions = positions
        self._crash = crash
        self._left = batch

    def _dies(self, place: Crash) -> None:
        if place == self._crash:
            self._left -= 1
            if self._left == 0:
                raise Killed

    def deliver(self, values: Sequence[Parsed]) -> bool:
        """The broker's part."""
        self._dies("before sending")
        self._log.deliver(values)
        self._dies("after sending")
        return True

    def read(self) -> PollPosition | None:
        """What outlived the process before."""
        return self._positions.read()

    def write(self, position: PollPosition) -> None:
        """The position's part."""
        self._positions.write(position)
        self._dies("after the position")


@settings(max_examples=30, deadline=None)
@given(steps, st.integers(1, 4))
def test_each_version_that_a_poll_could_see_is_once_in_effect(
    history: list[tuple[str, Any, int, int]], batch_rows: int
) -> None:
    poll = POLL.replace("batch_rows = 3", f"batch_rows = {batch_rows}\noverlap = {OVERLAP}")
    with TemporaryDirectory() as folder:
        table, log, positions = Table(Path(folder)), Log(), MemoryPositions()
        config = configured(Path(folder), poll)
        seconds = 0
        rows: dict[str, int] = {}
        seen: set[tuple[str, str]] = set()

        def run(crash: Crash, batch: int) -> None:
            process = Process(log, positions, crash, batch)
            try:
                poller(config, table.url, process.deliver, process).poll()
            except Killed:
                return
            seen.update((number, str(amount)) for number, amount in rows.items())

        for kind, first, second, late in history:
            if kind == "poll":
                run(first, second)
                continue
            seconds += 20
            number, changed = f"I{first}", BEGIN + timedelta(seconds=max(0, seconds - late))
            table.put(number, changed.isoformat(" "), amount=second)
            rows[number] = second
        run("", 1)

        in_effect = [(number, amount.removesuffix(".00")) for number, amount in log.invoices()]
        assert len(in_effect) == len(set(in_effect))  # once
        assert seen <= set(in_effect)  # none is missing
        written = {(f"I{first}", str(second)) for kind, first, second, _ in history if kind == "write"}
        assert set(in_effect) <= written


@pytest.mark.parametrize(
    ("crash", "events", "kept"),
    [("before sending", 0, False), ("after sending", 1, False), ("after the position", 1, True)],
)
def test_the_process_of_this_test_dies_where_it_is_told(tmp_path: Path, crash: Crash, events: int, kept: bool) -> None:
    table, log, positions = Table(tmp_path), Log(), MemoryPositions()
    table.put("I1", "2026-03-01 10:00:00")
    process = Process(log, positions, crash, 1)
    with pytest.raises(Killed):
        poller(configured(tmp_path), table.url, process.deliver, process).poll()
    assert (len(log.events), positions.position is not None) == (events, kept)
