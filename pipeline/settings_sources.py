"""Where settings come from: one TOML file and the environment.

Order of precedence: environment (``ARREARS_SECTION__FIELD``), then the file, then the defaults of the model. A key or
variable that is not known is an error: a misspelt one would else do nothing, silently.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import Problem
from pipeline.settings import PREFIX, Settings, section_model

DEFAULT_FILE = Path("arrears.toml")
# Read by the program itself or by the tests, not by the model.
FOREIGN_VARIABLES = frozenset({"ARREARS_CONFIG"})
_SECTIONS = frozenset(Settings.model_fields)
FOREIGN_PREFIXES = ("ARREARS_TEST_", "ARREARS_CHAOS_", "ARREARS_BENCH_")


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: defaults, then the file, then the environment.

    ``path`` None means ``arrears.toml`` of the current directory when there is one. Raises ``Problem`` with
    one line that names the key, the file or variable it stands in, and what is allowed.
    """
    environment = os.environ if environment is None else environment
    file = path or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    values = _read_file(file) if file else {}
    variables = _read_environment(environment)
    for (section, field), name in variables.items():
        part = values.setdefault(section, {})
        if not isinstance(part, dict):
            raise Problem(f"{section} in {file} is not a section", f"Write [{section}] and its keys below it")
        part[field] = environment[name]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _explain(error.errors()[0], file, variables) from error


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(f"there is no settings file {file}", "Give its path with --config") from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(
            f"{file} is not valid TOML: {error}", "Correct that line; config/reference.toml is valid"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Problem(f"the settings file {file} cannot be read: {words}", "Give a TOML file with --config") from error


def _read_environment(environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """(section, field) → name of the variable that sets it; an unknown one is a Problem."""
    found: dict[tuple[str, str], str] = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in FOREIGN_VARIABLES or name.startswith(FOREIGN_PREFIXES):
            continue
        section, separator, field = name.removeprefix(PREFIX).lower().partition("__")
        if not separator:
            raise Problem(f"the environment variable {name} sets nothing", f"Write {PREFIX}SECTION__FIELD, or unset it")
        found[section, field] = name
    return found


def _explain(error: ErrorDetails, file: Path | None, variables: Mapping[tuple[str, str], str]) -> Problem:
    """One validation error as one line: where it stands, what is wrong, what is allowed."""
    location = [str(part) for part in error["loc"]]
    section, field = [*location, ""][:2]
    where = _where(location, file, variables)
    if error["type"] == "extra_forbidden":
        if section in Settings.model_fields:
            return Problem(f"{where} is not a setting", f"Keys of {section} are {_names(section_model(section))}")
        return Problem(f"{where} is not a setting", f"Sections are {_names(Settings)}")
    if error["type"] == "model_type":
        return Problem(f"{where} is not a section", f"Write [{section}] and its keys below it")
    wrong = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if not field:  # a rule about several keys, or something else where a section should be
        return Problem(f"{where}: {wrong}", "Change one of the two")
    # Never show what may be a password or a key.
    value = "" if field.endswith(("password", "secret")) else f", not {error['input']!r}"
    return Problem(f"{where}: {wrong}{value}", section_model(section).model_fields[field].description or "")


def _where(location: list[str], file: Path | None, variables: Mapping[tuple[str, str], str]) -> str:
    section, field = [*location, ""][:2]
    for (its_section, its_field), name in variables.items():
        if (its_section, its_field) == (section, field) or (its_section == section and section not in _SECTIONS):
            return f"the environment variable {name}"
    return f"{'.'.join(location)} in {file or 'the settings'}"


def _names(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
