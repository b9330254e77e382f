"""Floating-point numbers of a source → plain decimal text, where it can be told exactly what was meant."""

from decimal import Decimal

# Every decimal of so many digits survives being kept in binary and written again; one of more may not (IEEE 754).
DOUBLE_DIGITS = 15
SINGLE_DIGITS = 6
_MAGNITUDE_MAX = 40  # far beyond any amount or rate; a text of a million zeros is not made


def exact_text(value: Decimal, *, single: bool = False) -> str:
    """The number without an exponent. `single` says that it was kept in 32 bits.

    Raises ``ValueError`` with a sentence when it has more digits than its kind of number keeps, or is none.
    """
    digits_max = SINGLE_DIGITS if single else DOUBLE_DIGITS
    if not value.is_finite():
        raise ValueError(f"{value} is not a number")
    if abs(value.adjusted()) > _MAGNITUDE_MAX:
        raise ValueError(f"{value} is out of all proportion")
    digits = len(value.normalize().as_tuple().digits)
    if digits > digits_max:
        raise ValueError(f"{value} comes from a floating-point number, which keeps {digits_max} digits, not {digits}")
    return format(value.normalize() if value.as_tuple().exponent > 0 else value, "f")  # type: ignore[operator]
