"""The scenario file: companies, steps, expectations (SCENARIOS §2)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jobs import CompanySettings, settings_from
from jobs.values import Instant, instant_of
from pipeline.scenarios.texts import with_texts
from pipeline.scenarios.yaml_file import Lines, ScenarioError, read

__all__ = ["ClockStep", "EventStep", "ExpectStep", "Scenario", "ScenarioError", "calendar_date", "find", "instant",
           "load"]  # fmt: skip

_DEFAULT_COMPANY = {"code": "C1"}
KEYS = ("name", "rules", "description", "company", "steps", "expect")


@dataclass(frozen=True)
class EventStep:
    """An event in the written form; `number` counts every entry of the list from 1."""

    number: int
    at: Instant
    document: dict[str, Any]
    line: int = 0


@dataclass(frozen=True)
class ClockStep:
    """The clock advances to an instant."""

    number: int
    at: Instant


@dataclass(frozen=True)
class ExpectStep:
    """Expectations checked at this point, with the line of each."""

    number: int
    expectations: list[dict[str, Any]]
    lines: tuple[int, ...] = ()


Step = EventStep | ClockStep | ExpectStep


@dataclass(frozen=True)
class Scenario:
    """One file."""

    name: str
    path: Path
    companies: list[CompanySettings]
    steps: list[Step]


class _MalformedError(Exception):
    """What is wrong with a part of the file; the place is added where the part is read."""


def load(path: Path) -> Scenario:
    """Read and validate a scenario. Raises ScenarioError that names the file, the line and the step."""
    content, lines = read(path)
    if not isinstance(content, dict):
        raise ScenarioError(f"{path}: a scenario is a mapping with name, company, steps and expect")
    for key in content:
        if key not in KEYS:
            raise ScenarioError(f"{path}:{lines.of(key)}: unknown key {key!r}; known are {', '.join(KEYS)}")
    steps = [
        _placed(path, lines, number, entry) for number, entry in enumerate(_list(path, lines, content, "steps"), 1)
    ]
    final = _list(path, lines, content, "expect")
    if not steps and not final:
        raise ScenarioError(f"{path}: the scenario has neither steps nor expectations")
    if final:
        try:
            expectations = _expectations(final)
        except _MalformedError as error:
            raise ScenarioError(f"{path}:{lines.of('expect')}: expect: {error}") from error
        places = tuple(lines.of("expect", position) for position in range(len(final)))
        steps.append(ExpectStep(len(steps) + 1, expectations, places))
    name = str(content.get("name", path.stem))
    return Scenario(name, path, _companies(path, lines, content.get("company")), steps)


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
        raise ValueError(f"{value} is not a timestamp like 2026-03-01T09:00:00Z")  # noqa: TRY004 a value of the file
    return instant_of(value if value.tzinfo is not None else value.replace(tzinfo=UTC))


def calendar_date(value: object) -> date:
    """A date from a YAML date or ISO text. Raises ValueError."""
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise ValueError(f"{value} is not a date like 2026-03-01")  # noqa: TRY004 a value of the file
    return date.fromisoformat(value) if isinstance(value, str) else value


def _companies(path: Path, lines: Lines, value: object) -> list[CompanySettings]:
    mappings: list[Any] = value if isinstance(value, list) else [_DEFAULT_COMPANY if value is None else value]
    companies: list[CompanySettings] = []
    for position, mapping in enumerate(mappings):
        where = lines.of("company", position) if isinstance(value, list) else lines.of("company")
        if not isinstance(mapping, dict):
            raise ScenarioError(
                f"{path}:{where}: company: {mapping!r} is not a mapping of settings, like {{code: FR01}}"
            )
        defaults = _DEFAULT_COMPANY if len(mappings) == 1 else {}
        try:
            companies.append(settings_from({**defaults, **mapping}))
        except ValueError as error:
            raise ScenarioError(f"{path}:{where}: company {mapping.get('code', '')}: {error}") from error
    codes = [company.code for company in companies]
    if not codes or len(set(codes)) != len(codes):
        raise ScenarioError(
            f"{path}:{lines.of('company')}: company: every company needs a code of its own, got {codes}"
        )
    return companies


def _placed(path: Path, lines: Lines, number: int, entry: object) -> Step:
    try:
        return _step(lines, number, entry)
    except (_MalformedError, ValueError, TypeError) as error:
        raise ScenarioError(f"{path}:{lines.of('steps', number - 1)}: step {number}: {error}") from error


def _step(lines: Lines, number: int, entry: object) -> Step:
    if not isinstance(entry, dict):
        raise _MalformedError("a step is a mapping: an event with `at`, or `clock`, or `expect`")
    if "expect" in entry:
        _alone(entry, "expect")
        expectations = _expectations(entry["expect"])
        places = tuple(lines.of("steps", number - 1, "expect", position) for position in range(len(expectations)))
        return ExpectStep(number, expectations, places)
    if "clock" in entry:
        _alone(entry, "clock")
        return ClockStep(number, instant(entry["clock"]))
    if "event" not in entry or "at" not in entry:
        missing = "`at`" if "event" in entry else "`event`"
        raise _MalformedError(f"it has no {missing}; a step is an event with `at`, or `clock`, or `expect`")
    document = {key: value for key, value in entry.items() if key != "at"}
    return EventStep(number, instant(entry["at"]), with_texts(document), lines.of("steps", number - 1))


def _alone(entry: dict[str, Any], key: str) -> None:
    others = sorted(str(other) for other in entry if other != key)
    if others:
        raise _MalformedError(f"`{key}` stands alone in its step, not beside {others[0]!r}")


def _expectations(entries: object) -> list[dict[str, Any]]:
    if not isinstance(entries, list):
        raise _MalformedError("expectations are a list: one entry for each, begun with a dash")
    for entry in entries:
        if not isinstance(entry, dict):
            raise _MalformedError(f'an expectation is a mapping like {{invoice: I1, open: "10.00"}}, not {entry!r}')
    return entries


def _list(path: Path, lines: Lines, content: dict[str, Any], key: str) -> list[Any]:
    value = content.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ScenarioError(f"{path}:{lines.of(key)}: {key} must be a list")
    return value
