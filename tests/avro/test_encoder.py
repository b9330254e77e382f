"""What an encoder refuses, and how it says so."""

import math
from typing import Any

import msgspec
import pytest

from avro import UnwritableRecord, contracts
from avro.primitives import CACHE_ENTRIES_MAX, DECODED_TEXTS, TEXTS
from tests.avro.examples import smallest


class Tick(msgspec.Struct):
    """A clock tick as the jobs have it: without the end of the envelope."""

    event_id: str
    company: str
    account_id: str | None
    occurred_at: int
    recorded_at: int
    region: str
    at: int


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("InvoiceIssued", {"event_id": None}, "InvoiceIssued.event_id is None, which is no string"),
        ("InvoiceIssued", {"event_id": b"x"}, "event_id is b'x', which is no string"),
        ("InvoiceIssued", {"amount_minor": 12.5}, "amount_minor is 12.5, which is no long"),
        ("InvoiceIssued", {"amount_minor": "12"}, "amount_minor is '12', which is no long"),
        ("InvoiceIssued", {"amount_minor": 2**63}, "amount_minor cannot be written: .* 64 bits"),
        ("InvoiceIssued", {"amount_minor": -(2**63) - 1}, "amount_minor cannot be written: .* 64 bits"),
        ("InvoiceIssued", {"occurred_at": 2**63}, "occurred_at cannot be written: .* 64 bits"),
        ("InvoiceIssued", {"document_date": 2**31}, "document_date cannot be written: .* 32 bits"),
        ("InvoiceIssued", {"company": "\ud800"}, "company cannot be written"),
        ("InvoiceIssued", {"amout": 1}, "InvoiceIssued has no field amout"),
        ("InvoiceIssued", {"instalments": "no list"}, "instalments is 'no list', which is no array"),
        ("InvoiceIssued", {"instalments": [{"number": 1}]}, r"instalments\[1\].due_date is missing"),
        ("PaymentReceived", {"on_account": "yes"}, "on_account is 'yes', which is no boolean"),
        ("PaymentReceived", {"on_account": None}, "on_account is None, which is no boolean"),
        ("PromiseMade", {"invoice_ids": "I1"}, "invoice_ids is 'I1', which is no array"),
        ("PromiseMade", {"invoice_ids": ["I1", 2]}, r"invoice_ids\[2\] is 2, which is no string"),
        ("CashApplied", {"confidence": "0.9"}, "confidence is '0.9', which is no double"),
        ("Action", {"amounts": {"EUR": 1.5}}, r"amounts\['EUR'\] is 1.5, which is no long"),
        ("FailedEvent", {"original_value": "text"}, "original_value is 'text', which is no bytes"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnwritableRecord, match=message):
        contracts().encode(name, {**smallest(name), **changes})


@pytest.mark.parametrize("name", ["InvoiceIssued", "RemittanceReceived", "LedgerEntry"])
def test_a_field_without_a_default_must_be_there(name: str) -> None:
    record = smallest(name)
    required = [field["name"] for field in contracts().schema(name)["fields"] if "default" not in field]
    for field in required:
        without = {key: value for key, value in record.items() if key != field}
        with pytest.raises(UnwritableRecord, match=f"{name}.{field} is missing"):
            contracts().encode(name, without)


@pytest.mark.parametrize("name", contracts().names)
def test_a_field_with_a_default_may_be_left_out(name: str) -> None:
    fields = contracts().schema(name)["fields"]
    record = smallest(name)
    defaults = {field["name"]: field["default"] for field in fields if "default" in field}
    short = {key: value for key, value in record.items() if key not in defaults}
    assert contracts().decode(contracts().encode(name, short)) == (name, {**record, **defaults})


def test_an_object_may_lack_fields_that_have_defaults() -> None:
    tick = Tick("clock/1", "*", None, 1_767_225_600_000_000, 1_767_225_600_000_000, "", 1_767_225_600_000_000)
    name, record = contracts().decode(contracts().encoder("ClockTicked")(tick))
    assert (name, record["source"], record["actor_role"]) == ("ClockTicked", "arrears", "system")


def test_an_object_that_lacks_a_field_without_a_default_is_refused() -> None:
    tick = Tick("clock/1", "*", None, 1, 1, "", 1)
    with pytest.raises(UnwritableRecord, match=r"MatchEvaluated\.payment_id is missing"):
        contracts().encoder("MatchEvaluated")(tick)


def test_a_double_keeps_what_is_no_finite_number() -> None:
    record = {**smallest("CashApplied"), "confidence": math.inf}
    assert contracts().decode(contracts().encode("CashApplied", record))[1]["confidence"] == math.inf


def test_caches_stay_small_and_right_when_they_overflow() -> None:
    record = smallest("ClockTicked")
    for number in range(CACHE_ENTRIES_MAX + 1000):
        value = contracts().encode("ClockTicked", {**record, "company": f"C{number}"})
        assert contracts().decode(value)[1]["company"] == f"C{number}"
    assert len(TEXTS) <= CACHE_ENTRIES_MAX
    assert len(DECODED_TEXTS) <= CACHE_ENTRIES_MAX


def test_long_texts_are_not_remembered() -> None:
    long = "x" * 100_000
    contracts().decode(contracts().encode("ClockTicked", {**smallest("ClockTicked"), "company": long}))
    assert long not in TEXTS
    assert long.encode() not in DECODED_TEXTS
