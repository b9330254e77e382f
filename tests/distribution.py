"""Which test process gets which tests, and in what order (a plugin of pytest-xdist).

A file stays whole, for its fixtures. Packages whose database takes long to fill stay whole, too. What takes long
comes first: a process that begins its longest file last is waited for by all others.
"""

from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

SAMPLE = "the sample company"
# Packages that stay whole, those of one name together: they use one database, which one process fills once.
WHOLE = {
    "tests/sinks/retention": SAMPLE,
    "tests/sinks/views": SAMPLE,
    "tests/sinks/rollups": SAMPLE,
    "tests/sinks/audit": SAMPLE,
    "tests/sinks/forecasts": SAMPLE,
    "tests/sinks/oracles": "random histories",
    "tests/sinks/oracles_work": "work on random histories",
}
# By their length; what is not named comes after them, the units with most tests first.
FIRST = (
    SAMPLE,
    "tests/integration/test_chaos.py",
    "random histories",
    "tests/pipeline/cli/test_up.py",
    "work on random histories",
    "tests/integration/test_scenarios_on_kafka.py",
    "tests/integration/test_sink_exactly_once.py",
    "tests/integration/test_demo_replay.py",
    "tests/sinks/access",
    "tests/integration",
    "tests/pipeline",
    "tests/sinks",
    "tests/property",
)


class ByLength(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Files and some packages, the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((name for package, name in WHOLE.items() if file.startswith(f"{package}/")), file)

    def _assign_work_unit(self, node: Any) -> None:
        """The queue is ordered by the number of tests when the first unit is taken from it."""
        ordered = sorted(self.workqueue, key=_place)
        for scope in ordered:
            self.workqueue.move_to_end(scope)
        super()._assign_work_unit(node)


def _place(scope: str) -> int:
    return next((place for place, first in enumerate(FIRST) if scope.startswith(first)), len(FIRST))
