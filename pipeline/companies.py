"""The settings of the companies: read from files, published as ``CompanyConfigured`` into every partition.

Settings are events, because the fold must give the same bytes when the log is replayed. What was published last is
kept as a record of the state topic (partition 0, key ``!company|CODE``), written after the events; so settings are
published again only when they differ, or when a publication was cut short, which does no harm.
"""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from confluent_kafka import KafkaException, Producer, TopicPartition

from jobs import CompanySettings, settings_from
from pipeline.errors import Problem
from pipeline.holiday_calendar import with_holidays
from pipeline.ports import Unavailable
from pipeline.state_topic import LogRange, read_state

PUBLISHED_PREFIX = b"!company|"
STATE_PARTITION = 0
READ_SECONDS_MAX = 60.0
FLUSH_SECONDS_MAX = 30.0

Status = Literal["new", "changed", "unchanged"]


class ConfiguredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``CompanyConfigured`` with its envelope."""

    event_id: str
    company: str
    occurred_at: int
    recorded_at: int
    version: str
    settings: str
    account_id: str | None = None
    region: str = ""
    source: str = "arrears"
    actor_id: str = "companies"
    actor_role: str = "system"
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What publishing would do for one company. ``keys`` are the settings that differ from what was published."""

    company: str
    status: Status
    version: str
    settings: bytes
    keys: tuple[str, ...]


def read_companies(folder: Path) -> dict[str, CompanySettings]:
    """The settings of every ``*.toml`` of the folder, by company code.

    The file's name is the code, unless the file has a key ``code``. Raises ``Problem`` that names the file and the
    key that is wrong.
    """
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not files:
        raise Problem(
            f"there is no company file in {folder}", "Put one TOML file per company there, or set companies.folder"
        )
    companies: dict[str, CompanySettings] = {}
    for file in files:
        settings = _read(file)
        if settings.code in companies:
            raise Problem(f"{file}: company {settings.code} is configured by another file, too", "Keep one of them")
        companies[settings.code] = settings
    return companies


def _read(file: Path) -> CompanySettings:
    try:
        mapping = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Problem(f"{file} cannot be read: {error}", "Correct the file") from error
    try:
        return settings_from(with_holidays({"code": file.stem, **mapping}))
    except ValueError as error:
        raise Problem(f"{file}: {error}", "Correct the key; docs/companies.md lists them all") from error


def written_form(settings: CompanySettings) -> bytes:
    """The settings as they are published: JSON with every key, also those that have their default.

    A later release with another default must not change what a replay of today's log gives.
    """
    return msgspec.json.encode(settings, order="sorted")


def read_published(client_config: Mapping[str, Any], state_topic: str) -> dict[str, bytes]:
    """What was published last, by company. Raises ``Problem`` when the broker does not answer."""
    published: dict[str, bytes] = {}
    place = TopicPartition(state_topic, STATE_PARTITION)
    try:
        for key, value in read_state(client_config, LogRange(client_config), place, READ_SECONDS_MAX):
            if key.startswith(PUBLISHED_PREFIX) and value is not None:
                published[key.removeprefix(PUBLISHED_PREFIX).decode()] = value
    except Unavailable as error:
        raise Problem(f"the published settings cannot be read: {error}", "Look at the broker") from error
    return published


def plan(companies: Mapping[str, CompanySettings], published: Mapping[str, bytes]) -> list[Change]:
    """What publishing would change, by company. Companies without a file stay as they are."""
    changes = []
    for code, settings in sorted(companies.items()):
        written = written_form(settings)
        before = published.get(code)
        status: Status = "new" if before is None else "unchanged" if before == written else "changed"
        keys = _differing(written, before) if before is not None else ()
        changes.append(Change(code, status, hashlib.sha256(written).hexdigest()[:12], written, keys))
    return changes


def _differing(written: bytes, before: bytes) -> tuple[str, ...]:
    new: dict[str, Any] = msgspec.json.decode(written)
    old: dict[str, Any] = msgspec.json.decode(before)
    return tuple(key for key in sorted(new.keys() | old.keys()) if new.get(key) != old.get(key))


def publish(
    producer: Producer,
    changes: list[Change],
    *,
    events_topic: str,
    state_topic: str,
    partitions: int,
    at_micros: int,
    encode: Callable[[ConfiguredRecord], bytes],
) -> int:
    """Write the new and changed settings into every partition, then note them; returns how many companies that were.

    ``at_micros`` is when they are recorded. Raises ``Problem`` when the broker does not take them; calling again is
    safe.
    """
    wanted = [change for change in changes if change.status != "unchanged"]
    for change in wanted:
        event = ConfiguredRecord(
            event_id=f"company/{change.company}/{change.version}/{at_micros}",
            company=change.company,
            occurred_at=at_micros,
            recorded_at=at_micros,
            version=change.version,
            settings=change.settings.decode(),
        )
        headers = [("event_type", b"CompanyConfigured"), ("company", change.company.encode())]
        value = encode(event)
        _send(
            producer,
            [(events_topic, partition, change.company.encode(), value, headers) for partition in range(partitions)],
        )
        key = PUBLISHED_PREFIX + change.company.encode()
        _send(producer, [(state_topic, STATE_PARTITION, key, change.settings, [])])
    return len(wanted)


def _send(producer: Producer, records: list[tuple[str, int, bytes, bytes, list[tuple[str, bytes]]]]) -> None:
    """Send and wait until the broker has everything."""
    failures: list[str] = []

    def delivered(error: object, _: object) -> None:
        if error is not None:
            failures.append(str(error))

    try:
        for topic, partition, key, value, headers in records:
            producer.produce(topic, value, key, partition, headers=[*headers], on_delivery=delivered)
        left = producer.flush(FLUSH_SECONDS_MAX)
    except (KafkaException, BufferError) as error:
        raise Problem(f"the settings cannot be published: {error}", "Look at the broker, then try again") from error
    if left or failures:
        reason = failures[0] if failures else f"no answer in {FLUSH_SECONDS_MAX:.0f} s"
        raise Problem(f"the settings cannot be published: {reason}", "Look at the broker, then try again")
