"""Codes of banks say why cash went back."""

import pytest

from avro.written import written_record
from sources.bank.reasons import _ISO, _NACHA, is_return_code, return_reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AM04", "nsf"),
        ("AC04", "nsf"),
        ("MS03", "nsf"),
        ("R01", "nsf"),
        ("MD06", "chargeback"),
        ("MD01", "chargeback"),
        ("R10", "chargeback"),
        ("FOCR", "recall"),
        ("CUST", "recall"),
        ("AM05", "duplicate"),
        ("R24", "duplicate"),
        (" md06 ", "chargeback"),
        ("ZZ99", "recall"),
        (None, "recall"),
    ],
)
def test_reasons(code: str | None, reason: str) -> None:
    assert return_reason(code) == reason


def test_a_code_that_is_not_known_is_what_the_booking_says() -> None:
    assert return_reason("ZZ99", otherwise="nsf") == "nsf"
    assert return_reason(None, otherwise="nsf") == "nsf"
    assert return_reason("MD06", otherwise="nsf") == "chargeback"
    assert is_return_code("MD06")
    assert not is_return_code("ZZ99")


def test_no_code_has_two_reasons_and_all_words_are_those_of_the_event() -> None:
    codes = [code for table in (_ISO, _NACHA) for said in table.values() for code in said.split()]
    assert len(codes) == len(set(codes))
    field = next(field for field in written_record("PaymentReversed").fields if field.written == "reason")
    assert set(_ISO) == set(field.values)
