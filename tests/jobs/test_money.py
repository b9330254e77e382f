"""Minor units by ISO 4217 (SEMANTICS 1.6)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.money import decimal_of, exponent, rescale
from tests.jobs.examples import examples


@pytest.mark.parametrize(
    ("currency", "decimals"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("BHD", 3), ("CLF", 4), ("CLP", 0)]
)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXY", "€"])
def test_what_is_no_currency_has_no_decimals(code: str) -> None:
    assert exponent(code) is None
    assert rescale(1, 0, code) is None


@pytest.mark.parametrize(
    ("amount", "scale", "currency", "expected"),
    [
        (125, 1, "EUR", 1250),
        (10, 0, "EUR", 1000),
        (100_001, 4, "CLF", 100_001),
        (1234, 3, "KWD", 1234),
        (1000, 0, "JPY", 1000),
        (-125, 1, "EUR", -1250),
        (1_000, 3, "JPY", 1),
        (1_005, 1, "JPY", None),  # "100.5" yen
        (10_001, 3, "EUR", None),  # "10.001" euros
        (-10_001, 3, "EUR", None),
        (0, 9, "JPY", 0),
    ],
)
def test_an_amount_takes_the_decimals_of_its_document(
    amount: int, scale: int, currency: str, expected: int | None
) -> None:
    assert rescale(amount, scale, currency) == expected


@examples(200)
@given(st.integers(-(10**12), 10**12), st.integers(0, 8), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_an_amount_keeps_its_value_or_is_refused(amount: int, scale: int, currency: str) -> None:
    minor = rescale(amount, scale, currency)
    value = Decimal(amount).scaleb(-scale)
    if minor is None:
        assert value != value.quantize(Decimal(1).scaleb(-(exponent(currency) or 0)))
    else:
        assert decimal_of(minor, currency) == value
