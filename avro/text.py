"""The written form of events (SCENARIOS §1): what people, files, the HTTP API and scenarios say ↔ the Avro record.

A document is a mapping with the record name under `event`, amounts as decimal texts, dates and instants as ISO texts
(or the date objects that a YAML reader makes of them).
"""

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from avro import amounts
from avro.amounts import InvalidNumber
from avro.dates import InvalidDate
from avro.text_compiled import Quick, compile_quick
from avro.text_writer import NAME, write_event
from avro.values import InvalidValue, parse_value
from avro.written import SCALE, WrittenField, WrittenRecord, event_names, written_record

Reason = Literal["invalid_amount", "invalid_date", "missing_field", "unknown_field", "unknown_event", "invalid_value"]

__all__ = ["InvalidEvent", "Reason", "parse_event", "write_event"]


class InvalidEvent(Exception):  # noqa: N818  a verdict on what somebody wrote
    """A document that is not an event. `field` is where, counted from 1 in lists (`lines[2].amount`)."""

    def __init__(self, reason: Reason, field: str, message: str) -> None:
        super().__init__(reason, field, message)
        self.reason: Reason = reason
        self.field = field
        self.message = message

    def __str__(self) -> str:
        """One line: where, and what to do."""
        return f"{self.field}: {self.message}"


def parse_event(document: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The record name and the Avro record of a written event, all fields present.

    `defaults` are written values for fields that the document leaves out (or gives as null), such as company, region,
    source or recorded_at; keys that the event does not have are no error. Of occurred_at and recorded_at each defaults
    to the other. Raises InvalidEvent for the first thing that is wrong.
    """
    if not isinstance(document, Mapping):
        raise InvalidEvent("invalid_value", NAME, f"an event is a mapping with the key {NAME}, not {document!r}")
    record = written_record(_event_name(document))
    quick = _quick(record.name)(document, defaults)
    if quick is not None:
        _check_choice(record, quick)
        return record.name, quick
    return record.name, _checked(record, document, defaults)


def _checked(record: WrittenRecord, document: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The Avro record, or InvalidEvent with the first thing that is wrong."""
    given = {key: value for key, value in document.items() if key != NAME and value is not None}
    missing = {key: value for key, value in defaults.items() if value is not None and key not in given}
    given |= {field.written: missing[field.written] for field in record.fields if field.written in missing}
    for one, other in (("occurred_at", "recorded_at"), ("recorded_at", "occurred_at")):
        if one not in given and other in given:
            given[one] = given[other]
    parsed = _Record(record.name, given, "").parse(record.fields)
    _check_choice(record, parsed)
    return parsed


@cache
def _quick(name: str) -> Quick:
    return compile_quick(written_record(name), _Record)


def _event_name(document: Mapping[str, Any]) -> str:
    name = document.get(NAME)
    if name is None:
        raise InvalidEvent("missing_field", NAME, f"name the event under {NAME}, such as InvoiceIssued")
    if name not in event_names():
        advice = _nearest(str(name), event_names()) or "see docs/events.md for those there are"
        raise InvalidEvent("unknown_event", NAME, f"there is no event {name!r}; {advice}")
    return str(name)


def _nearest(word: str, known: Iterable[str]) -> str:
    lowered = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean {lowered[found[0]]}?" if found else ""


class _Record:
    """One mapping being read; `path` is empty for the event itself, `currency` that of the record around it."""

    def __init__(self, what: str, given: Mapping[Any, Any], path: str, currency: str | None = None) -> None:
        self.what = what
        self.given = given
        self.path = path
        self.currency = currency

    def parse(self, fields: tuple[WrittenField, ...]) -> dict[str, Any]:
        """The Avro record, in the order of the schema."""
        self._check_names(fields)
        # The currency comes first, wherever it stands: the amounts before it need it.
        for field in fields:
            if field.written == "currency" and field.written in self.given:
                self.currency = str(self._value(field, self.given[field.written]))
        scaled = self.scaled_amounts(fields)
        parsed: dict[str, Any] = {}
        for field in fields:
            if field.kind == "scaled_amount":
                parsed[field.name] = scaled.get(field.name)
                # The scale stands right behind the first amount, as in the schemas.
                parsed.setdefault(SCALE, scaled[SCALE])
            else:
                parsed[field.name] = self.field(field)
        return parsed

    def _check_names(self, fields: tuple[WrittenField, ...]) -> None:
        known = [field.written for field in fields]
        for key in self.given:
            if key not in known:
                advice = _nearest(str(key), known) or f"its fields are {', '.join(known)}"
                raise InvalidEvent("unknown_field", self._at(str(key)), f"{self.what} has no such field; {advice}")
        for field in fields:
            if field.required and field.written not in self.given:
                raise InvalidEvent("missing_field", self._at(field.written), f"{self.what} needs it: {field.doc}")

    def field(self, field: WrittenField) -> object:
        """The Avro value of one field, or its default."""
        if field.written not in self.given:
            return list(field.default) if isinstance(field.default, list) else field.default
        value = self.given[field.written]
        if field.kind == "records":
            return [
                _Record(self.what, _mapping(item, f"{self._at(field.written)}[{number}]"),
                        f"{self._at(field.written)}[{number}].", self.currency).parse(field.items)
                for number, item in enumerate(_list(value, self._at(field.written)), start=1)
            ]  # fmt: skip
        if field.kind == "mapping":
            return self._mapping_field(field, value)
        return self._value(field, value)

    def _mapping_field(self, field: WrittenField, value: object) -> list[dict[str, Any]]:
        first = field.items[0]
        return [
            _Record(self.what, {first.written: key, **_mapping(item, f"{self._at(field.written)}.{key}")},
                    f"{self._at(field.written)}.{key}.").parse(field.items)
            for key, item in _mapping(value, self._at(field.written)).items()
        ]  # fmt: skip

    def scaled_amounts(self, fields: tuple[WrittenField, ...]) -> dict[str, int]:
        """The amounts of a record without a currency of its own, as integers of one common scale."""
        named = [field for field in fields if field.kind == "scaled_amount" and field.written in self.given]
        if self.currency is not None:
            decimals = self._exponent(self.currency)
            return {field.name: self._value_in(field, self.currency) for field in named} | {SCALE: decimals}
        read: dict[str, tuple[int, int]] = {}
        for field in named:
            try:
                read[field.name] = amounts.to_scaled(self.given[field.written])
            except InvalidNumber as error:
                raise InvalidEvent("invalid_amount", self._at(field.written), str(error)) from error
        scale = max((decimals for _, decimals in read.values()), default=0)
        common = {name: digits * 10 ** (scale - decimals) for name, (digits, decimals) in read.items()}
        for field in named:
            if abs(common[field.name]) > amounts.LARGEST:
                message = f"{self.given[field.written]} is too large beside the decimals of the other amount"
                raise InvalidEvent("invalid_amount", self._at(field.written), message)
        return {**common, SCALE: scale}

    def _value(self, field: WrittenField, value: object) -> object:
        if field.kind == "amount":
            if self.currency is None:
                message = f"{field.written} {value} needs a currency beside it"
                raise InvalidEvent("missing_field", self._at("currency"), message)
            return self._value_in(field, self.currency)
        try:
            return parse_value(field, value)
        except InvalidNumber as error:
            raise InvalidEvent("invalid_amount", self._at(field.written), str(error)) from error
        except InvalidDate as error:
            raise InvalidEvent("invalid_date", self._at(field.written), str(error)) from error
        except InvalidValue as error:
            raise InvalidEvent("invalid_value", self._at(field.written), str(error)) from error

    def _value_in(self, field: WrittenField, currency: str) -> int:
        try:
            return amounts.to_minor(self.given[field.written], currency)
        except InvalidNumber as error:
            raise InvalidEvent("invalid_amount", self._at(field.written), str(error)) from error

    def _exponent(self, currency: str) -> int:
        try:
            return amounts.exponent(currency)
        except InvalidNumber as error:
            raise InvalidEvent("invalid_amount", self._at("currency"), str(error)) from error

    def _at(self, written: str) -> str:
        return self.path + written


def _mapping(value: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise InvalidEvent("invalid_value", where, f"{value!r} is not a mapping of names to values")
    return {key: item for key, item in value.items() if item is not None}


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidEvent("invalid_value", where, f"{value!r} is not a list")
    return list(value)


def _check_choice(record: WrittenRecord, parsed: Mapping[str, Any]) -> None:
    if not record.exactly_one_of:
        return
    given = [name for name in record.exactly_one_of if parsed[name] is not None]
    if not given:
        message = f"{record.name} needs {' or '.join(record.exactly_one_of)}"
        raise InvalidEvent("missing_field", record.exactly_one_of[0], message)
    if len(given) > 1:
        raise InvalidEvent("invalid_value", given[1], f"give either {' or '.join(given)}, not both")
