"""docs/scenarios.md: its example runs, and it names every expectation and every key of a file."""

import re
from pathlib import Path

from pipeline.scenarios import load, run
from pipeline.scenarios.expectations import SUBJECTS
from pipeline.scenarios.format import KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_the_example_holds(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    path = tmp_path / "example.yaml"
    path.write_text(example, encoding="utf-8")
    assert run(load(path)) == []


def test_every_expectation_is_there_and_no_other() -> None:
    assert set(re.findall(r"^\| `(\w+): ", PAGE, flags=re.MULTILINE)) == set(SUBJECTS)


def test_every_key_of_a_file_is_there() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, flags=re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"\w+", row)} == set(KEYS)
