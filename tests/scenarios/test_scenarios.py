"""Every scenario file holds: our own, and the shared ones where their folder lies beside the repository."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.scenarios import load, run
from pipeline.scenarios.format import ExpectStep, find

OWN = Path(__file__).parent
SHARED = Path(os.environ.get("ARREARS_TEST_SHARED", OWN.parents[1].parent / "shared")) / "scenarios"
SHARED_FILES = find([SHARED]) if SHARED.is_dir() else []


def named(path: Path) -> str:
    """Area and name of a scenario file."""
    return f"{path.parent.name}/{path.stem}"


_EVENTS_MATTER = ("aging", "as_of", "credit", "currency", "disputes", "dunning")


def _failures(path: Path) -> list[str]:
    return [
        f"step {failure.step}, {failure.expectation}: {mismatch.field} is {mismatch.actual}, not {mismatch.expected}"
        for failure in run(load(path))
        for mismatch in failure.mismatches
    ]


@pytest.mark.parametrize("path", find([OWN]), ids=named)
def test_our_own_scenarios_hold(path: Path) -> None:
    assert _failures(path) == []


@pytest.mark.skipif(not SHARED_FILES, reason=f"no shared scenarios at {SHARED}")
@pytest.mark.parametrize("path", SHARED_FILES, ids=named)
def test_the_shared_scenarios_hold(path: Path) -> None:
    assert _failures(path) == []


@pytest.mark.parametrize("path", find([OWN]), ids=named)
def test_a_scenario_expects_something_and_says_which_rules_it_shows(path: Path) -> None:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["rules"]
    assert sum(len(step.expectations) for step in load(path).steps if isinstance(step, ExpectStep)) > 0


@pytest.mark.parametrize("path", find([OWN / folder for folder in _EVENTS_MATTER]), ids=named)
def test_a_scenario_without_its_last_event_does_not_hold(path: Path, tmp_path: Path) -> None:
    """The expectations depend on what happens: no file would pass whatever the jobs do."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    events = [step for step in content["steps"] if "event" in step]
    content["steps"] = [step for step in content["steps"] if step is not events[-1]]
    shortened = tmp_path / path.name
    shortened.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert _failures(shortened) != []
