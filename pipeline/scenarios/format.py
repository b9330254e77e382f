"""The scenario file: companies, steps, expectations (SCENARIOS §2)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from jobs import CompanySettings, settings_from
from jobs.values import Instant, instant_of

_DEFAULT_COMPANY = {"code": "C1"}


class ScenarioError(Exception):
    """The file is not a scenario; the message names the place and what is allowed."""


@dataclass(frozen=True)
class EventStep:
    """An event in the written form; `number` counts every entry of the list from 1."""

    number: int
    at: Instant
    document: dict[str, Any]


@dataclass(frozen=True)
class ClockStep:
    """The clock advances to an instant."""

    number: int
    at: Instant


@dataclass(frozen=True)
class ExpectStep:
    """Expectations checked at this point."""

    number: int
    expectations: list[dict[str, Any]]


Step = EventStep | ClockStep | ExpectStep


@dataclass(frozen=True)
class Scenario:
    """One file."""

    name: str
    path: Path
    companies: list[CompanySettings]
    steps: list[Step]


def load(path: Path) -> Scenario:
    """Read and validate a scenario. Raises ScenarioError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ScenarioError(f"{path}: a scenario is a mapping with name, company, steps and expect")
    unknown = sorted(set(content) - {"name", "rules", "company", "steps", "expect", "description"})
    if unknown:
        raise ScenarioError(f"{path}: unknown key {unknown[0]!r}; known are name, rules, company, steps, expect")
    steps = [_step(path, number, entry) for number, entry in enumerate(_list(path, content, "steps"), start=1)]
    final = _list(path, content, "expect")
    if final:
        steps.append(ExpectStep(len(steps) + 1, _expectations(path, final)))
    return Scenario(str(content.get("name", path.stem)), path, _companies(path, content.get("company")), steps)


def find(paths: list[Path]) -> list[Path]:
    """The scenario files of files and folders, in order. Raises ScenarioError for a path that is neither."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*.y*ml") if file.suffix in {".yaml", ".yml"})
        elif path.is_file():
            found.append(path)
        else:
            raise ScenarioError(f"{path}: no such file or folder")
    return found


def instant(value: object) -> Instant:
    """An instant from a YAML timestamp or ISO text; UTC where no zone is given. Raises ValueError."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} is not a timestamp like 2026-03-01T09:00:00Z")  # noqa: TRY004 a value of the file
    return instant_of(value if value.tzinfo is not None else value.replace(tzinfo=UTC))


def calendar_date(value: object) -> date:
    """A date from a YAML date or ISO text. Raises ValueError."""
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise ValueError(f"{value!r} is not a date like 2026-03-01")  # noqa: TRY004 a value of the file
    return date.fromisoformat(value) if isinstance(value, str) else value


def _companies(path: Path, value: object) -> list[CompanySettings]:
    mappings: list[Any] = value if isinstance(value, list) else [_DEFAULT_COMPANY if value is None else value]
    try:
        return [settings_from(mapping) for mapping in mappings]
    except (ValueError, AttributeError) as error:
        raise ScenarioError(f"{path}: company: {error}") from error


def _step(path: Path, number: int, entry: object) -> Step:
    if not isinstance(entry, dict):
        raise ScenarioError(f"{path}: step {number} is not a mapping")
    try:
        if "expect" in entry:
            return ExpectStep(number, _expectations(path, entry["expect"]))
        if "clock" in entry:
            return ClockStep(number, instant(entry["clock"]))
        if "event" in entry and "at" in entry:
            document = {key: value for key, value in entry.items() if key != "at"}
            return EventStep(number, instant(entry["at"]), document)
    except (ValueError, TypeError) as error:
        raise ScenarioError(f"{path}: step {number}: {error}") from error
    raise ScenarioError(f"{path}: step {number} is neither an event with `at`, nor `clock`, nor `expect`")


def _expectations(path: Path, entries: list[Any]) -> list[dict[str, Any]]:
    for entry in entries:
        if not isinstance(entry, dict):
            raise ScenarioError(f"{path}: an expectation is a mapping, got {entry!r}")
    return entries


def _list(path: Path, content: dict[str, Any], key: str) -> list[Any]:
    value = content.get(key) or []
    if not isinstance(value, list):
        raise ScenarioError(f"{path}: {key} must be a list")
    return value
