"""Reads a mapping file. Every error names the file, the line, the key and what is allowed."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sources.errors import SourceError
from sources.mapping.locate import Place, has_key, line_of
from sources.mapping.model import FieldSource, MappingFile
from sources.mapping.ready import ready_mappings, ready_path

_TOML_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")


_ADVICE = "docs/sources/csv-mapping.md lists every key"
_EXTENDS_MAX = 4


class MappingProblem(msgspec.Struct, frozen=True):
    """Something wrong with a mapping: the key's place in the file, and a sentence."""

    place: Place
    message: str


class MappingText(msgspec.Struct, frozen=True):
    """A mapping, and its text for the line numbers of errors that show later. `base` is what it extends."""

    path: str
    text: str
    mapping: MappingFile
    document: Mapping[str, Any]
    base: "MappingText | None" = None

    def error(self, problems: Iterable[MappingProblem], advice: str = _ADVICE) -> SourceError:
        """The first of the problems by line, and how many more there are.

        What this mapping does not say itself is shown where the one that it extends says it.
        """
        listed = list(problems)
        if self.base is not None:
            own = [problem for problem in listed if _says(self.text, problem.place)]
            if not own:
                return self.base.error(listed, advice)
            listed = own
        return _error(self.path, self.text, listed, advice)


def load_mapping(path: Path) -> MappingText:
    """Read and validate a mapping file in itself; ``check.py`` holds it against the events.

    `path` may be the name of a ready mapping, such as ``sap/bsid``; a file of that name comes first.
    Raises ``SourceError`` for a file that cannot be read, is not TOML, or has unknown keys or wrong values.
    """
    if not path.exists():
        ready = ready_path(path.as_posix())
        if ready is None and not path.suffix:
            names = ready_mappings()
            hint = nearest(path.as_posix(), names) or f"; ready ones are {', '.join(names)}"
            raise SourceError(
                f"there is no mapping {path}{hint}", "Give a TOML file, or a name that `arrears mappings list` shows"
            )
        path = path if ready is None else ready
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SourceError(f"cannot read the mapping {path}: {reason}", "Give --mapping a TOML file") from error
    return read_mapping(text, str(path), path.parent)


def read_mapping(text: str, path: str, folder: Path | None = None) -> MappingText:
    """The mapping in a text; `path` is what errors call it, `folder` where a file that it extends lies.

    Raises ``SourceError``.
    """
    return _read_mapping(text, path, folder, _EXTENDS_MAX)


def _read_mapping(text: str, path: str, folder: Path | None, depth: int) -> MappingText:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line = f":{found[1]}" if found else ""
        message = f"{path}{line} is not TOML: {_TOML_PLACE.sub('', str(error))}"
        raise SourceError(message, "Put texts in quotes; an inline table { } stays on one line") from error
    base = _base(document.get("extends"), path, folder, depth)
    if base is not None:
        document = _joined(base.document, document)
    try:
        mapping = MappingFile.model_validate(document)
    except ValidationError as error:
        problems = [_problem(details) for details in error.errors(include_url=False)]
        raise _error(path, text, problems) from error
    return MappingText(path, text, mapping, document, base)


def _base(name: object, path: str, folder: Path | None, depth: int) -> MappingText | None:
    """The mapping that `extends` names: a file beside this one, or else a ready one."""
    if not isinstance(name, str):
        return None
    if not depth:
        raise SourceError(f"{path} extends more than {_EXTENDS_MAX} mappings, one after the other", _ADVICE)
    beside = (folder or Path()) / name
    ready = None if beside.is_file() else ready_path(name)
    file = beside if ready is None else ready
    if not file.is_file():
        known = ready_mappings()
        hint = nearest(name, known) or f"; ready ones are {', '.join(known)}"
        raise SourceError(f"{path} extends {name}, and there is no such mapping{hint}", _ADVICE)
    return _read_mapping(file.read_text(encoding="utf-8"), str(file), file.parent, depth - 1)


def _joined(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Two documents, key by key; a field's source is one value, so it is replaced as a whole."""
    joined = dict(base)
    for key, value in own.items():
        before = base.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        joined[key] = {**before, **value} if both else value  # type: ignore[dict-item]
    return joined


def _says(text: str, place: Place) -> bool:
    """Whether the text itself has the key at a place, or the table or list that holds it."""
    return has_key(text, place[:2]) or has_key(text, place[:1])


def nearest(name: str, known: Iterable[str]) -> str:
    """A question that names the likeliest of the known names, or nothing: `` (did you mean X?)``."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f" (did you mean {by_folded[found[0]]}?)" if found else ""


def _error(path: str, text: str, problems: list[MappingProblem], advice: str = _ADVICE) -> SourceError:
    by_line = sorted((line_of(text, problem.place), problem.message) for problem in problems)
    line, message = by_line[0]
    more = f" ({len(by_line) - 1} more after it)" if len(by_line) > 1 else ""
    return SourceError(f"{path}:{line}: {message}{more}", advice)


def _problem(details: ErrorDetails) -> MappingProblem:
    place: Place = tuple(details["loc"])
    name = ".".join(str(part) for part in place if isinstance(part, str) and part != "items")
    match details["type"]:
        case "extra_forbidden":
            known = _keys_at(place[:-1])
            return MappingProblem(place, f"unknown key {place[-1]}{nearest(str(place[-1]), known)}")
        case "missing":
            return MappingProblem(place, f"the key {name} is missing")
        case "model_type":
            return MappingProblem(place, f"{name} should be a table, or the short form that the key allows")
        case _:
            message = details["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
            return MappingProblem(place, f"{name}: {message}")


def _keys_at(place: Place) -> list[str]:
    """The keys that the model knows at a place."""
    kind: Any = MappingFile
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = next((field for key, field in kind.model_fields.items() if part in (key, field.alias)), None)
            kind = found.annotation if found else None
        else:
            kind = get_args(kind)[-1] if get_args(kind) else None
        kind = _model_in(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or key for key, field in kind.model_fields.items()]
    return []


def _model_in(kind: Any) -> Any:  # noqa: ANN401  an annotation is any object
    """What an annotation is about, without Optional and Annotated around it."""
    while True:
        arguments = [argument for argument in get_args(kind) if argument is not type(None)]
        if get_origin(kind) in (Union, UnionType) and len(arguments) == 1:
            kind = arguments[0]
        elif hasattr(kind, "__metadata__"):
            kind = kind.__origin__
        elif kind == "FieldSource" or getattr(kind, "__forward_arg__", "") == "FieldSource":
            return FieldSource
        else:
            return kind
