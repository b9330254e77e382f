"""Card numbers and IBANs in texts and bytes, masked in place: every text keeps its length and its separators."""

import re

from sources.redaction.card_numbers import DIGITS_MIN, SEPARATORS, Span, card_numbers
from sources.redaction.ibans import ibans, is_iban

MASK = "*"
KEPT_CHARACTERS = 4
_COUNTRY_CHARACTERS = 2
# Most texts are let go after one count of their digits, others after one look at where these stand.
_DIGITS = b"0123456789"
_DIGITS_OF_IBAN_MIN = 8  # those that are in use have more
_LIKE_IBAN = re.compile(rf"[0-9]{{2}}(?<=[A-Za-z]{{2}}[0-9]{{2}})(?:[{SEPARATORS}]?[A-Za-z0-9]){{11}}")
_LIKE_CARD = re.compile(rf"\d(?:[{SEPARATORS}]{{0,2}}\d){{{DIGITS_MIN - 1}}}")
_SEPARATOR = re.compile(f"[{SEPARATORS}]")
_MASKED_IBAN = re.compile(rf"[A-Za-z]{{2}}[*{SEPARATORS}]{{9,}}(?:[{SEPARATORS}]?[A-Za-z0-9]){{{KEPT_CHARACTERS}}}")
_NUL = "\0"
# Blanks and dashes that are not ASCII as JSON and Python write them, and the zeros of UTF-16.
_ESCAPED = re.compile(r"(\0+|\\u(?:00[aA]0|2007|201[0-3]|202[fF])|\\xa0)")


def mask_numbers(text: str, *, networks_only: bool = False) -> str:
    """The text with its card numbers and IBANs masked but for their last four, and for the country of an IBAN.

    Masking what is masked changes nothing. `networks_only` as of ``card_numbers``.
    """
    if len(text) < DIGITS_MIN or _is_harmless(text):
        return text
    while True:
        masked = _mask(text, list(ibans(text)), head=_COUNTRY_CHARACTERS)
        masked = _mask(masked, list(card_numbers(masked, networks_only=networks_only)), head=0)
        if masked == text:
            return text
        # What is kept of one number could make up another with what follows it; each turn takes digits away.
        text = masked


def mask_quoted(text: str) -> str:
    """A text that quotes others, such as a line of JSON or a message: separators may stand in it as escapes.

    Of cards only those of known networks. Zero characters, as of bytes of UTF-16, are read past.
    """
    pieces = _ESCAPED.split(text)
    if len(pieces) == 1:
        return mask_numbers(text, networks_only=True)
    plain = "".join(_plain(piece) for piece in pieces)
    masked = mask_numbers(plain, networks_only=True)
    if masked == plain:
        return text
    written, place = [], 0
    for piece in pieces:
        length = len(_plain(piece))
        # An escape is a separator, and separators stay.
        written.append(piece if _ESCAPED.fullmatch(piece) else masked[place : place + length])
        place += length
    return "".join(written)


def mask_bytes(data: bytes) -> bytes:
    """Bytes of any encoding with the numbers in them masked in place, as in ``mask_quoted``."""
    encoding = "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = data.decode(encoding)
    masked = mask_quoted(text)
    return data if masked == text else masked.encode(encoding)


def mask_value(text: str) -> str:
    """A whole value masked: of a long one the last four characters are kept, of a short one none."""
    kept = KEPT_CHARACTERS if len(text) > 2 * KEPT_CHARACTERS else 0
    return MASK * (len(text) - kept) + text[len(text) - kept :]


def mask_account(text: str) -> str:
    """The number of an account masked: an IBAN keeps its country and its last four, any other its last four."""
    if is_iban(_SEPARATOR.sub("", text)):
        return mask_numbers(text)
    return text if _MASKED_IBAN.fullmatch(text) else mask_value(text)


def _plain(piece: str) -> str:
    if not _ESCAPED.fullmatch(piece):
        return piece
    return "" if piece.startswith(_NUL) else " "


def _is_harmless(text: str) -> bool:
    # Digits of other scripts are not counted, but may be there.
    digits = len(text) - len(text.encode().translate(None, _DIGITS)) if text.isascii() else len(text)
    return digits < _DIGITS_OF_IBAN_MIN or (
        _LIKE_IBAN.search(text) is None and (digits < DIGITS_MIN or _LIKE_CARD.search(text) is None)
    )


def _mask(text: str, spans: list[Span], head: int) -> str:
    if not spans:
        return text
    characters = list(text)
    for start, end in spans:
        places = [place for place in range(start, end) if text[place].isalnum()]
        for place in places[head:-KEPT_CHARACTERS]:
            characters[place] = MASK
    return "".join(characters)
