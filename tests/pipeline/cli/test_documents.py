"""The pages of commands and metrics are made from them; what a page or an alert tells people to run is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client import REGISTRY

from pipeline.cli import COMMANDS, app
from pipeline.cli.documents import commands_page, metrics_page

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HOW = "run `python -m pipeline.cli.documents`"


def test_the_page_of_the_commands_is_what_they_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == commands_page(), HOW


def test_the_page_of_the_metrics_is_what_they_say() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == metrics_page(), HOW


def test_every_metric_of_ours_stands_on_its_page() -> None:
    page = metrics_page()
    ours = {name for name in REGISTRY._names_to_collectors if name.startswith("arrears_")}
    base = {re.sub(r"_(total|created|bucket|count|sum|info)$", "", name) for name in ours}
    assert base
    assert [name for name in sorted(base) if not re.search(rf"`{name}(_total)?`", page)] == []


def _commands(command: Any, path: str) -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None) or {}
    return [(path, command), *(found for name in children for found in _commands(children[name], f"{path} {name}"))]


def _all_commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    return dict(found for name in COMMANDS for found in _commands(group.get_command(context, name), f"arrears {name}"))


@pytest.mark.parametrize(("path", "command"), _all_commands().items(), ids=list(_all_commands()))
def test_every_command_explains_itself_and_each_of_its_options(path: str, command: Any) -> None:
    assert command.help
    assert len(command.help.split()) >= 5
    assert command.help.split("\n\n")[0].rstrip().endswith(".")
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{path}: {parameter.name}"
            assert "completion" not in parameter.name


def _mentioned() -> list[tuple[str, str]]:
    """Commands in code of the pages, and in what alerts tell people to do, without their arguments."""
    known = _all_commands()
    rules = yaml.safe_load((ROOT / "config" / "prometheus-rules.yml").read_text())["groups"]
    texts = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
    texts["prometheus-rules.yml"] = "\n".join(rule["annotations"]["action"] for part in rules for rule in part["rules"])
    found = []
    for place, text in texts.items():
        blocks = "\n".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL))
        calls = re.findall(r"`arrears ([a-z]+(?: [a-z]+)?)", text)
        calls += re.findall(r"^(?:\$ )?arrears ([a-z]+(?: [a-z]+)?)", blocks, re.MULTILINE)
        for words in calls:
            first, _, second = words.partition(" ")
            is_group = hasattr(known.get(f"arrears {first}"), "commands")
            found.append((place, f"arrears {words if is_group and second else first}"))
    return sorted(set(found))


@pytest.mark.parametrize(("place", "command"), _mentioned())
def test_commands_that_pages_and_alerts_mention_are_there(place: str, command: str) -> None:
    assert command in _all_commands(), place
