"""What an installation configures about its fields, and what holds where it configures nothing."""

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro.text import write_event
from sources import ParsedEvent, SourceError, SourceOptions, SourceReject, adapter
from sources.event_fields import event_names, fields_of
from sources.redaction import ACCOUNTS, PROSE, REFERENCES, STANDARD, Redactor
from tests.sources.redaction.numbers import NETWORK_CARDS

CARD = "4111 1111 1111 1111"
KEY = "a long random text"
IBAN = "DE89370400440532013000"
NOTE = {
    "event": "ContactAttempted",
    "occurred_at": "2026-03-01T09:00:00Z",
    "account_id": "C1",
    "activity_id": "T1",
    "channel": "call",
    "direction": "out",
    "outcome": "reached",
}
ACTIVITY = {
    "event": "UserActivityLogged",
    "occurred_at": "2026-03-01T09:00:00Z",
    "actor_id": "maria",
    "action": "data_changed",
    "entity_type": "account",
    "entity_id": "C1",
    "succeeded": True,
}
PAYMENT = {
    "event": "PaymentReceived",
    "occurred_at": "2026-03-01T09:00:00Z",
    "payment_id": "4111111111111111",
    "amount": "10.00",
    "currency": "EUR",
    "value_date": "2026-03-01",
}
# Texts that are codes of a system, ids of people and machines, or addresses; nobody writes a sentence there.
CODES = {
    "action", "actor_id", "actor_role", "assigned_to", "bank_reference", "channel", "direction", "entity_type",
    "exception_type", "field", "ip", "method", "queue", "region", "risk_class", "rule", "segment", "source",
    "subject_type",
}  # fmt: skip


def read(*documents: dict[str, Any] | str, redactor: Redactor = STANDARD) -> list[Any]:
    lines = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in documents)
    reader = adapter("jsonl", SourceOptions(company="FR01", redactor=redactor))
    return list(reader.read(io.BytesIO(lines.encode()), "a.jsonl"))


def written(document: dict[str, Any], redactor: Redactor = STANDARD) -> dict[str, Any]:
    (event,) = read(document, redactor=redactor)
    assert isinstance(event, ParsedEvent), event
    return write_event(event.name, event.record)


def test_numbers_in_free_text_are_masked_by_default() -> None:
    assert written({**NOTE, "note": f"card {CARD}"})["note"] == "card **** **** **** 1111"
    changes = {"iban": {"old": None, "new": IBAN}, "limit": {"old": "100.00", "new": 200}}
    assert written({**ACTIVITY, "changes": changes})["changes"] == {
        "iban": {"new": "DE****************3000"},
        "limit": {"old": "100.00", "new": "200"},
    }
    paid = written({**PAYMENT, "payer_reference": f"INV-1 {IBAN}", "payer_account": "0532013000"})
    assert paid["payer_reference"] == "INV-1 DE****************3000"
    assert paid["payer_account"] == "******3000"


def test_ids_are_never_masked_and_derive_as_ever() -> None:
    event = written({**PAYMENT, "bank_reference": "4111111111111111"})
    assert event["payment_id"] == "4111111111111111"
    assert event["bank_reference"] == "4111111111111111"
    assert event["event_id"] == "jsonl/FR01/PaymentReceived/4111111111111111"


@given(st.dictionaries(st.sampled_from(["note"]), st.text(max_size=60)), NETWORK_CARDS)
def test_reading_what_was_redacted_gives_the_same_event(fields: dict[str, str], card: str) -> None:
    redactor = Redactor({"*.account_id": "hash", "*.outcome": "mask"}, secret=KEY)
    once = written({**NOTE, **fields, "outcome": f"paid by {card}"}, redactor)
    assert written(once, redactor) == once
    assert written({**NOTE, **fields, "outcome": f"paid by {card}"}, redactor) | {"recorded_at": 0} == once | {
        "recorded_at": 0
    }


def test_every_text_of_every_event_has_been_thought_of() -> None:
    """A new text field is either free text, an account, or a code: say which in ``sources/redaction/rules.py``."""
    for event in event_names():
        for field in fields_of(event).values():
            for text in (field, *field.items):
                if text.kind in {"text", "scalar"} and not text.values:
                    assert text.written in PROSE | REFERENCES | ACCOUNTS | CODES, f"{event}.{text.written}"


def test_fields_are_masked_hashed_dropped_or_kept_as_configured() -> None:
    redactor = Redactor(
        {
            "ContactAttempted.note": "drop",
            "*.payer_reference": "mask",
            "PaymentReceived.payer_account": "hash",
            "UserActivityLogged.actor_id": "hash",
            "UserActivityLogged.changes.iban": "hash",
            "UserActivityLogged.changes.salary": "drop",
            "*.reason": "keep",
        },
        secret=KEY,
    )
    assert written({**NOTE, "note": "he is ill"}, redactor).get("note") is None
    grouped = written({**PAYMENT, "payer_reference": "Miller, flat 3", "payer_account": "DE89 3704 0044 0532 0130 00"})
    paid = written({**PAYMENT, "payer_reference": "Miller, flat 3", "payer_account": IBAN}, redactor)
    assert grouped["payer_account"] == "DE** **** **** **** **30 00"
    assert paid["payer_reference"] == "**********at 3"
    changes = {"iban": {"old": "DE89 3704 0044 0532 0130 00", "new": IBAN}, "salary": {"old": 1, "new": 2}}
    activity = written({**ACTIVITY, "changes": changes}, redactor)
    assert activity["changes"]["iban"]["old"] == paid["payer_account"], "equal accounts stay joinable"
    assert activity["changes"]["iban"]["new"] == paid["payer_account"]
    assert activity["changes"]["salary"] == {}
    assert activity["actor_id"].startswith("hmac:")
    assert "maria" not in json.dumps(activity)
    reason = {"event": "CashUnapplied", "occurred_at": "2026-03-01T09:00:00Z", "application_id": "A1", "reason": CARD}
    assert written(reason, redactor)["reason"] == CARD


def test_another_key_gives_other_hashes() -> None:
    rules = {"UserActivityLogged.actor_id": "hash"}
    one, other = (written(ACTIVITY, Redactor(rules, secret=key))["actor_id"] for key in ("one", "other"))
    assert one != other


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"note": "mask"}, "Write EVENT.FIELD"),
        ({"ContactAttempted.note": "burn"}, "Write one of mask, hash, drop, keep"),
        ({"ContactAttempted.notes": "mask"}, "no event has such a field"),
        ({"ContactMade.note": "mask"}, "no event has such a field"),
        ({"InvoiceIssued.amount": "mask"}, "Amounts, dates"),
        ({"*.company": "hash"}, "Amounts, dates"),
        ({"InvoiceIssued.document_type": "drop"}, "Amounts, dates"),
        ({"InvoiceIssued.invoice_id": "mask"}, "Two masked ids could become one"),
        ({"InvoiceIssued.invoice_id": "drop"}, "Amounts, dates"),
        ({"*.actor_id": "hash"}, "ARREARS_REDACTION__HASH_SECRET"),
    ],
)
def test_a_rule_that_could_not_apply_is_refused(rules: dict[str, str], words: str) -> None:
    with pytest.raises(SourceError, match=words.replace("(", r"\(")):
        Redactor(rules)


def test_a_reject_keeps_its_bytes_but_for_the_numbers() -> None:
    line = json.dumps({**NOTE, "note": f"card {CARD}", "colour": "red"})
    (reject,) = read(line)
    assert isinstance(reject, SourceReject)
    assert reject.original == line.replace(CARD, "**** **** **** 1111").encode()
    (reject,) = read({**NOTE, "channel": CARD})
    assert CARD not in reject.message
    assert "**** **** **** 1111" in reject.message
    (reject,) = read(line, redactor=Redactor(rejects="keep"))
    assert reject.original == line.encode()


def test_nothing_of_a_reject_is_kept_where_fields_are_redacted() -> None:
    """Where in a line that cannot be read a field stands, nobody knows."""
    redactor = Redactor({"ContactAttempted.note": "drop", "*.direction": "mask"})
    (reject,) = read({**NOTE, "note": "he is ill", "colour": "red"}, redactor=redactor)
    assert reject.original == b""
    assert "withheld" in reject.message
    (reject,) = read({**NOTE, "direction": ["secret"]}, redactor=redactor)
    assert "secret" not in reject.message


def test_an_id_that_was_masked_in_a_reject_does_not_come_back_as_another_document() -> None:
    (reject,) = read({**PAYMENT, "amount": "1,00"})
    (again,) = read(reject.original.decode().replace("1,00", "1.00"))
    assert (again.reason, again.position.field) == ("masked_id", "payment_id")


def test_redacting_twice_changes_nothing() -> None:
    redactor = Redactor({"*.note": "hash"}, secret=KEY)
    (reject,) = read({**NOTE, "colour": "red"}, redactor=Redactor())
    assert STANDARD.reject(STANDARD.reject(reject)) == STANDARD.reject(reject)
    (event,) = read({**NOTE, "note": "x"}, redactor=redactor)
    again = msgspec.structs.replace(event, record=dict(event.record))
    redactor.record(event.name, again.record)
    assert again == event
