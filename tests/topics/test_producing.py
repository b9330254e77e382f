"""Every producer of ours has the options that all have."""

from pathlib import Path

import pytest

from topics import PRODUCER_OPTIONS

ROOMS = ("topics", "sources", "pipeline", "sinks")


def test_one_batch_of_a_partition_is_under_way() -> None:
    assert PRODUCER_OPTIONS["max.in.flight.requests.per.connection"] == 1


@pytest.mark.source
def test_no_module_makes_a_producer_without_them(repository: Path) -> None:
    makers = {
        path
        for room in ROOMS
        for path in sorted((repository / room).rglob("*.py"))
        if " Producer(" in path.read_text(encoding="utf-8").replace("(Producer(", "( Producer(")
    }
    assert len(makers) >= 8
    words = ("**PRODUCER_OPTIONS", "producer_config()", "self._options")
    without = {path.name for path in makers if not any(word in path.read_text(encoding="utf-8") for word in words)}
    assert without == set()
