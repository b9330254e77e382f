"""International bank account numbers in a text (ISO 13616): where they stand, by country, length and check digits."""

import re
from collections.abc import Iterator
from functools import cache
from string import ascii_uppercase

from sources.redaction.card_numbers import SEPARATORS, Span

# Characters of an IBAN by country, as in the registry of ISO 13616.
LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
_BEGINNING = re.compile(r"[A-Za-z]{2}[0-9]{2}")
_SEPARATOR = re.compile(f"[{SEPARATORS}]")
_HEAD = 4  # country and check digits stand at the end when the remainder is taken

_NUMBERS = {ord(letter): str(int(letter, 36)) for letter in ascii_uppercase}  # A = 10, … Z = 35


def ibans(text: str) -> Iterator[Span]:
    """Start and end of every IBAN, from left to right, with or without blanks or dashes between its characters."""
    place = 0
    while found := _BEGINNING.search(text, place):
        place = found.start() + 1  # letters before it may look like a country: the next one is tried, too
        length = LENGTHS.get(found[0][:2].upper())
        whole = length and _of_length(length).match(text, found.start())
        if whole and is_iban(_SEPARATOR.sub("", whole[0])):
            yield whole.span()
            place = whole.end()


def is_iban(text: str) -> bool:
    """Whether a text without separators is an IBAN: known country, its length, remainder 1 of 97."""
    text = text.upper()
    if len(text) != LENGTHS.get(text[:2]) or not (text.isascii() and text.isalnum()):
        return False
    return int((text[_HEAD:] + text[:_HEAD]).translate(_NUMBERS)) % 97 == 1


@cache
def _of_length(characters: int) -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}(?:[{SEPARATORS}]?[A-Za-z0-9]){{{characters - _HEAD}}}")
