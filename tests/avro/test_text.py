"""The written form of events: what is taken, and what is refused with which code."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml

from avro import contracts
from avro.text import InvalidEvent, parse_event
from tests.avro.written_events import ACTIVITY, APPLICATION, DEFAULTS, INVOICE, NINE_O_CLOCK, REMITTANCE, parse, refusal


def test_an_invoice_becomes_the_avro_record_in_the_order_of_its_schema() -> None:
    name, record = parse_event(INVOICE, DEFAULTS)
    assert name == "InvoiceIssued"
    assert list(record) == [field["name"] for field in contracts().schema(name)["fields"]]
    assert record == {
        "event_id": "1",
        "company": "FR01",
        "account_id": "C1",
        "occurred_at": NINE_O_CLOCK,
        "recorded_at": NINE_O_CLOCK,
        "region": "",
        "invoice_id": "I1",
        "document_type": "invoice",
        "document_date": 20513,
        "posting_date": None,
        "due_date": 20543,
        "amount_minor": 10_000,
        "currency": "EUR",
        "instalments": None,
        "payment_terms": None,
        "reference": None,
        "source": "test",
        "actor_id": "",
        "actor_role": "",
        "correlation_id": None,
    }


class TestDefaults:
    def test_the_document_comes_before_the_defaults(self) -> None:
        assert parse(INVOICE, company="DE01", source="sap")["company"] == "DE01"

    def test_null_is_as_good_as_left_out(self) -> None:
        assert parse(INVOICE, company=None, reference=None)["company"] == "FR01"

    def test_of_the_two_instants_each_defaults_to_the_other(self) -> None:
        assert parse(INVOICE)["occurred_at"] == NINE_O_CLOCK
        without = {key: value for key, value in DEFAULTS.items() if key != "recorded_at"}
        record = parse_event({**INVOICE, "occurred_at": "2026-03-01T09:00:00Z"}, without)[1]
        assert record["recorded_at"] == NINE_O_CLOCK

    def test_an_occurrence_of_the_past_keeps_the_default_time_of_recording(self) -> None:
        record = parse(INVOICE, occurred_at="2025-01-01T00:00:00Z")
        assert record["occurred_at"] < record["recorded_at"] == NINE_O_CLOCK

    def test_without_any_instant_one_is_missing(self) -> None:
        without = {key: value for key, value in DEFAULTS.items() if key != "recorded_at"}
        with pytest.raises(InvalidEvent) as caught:
            parse_event(INVOICE, without)
        assert (caught.value.reason, caught.value.field) == ("missing_field", "occurred_at")

    def test_defaults_may_have_keys_that_the_event_has_not(self) -> None:
        assert parse_event(INVOICE, {**DEFAULTS, "queue": "x", "format": "csv"})[0] == "InvoiceIssued"

    def test_a_list_that_is_left_out_is_empty_and_never_shared(self) -> None:
        promise = {"event": "PromiseMade", "promise_id": "P1", "amount": "1", "currency": "EUR"}
        first = parse(promise, promised_date="2026-04-01")["invoice_ids"]
        first.append("I1")
        assert parse(promise, promised_date="2026-04-01")["invoice_ids"] == []


class TestNames:
    def test_an_event_must_have_a_name(self) -> None:
        assert refusal({"invoice_id": "I1"}).reason == "missing_field"

    def test_an_unknown_event_is_answered_with_the_nearest_name(self) -> None:
        error = refusal({**INVOICE, "event": "invoice_issued"})
        assert error.reason == "unknown_event"
        assert "did you mean InvoiceIssued?" in error.message

    @pytest.mark.parametrize("name", ["", "LedgerEntry", 5, "Zzz", ["InvoiceIssued"], {"a": 1}])
    def test_what_is_no_event_is_unknown(self, name: object) -> None:
        assert refusal({**INVOICE, "event": name}).reason == "unknown_event"

    @pytest.mark.parametrize("document", [None, "InvoiceIssued", [INVOICE], 7])
    def test_what_is_no_mapping_is_no_event(self, document: Any) -> None:
        with pytest.raises(InvalidEvent, match="an event is a mapping"):
            parse_event(document, DEFAULTS)

    def test_an_unknown_field_is_answered_with_the_nearest_name(self) -> None:
        error = refusal(INVOICE, due_dat="2026-03-31")
        assert (error.reason, error.field) == ("unknown_field", "due_dat")
        assert str(error) == "due_dat: InvoiceIssued has no such field; did you mean due_date?"

    def test_an_unknown_field_that_is_near_nothing_is_answered_with_all_names(self) -> None:
        assert "its fields are event_id, company" in refusal(INVOICE, zzzzz=1).message

    @pytest.mark.parametrize("field", ["amount_minor", "amount_scale"])
    def test_the_fields_of_avro_are_not_written(self, field: str) -> None:
        assert refusal(INVOICE, **{field: 5}).reason == "unknown_field"

    def test_a_key_that_is_no_text_is_unknown(self) -> None:
        # YAML reads a bare `on` or `yes` as true.
        with pytest.raises(InvalidEvent, match="True: InvoiceIssued has no such field"):
            parse_event({**INVOICE, True: 1}, DEFAULTS)  # type: ignore[dict-item]

    @pytest.mark.parametrize("field", ["invoice_id", "document_date", "amount", "currency"])
    def test_a_required_field_must_be_there(self, field: str) -> None:
        error = refusal({key: value for key, value in INVOICE.items() if key != field})
        assert (error.reason, error.field) == ("missing_field", field)
        assert "InvoiceIssued needs it" in error.message


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "currency"), [("100.50", "JPY"), ("1,000.00", "EUR"), ("1e5", "EUR"), (float("nan"), "EUR"),
                                 ("9" * 30, "EUR"), ("1.00", "EURO"), ("1.00", "XAU"), (True, "EUR")]
    )  # fmt: skip
    def test_an_amount_that_is_not_exact_is_invalid(self, amount: object, currency: str) -> None:
        assert refusal(INVOICE, amount=amount, currency=currency).reason == "invalid_amount"

    def test_an_unknown_currency_is_named_as_the_fault(self) -> None:
        error = refusal(INVOICE, currency="eur")
        assert (error.reason, error.field) == ("invalid_amount", "currency")
        assert "write EUR" in error.message

    def test_without_a_currency_the_amount_carries_its_own_scale(self) -> None:
        record = parse(APPLICATION)
        assert (record["amount_minor"], record["amount_scale"], record["currency"]) == (100_001, 4, None)
        record = parse(APPLICATION, amount="10.00")
        assert (record["amount_minor"], record["amount_scale"]) == (10, 0)

    def test_with_a_currency_the_scale_is_the_currencys(self) -> None:
        record = parse(APPLICATION, amount="10", currency="EUR")
        assert (record["amount_minor"], record["amount_scale"], record["currency"]) == (1000, 2, "EUR")
        assert refusal(APPLICATION, currency="EUR").reason == "invalid_amount"

    def test_the_two_amounts_of_a_line_share_the_finer_scale(self) -> None:
        first, second = parse(REMITTANCE)["lines"]
        assert (first["amount_minor"], first["deduction_minor"], first["amount_scale"]) == (900_000, 125, 3)
        assert (second["amount_minor"], second["deduction_minor"], second["amount_scale"]) == (5, None, 0)

    def test_the_currency_of_a_remittance_is_that_of_its_lines(self) -> None:
        lines = [{"invoice_id": "I1", "amount": "9.5", "deduction_amount": "1"}]
        (line,) = parse(REMITTANCE, lines=lines, currency="USD")["lines"]
        assert (line["amount_minor"], line["deduction_minor"], line["amount_scale"]) == (950, 100, 2)

    def test_a_shared_scale_that_64_bits_cannot_hold_is_refused(self) -> None:
        lines = [{"invoice_id": "I1", "amount": "9223372036854775807", "deduction_amount": "0.0001"}]
        error = refusal(REMITTANCE, lines=lines)
        assert (error.reason, error.field) == ("invalid_amount", "lines[1].amount")

    def test_an_optional_amount_needs_its_currency(self) -> None:
        account = {"event": "AccountChanged", "account_id": "C1"}
        assert parse(account)["credit_limit_minor"] is None
        assert parse(account, credit_limit="5.00", currency="EUR")["credit_limit_minor"] == 500
        error = refusal(account, credit_limit="5.00")
        assert (error.reason, error.field) == ("missing_field", "currency")

    def test_instalments_are_in_the_currency_of_the_document(self) -> None:
        instalments = [{"number": 1, "due_date": "2026-04-01", "amount": "0.0001"}]
        record = parse(INVOICE, amount="0.0001", currency="CLF", instalments=instalments)
        assert record["instalments"] == [{"number": 1, "due_date": 20544, "amount_minor": 1}]

    def test_a_rate_stays_an_exact_text(self) -> None:
        rate = {"event": "ExchangeRateSet", "base_currency": "EUR", "quote_currency": "USD", "rate_date": "2026-03-01"}
        assert parse(rate, rate="1.0850")["rate"] == "1.085"
        assert refusal(rate, rate="0").reason == "invalid_amount"
        assert refusal(rate, rate="1", quote_currency="USDX").reason == "invalid_amount"


class TestDates:
    @pytest.mark.parametrize(
        "changes",
        [
            {"document_date": "2026-02-30"},
            {"document_date": "1899-12-31"},
            {"document_date": datetime(2026, 3, 1, tzinfo=UTC)},
            {"document_date": 20513},
            {"occurred_at": "2026-03-01T09:00:00"},
            {"occurred_at": "2026-03-01"},
            {"occurred_at": 5},
        ],
    )
    def test_what_is_no_date_is_invalid(self, changes: dict[str, object]) -> None:
        error = refusal(INVOICE, **changes)
        assert (error.reason, error.field) == ("invalid_date", next(iter(changes)))

    def test_the_objects_that_yaml_makes_of_dates_are_taken(self) -> None:
        text = "{at: 2026-03-01T09:00:00Z, document_date: 2026-03-01}"
        loaded = yaml.safe_load(text)
        assert isinstance(loaded["document_date"], date)
        record = parse(INVOICE, document_date=loaded["document_date"], occurred_at=loaded["at"])
        assert (record["document_date"], record["occurred_at"]) == (20513, NINE_O_CLOCK)


class TestOtherValues:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"invoice_id": 1001}, "1001 is not a text; write it in quotes"),
            ({"invoice_id": ""}, "an id must not be empty"),
            ({"invoice_id": "  "}, "an id must not be empty"),
            ({"invoice_id": "I\x1f1"}, "holds a control character"),
            ({"account_id": ""}, "an id must not be empty"),
            ({"company": "FR|01"}, "must not hold |"),
            ({"reference": "\ud800"}, "half of a character pair"),
            ({"document_type": "receipt"}, "'receipt' is not one of invoice, debit_memo"),
            ({"instalments": "all"}, "'all' is not a list"),
            ({"instalments": [5]}, "5 is not a mapping"),
        ],
    )
    def test_a_value_that_does_not_fit_is_invalid(self, changes: dict[str, object], message: str) -> None:
        error = refusal(INVOICE, **changes)
        assert error.reason == "invalid_value"
        assert message in error.message

    @pytest.mark.parametrize("number", [True, "1", 1.0, 2**31, -(2**31) - 1])
    def test_a_whole_number_is_one(self, number: object) -> None:
        assert refusal(APPLICATION, instalment=number).reason == "invalid_value"

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400, "0.9", True])
    def test_a_number_is_finite(self, number: object) -> None:
        assert refusal(APPLICATION, confidence=number).reason == "invalid_value"
        assert parse(APPLICATION, confidence=1)["confidence"] == 1.0

    @pytest.mark.parametrize("value", ["true", 1, "yes"])
    def test_true_and_false_are_not_words(self, value: object) -> None:
        payment = {"event": "PaymentReceived", "payment_id": "R1", "amount": "1", "currency": "EUR"}
        assert refusal(payment, value_date="2026-03-01", on_account=value).reason == "invalid_value"

    @pytest.mark.parametrize("ids", ["I1", {"I1": 1}, [1], [""]])
    def test_a_list_of_ids_is_a_list_of_texts(self, ids: object) -> None:
        promise = {"event": "PromiseMade", "promise_id": "P1", "amount": "1", "currency": "EUR"}
        assert refusal(promise, promised_date="2026-04-01", invoice_ids=ids).reason == "invalid_value"

    def test_an_application_uses_either_a_payment_or_a_credit(self) -> None:
        neither = {key: value for key, value in APPLICATION.items() if key != "payment_id"}
        assert refusal(neither).reason == "missing_field"
        error = refusal(APPLICATION, credit_memo_id="CM1")
        assert (error.reason, error.field) == ("invalid_value", "credit_memo_id")
        assert parse(neither, credit_memo_id="CM1")["credit_memo_id"] == "CM1"

    def test_a_fault_in_a_list_is_named_by_its_number_from_one(self) -> None:
        lines = [{"invoice_id": "I1", "amount": "1"}, {"invoice_id": "I2", "amount": "x"}]
        assert refusal(REMITTANCE, lines=lines).field == "lines[2].amount"
        assert refusal(REMITTANCE, lines=[{"invoice_id": "I1"}]).field == "lines[1].amount"
        assert refusal(REMITTANCE, lines=[{"invoice_id": "I1", "amount": "1", "amout": 1}]).field == "lines[1].amout"

    def test_changes_are_written_as_a_mapping_of_plain_values(self) -> None:
        changes = {
            "name": {"old": "Old Ltd", "new": "New Ltd"},
            "limit": {"old": 5, "new": 7.5},
            "blocked": {"new": True},
            "since": {"old": date(2026, 3, 1)},
        }
        assert parse(ACTIVITY, changes=changes)["changes"] == [
            {"field": "name", "old": "Old Ltd", "new": "New Ltd"},
            {"field": "limit", "old": "5", "new": "7.5"},
            {"field": "blocked", "old": None, "new": "true"},
            {"field": "since", "old": "2026-03-01", "new": None},
        ]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": {"old": [1]}}, "changes.name.old"),
            ({"name": "new"}, "changes.name"),
            ({"name": {"was": "x"}}, "changes.name.was"),
            ("name", "changes"),
        ],
    )
    def test_changes_of_another_form_are_refused(self, changes: object, field: str) -> None:
        assert refusal(ACTIVITY, changes=changes).field == field
