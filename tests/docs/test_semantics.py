"""The rules as they are told to people: every example of the page holds, and every section has one."""

from pathlib import Path

import pytest
import yaml

from jobs.kpi import FIGURES
from jobs.worklist import WEIGHTS
from pipeline.scenarios import load, run
from tests.docs.pages import DOCS, Block, blocks, headings

PAGE = DOCS / "semantics.md"
EXAMPLES = [block for block in blocks(PAGE) if block.language == "yaml"]


def _named(block: Block) -> str:
    return f"line_{block.line}"


@pytest.mark.parametrize("block", EXAMPLES, ids=_named)
def test_an_example_holds(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(block.text, encoding="utf-8")
    assert [
        f"{failure.expectation}: {mismatch.field} is {mismatch.actual}, not {mismatch.expected}"
        for failure in run(load(file))
        for mismatch in failure.mismatches
    ] == []


# It shows that its last event changes nothing.
TWICE = "3.13 "


@pytest.mark.parametrize("block", [block for block in EXAMPLES if not block.heading.startswith(TWICE)], ids=_named)
def test_an_example_depends_on_what_happens(block: Block, tmp_path: Path) -> None:
    """Without its last event it does not hold, so it would not pass whatever the program does."""
    content = yaml.safe_load(block.text)
    events = [step for step in content["steps"] if "event" in step]
    content["steps"] = [step for step in content["steps"] if step is not events[-1]]
    file = tmp_path / "shortened.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert run(load(file)) != []


def test_every_section_has_an_example() -> None:
    sections = [heading.text for heading in headings(PAGE) if heading.text[0].isdigit() and heading.level == 3]
    assert len(sections) >= 47
    shown = {block.heading for block in EXAMPLES}
    assert [section for section in sections if section not in shown] == []
    assert len(EXAMPLES) >= len(sections)


def test_all_fourteen_promise_rules_are_there() -> None:
    numbers = [heading.text.split()[0] for heading in headings(PAGE)]
    assert [number for number in numbers if number.startswith("3.") and number != "3."] == [
        f"3.{rule}" for rule in range(1, 15)
    ]


def test_every_figure_and_every_rule_of_the_worklist_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in FIGURES if f"`{name}`" not in text] == []
    for rule, points in WEIGHTS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{rule}` |"))
        assert f"| {points} " in f"{row} "
