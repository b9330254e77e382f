"""Values of change events become the text that an extract would have, or are refused: never nearly right."""

import base64
import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.errors import UnreadableError
from sources.streams.columns import declared_type, text_of
from sources.streams.connect import ColumnType
from tests.sources.streams.records import decimal_bytes

DECIMAL = "org.apache.kafka.connect.data.Decimal"
DEBEZIUM = "io.debezium.time."
CONNECT = "org.apache.kafka.connect.data."
VARIABLE = "io.debezium.data.VariableScaleDecimal"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "int32", ""),
        (20_513, DEBEZIUM + "Date", "2026-03-01"),
        (-1, CONNECT + "Date", "1969-12-31"),
        ("2026-03-01Z", DEBEZIUM + "IsoDate", "2026-03-01"),
        (1_772_356_320_123, DEBEZIUM + "Timestamp", "2026-03-01T09:12:00.123000"),
        (1_772_356_320_123, CONNECT + "Timestamp", "2026-03-01T09:12:00.123000"),
        (1_772_356_320_123_456, DEBEZIUM + "MicroTimestamp", "2026-03-01T09:12:00.123456"),
        (1_772_356_320_123_456_789, DEBEZIUM + "NanoTimestamp", "2026-03-01T09:12:00.123456"),
        ("2026-03-01T08:12:00.123456789Z", DEBEZIUM + "ZonedTimestamp", "2026-03-01T08:12:00.123456789Z"),
        ("2026-03-01T09:12:00Z", DEBEZIUM + "IsoTimestamp", "2026-03-01T09:12:00"),
        (33_120_000, DEBEZIUM + "Time", "09:12:00"),
        (33_120_000_000, DEBEZIUM + "MicroTime", "09:12:00"),
        (33_120_000_000_001, DEBEZIUM + "NanoTime", "09:12:00"),
        (33_120_000, CONNECT + "Time", "09:12:00"),
        ("INV-1   ", "string", "INV-1"),  # a CHAR column is padded
        (True, "boolean", "true"),
        (0, "int16", "0"),
        ("3f0c", "io.debezium.data.Uuid", "3f0c"),
        ({"scale": 3, "value": "AeJA"}, VARIABLE, "123.456"),
        ({"scale": 0, "value": "AeJA"}, "", "123456"),
        ({"scale": -2, "value": "AQ=="}, VARIABLE, "100"),
        (Decimal("12.5"), "double", "12.5"),
        (100, "double", "100"),
        (Decimal("1.23456785E7"), "double", "12345678.5"),  # Java writes an exponent from ten millions on
        (Decimal("1.0E10"), "double", "10000000000"),
        (Decimal("12.25"), "float", "12.25"),
        ("1234.56", "string", "1234.56"),  # decimal.handling.mode=string
        (Decimal("1234.56"), DECIMAL, "1234.56"),  # decimal.format=NUMERIC
    ],
)
def test_a_value_becomes_its_text(value: object, kind: str, text: str) -> None:
    assert text_of(value, ColumnType(kind, 2), "x") == text


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (Decimal("123456789012345.67"), "double", "inexact_value"),
        (Decimal("0.1000000000000000055"), "", "inexact_value"),
        (Decimal("1234567.8"), "float", "inexact_value"),
        (9_007_199_254_740_993, "double", "inexact_value"),
        ("NaN", "double", "invalid_value"),
        (Decimal("1E+999999"), "double", "inexact_value"),
        (Decimal("1E+999999"), DECIMAL, "invalid_value"),
        ({"scale": -999_999, "value": "AQ=="}, VARIABLE, "invalid_value"),
        ("AeJA=", DECIMAL, "invalid_value"),
        (["a"], "array", "invalid_value"),
        ("AeJA", "bytes", "invalid_value"),
        ({"scale": 1}, VARIABLE, "invalid_value"),
        (86_400_000, DEBEZIUM + "Time", "invalid_value"),
        (9_223_372_036_825_200_000, DEBEZIUM + "MicroTimestamp", "invalid_value"),  # 'infinity' in PostgreSQL
        (True, DEBEZIUM + "Date", "invalid_value"),
        (5, DEBEZIUM + "ZonedTimestamp", "invalid_value"),
        ("__debezium_unavailable_value", "string", "unavailable_value"),
        (base64.b64encode(b"__debezium_unavailable_value").decode(), DECIMAL, "unavailable_value"),
        (decimal_bytes(10**30), DECIMAL, "invalid_value"),
    ],
)
def test_what_cannot_be_told_exactly_is_refused(value: object, kind: str, reason: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        text_of(value, ColumnType(kind, 2), "amount")
    assert (raised.value.reason, raised.value.column) == (reason, "amount")


def test_a_double_is_refused_with_what_to_set() -> None:
    with pytest.raises(UnreadableError, match=r"set decimal\.handling\.mode=precise or string in the connector"):
        text_of(Decimal("123456789012345.67"), ColumnType("double"), "amount")


@given(unscaled=st.integers(-(10**26), 10**26), scale=st.integers(0, 6))
def test_a_decimal_in_bytes_is_exact(unscaled: int, scale: int) -> None:
    text = text_of(decimal_bytes(unscaled), ColumnType(DECIMAL, scale), "amount")
    assert Decimal(text).scaleb(scale) == unscaled
    assert "E" not in text


@given(st.integers(-(10**14), 10**14), st.integers(0, 4))
def test_a_double_of_so_many_digits_is_what_was_meant(unscaled: int, scale: int) -> None:
    """Kept in binary and written by any correct printer, a decimal of up to fifteen digits comes back."""
    meant = Decimal(unscaled).scaleb(-scale)
    assert Decimal(text_of(Decimal(repr(float(meant))), ColumnType("double"), "amount")) == meant


@given(st.text(), st.sampled_from(["", "string", DECIMAL, VARIABLE, DEBEZIUM + "Date", "double", "bytes"]))
def test_no_text_is_more_than_refused(value: str, kind: str) -> None:
    with contextlib.suppress(UnreadableError):
        assert isinstance(text_of(value, ColumnType(kind), "x"), str)


def test_types_have_names_in_the_configuration() -> None:
    assert declared_type("decimal(3)") == ColumnType(DECIMAL, 3)
    assert declared_type("date_days") == ColumnType(DEBEZIUM + "Date")
    with pytest.raises(ValueError, match=r"'decimal\(x\)' is not a type; there are text, date_days"):
        declared_type("decimal(x)")
