"""Amounts as people and ERPs write them → plain decimal strings (``-1234.50``). Exact: no float anywhere."""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

Negative = Literal["leading_minus", "trailing_minus", "parentheses", "trailing_cr"]
# A French or Swiss extract may hold any of them where its specification says "space".
_SPACES = " \u00a0\u202f\u2009"


class AmountStyle(msgspec.Struct, frozen=True):
    """How amounts are written in a source. A leading minus is always understood, `negative` may add another form."""

    decimal_separator: str = "."
    thousands_separator: str = ""
    negative: Negative = "leading_minus"
    implied_decimals: int = 0


def amount_reader(style: AmountStyle) -> Callable[[str], str]:
    """A function from a source's text to a plain decimal string. It raises ``ValueError`` with a sentence.

    Separators are checked, not stripped: ``1.234,50`` read with a decimal point is refused instead of becoming 1.23.
    """
    pattern = re.compile(_pattern(style))
    thousands = style.thousands_separator
    decimals = style.implied_decimals

    def read(text: str) -> str:
        found = pattern.fullmatch(text.strip())
        if found is None or not (found["whole"] or found["fraction"]):
            raise ValueError(f"{text!r} is not an amount written like {_example(style)}")
        whole = found["whole"]
        if thousands:
            whole = "".join(character for character in whole if character.isdecimal())
        fraction = found["fraction"] or ""
        if decimals:
            digits = (whole + fraction).rjust(decimals + 1, "0")
            whole, fraction = digits[:-decimals], digits[-decimals:]
        negative = any(mark is not None for mark in (found["minus"], found["open"], found["after"]))
        whole = whole.lstrip("0") or "0"
        return f"{'-' if negative else ''}{whole}{'.' if fraction else ''}{fraction}"

    return read


def _pattern(style: AmountStyle) -> str:
    thousands = style.thousands_separator
    if thousands:
        separator = f"[{_SPACES}]" if thousands == " " else re.escape(thousands)
        # Groups of two are Indian; the last group always has three digits.
        whole = rf"(?P<whole>[0-9]{{1,3}}(?:{separator}[0-9]{{2,3}})*{separator}[0-9]{{3}}|[0-9]*)"
    else:
        whole = r"(?P<whole>[0-9]*)"
    fraction = r"(?P<fraction>(?!))?" if style.implied_decimals else _fraction(style.decimal_separator)
    after = {"trailing_minus": r"(?:\s*(?P<after>-))?", "trailing_cr": r"(?:\s*(?P<after>(?i:CR))|\s*(?i:DR))?"}
    tail = after.get(style.negative, r"(?P<after>(?!))?")
    if style.negative == "parentheses":
        return rf"(?:(?P<minus>-)\s*|\+)?(?P<open>\()?\s*{whole}{fraction}\s*(?(open)\))(?P<after>(?!))?"
    return rf"(?:(?P<minus>-)\s*|\+)?(?P<open>(?!))?{whole}{fraction}{tail}"


def _fraction(separator: str) -> str:
    # Oracle writes a half as .5, so digits on one side of the separator are enough.
    return rf"(?:{re.escape(separator)}(?P<fraction>[0-9]*))?"


def _example(style: AmountStyle) -> str:
    if style.implied_decimals:
        return f"1234567 (the last {style.implied_decimals} digits are decimals)"
    thousands = style.thousands_separator
    text = f"1{thousands}234{style.decimal_separator}50"
    negative = {
        "leading_minus": f"-{text}",
        "trailing_minus": f"{text}-",
        "parentheses": f"({text})",
        "trailing_cr": f"{text} CR",
    }
    return f"{text} or {negative[style.negative]}"


def with_sign(text: str, negative: bool) -> str:
    """The same size with the sign that another column decides. Zero has none."""
    size = text.removeprefix("-")
    is_zero = not size.strip("0.")
    return f"-{size}" if negative and not is_zero else size
