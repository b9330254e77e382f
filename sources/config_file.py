"""TOML files that say what a running source does. Every error names the file, the line, the key and what is allowed."""

import tomllib
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from sources.errors import SourceError
from sources.mapping.load import nearest
from sources.mapping.locate import line_of


class Section(BaseModel):
    """A table of a configuration file; a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Paris") from error
    return value


Zone = Annotated[str, AfterValidator(_known_zone)]
AnySection = TypeVar("AnySection", bound=Section)


def read_config(path: Path, kind: type[AnySection], page: str) -> AnySection:
    """The file as the model has it; `page` is the page that explains its keys. Raises ``SourceError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SourceError(f"cannot read {path}: {reason}", f"Give a TOML file; {page} shows one") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{path} is not TOML: {error}", f"{page} shows one") from error
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A misspelt key is also one that is missing; the first of the two says what to do.
        details = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        place = tuple(details["loc"])
        name = ".".join(str(part) for part in place)
        match details["type"]:
            case "extra_forbidden":
                message = f"unknown key {name}{nearest(str(place[-1]), _keys(kind))}"
            case "missing":
                message = f"the key {name} is missing"
            case _:
                words = details["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
                message = f"{name}: {words}" if name else words
        raise SourceError(f"{path}:{line_of(text, place)}: {message}", f"{page} lists every key") from error


def _keys(kind: type[Section]) -> list[str]:
    return list(kind.model_fields)
