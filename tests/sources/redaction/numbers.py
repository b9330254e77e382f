"""Card numbers and IBANs that nobody has, with valid check digits, as hypothesis makes them."""

from hypothesis import strategies as st

from sources.redaction.ibans import LENGTHS


def with_check_digit(digits: str) -> str:
    """Digits and their Luhn digit, reckoned as ISO/IEC 7812-1 says it, one digit after the other."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return digits + str(-total % 10)


def iban(country: str, account: str) -> str:
    """The IBAN of an account: 98 minus the remainder, as ISO 13616 says it."""
    rearranged = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(rearranged) % 97:02}{account}"


def _network_digits(beginning: str, length: int) -> st.SearchStrategy[str]:
    rest = length - 1 - len(beginning)
    return st.text("0123456789", min_size=rest, max_size=rest).map(lambda more: with_check_digit(beginning + more))


NETWORK_CARDS = st.sampled_from(
    [("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2221", 16), ("2720", 16), ("34", 15), ("36", 14), ("6011", 16)]
).flatmap(lambda network: _network_digits(*network))

# Any number of 13 to 19 digits that passes Luhn's test, whoever may have issued it.
ANY_CARDS = st.integers(13, 19).flatmap(
    lambda length: st.sampled_from("123456789").flatmap(lambda first: _network_digits(first, length))
)

IBANS = st.sampled_from(sorted(LENGTHS)).flatmap(
    lambda country: st.text("0123456789", min_size=LENGTHS[country] - 4, max_size=LENGTHS[country] - 4).map(
        lambda account: iban(country, account)
    )
)


def grouped(number: str, separator: str, size: int = 4) -> str:
    """The number in groups, as it stands on a card or on an invoice."""
    return separator.join(number[start : start + size] for start in range(0, len(number), size))
