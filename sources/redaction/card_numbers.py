"""Numbers of payment cards in a text (ISO/IEC 7812): where they stand, by Luhn's check digit.

A number is 13 to 19 digits, unbroken or in groups joined by spaces or dashes. Groups have at least three digits but for
the last, so that two dates side by side are none.
"""

import re
from collections.abc import Iterator

DIGITS_MIN = 13
DIGITS_MAX = 19
# Blanks and dashes as people, spreadsheets and web pages write them.
SEPARATORS = " \\-\u00a0\u2007\u2010\u2011\u2012\u2013\u202f"
_GROUP_DIGITS_MIN = 3
_RUN = re.compile(rf"\d(?:[{SEPARATORS}]{{0,2}}\d){{{DIGITS_MIN - 1},}}")
_GROUP = re.compile(r"\d+")
# Ranges that card networks have been given, with the lengths they use.
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)\d+(?<=^.{16})"  # Mastercard
    r"|5[0678]\d{14,17}|6\d{15,18}"  # Maestro, Discover, UnionPay, RuPay, Verve
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-59]|[689]\d)\d{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|220[0-4]\d{12,15}|8[12]\d{14,17}|9792\d{12}"  # Mir, RuPay and UnionPay, Troy
)
# Twice a digit, its two digits added up, as ASCII.
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
_ZERO = ord("0")

Span = tuple[int, int]


def card_numbers(text: str, *, networks_only: bool) -> Iterator[Span]:
    """Start and end of every card number, in the order of their starts. Where one could be read in several ways, all.

    With `networks_only` a number counts only in a range of a card network. One of ten long numbers has a fitting check
    digit by chance, and references are often long numbers.
    """
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, run.start(), run.end())]
        for first in range(len(groups)):
            digits = ""
            for number in range(first, len(groups)):
                start, end = groups[number]
                digits += text[start:end]
                if len(digits) > DIGITS_MAX:
                    break
                if len(digits) >= DIGITS_MIN and is_card_number(digits, networks_only=networks_only):
                    yield groups[first][0], end
                if end - start < _GROUP_DIGITS_MIN:
                    break


def is_card_number(digits: str, *, networks_only: bool = False) -> bool:
    """Whether digits without separators are a card number: length, check digit and, if asked for, a known range."""
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)  # digits of other scripts
    if not DIGITS_MIN <= len(digits) <= DIGITS_MAX or digits[0] == "0":
        return False
    if networks_only and not _NETWORKS.fullmatch(digits):
        return False
    values = digits.encode()
    total = sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED)) - _ZERO * len(values)
    return total % 10 == 0
