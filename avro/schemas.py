"""The schema files: what stands in `events/` and `records/`, what was released, and the ids pinned to it."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from avro.errors import ContractError

Schema = dict[str, Any]
"""A record schema as parsed JSON."""
AvroType = Any
"""A type within a schema as parsed JSON: a name, a list of branches, or a mapping."""

FOLDER = Path(__file__).parent
EVENTS = "arrears.events"
"""The namespace of the events; the output records are in `arrears.records`."""
IDS_FILE = "ids.json"
_ROOMS = ("events", "records")
RELEASED = "released"


class Pin(msgspec.Struct, frozen=True):
    """A schema id and what it stands for: version n of the record of that full name."""

    id: int
    name: str
    version: int

    @property
    def short_name(self) -> str:
        """The record name without its namespace."""
        return self.name.rpartition(".")[2]


def read_current(folder: Path = FOLDER) -> dict[str, Schema]:
    """The schema files as they are now, by record name in alphabetical order, events before output records.

    Raises ContractError for a file that is no record schema, or whose name is not the record's.
    """
    found: dict[str, Schema] = {}
    for room in _ROOMS:
        for file in sorted((folder / room).glob("*.avsc")):
            schema = _read(file)
            if schema.get("type") != "record" or schema.get("name") != file.stem:
                raise ContractError(f"{file} must hold the record {file.stem}; rename the file or the record")
            if file.stem in found:
                raise ContractError(f"{file}: the record name {file.stem} is taken by another schema; rename one")
            found[file.stem] = schema
    return found


def read_pins(folder: Path = FOLDER) -> list[Pin]:
    """The ids that releases have pinned, in ascending order. Raises ContractError for a damaged file."""
    file = folder / IDS_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Pin])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise ContractError(f"{file} is damaged: {error}; take it from version control") from error


def write_pins(pins: list[Pin], folder: Path = FOLDER) -> None:
    """Write the pinned ids, one a line, so that a release is one line of difference."""
    lines = ",\n".join("  " + json.dumps(msgspec.to_builtins(pin)) for pin in sorted(pins, key=lambda pin: pin.id))
    (folder / IDS_FILE).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def source_file(name: str, folder: Path = FOLDER) -> Path:
    """The schema file of a record. Raises ContractError when there is none."""
    for room in _ROOMS:
        file = folder / room / f"{name}.avsc"
        if file.exists():
            return file
    raise ContractError(f"{folder} has no schema file of {name}")


def released_file(name: str, version: int, folder: Path = FOLDER) -> Path:
    """Where the snapshot of a released version stands."""
    return folder / RELEASED / name / f"{version}.avsc"


def read_released(pin: Pin, folder: Path = FOLDER) -> Schema:
    """The snapshot of a released version. Raises ContractError when it is missing or damaged."""
    return _read(released_file(pin.short_name, pin.version, folder))


@cache
def pinned() -> tuple[Pin, ...]:
    """The pinned ids of this installation."""
    return tuple(read_pins())


def full_name(schema: Mapping[str, Any]) -> str:
    """Namespace and name of a record schema."""
    name: str = schema["name"]
    return name if "." in name else f"{schema.get('namespace', '')}.{name}".lstrip(".")


def without_documentation(schema: AvroType) -> AvroType:
    """What of a schema decides about bytes and their meaning: no `doc`, no property that Avro does not know.

    Unlike Avro's parsing canonical form it keeps defaults, aliases and logical types.
    """
    known = ("type", "name", "namespace", "fields", "items", "values", "symbols", "size", "default", "aliases",
             "logicalType", "precision", "scale")  # fmt: skip
    if isinstance(schema, list):
        return [without_documentation(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key in known:
        if key not in schema or (key == "values" and schema.get("type") != "map"):
            continue
        value = schema[key]
        if key == "fields":
            value = [without_documentation(field) for field in value]
        elif key in {"type", "items", "values"}:
            value = without_documentation(value)
        kept[key] = value
    return kept


def _read(file: Path) -> Schema:
    try:
        schema = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractError(f"{file} is missing; take it from version control") from None
    except ValueError as error:
        raise ContractError(f"{file} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise ContractError(f"{file} does not hold a record schema")
    return schema
