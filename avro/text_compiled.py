"""Readers of written events by generated source: one straight function per record, for documents that are right.

It gives exactly what the checked reader of `avro.text` gives, or None for whatever it does not take at once: then the
checked reader looks at the document again, and takes it or says what is wrong. Lists and mappings inside a record, and
amounts that may lack a currency, go through the checked reader's own functions, field by field.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from avro import amounts, dates
from avro.generated import Source
from avro.values import parse_value
from avro.written import SCALE, WrittenField, WrittenRecord

Quick = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any] | None]
CheckedReader = Callable[[str, Mapping[str, Any], str, str | None], Any]
"""Makes the checked reader of a record: name, what is given, path, currency."""

_KEPT = 4096
_LONGEST = 14  # digits and a point: with the four decimals that a currency may have they stay within 64 bits
_COMPLEX = frozenset({"records", "mapping"})

_days = lru_cache(_KEPT)(dates.to_days)


@lru_cache(_KEPT)
def _instant_of_text(written: str) -> int:
    return dates.to_micros(written)


def _instant(written: object) -> int:
    # The same texts come again and again in a file or a batch; the instants of a clock never do.
    return _instant_of_text(written) if isinstance(written, str) else dates.to_micros(written)


def _minor(written: object, currency: str) -> int:
    """As ``amounts.to_minor``, with a short way for plain texts."""
    if type(written) is str and written.isascii() and len(written) <= _LONGEST:
        whole, point, fraction = written.partition(".")
        decimals = amounts.exponent(currency)
        if whole.isdigit() and len(fraction) <= decimals and (fraction.isdigit() or not point):
            return int(whole + fraction.ljust(decimals, "0"))
    return amounts.to_minor(written, currency)


def compile_quick(record: WrittenRecord, checked: CheckedReader) -> Quick:
    """The function ``quick(document, defaults)`` of one record."""
    return _Writer(record, checked).function()


class _Writer:
    def __init__(self, record: WrittenRecord, checked: CheckedReader) -> None:
        self._record = record
        self._source = Source(
            {
                "known": frozenset({"event", *(field.written for field in record.fields)}),
                "checked": checked,
                "fields": record.fields,
                "instant": _instant,
                "days": _days,
                "minor": _minor,
                "parse_value": parse_value,
            }
        )

    def function(self) -> Quick:
        source, fields = self._source, self._record.fields
        kinds = {field.kind for field in fields}
        has_currency = any(field.written == "currency" for field in fields)
        with source.block("def quick(document, defaults):"):
            with source.block("try:"):
                source.add("if not document.keys() <= known: return None", "given = document")
                with source.block("if None in document.values():"):
                    source.add("given = {key: value for key, value in document.items() if value is not None}")
                source.add("get = {**defaults, **given}.get")
                if has_currency:
                    source.add("currency = get('currency')")
                if kinds & {*_COMPLEX, "scaled_amount"}:
                    currency = "currency" if has_currency else None
                    source.add(f"reader = checked({self._record.name!r}, given, '', {currency})")
                if "scaled_amount" in kinds:
                    source.add("scaled = reader.scaled_amounts(fields)")
                pairs = [pair for field in fields for pair in self._pairs(field)]
                source.add(f"return {{{', '.join(f'{name!r}: {value}' for name, value in dict(pairs).items())}}}")
            with source.block("except Exception:"):
                source.add("return None")
        return source.function("quick", f"reader of {self._record.name}")

    def _pairs(self, field: WrittenField) -> list[tuple[str, str]]:
        """Write the lines that read a field; its name in Avro and the variable or expression that holds its value."""
        if field.kind == "scaled_amount" or field.kind in _COMPLEX:
            # The checked reader's functions look at what the document gives, not at the defaults.
            missing = f"{field.written!r} not in given"
            allowed = "" if field.required else f" and get({field.written!r}) is not None"
            self._source.add(f"if {missing}{allowed}: return None")
        if field.kind == "scaled_amount":
            return [(field.name, f"scaled.get({field.name!r})"), (SCALE, f"scaled[{SCALE!r}]")]
        source = self._source
        if field.kind in _COMPLEX:
            return [(field.name, f"reader.field({source.bind('field', field)})")]
        value = source.fresh("v")
        source.add(f"{value} = get({field.written!r})")
        with source.block(f"if {value} is None:"):
            if field.required:
                source.add("return None")
            elif isinstance(field.default, list):
                source.add(f"{value} = list({source.bind('default_of', field.default)})")
            else:
                source.add(f"{value} = {source.bind('default_of', field.default)}")
        with source.block("else:"):
            self._convert(field, value)
        return [(field.name, value)]

    def _convert(self, field: WrittenField, value: str) -> None:
        """Turn the written value in a variable into the Avro value."""
        source = self._source
        one = source.bind("field", field)
        checked = f"{value} = parse_value({one}, {value})"
        match field.kind:
            case "amount":
                source.add("if currency is None: return None", f"{value} = minor({value}, currency)")
            case "date":
                source.add(f"{value} = days({value})")
            case "instant":
                source.add(f"{value} = instant({value})")
            case "identifier" if field.name != "company":
                plain = f"type({value}) is str and {value}.isascii() and {value}.isprintable() and {value}.strip()"
                source.add(f"if not ({plain}): {checked}")
            case "text":
                source.add(f"if not (type({value}) is str and {value}.isascii()): {checked}")
            case _:
                source.add(checked)
                return  # it knows the values that are allowed
        if field.values:
            source.add(f"if {value} not in {source.bind('values', frozenset(field.values))}: return None")
