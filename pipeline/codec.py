"""From the bytes of the event log to events, and what is wrong with those that are none.

The wire format names the schema in its first five bytes; a table over them leads to the compiled decoder of that
event. Records that no job folds are known by the same bytes and are not decoded at all.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from avro import ContractError, Contracts
from avro.errors import RegistryUnavailable
from pipeline.ports import Event, Record, Unavailable
from topics import partition_key, partition_of

EVENT_NAMESPACE = "arrears.events"
KEYS_CACHED_MAX = 200_000
# Written into every partition, so that their key says nothing about where they live.
SYSTEM_EVENTS = frozenset({"ClockTicked", "CompanyConfigured"})
WIRE_HEADER_BYTES = 5


class _Logged:
    """Stands for an event that is valid and that no job folds."""


LOGGED: Final = _Logged()


class Poison(Exception):  # noqa: N818  a verdict on a record, not a defect
    """A record that cannot be processed; it goes to ``ar.failed`` and the partition moves on.

    ``stage`` is decode, route, fold or encode; ``reason`` a short code that fits a metric label.
    """

    def __init__(self, stage: str, reason: str, error: str) -> None:
        super().__init__(error)
        self.stage = stage
        self.reason = reason
        self.error = error


class EventCodec:
    """Decodes the events that the jobs fold, and knows the others."""

    def __init__(self, contracts: Contracts, event_types: Mapping[str, type[msgspec.Struct]]) -> None:
        self._contracts = contracts
        self._event_types = event_types
        self.decoders: dict[bytes, Callable[[bytes], Event]] = {}
        self.logged_headers: set[bytes] = set()
        for name in contracts.names:
            if contracts.schema(name).get("namespace") != EVENT_NAMESPACE:
                continue
            header = b"\x00" + contracts.schema_id(name).to_bytes(4, "big")
            event_type = event_types.get(name)
            if event_type is None:
                self.logged_headers.add(header)
            else:
                self.decoders[header] = contracts.decoder(name, event_type, event_type.__struct_fields__)

    def decode(self, value: bytes | None) -> Event:
        """The event, or ``LOGGED``. Raises ``Poison``, and ``Unavailable`` when only the schema registry could tell."""
        if value is None:
            raise Poison("decode", "no_value", "the record has no value")
        header = value[:WIRE_HEADER_BYTES]
        decoder = self.decoders.get(header)
        try:
            if decoder is not None:
                return decoder(value)
            return LOGGED if header in self.logged_headers else self._decode_by_name(value)
        except RegistryUnavailable as error:
            # Not the record's fault: the partition waits until the registry answers.
            raise Unavailable(str(error)) from error
        except ContractError as error:
            raise Poison("decode", error.reason, str(error)) from error
        except Exception as error:
            # Whatever a damaged record makes a decoder do, it is the record that is at fault.
            raise Poison("decode", "malformed_record", f"{type(error).__name__}: {error}") from error

    def _decode_by_name(self, value: bytes) -> Event:
        """A record of an older version of its schema, or one that does not belong here."""
        name, fields = self._contracts.decode(value)
        if self._contracts.schema(name).get("namespace") != EVENT_NAMESPACE:
            raise Poison("decode", "not_an_event", f"{name} is not an event")
        event_type = self._event_types.get(name)
        if event_type is None:
            return LOGGED
        return msgspec.convert({field: fields[field] for field in event_type.__struct_fields__}, event_type)


class KeyRing:
    """Where the accounts live; refuses an event that its producer put elsewhere (DESIGN §2, traps).

    What was found right is remembered by partition, at most ``KEYS_CACHED_MAX`` keys each, because hashing a key costs
    as much as folding an event.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._verified: dict[int, dict[bytes | None, tuple[str, str | None]]] = {}
        self._places: dict[bytes, int] = {}

    def verified(self, partition: int) -> dict[bytes | None, tuple[str, str | None]]:
        """Company and account by key, for keys that belong into this partition; an event with another pair, or a key
        that is not there, goes to ``check``."""
        return self._verified.setdefault(partition, {})

    def check(self, record: Record, event: Event) -> None:
        """Raise ``Poison`` unless the record's key is the event's account and its partition that account's."""
        if type(event).__name__ in SYSTEM_EVENTS:
            return
        key = record.key()
        expected = partition_key(event.company, event.account_id)
        if key != expected:
            raise Poison("route", "bad_key", f"the key is {_shown(key)}, the account's key is {_shown(expected)}")
        self.check_place(record)
        verified = self.verified(record.partition() or 0)
        if len(verified) >= KEYS_CACHED_MAX:
            verified.clear()
        verified[key] = (event.company, event.account_id)

    def check_place(self, record: Record) -> None:
        """Raise ``Poison`` unless the record lies in the partition of its key."""
        key = record.key()
        if key is None:
            raise Poison("route", "bad_key", "the record has no key; the key of an event is company|account_id")
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= KEYS_CACHED_MAX:
                self._places.clear()
            place = self._places[key] = partition_of(key, self._partitions)
        if place != record.partition():
            raise Poison(
                "route",
                "wrong_partition",
                f"the key {_shown(key)} belongs into partition {place}; producers must use murmur2_random",
            )


def _shown(key: bytes | None) -> str:
    return "absent" if key is None else repr(key[:100].decode(errors="replace"))
