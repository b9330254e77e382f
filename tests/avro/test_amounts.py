"""Amounts as people write them: exact, or refused with the reason (SEMANTICS 1.6)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro.amounts import (
    LARGEST,
    InvalidNumber,
    check_currency,
    exponent,
    from_minor,
    from_scaled,
    positive_decimal,
    to_minor,
    to_scaled,
)
from tests.avro.examples import many


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("-12.50", "EUR", -1250),
        ("+12.50", "EUR", 1250),
        ("0", "EUR", 0),
        ("-0.00", "EUR", 0),
        ("007.10", "EUR", 710),
        ("1000", "JPY", 1000),
        ("1000.000", "JPY", 1000),
        ("1.234", "KWD", 1234),
        ("10.0001", "CLF", 100_001),
        ("12.500000000", "USD", 1250),
        (12, "EUR", 1200),
        (12.5, "EUR", 1250),
        (0.1, "EUR", 10),
        (Decimal("12.50"), "EUR", 1250),
        ("92233720368547758.07", "EUR", LARGEST),
        ("-92233720368547758.08", "EUR", -LARGEST - 1),
    ],
)
def test_what_is_exact_becomes_minor_units(written: object, currency: str, minor: int) -> None:
    assert to_minor(written, currency) == minor


@pytest.mark.parametrize(
    ("written", "currency", "message"),
    [
        ("100.50", "JPY", "too many decimals: JPY has no decimals"),
        ("1.005", "EUR", "too many decimals: EUR has 2 decimals"),
        ("0.00001", "CLF", "too many decimals: no currency has more than 4"),
        (0.1 + 0.2, "EUR", "0.30000000000000004 has too many decimals"),
        ("1,000.00", "EUR", "'1,000.00' is not a plain decimal number; write digits with a point"),
        ("1.000,00", "EUR", "not a plain decimal number"),
        ("1e5", "EUR", "not a plain decimal number"),
        (1e22, "EUR", r"'1e\+22' is not a plain decimal number"),
        (Decimal("1E+5"), "EUR", r"'1E\+5' is not a plain decimal number"),
        (float("nan"), "EUR", "'nan' is not a plain decimal number"),
        (float("inf"), "EUR", "'inf' is not a plain decimal number"),
        (Decimal("NaN"), "EUR", "'NaN' is not a plain decimal number"),
        ("NaN", "EUR", "'NaN' is not a plain decimal number"),
        ("", "EUR", "'' is not a plain decimal number"),
        (" 12", "EUR", "not a plain decimal number"),
        ("12.", "EUR", "not a plain decimal number"),
        (".5", "EUR", "not a plain decimal number"),
        ("--1", "EUR", "not a plain decimal number"),
        ("0x10", "EUR", "not a plain decimal number"),
        ("1_000", "EUR", "not a plain decimal number"),
        ("١٢", "EUR", "not a plain decimal number"),
        ("12 EUR", "EUR", "not a plain decimal number"),
        ("9" * 5000, "EUR", "999… is not a plain|9…' is not a plain"),
        pytest.param(10**5000, "EUR", "far too large", id="a number of 5001 digits"),
        (True, "EUR", "True is not an amount; write it as text"),
        (None, "EUR", "None is not an amount"),
        ([1], "EUR", "is not an amount"),
        ("92233720368547758.08", "EUR", "too large: an amount must fit in 64 bits"),
        ("-92233720368547758.09", "EUR", "too large"),
        ("9" * 40, "JPY", "too large"),
        ("1", "EURO", "'EURO' is not a currency of ISO 4217"),
        ("1", "eur", "'eur' is not a currency of ISO 4217; write EUR"),
        ("1", "DEM", "'DEM' is not a currency"),
        ("1", "XAU", "XAU has no minor unit"),
    ],
)
def test_what_is_not_exact_is_refused(written: object, currency: str, message: str) -> None:
    with pytest.raises(InvalidNumber, match=message):
        to_minor(written, currency)


@pytest.mark.parametrize(
    ("written", "scaled"),
    [
        ("10.0001", (100_001, 4)),
        ("10", (10, 0)),
        ("10.50", (105, 1)),
        ("10.00", (10, 0)),
        ("-0.30", (-3, 1)),
        ("0.000000", (0, 0)),
    ],
)
def test_without_a_currency_the_decimals_that_are_there_count(written: str, scaled: tuple[int, int]) -> None:
    assert to_scaled(written) == scaled


@many
@given(st.integers(-(2**63), LARGEST), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_minor_units_survive_the_way_through_text(minor: int, currency: str) -> None:
    written = from_minor(minor, currency)
    assert to_minor(written, currency) == minor
    assert Decimal(written) == Decimal(minor).scaleb(-exponent(currency))


@many
@given(st.integers(-(2**63), LARGEST), st.integers(0, 4))
def test_scaled_amounts_keep_their_value_through_text(amount: int, scale: int) -> None:
    digits, decimals = to_scaled(from_scaled(amount, scale))
    assert Decimal(digits).scaleb(-decimals) == Decimal(amount).scaleb(-scale)
    assert decimals <= scale


@many
@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_a_decimal_of_python_is_taken_as_it_is_written(number: Decimal) -> None:
    assert to_minor(str(number), "EUR") == to_minor(number, "EUR") == int(number * 100)


@pytest.mark.parametrize("scale", [-1, 19, 2**31 - 1, -(2**31)])
def test_a_senseless_scale_is_refused_before_anything_is_computed(scale: int) -> None:
    with pytest.raises(InvalidNumber, match="no number of decimals"):
        from_scaled(1, scale)


@pytest.mark.parametrize(
    ("written", "rate"),
    [("1.0850", "1.085"), ("1", "1"), ("0.5", "0.5"), ("00012.10", "12.1"), (1.085, "1.085"), (3, "3")],
)
def test_a_rate_is_kept_in_its_shortest_form(written: object, rate: str) -> None:
    assert positive_decimal(written) == rate


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("0", "not greater than 0"),
        ("0.000", "not greater than 0"),
        ("-1.2", "not greater than 0"),
        ("1e-3", "not a plain decimal number"),
        ("1." + "1" * 19, "more than 18 digits"),
        ("1" * 19, "more than 18 digits"),
    ],
)
def test_what_is_no_rate_is_refused(written: object, message: str) -> None:
    with pytest.raises(InvalidNumber, match=message):
        positive_decimal(written)


def test_a_currency_need_not_have_a_minor_unit_to_have_a_rate() -> None:
    assert check_currency("XDR") == "XDR"
