"""Ids of payments: the same cash has the same id in every file, and two payments never share one."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sources.bank import BankAccount, BankEntry
from sources.bank.identity import PaymentIds

DAY = date(2026, 3, 2)


def entry(**changes: Any) -> BankEntry:
    given: dict[str, Any] = {
        "line": 1,
        "kind": "received",
        "account": BankAccount("DE89 3704 0044 0532 0130 00"),
        "amount": Decimal("100.00"),
        "currency": "EUR",
        "booking_date": DAY,
        "value_date": DAY,
    }
    return BankEntry(**given | changes)


def ids(*entries: BankEntry) -> list[str]:
    known = PaymentIds()
    return [known.of(one) for one in entries]


def test_a_reference_that_never_repeats_is_the_id() -> None:
    (first,) = ids(entry(servicer_reference="X1"))
    assert first.endswith(":X1:0")


def test_equal_payments_without_reference_are_counted() -> None:
    assert len(set(ids(entry(), entry(), entry(amount=Decimal(7))))) == 3
    assert ids(entry(), entry()) == ids(entry(), entry())


def test_payments_of_one_repeated_reference_are_told_apart_by_amount_and_dates() -> None:
    batch = [
        entry(servicer_reference="DAY1", reference_repeats=True, amount=Decimal(amount)) for amount in (1, 2, 2, 3)
    ]
    assert len(set(ids(*batch))) == 4


def test_a_booking_keeps_its_id_when_the_bank_words_it_otherwise() -> None:
    one = entry(servicer_reference="X", reference_repeats=True, payment_reference="INV 1")
    other = entry(servicer_reference="X", reference_repeats=True, payment_reference="INVOICE 1", line=9)
    assert ids(one) == ids(other)


def test_a_later_file_that_overlaps_gives_the_same_ids() -> None:
    days = [entry(booking_date=DAY + timedelta(days=n), value_date=DAY) for n in range(600)]
    assert ids(*days)[300:] == ids(*days[300:])


def test_a_return_under_the_reference_of_its_payment_is_another_booking() -> None:
    paid = entry(servicer_reference="X", reference_repeats=True)
    returned = entry(servicer_reference="X", reference_repeats=True, kind="returned")
    assert ids(paid)[0] != ids(returned)[0]
    assert ids(paid, returned)[1] == ids(returned)[0]


def test_a_deletion_names_the_cash_of_what_it_deletes() -> None:
    paid = entry(servicer_reference="X", reference_repeats=True)
    deleted = entry(servicer_reference="X", reference_repeats=True, kind="returned", deletes=True)
    assert ids(paid) == ids(deleted)


def test_an_announcement_before_it_does_not_change_the_id_of_a_booking() -> None:
    paid = entry(servicer_reference="X", reference_repeats=True)
    announced = entry(servicer_reference="X", reference_repeats=True, kind="announced")
    assert ids(announced, paid)[1] == ids(paid)[0]


def test_equal_payments_of_two_accounts_are_both_the_first() -> None:
    one, other = ids(entry(), entry(account=BankAccount("DE02 1203 0000 0000 2020 51")))
    assert one.endswith(":1")
    assert other.endswith(":1")


def test_memory_is_bounded_and_what_was_counted_lately_is_counted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.bank.identity._COUNTED_MIN", 100)
    known = PaymentIds()
    for number in range(950):
        known.of(entry(amount=Decimal(number + 1)))
    assert len(known._recent) + len(known._before) <= 200
    assert known.of(entry(amount=Decimal(900))).endswith(":2")
    assert known.of(entry(amount=Decimal(900))).endswith(":3")
