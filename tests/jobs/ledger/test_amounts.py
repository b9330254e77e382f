"""Amounts whose currency only their document knows (SEMANTICS 1.6)."""

from jobs.ledger.amounts import amount_in, unknown_currency
from jobs.verdicts import Rejected
from tests.jobs.books import minor


class Amount:
    """An amount as an event carries it."""

    def __init__(self, amount_minor: int, amount_scale: int, currency: str | None = None) -> None:
        self.amount_minor = amount_minor
        self.amount_scale = amount_scale
        self.currency = currency


def test_an_amount_takes_the_decimals_of_the_documents_currency() -> None:
    assert amount_in(Amount(125, 1), "EUR") == minor("12.50")
    assert amount_in(Amount(125, 1), "KWD") == 12_500
    assert amount_in(Amount(12, 0, "JPY"), "JPY") == 12


def test_a_currency_that_is_named_must_be_the_documents() -> None:
    refused = amount_in(Amount(125, 1, "USD"), "EUR")
    assert isinstance(refused, Rejected)
    assert refused.reason == "currency_mismatch"


def test_decimals_are_never_lost() -> None:
    refused = amount_in(Amount(125, 1), "JPY")
    assert isinstance(refused, Rejected)
    assert (refused.reason, "JPY" in refused.message) == ("invalid_amount", True)


def test_a_code_that_is_no_currency_is_refused() -> None:
    assert unknown_currency("EUR") is None
    assert unknown_currency("EURO") is not None
