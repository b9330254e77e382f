"""The contracts of this installation: record names, schema ids, and the codec of the wire format.

The wire format is Confluent's: a zero byte, the schema id in four bytes (big-endian), the record's datum.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from avro import schemas
from avro.checked import CheckedEncoder
from avro.decoder import DAMAGE, compile_decoder, compile_reader
from avro.encoder import compile_encoder
from avro.errors import ContractError, MalformedRecord, UnknownSchema, UnreleasedSchema
from avro.resolution import resolver
from avro.schemas import Schema

T = TypeVar("T")
Reader = Callable[[bytes], dict[str, Any]]
Fetch = Callable[[int], Schema | None]
"""Looks an id up in a registry: the schema, or None when the registry does not know it."""

HEADER_BYTES = 5
_MAGIC = b"\0"
_UNKNOWN_MAX = 1024


class Contracts:
    """Names, ids and codecs. What it hands out is made once and kept; safe to use from several threads.

    Ids come from the pins of `avro/ids.json`, or from a registry: then `ids` gives the id of every record's current
    schema, and `fetch` is asked, once each, for ids that are not among them.
    """

    def __init__(self, ids: Mapping[str, int] | None = None, fetch: Fetch | None = None) -> None:
        """Read the schema files. Raises UnreleasedSchema when one was changed without a release."""
        self._schemas = schemas.read_current()
        self._fetch = fetch
        self._writers: dict[int, tuple[str, Reader]] = {}
        self._unknown: set[int] = set()
        self._old: dict[int, schemas.Pin] = {}
        if ids is None:
            self._ids, self._old = _pinned_ids(self._schemas)
        else:
            self._ids = dict(ids)
        for name in self._schemas:
            if name not in self._ids:
                raise UnknownSchema(f"{name} has no schema id; run `arrears schemas register`")
        self._names = {identifier: name for name, identifier in self._ids.items()}
        self._mapping_encoders: dict[str, Callable[[Any], bytes]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The record names, events first."""
        return tuple(self._schemas)

    def schema(self, name: str) -> Schema:
        """The current schema of a record as parsed JSON; not to be changed. Raises UnknownSchema."""
        found = self._schemas.get(name)
        if found is None:
            raise UnknownSchema(f"no record is called {name}; `arrears schemas list` shows those there are")
        return found

    def schema_id(self, name: str) -> int:
        """The id of the current schema of a record. Raises UnknownSchema."""
        self.schema(name)
        return self._ids[name]

    def encode(self, name: str, record: Mapping[str, object]) -> bytes:
        """The wire format of a record; days and instants are integers, fields that have a default may be left out.

        Raises UnwritableRecord naming the field that does not fit, UnknownSchema for a name that is no record.
        """
        encode = self._mapping_encoders.get(name)
        if encode is None:
            encode = self._mapping_encoders[name] = self._compile(name, from_mapping=True)
        return encode(record)

    def encoder(self, name: str) -> Callable[[Any], bytes]:
        """A compiled function from an object with attributes to the wire format.

        Fields that have a default may be missing, which is slower. It raises UnwritableRecord.
        """
        return self._compile(name, from_mapping=False)

    def decode(self, value: bytes) -> tuple[str, dict[str, object]]:
        """The record name and all fields, as the current schema has them, whatever version wrote it.

        Days and instants are integers. Raises UnknownSchema for an id that is not ours, MalformedRecord for bytes that
        are not one whole record, and RegistryUnavailable when an id had to be looked up and could not.
        """
        identifier = _identifier(value)
        known = self._writers.get(identifier)
        if known is None:
            known = self._writers[identifier] = self._reader(identifier)
        name, read = known
        try:
            return name, read(value)
        except DAMAGE as error:
            raise MalformedRecord(f"{name}: {error}") from error

    def decoder(
        self,
        name: str,
        factory: Callable[..., T],
        fields: Sequence[str],
        items: Mapping[str, Callable[..., Any]] | None = None,
    ) -> Callable[[bytes], T]:
        """A compiled function from the wire format to `factory(*values in the order of fields)`.

        It reads the record's leading fields up to the last of `fields`. Parameters that `factory` only takes by name
        are given by name. Arrays become tuples; `items` says by field what makes the records in them, a Struct's
        annotations say it otherwise. What was written with another version is resolved first, which is slower. The
        function raises as `decode` does, and MalformedRecord for a record of another name.
        """
        schema = self.schema(name)
        header = _header(self._ids[name])
        read = compile_decoder(schema, HEADER_BYTES, factory, fields, items or {})
        current = self._compile(name, from_mapping=True)

        def decode(value: bytes) -> T:
            if value[:HEADER_BYTES] != header:
                found, record = self.decode(value)
                if found != name:
                    raise MalformedRecord(f"the value is a record of {found}, not of {name}")
                value = current(record)
            try:
                return read(value)
            except DAMAGE as error:
                raise MalformedRecord(f"{name}: {error}") from error

        return decode

    def _compile(self, name: str, *, from_mapping: bool) -> Callable[[Any], bytes]:
        schema = self.schema(name)
        header = _header(self._ids[name])
        return compile_encoder(schema, header, CheckedEncoder(schema, header), from_mapping=from_mapping)

    def _reader(self, identifier: int) -> tuple[str, Reader]:
        """Name and reader of the schema with an id: compiled for the current one, Avro's resolution for others."""
        name = self._names.get(identifier)
        if name is not None:
            return name, compile_reader(self._schemas[name], HEADER_BYTES)
        writer = self._written_with(identifier)
        name = writer["name"]
        current = self._schemas.get(name)
        if current is None or schemas.full_name(writer) != schemas.full_name(current):
            raise UnknownSchema(f"schema id {identifier} is {schemas.full_name(writer)}, which is none of our records")
        if schemas.without_documentation(writer) == schemas.without_documentation(current):
            return name, compile_reader(current, HEADER_BYTES)
        return name, resolver(writer, current, HEADER_BYTES)

    def _written_with(self, identifier: int) -> Schema:
        pin = self._old.get(identifier)
        if pin is not None:
            return schemas.read_released(pin)
        found = None
        if self._fetch is not None and identifier not in self._unknown:
            found = self._fetch(identifier)
        if found is None:
            if len(self._unknown) < _UNKNOWN_MAX:
                self._unknown.add(identifier)
            where = "here" if self._fetch is None else "to the schema registry"
            raise UnknownSchema(f"schema id {identifier} is not known {where}")
        return found


def _pinned_ids(current: Mapping[str, Schema]) -> tuple[dict[str, int], dict[int, schemas.Pin]]:
    """The id of every record's newest version, and the pins of the older ones by id."""
    newest: dict[str, schemas.Pin] = {}
    for pin in schemas.pinned():
        if pin.short_name not in newest or pin.version > newest[pin.short_name].version:
            newest[pin.short_name] = pin
    for name, schema in current.items():
        pinned = newest.get(name)
        if pinned is None or schemas.without_documentation(schema) != schemas.without_documentation(
            schemas.read_released(pinned)
        ):
            raise UnreleasedSchema(f"{name}.avsc was changed since its release; run `arrears schemas release`")
    ids = {name: pin.id for name, pin in newest.items() if name in current}
    old = {pin.id: pin for pin in schemas.pinned() if ids.get(pin.short_name) != pin.id}
    return ids, old


def _header(identifier: int) -> bytes:
    return _MAGIC + identifier.to_bytes(4, "big")


def _identifier(value: bytes) -> int:
    if len(value) < HEADER_BYTES or value[:1] != _MAGIC:
        raise MalformedRecord("the value does not start with a zero byte and a schema id of four bytes")
    return int.from_bytes(value[1:HEADER_BYTES], "big")


def schema_text(schema: Schema) -> str:
    """A schema as a registry takes it."""
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False)


_installed: list[Contracts] = []


def install(contracts_of_registry: Contracts) -> None:
    """Make these the contracts of this process, as at the start of a service that uses a registry.

    Raises ContractError when others are in use already: what was compiled before would go on with their ids.
    """
    if _installed or contracts.cache_info().currsize:
        raise ContractError("the contracts of this process are in use already; install others before their first use")
    _installed.append(contracts_of_registry)


@cache
def contracts() -> Contracts:
    """The contracts of this process, read once: those installed, or else with the pinned ids."""
    return _installed[0] if _installed else Contracts()
