"""The written form of events: the way there and back, and how any record is shown."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro import contracts
from avro.text import parse_event, write_event
from avro.written import WrittenField, event_names, written_record
from tests.avro.examples import few, smallest
from tests.avro.written_events import ACTIVITY, APPLICATION, DEFAULTS, INVOICE, REMITTANCE


class TestThereAndBack:
    @pytest.mark.parametrize("document", [INVOICE, APPLICATION, REMITTANCE, ACTIVITY], ids=lambda d: str(d["event"]))
    def test_what_was_parsed_can_be_written_and_parsed_again(self, document: dict[str, Any]) -> None:
        name, record = parse_event(document, DEFAULTS)
        written = write_event(name, record)
        assert parse_event(written, {}) == (name, record)
        assert parse_event(json.loads(json.dumps(written)), {}) == (name, record)

    def test_the_written_form_is_the_normal_one(self) -> None:
        name, record = parse_event({**INVOICE, "amount": 7, "occurred_at": "2026-03-01T11:00:00.5+02:00"}, DEFAULTS)
        assert write_event(name, record) == {
            "event": "InvoiceIssued",
            "event_id": "1",
            "company": "FR01",
            "account_id": "C1",
            "occurred_at": "2026-03-01T09:00:00.5Z",
            "recorded_at": "2026-03-01T09:00:00Z",
            "region": "",
            "invoice_id": "I1",
            "document_type": "invoice",
            "document_date": "2026-03-01",
            "due_date": "2026-03-31",
            "amount": "7.00",
            "currency": "EUR",
            "source": "test",
            "actor_id": "",
            "actor_role": "",
        }

    @pytest.mark.parametrize("name", event_names())
    def test_every_event_survives_the_way_through_text(self, name: str) -> None:
        @few
        @given(documents(name))
        def survives(document: dict[str, Any]) -> None:
            found, record = parse_event(document, {})
            assert found == name
            written = write_event(found, record)
            assert parse_event(written, {}) == (name, record)
            # Written once more it is the same: the written form is normal.
            assert write_event(*parse_event(written, {})) == written
            assert contracts().decode(contracts().encode(name, record)) == (name, record)

        survives()

    @pytest.mark.parametrize("name", contracts().names)
    def test_any_record_can_be_shown_whatever_stands_in_it(self, name: str) -> None:
        shown = write_event(name, smallest(name))
        assert shown["event"] == name
        json.dumps(shown)

    @pytest.mark.parametrize(
        ("changes", "shown"),
        [
            ({"amount_scale": 2**31 - 1}, {"amount_minor": 1250, "amount_scale": 2**31 - 1}),
            ({"amount_scale": -5}, {"amount_minor": 1250, "amount_scale": -5}),
            ({"effective_date": 2**31 - 1}, {"effective_date": 2**31 - 1}),
            ({"occurred_at": 2**62}, {"occurred_at": 2**62}),
        ],
    )
    def test_what_has_no_written_form_is_shown_as_it_is(self, changes: dict[str, Any], shown: dict[str, Any]) -> None:
        written = write_event("InvoiceAdjusted", {**smallest("InvoiceAdjusted"), **changes})
        assert {key: written[key] for key in shown} == shown

    def test_an_amount_without_a_usable_currency_is_shown_in_minor_units(self) -> None:
        for currency in ("XAU", "???"):
            written = write_event("InvoiceIssued", {**smallest("InvoiceIssued"), "currency": currency})
            assert written["amount_minor"] == 1250

    def test_output_records_can_be_shown(self) -> None:
        aging = {**smallest("AccountAging"), "currency": "JPY", "bucket_minor": [1, 2]}
        assert write_event("AccountAging", aging)["bucket"] == ["1", "2"]
        action = {**smallest("Action"), "amounts": {"EUR": 1250, "???": 3}}
        assert write_event("Action", action)["amounts"] == {"EUR": "12.50", "???": 3}
        assert (
            write_event("FailedEvent", {**smallest("FailedEvent"), "original_value": b"\0"})["original_value"] == "AA=="
        )


IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(
    lambda text: bool(text.strip())
)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**14), max_value=10**14).map(str)


def documents(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Written events of one name, with and without what is optional."""
    record = written_record(name)
    required, free = _split(record.fields)
    whole = st.fixed_dictionaries({"event": st.just(name), **required}, optional=free)
    if not record.exactly_one_of:
        return whole.map(_with_currency)
    one, other = record.exactly_one_of
    return st.tuples(whole, IDS, st.sampled_from([(one, other), (other, one)])).map(
        lambda drawn: {**{key: value for key, value in drawn[0].items() if key != drawn[2][1]}, drawn[2][0]: drawn[1]}
    )


def _with_currency(document: dict[str, Any]) -> dict[str, Any]:
    needs = {"AccountChanged": "credit_limit", "ExceptionFlagged": "amount"}.get(document["event"])
    return {**document, "currency": "EUR"} if needs in document else document


def _split(fields: tuple[WrittenField, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    required = {field.written: _written(field) for field in fields if field.required}
    return required, {field.written: _written(field) for field in fields if not field.required}


def _written(field: WrittenField) -> st.SearchStrategy[Any]:
    if field.values:
        return st.sampled_from(field.values)
    if field.name == "company":
        return IDS.filter(lambda text: "|" not in text)
    if field.kind == "records":
        required, free = _split(field.items)
        return st.lists(st.fixed_dictionaries(required, optional=free), max_size=3)
    if field.kind == "mapping":
        _, free = _split(field.items)
        return st.dictionaries(IDS, st.fixed_dictionaries({}, optional=free), max_size=3)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
        "identifier": IDS,
        "currency": st.sampled_from(["EUR", "USD", "KWD", "CLF"]),
        "amount": AMOUNTS,
        "scaled_amount": AMOUNTS,
        "decimal": st.decimals("0.0001", 10**9, places=4).map(str),
        "scalar": st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.integers(), st.booleans()
        ),
        "date": st.dates(date(1900, 1, 1), date(2199, 12, 31)),
        "instant": st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        "integer": st.integers(-(2**31), 2**31 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "texts": st.lists(IDS, max_size=3),
    }
    return plain[field.kind]
