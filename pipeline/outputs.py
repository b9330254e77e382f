"""Which record goes where: topic, key, partition and bytes of everything the fold puts out (DESIGN §2)."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import msgspec

from avro import Contracts
from pipeline.ports import Effect, Event, Headers, Record
from topics import EVENTS, Topic, partition_key, partition_of

ALERT_TOPICS = {
    "promise_broken": "ar.alerts.promises",
    "promise_partially_kept": "ar.alerts.promises",
    "promise_pending_cash": "ar.alerts.promises",
    "unapplied_cash": "ar.alerts.cash",
    "unidentified_cash": "ar.alerts.cash",
    "apply_cash_first": "ar.alerts.cash",
    "exception_overdue": "ar.alerts.exceptions",
    "dispute_overdue": "ar.alerts.exceptions",
    "credit_limit_exceeded": "ar.alerts.credit",
}
REJECTED = "ar.rejected"
FAILED = "ar.failed"
# Effects that are not written as they are.
_OWN_ENVELOPE = {"source": "arrears", "actor_id": "", "actor_role": "system", "correlation_id": None}
WRAPPED = frozenset({"Rejection", "Carried"})


class Output(NamedTuple):
    """One record to write. ``name`` is that of its schema."""

    name: str
    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers


class RejectedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``RejectedEvent``: a refused event with its reason and where it stood."""

    company: str
    account_id: str | None
    event_id: str
    event_type: str
    reason: str
    message: str
    recorded_at: int
    topic: str
    partition: int
    offset: int
    original_key: bytes | None
    original_value: bytes
    late: bool


class HeaderRecord(msgspec.Struct, frozen=True):
    """One Kafka header of a failed record."""

    name: str
    value: bytes


class FailedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``FailedEvent``: a record that could not be processed, whole, with the stage and the reason."""

    topic: str
    partition: int
    offset: int
    stage: str
    reason: str
    error: str
    company: str | None
    event_type: str | None
    original_key: bytes | None
    original_value: bytes | None
    headers: tuple[HeaderRecord, ...]
    failed_at: int


class _Route(NamedTuple):
    name: str
    topic: str
    partitions: int | None  # None = the number of the input partition
    key: Callable[[Effect], bytes]
    encode: Callable[[Effect], bytes]


class Outputs:
    """Turns effects into records. A pure function of effect and input record; the caches do not show."""

    def __init__(
        self, contracts: Contracts, catalogue: Mapping[str, Topic], effect_types: Sequence[type[msgspec.Struct]]
    ) -> None:
        self._contracts = contracts
        self._catalogue = catalogue
        self._events = catalogue[EVENTS]
        self._rejected = self._route("RejectedEvent", catalogue[REJECTED])
        self._failed = self._route("FailedEvent", catalogue[FAILED])
        self._alerts = {kind: self._route("Alert", catalogue[name]) for kind, name in ALERT_TOPICS.items()}
        self._routes = {
            effect_type: self._route(effect_type.__name__, _topic_of(effect_type.__name__, catalogue))
            for effect_type in effect_types
            if effect_type.__name__ not in WRAPPED and effect_type.__name__ != "Alert"
        }

    def of_effect(self, effect: Effect, record: Record) -> Output:
        """The record of one effect of the event in ``record``. Raises when the effect does not fit its schema."""
        route = self._routes.get(type(effect))
        if route is None:
            return self._of_special(effect, record)
        name, topic, partitions, key_of, encode = route
        key = key_of(effect)
        place = record.partition() or 0 if partitions is None else place_of(key, partitions)
        return Output(name, topic, place, key, encode(effect), headers_of(name, effect.company))

    def of_failure(
        self, record: Record, stage: str, reason: str, error: str, *, event: Event = None, with_value: bool = True
    ) -> Output:
        """A ``FailedEvent``: company and type from the event, or else from the record's headers."""
        headers = dict(record.headers() or ())
        failed = FailedRecord(
            topic=record.topic() or "",
            partition=record.partition() or 0,
            offset=record.offset() or 0,
            stage=stage,
            reason=reason,
            error=error,
            company=event.company if event is not None else _text(headers.get("company")),
            event_type=type(event).__name__ if event is not None else _text(headers.get("event_type")),
            original_key=record.key(),
            original_value=record.value() if with_value else None,
            headers=tuple(HeaderRecord(name, value or b"") for name, value in record.headers() or ()),
            # The record's own time, so that a replay writes the same bytes.
            failed_at=max(record.timestamp()[1], 0) * 1000,
        )
        return Output(
            "FailedEvent",
            self._failed.topic,
            record.partition() or 0,
            record.key(),
            self._failed.encode(failed),
            headers_of("FailedEvent", failed.company or ""),
        )

    def of_rejection(self, effect: Effect, record: Record, *, with_value: bool = True) -> Output:
        """A ``RejectedEvent``: the jobs' reason, the position and the original bytes."""
        rejected = RejectedRecord(
            company=effect.company,
            account_id=effect.account_id,
            event_id=effect.event_id,
            event_type=effect.event_type,
            reason=effect.reason,
            message=effect.message,
            recorded_at=effect.recorded_at,
            topic=record.topic() or "",
            partition=record.partition() or 0,
            offset=record.offset() or 0,
            original_key=record.key(),
            original_value=(record.value() or b"") if with_value else b"",
            late=effect.late,
        )
        return self._write(self._rejected, rejected, effect.company, record.partition() or 0)

    def _of_special(self, effect: Effect, record: Record) -> Output:
        name = type(effect).__name__
        if name == "Rejection":
            return self.of_rejection(effect, record)
        if name == "Carried":
            return self._carried(effect.event)
        if name == "Alert":
            return self._write(self._alerts[effect.kind], effect, effect.company, record.partition() or 0)
        raise TypeError(f"no topic carries {name}")

    def _carried(self, event: Event) -> Output:
        """An event for another account, keyed for it (SEMANTICS 4.7)."""
        name = type(event).__name__
        key = account_key(event.company, event.account_id)
        place = place_of(key, self._events.partitions)
        # The jobs read an event without the end of its envelope; what they send on is the pipeline's own.
        record = {**msgspec.to_builtins(event), **_OWN_ENVELOPE}
        value = self._contracts.encode(name, record)
        return Output(name, self._events.name, place, key, value, headers_of(name, event.company))

    def _write(self, route: _Route, effect: Effect, company: str, partition: int) -> Output:
        key = route.key(effect)
        place = partition if route.partitions is None else place_of(key, route.partitions)
        return Output(route.name, route.topic, place, key, route.encode(effect), headers_of(route.name, company))

    def _route(self, name: str, topic: Topic) -> _Route:
        partitions = None if topic.cut_like_events else topic.partitions
        return _Route(name, topic.name, partitions, key_function(topic.key), self._contracts.encoder(name))


@lru_cache(maxsize=100_000)
def account_key(company: str, account_id: str | None) -> bytes:
    """``partition_key``, remembered: an account's outputs come in rows."""
    return partition_key(company, account_id)


@lru_cache(maxsize=100_000)
def place_of(key: bytes, partitions: int) -> int:
    """``partition_of``, remembered: the hash costs more than the encoding of most records."""
    return partition_of(key, partitions)


@lru_cache(maxsize=10_000)
def headers_of(name: str, company: str) -> Headers:
    """The headers every record carries: what it is and whose."""
    return [("event_type", name.encode()), ("company", company.encode())]


def key_function(fields: str) -> Callable[[Effect], bytes]:
    """The key of a record from the catalogue's description, such as ``company|document_type|document_id``."""
    names = fields.split("|")
    if names == ["company", "account_id"]:
        return lambda record: account_key(record.company, record.account_id)

    if len(names) == 1:
        read = attrgetter(names[0])
        return lambda record: str(read(record) or "").encode()
    several = attrgetter(*names)

    def key(record: Effect) -> bytes:
        return "|".join([str(value or "") for value in several(record)]).encode()

    return key


def _topic_of(name: str, catalogue: Mapping[str, Topic]) -> Topic:
    """The topic that carries a record. Raises ``LookupError``: an effect without a topic is a defect of the release."""
    for topic in catalogue.values():
        if name in topic.records:
            return topic
    raise LookupError(f"no topic of the catalogue carries {name}")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
