"""Records to put through the sink: valid ones of every schema, and ways to spoil them."""

import random
from collections.abc import Mapping
from typing import Any

from avro import contracts

INSTANT = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
DAY = 20_454  # 2026-01-01


def entry(number: int, **changes: object) -> dict[str, object]:
    """A ledger entry of 1.00 EUR."""
    return {
        "company": "FR01",
        "account_id": f"C{number % 7}",
        "item_type": "invoice",
        "item_id": f"I{number}",
        "instalment": 0,
        "balance_class": "invoice",
        "currency": "EUR",
        "delta_minor": 100,
        "effective_date": DAY,
        "recorded_at": INSTANT + number,
        "due_date": DAY + 30,
        "entry_type": "document",
        "event_id": f"e{number}",
        "entry_number": 1,
        "cause_id": None,
        "value_date": None,
        "method": None,
        "reason": None,
        "region": "EMEA",
        **changes,
    }


def entry_value(number: int, **changes: object) -> bytes:
    """The same in the wire format."""
    return contracts().encode("LedgerEntry", entry(number, **changes))


def any_record(name: str, draw: random.Random) -> dict[str, object]:
    """A record of any schema with random values, optional ones missing half of the time."""
    schema = contracts().schema(name)
    return {field["name"]: _any_value(field["name"], field["type"], draw) for field in schema["fields"]}


_TEXTS = ("x", "Müller & Söhne", 'he said "no"', "back\\slash", "tab\tline\nend", "", "日本", "C000123", "a" * 200)


def _any_value(name: str, type_: Any, draw: random.Random) -> Any:
    if isinstance(type_, list):
        return None if draw.random() < 0.5 else _any_value(name, type_[1], draw)
    if isinstance(type_, Mapping):
        return _any_nested(name, type_, draw)
    if name == "rate":
        return "1.0850"
    if type_ == "string":
        return draw.choice(("EUR", "JPY", "KWD", "CLF", "USD")) if name.endswith("currency") else draw.choice(_TEXTS)
    if name == "amount_scale":
        return draw.choice((0, 2, 3, 4, 6))
    whole = (0, 1, -1, 63, 64, -65, 8191, 2**31 - 1, -(2**31))
    values: dict[str, Any] = {
        "int": draw.choice(whole),
        "long": draw.choice((*whole, 2**53, 2**63 - 1, -(2**63))),
        "boolean": draw.random() < 0.5,
        "double": draw.choice((0.0, 0.5, -1.25, 1e300)),
        "bytes": draw.choice((b"", b"\x00\xff", b"value")),
    }
    return values[type_]


def _any_nested(name: str, type_: Mapping[str, Any], draw: random.Random) -> Any:
    if type_.get("logicalType") == "date":
        return draw.choice((0, 1, -1, DAY, 65_536, 2_932_896, -25_567))
    if type_.get("logicalType") == "timestamp-micros":
        return draw.choice((0, INSTANT, INSTANT + 1, -1))
    if type_["type"] == "map":
        return {"EUR": 12345, "JPY": 7} if draw.random() < 0.5 else {}
    items = type_["items"]
    count = draw.choice((0, 1, 3))
    if isinstance(items, str):
        return [_any_value(name, items, draw) for _ in range(count)]
    return [
        {field["name"]: _any_value(field["name"], field["type"], draw) for field in items["fields"]}
        for _ in range(count)
    ]
