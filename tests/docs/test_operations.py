"""What platform teams are told: alert rules, metrics, settings and steps of the pages are the program's."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import pipeline.metrics
import sinks.metrics
import sources.metrics
from pipeline.settings import Settings
from tests.docs.pages import DOCS, ROOT

PAGES = sorted(DOCS.glob("**/*.md"))
_SPAN = re.compile(r"`([^`\n]+)`")
_METRIC = re.compile(r"\barrears_(?:worker|sink|sources?)_[a-z_]+[a-z]\b")
_SUFFIXES = ("", "_total", "_bucket", "_sum", "_count")
_VARIABLE = re.compile(r"\bARREARS_([A-Z_]+?)__([A-Z_]+)\b")
# Sections whose names stand before a point in other meanings, too: a view's column, a setting of Kafka.
_OTHER = frozenset({"companies.timezone", "retention.ms", "service.name"})


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _keys() -> set[str]:
    return {
        f"{name}.{key}"
        for name, section in Settings.model_fields.items()
        for key in getattr(section.annotation, "model_fields", {})
    }


def test_every_alert_rule_is_explained_and_no_other() -> None:
    rules = yaml.safe_load(_text(ROOT / "config" / "prometheus-rules.yml"))
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    table = [line for line in _text(DOCS / "operations.md").splitlines() if line.startswith("| `Arrears")]
    assert {name for line in table for name in re.findall(r"`(Arrears\w+)`", line.split("|")[1])} == names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_metric_that_a_page_names_exists(page: Path) -> None:
    for module in (pipeline.metrics, sinks.metrics, sources.metrics):
        assert module.__name__  # importing them is what registers the metrics
    known = {family.name + suffix for family in REGISTRY.collect() for suffix in _SUFFIXES}
    assert sorted(set(_METRIC.findall(_text(page))) - known) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    keys = _keys()
    sections = {key.partition(".")[0] for key in keys}
    text = _text(page)
    named = {word for span in _SPAN.findall(text) for word in re.findall(r"^(\w+\.\w+)\b(?!\.)", span)}
    unknown = {
        word for word in named if word.partition(".")[0] in sections and not word.endswith((".md", ".py"))
    } - keys
    variables = {f"{section}.{key}".lower() for section, key in _VARIABLE.findall(text)} - {"section.field"}
    assert sorted(unknown - _OTHER) == []
    assert sorted(variables - keys) == []


def test_the_defaults_in_the_table_of_tuning_are_right() -> None:
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \(([\d,.]+)( MiB)?\)", _text(DOCS / "worker.md"), re.MULTILINE)
    assert len(rows) >= 5
    settings = Settings()
    for section, key, number, unit in rows:
        shown = float(number.replace(",", "")) * (1024 * 1024 if unit else 1)
        assert getattr(getattr(settings, section), key) == shown, key


@pytest.mark.parametrize(
    ("page", "steps", "code"),
    [("worker.md", 7, ("partitions.py", "commit.py", "store.py", "app.py")), ("sink.md", 5, ("writer.py", "lane.py"))],
)
def test_the_steps_of_a_protocol_have_the_numbers_of_the_code(page: str, steps: int, code: tuple[str, ...]) -> None:
    protocol = _text(DOCS / page).split("protocol\n", 1)[1].split("\n## ", 1)[0]
    assert [int(number) for number in re.findall(r"^(\d)\. \*\*", protocol, re.MULTILINE)] == list(range(1, steps + 1))
    room = ROOT / ("pipeline" if page == "worker.md" else "sinks")
    named = {
        int(number)
        for file in code
        for words in re.findall(r"[Ss]teps? (\d(?:(?:,| and| to) \d)*)", _text(room / file))
        for number in re.findall(r"\d", words)
    }
    listed = {int(number) for number in re.findall(r"(?:^|[ ,])(\d)\. [A-Z]", _text(room / code[0]), re.MULTILINE)}
    assert set(range(1, steps + 1)) <= named | listed
