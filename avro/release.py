"""Releases: snapshots of schemas that are in use, and the ids pinned to them.

A released version never changes; what follows must be compatible with all of them. The snapshots stand in
`released/<record>/<version>.avsc`, the ids in `ids.json`.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from avro.compatibility import Finding, differences, shortcomings
from avro.errors import ContractError
from avro.schemas import (
    FOLDER,
    Pin,
    Schema,
    full_name,
    read_current,
    read_pins,
    read_released,
    released_file,
    source_file,
    without_documentation,
    write_pins,
)


class Incompatible(ContractError):  # noqa: N818
    """A release was refused; `findings` say why."""

    reason = "incompatible"

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} changes are not compatible with what was released")
        self.findings = findings


class Standing(msgspec.Struct, frozen=True):
    """Where a record stands: its newest released version (None before the first), and whether it has changed since."""

    name: str
    pin: Pin | None
    changed: bool


def check(folder: Path = FOLDER) -> list[Finding]:
    """All that is wrong with the schema files, by themselves and against every released version.

    Raises ContractError for files that cannot be read.
    """
    current = read_current(folder)
    findings = [finding for schema in current.values() for finding in shortcomings(schema)]
    for pin in read_pins(folder):
        schema = current.get(pin.short_name)
        if schema is None:
            findings.append(_removed(pin))
        else:
            findings += differences(read_released(pin, folder), schema, pin.version)
    return sorted(findings, key=lambda finding: (finding.record, finding.field, finding.version or 0))


def standings(folder: Path = FOLDER) -> list[Standing]:
    """Every record with its newest released version, in the order of the schema files."""
    newest = _newest(read_pins(folder))
    return [
        Standing(name, newest.get(name), _changed(schema, newest.get(name), folder))
        for name, schema in read_current(folder).items()
    ]


def release(folder: Path = FOLDER) -> list[Pin]:
    """Write a snapshot of every schema that has changed, and pin a new id to it; the new pins.

    A change of the documentation alone needs no release. Raises Incompatible, and writes nothing, when `check` finds
    anything.
    """
    findings = check(folder)
    if findings:
        raise Incompatible(findings)
    pins = read_pins(folder)
    newest = _newest(pins)
    next_id = max((pin.id for pin in pins), default=0) + 1
    added: list[Pin] = []
    for name, schema in read_current(folder).items():
        last = newest.get(name)
        if _changed(schema, last, folder):
            added.append(Pin(next_id + len(added), full_name(schema), 1 if last is None else last.version + 1))
    for pin in added:
        snapshot = released_file(pin.short_name, pin.version, folder)
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        snapshot.write_bytes(source_file(pin.short_name, folder).read_bytes())
    if added:
        # The ids come last: a snapshot without an id is written again, an id without a snapshot would be an error.
        write_pins(pins + added, folder)
    return added


def _newest(pins: list[Pin]) -> Mapping[str, Pin]:
    newest: dict[str, Pin] = {}
    for pin in sorted(pins, key=lambda pin: pin.version):
        newest[pin.short_name] = pin
    return newest


def _changed(schema: Schema, pin: Pin | None, folder: Path) -> bool:
    return pin is None or without_documentation(schema) != without_documentation(read_released(pin, folder))


def _removed(pin: Pin) -> Finding:
    advice = f"take {pin.short_name}.avsc back from avro/released; a record that is in the log must stay readable"
    return Finding(pin.short_name, pin.version, "", "record_removed", "the record was released and is gone", advice)
