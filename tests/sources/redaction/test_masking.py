"""Card numbers and IBANs in texts: found by their check digits, masked in place, and once is enough."""

import json
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sources.redaction import mask_bytes, mask_numbers, mask_quoted, mask_value
from sources.redaction.card_numbers import is_card_number
from sources.redaction.ibans import LENGTHS, is_iban
from sources.redaction.masking import mask_account
from tests.sources.redaction.numbers import ANY_CARDS, IBANS, NETWORK_CARDS, grouped

SEPARATORS = st.sampled_from(["", " ", "-", "\u00a0", "\u2013"])
# Words around a number: no digits that could be taken for a part of it.
WORDS = st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=20)

PUBLISHED = {  # numbers that card networks and banks publish for tests and examples
    "paid by 4111 1111 1111 1111 12/28 123": "paid by **** **** **** 1111 12/28 123",
    "card:5555-5555-5555-4444, thanks": "card:****-****-****-4444, thanks",
    "378282246310005": "***********0005",
    "3782 822463 10005 on file": "**** ****** *0005 on file",
    "6011111111111117 or 3530111333300000": "************1117 or ************0000",
    "my IBAN is DE89 3704 0044 0532 0130 00 as before": "my IBAN is DE** **** **** **** **30 00 as before",
    "IBANDE89370400440532013000BICCOBADEFF": "IBANDE****************3000BICCOBADEFF",
    "gb29nwbk60161331926819": "gb****************6819",
    "MT84MALT011000012345MTLCAST001S": "MT*************************001S",
    "4111 1111 1111 1111, 5555 5555 5555 4444": "**** **** **** 1111, **** **** **** 4444",
    "at 2026 03 01 12 00 4111 1111 1111 1111": "at 2026 03 01 12 00 **** **** **** 1111",
    "\u0664" + "\u0661" * 15: "*" * 12 + "\u0661" * 4,  # Arabic-Indic digits
}
HARMLESS = [
    "",
    "called, will pay on 13 March",
    "promised 2026-03-01 2026-04-01, 01-02-2026 03-04-2026",
    "call +49 170 1234567 or 0049 30 123456",
    "4111 1111 1111 1112",  # wrong check digit
    "DE88 3704 0044 0532 0130 00",  # wrong check digits
    "0000 0000 0000 0000",
    "RF18 5390 0754 7034",  # a creditor reference (ISO 11649) is no account
    "ZZ89 3704 0044 0532 0130 00",
    "411111111111111141111111111111114111",  # one long number
    "2026-03-01T12:00:00.123456Z",
]


@pytest.mark.parametrize("text", PUBLISHED)
def test_published_numbers_are_masked(text: str) -> None:
    assert mask_numbers(text) == PUBLISHED[text]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_number_of_these_stays(text: str) -> None:
    assert mask_numbers(text) == text


@given(st.data(), WORDS, WORDS)
def test_every_card_number_in_prose_is_masked_but_for_its_last_four(
    data: st.DataObject, before: str, after: str
) -> None:
    separator = data.draw(SEPARATORS)
    number = data.draw(ANY_CARDS)
    # A last group of one digit is a valid way to write 13 digits; a first one would not be.
    written = grouped(number, separator)
    masked = mask_numbers(f"{before}|{written}|{after}")
    assert masked.endswith(f"|{after}")
    hidden = masked[len(before) + 1 : len(masked) - len(after) - 1]
    assert len(hidden) == len(written)
    assert [character for character in hidden if character.isdigit()] == list(number[-4:])


@given(NETWORK_CARDS, SEPARATORS)
def test_in_references_numbers_of_networks_are_masked(number: str, separator: str) -> None:
    masked = mask_numbers(f"INV {grouped(number, separator)}", networks_only=True)
    assert sum(character.isdigit() for character in masked) == 4


@given(st.from_regex(r"[189][0-9]{12,18}", fullmatch=True))
def test_in_references_other_long_numbers_stay(number: str) -> None:
    assume(not number.startswith(("81", "82", "9792")))
    assert mask_numbers(number, networks_only=True) == number


@given(IBANS, SEPARATORS, WORDS)
def test_every_iban_is_masked_but_for_its_country_and_its_last_four(iban: str, separator: str, after: str) -> None:
    masked = mask_numbers(f"from {grouped(iban, separator)}|{after}", networks_only=True)
    assert masked.startswith(f"from {iban[:2]}*")
    plain = "".join(character for character in masked.partition("|")[0] if character.isalnum())
    assert plain == f"from{iban[:2]}{iban[-4:]}"


@given(st.one_of(ANY_CARDS, IBANS), st.text("0123456789 -*DE", max_size=60), st.text("0123456789 -*DE", max_size=60))
def test_masking_twice_is_masking_once_and_keeps_the_length(number: str, before: str, after: str) -> None:
    masked = mask_numbers(before + number + after)
    assert len(masked) == len(before + number + after)
    assert mask_numbers(masked) == masked
    assert mask_account(mask_account(number)) == mask_account(number)


@given(st.text())
def test_a_text_only_loses_characters_to_the_mask(text: str) -> None:
    masked = mask_numbers(text)
    assert len(masked) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, masked, strict=True))


@given(st.binary(max_size=40), NETWORK_CARDS, st.sampled_from(["utf-8", "utf-16-le", "cp1252"]), SEPARATORS)
def test_bytes_are_masked_in_place_in_any_encoding(before: bytes, number: str, encoding: str, separator: str) -> None:
    separator = "-" if separator == "\u2013" and encoding != "utf-8" else separator
    line = f"| {grouped(number, separator)} |".encode(encoding)
    masked = mask_bytes(line)
    assert len(masked) == len(line)
    assert sum(character.isdigit() for character in masked.decode(encoding)) == 4
    assert len(mask_bytes(before + line)) == len(before + line)


@given(st.binary())
def test_any_bytes_can_be_masked_and_keep_their_length(data: bytes) -> None:
    masked = mask_bytes(data)
    assert len(masked) == len(data)
    assert mask_bytes(masked) == masked


@given(NETWORK_CARDS, SEPARATORS, st.sampled_from([json.dumps, repr, ascii]))
def test_a_number_is_found_although_its_separators_are_escaped(
    number: str, separator: str, quote: Callable[[str], str]
) -> None:
    quoted = quote(f"card {grouped(number, separator)} is mine")
    masked = mask_quoted(quoted)
    assert len(masked) == len(quoted)
    left = masked
    for escape in ("\\u00a0", "\\u2013", "\\xa0"):
        left = left.replace(escape, "")
    assert sum(character.isdigit() for character in left) == 4
    assert mask_quoted(masked) == masked


def test_the_checks_are_those_of_the_standards() -> None:
    assert is_card_number("4111111111111111")
    assert not is_card_number("411111111111111")
    assert is_iban("NO9386011117947")  # the shortest
    assert is_iban("RU0204452560040702810412345678901")  # the longest
    assert not is_iban("NO9386011117948")
    assert all(len(country) == 2 for country in LENGTHS)


@pytest.mark.parametrize(
    ("text", "masked"), [("", ""), ("1234", "****"), ("12345678", "********"), ("123456789", "*****6789")]
)
def test_a_short_value_keeps_nothing(text: str, masked: str) -> None:
    assert mask_value(text) == masked
    assert mask_value(masked) == masked
