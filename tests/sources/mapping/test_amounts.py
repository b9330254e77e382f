"""Amounts: what a source means, exactly, or a refusal; never a guess."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.mapping.amounts import AmountStyle, Negative, amount_reader, with_sign

GERMAN = AmountStyle(",", ".", "trailing_minus")
AMERICAN = AmountStyle(".", ",", "parentheses")
FRENCH = AmountStyle(",", " ")
PLAIN = AmountStyle()


@pytest.mark.parametrize(
    ("style", "text", "expected"),
    [
        (GERMAN, "1.234,50", "1234.50"),
        (GERMAN, "1.234,50-", "-1234.50"),
        (GERMAN, "-12", "-12"),
        (GERMAN, "1234567,8", "1234567.8"),
        (AMERICAN, "(1,234.50)", "-1234.50"),
        (AMERICAN, "1,234.50", "1234.50"),
        (AMERICAN, "12,34,567.00", "1234567.00"),
        (FRENCH, "1 234,50", "1234.50"),
        (FRENCH, "1\u202f234,50", "1234.50"),
        (FRENCH, "1\u00a0234,50", "1234.50"),
        (PLAIN, "007.10", "7.10"),
        (PLAIN, ".5", "0.5"),
        (PLAIN, "+5.", "5"),
        (AmountStyle(negative="trailing_cr"), "12.00 CR", "-12.00"),
        (AmountStyle(negative="trailing_cr"), "12.00 DR", "12.00"),
        (AmountStyle(implied_decimals=2), "12345", "123.45"),
        (AmountStyle(implied_decimals=2), "-5", "-0.05"),
    ],
)
def test_amounts(style: AmountStyle, text: str, expected: str) -> None:
    assert amount_reader(style)(text) == expected


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (GERMAN, "1,234.50"),
        (GERMAN, "1.23"),
        (GERMAN, "1.2345,00"),
        (AMERICAN, "1.234,50"),
        (AMERICAN, "(12"),
        (AMERICAN, "12)"),
        (PLAIN, "1,234.50"),
        (PLAIN, ""),
        (PLAIN, "."),
        (PLAIN, "-"),
        (PLAIN, "1e3"),
        (PLAIN, "NaN"),
        (PLAIN, "12 EUR"),
        (PLAIN, "١٢"),
        (AmountStyle(implied_decimals=2), "12.50"),
    ],
)
def test_what_is_written_otherwise_is_refused(style: AmountStyle, text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount written like"):
        amount_reader(style)(text)


STYLES = st.builds(
    AmountStyle,
    decimal_separator=st.just(","),
    thousands_separator=st.sampled_from(["", ".", " ", "'"]),
    negative=st.sampled_from(["leading_minus", "trailing_minus", "parentheses", "trailing_cr"]),
)


@given(st.integers(-(10**15), 10**15), st.integers(0, 4), STYLES)
def test_a_written_amount_is_read_back(digits: int, decimals: int, style: AmountStyle) -> None:
    amount = Decimal(digits).scaleb(-decimals)
    text = f"{abs(amount):,.{decimals}f}".replace(".", ";").replace(",", style.thousands_separator).replace(";", ",")
    marks: dict[Negative, str] = {
        "leading_minus": f"-{text}",
        "trailing_minus": f"{text}-",
        "parentheses": f"({text})",
        "trailing_cr": f"{text}CR",
    }
    assert Decimal(amount_reader(style)(marks[style.negative] if amount < 0 else text)) == amount


@given(st.text(max_size=20), STYLES)
def test_any_text_is_an_amount_or_refused(text: str, style: AmountStyle) -> None:
    try:
        read = amount_reader(style)(text)
    except ValueError:
        return
    assert Decimal(read).is_finite()


def test_another_column_decides_the_sign_and_zero_has_none() -> None:
    assert with_sign("12.50", negative=True) == "-12.50"
    assert with_sign("-12.50", negative=False) == "12.50"
    assert with_sign("0.00", negative=True) == "0.00"
