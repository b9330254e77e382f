"""One written event (SCENARIOS §1) → one record, the same way for every format."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from avro.text import InvalidEvent, parse_event
from avro.written import event_names
from sources.identity import BUSINESS_KEYS, derive_event_id
from sources.redaction import MASK, STANDARD, Redactor
from sources.values import ParsedEvent, Position

_TO_BE_DERIVED = "to be derived"  # stands in until the record, from which the id derives, is there
_KEY_SEPARATOR = "|"
# A card number that was masked in a rejected line has at least so many of its digits gone.
_MASKED_ID = MASK * 9


def now_utc() -> datetime:
    """The source's clock."""
    return datetime.now(UTC)


class SourceOptions(msgspec.Struct, frozen=True):
    """What a run says about all its events.

    `company` is given to events that name none, and no other may be named. `source` is likewise a default. `now` is
    the clock for `recorded_at`, where an event does not bring its own. `payers` is a bank file's table of payers.
    `redactor` takes out of every event what must not be published.
    """

    company: str | None = None
    source: str | None = None
    region: str = ""
    now: Callable[[], datetime] = now_utc
    payers: Path | None = None
    redactor: Redactor = STANDARD


class RefusedError(Exception):
    """An event that cannot be taken. Codes are those of ``avro.text.InvalidEvent``, and a few of the sources'."""

    def __init__(self, reason: str, field: str | None, message: str, event_type: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.message = message
        self.event_type = event_type


class Intake:
    """Turns written events into records, with the defaults of one run, and redacts them."""

    def __init__(self, options: SourceOptions, source: str) -> None:
        name = options.source or source
        self._options = options
        self._redactor = options.redactor
        self._defaults = {
            "source": name,
            "region": options.region,
            "actor_id": name,
            "actor_role": "system",
            "event_id": _TO_BE_DERIVED,
        }
        if options.company is not None:
            self._defaults["company"] = options.company

    def event(self, document: Mapping[str, Any], position: Position) -> ParsedEvent:
        """The event of a document. Raises ``RefusedError`` with a reason code, the field and what to do."""
        given = document.get("event")
        event_type = given if isinstance(given, str) else None
        if event_type is not None and event_type not in BUSINESS_KEYS and event_type in event_names():
            message = f"{event_type} is written by the pipeline itself; a source may not send it"
            raise RefusedError("unknown_event", "event", message, event_type)
        if document.get("occurred_at") is None and document.get("recorded_at") is None:
            message = "the event says neither when it happened nor when it was recorded; give occurred_at"
            raise RefusedError("missing_field", "occurred_at", message, event_type)
        try:
            name, record = parse_event(document, {**self._defaults, "recorded_at": self._options.now()})
        except InvalidEvent as error:
            message = self._redactor.message(error.message, event_type, error.field)
            raise RefusedError(error.reason, error.field, message, event_type) from error
        # Before the id is derived: what is redacted must not stand in an id either.
        self._redactor.record(name, record)
        self._check_company(record["company"], event_type)
        self._check_ids(name, record)
        if document.get("event_id") is None:
            record["event_id"] = derive_event_id(name, record)
        return ParsedEvent(name, record, position)

    def _check_company(self, company: str, event_type: str | None) -> None:
        expected = self._options.company
        if expected is not None and company != expected:
            message = f"the event is of company {company}, but this run is for {expected}"
            raise RefusedError("wrong_company", "company", message, event_type)
        if _KEY_SEPARATOR in company:
            message = f"a company code has no {_KEY_SEPARATOR}, because it begins the record key"
            raise RefusedError("invalid_value", "company", message, event_type)

    def _check_ids(self, name: str, record: Mapping[str, Any]) -> None:
        for field in BUSINESS_KEYS[name]:
            value = record[field]
            if isinstance(value, str) and _MASKED_ID in value:
                message = f"{value} is a number that was masked when the line was rejected; take it from the source"
                raise RefusedError("masked_id", field, message, name)
