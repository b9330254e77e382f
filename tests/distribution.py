"""Which test process gets which tests, and in what order (a plugin of pytest-xdist).

A file stays whole, for its fixtures. Packages whose database takes long to fill stay whole, too. What takes long
comes first: a process that begins its longest file last is waited for by all others.
"""

from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Each fills a database with the sample company, once in the process that has it.
WHOLE = ("tests/sinks/retention", "tests/sinks/views", "tests/sinks/audit", "tests/sinks/rollups")
# By their length; what is not named comes after them, the units with most tests first.
FIRST = (
    "tests/sinks/retention",
    "tests/sinks/views",
    "tests/integration/test_chaos.py",
    "tests/pipeline/cli/test_up.py",
    "tests/sinks/access",
    "tests/integration/test_scenarios_on_kafka.py",
    "tests/sinks/audit",
    "tests/integration/test_sink_exactly_once.py",
    "tests/integration/test_demo_replay.py",
    "tests/integration",
    "tests/pipeline",
    "tests/sinks",
    "tests/property",
)


class ByLength(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Files and some packages, the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((package for package in WHOLE if file.startswith(f"{package}/")), file)

    def _assign_work_unit(self, node: Any) -> None:
        """The queue is ordered by the number of tests when the first unit is taken from it."""
        ordered = sorted(self.workqueue, key=_place)
        for scope in ordered:
            self.workqueue.move_to_end(scope)
        super()._assign_work_unit(node)


def _place(scope: str) -> int:
    return next((place for place, first in enumerate(FIRST) if scope.startswith(first)), len(FIRST))
