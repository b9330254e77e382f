"""The events that a source may send, and their fields as people write them (SCENARIOS §1)."""

from collections.abc import Mapping
from functools import cache

from avro.written import Kind, WrittenField, written_record
from sources.identity import BUSINESS_KEYS

# What a run gives where neither a row nor its mapping does.
GIVEN_BY_THE_RUN = frozenset({"event_id", "company", "recorded_at", "region", "source", "actor_id", "actor_role"})
AMOUNTS: frozenset[Kind] = frozenset({"amount", "scaled_amount"})


def event_names() -> tuple[str, ...]:
    """The events that a source may send, in alphabetical order.

    The others are the pipeline's own: a source that could send a `ClockTicked` would move time for all (DESIGN §2).
    """
    return tuple(sorted(BUSINESS_KEYS))


@cache
def fields_of(event: str) -> Mapping[str, WrittenField]:
    """The fields of an event by their written name, in the order of the contract."""
    return {field.written: field for field in written_record(event).fields}


def is_required(field: WrittenField) -> bool:
    """Whether a row must give the field: no default, neither in the contract nor of the run."""
    return field.required and field.written not in GIVEN_BY_THE_RUN
