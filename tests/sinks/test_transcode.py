"""Events become rows: the envelope as it is, the payload as people write it."""

import io
import json
import random
from decimal import Decimal
from functools import cache
from typing import Any

import fastavro
import pytest

from avro import contracts
from avro.text import write_event
from avro.written import event_names, written_record
from sinks.event_row import CATEGORY_OF, ENVELOPE_HEAD, ENVELOPE_TAIL, NOT_STORED, SUBJECTS, event_row_schema
from sinks.transcode import Transcoder, compile_transcoder
from tests.sinks.samples import any_record

ROW = fastavro.parse_schema(event_row_schema())
STORED = [name for name in event_names() if name not in NOT_STORED]
ENVELOPE = {*ENVELOPE_HEAD, *ENVELOPE_TAIL}


@cache
def transcoder(name: str) -> Transcoder:
    return compile_transcoder(contracts().schema(name), written_record(name))


def row_of(name: str, record: dict[str, object]) -> dict[str, Any]:
    source = io.BytesIO(transcoder(name)(contracts().encode(name, record)))
    row: Any = fastavro.schemaless_reader(source, ROW, None)
    assert not source.read(), "nothing is left behind the row"
    return dict(row)


def is_writable(name: str, record: dict[str, object]) -> bool:
    """Whether people can write the record down: they have no words for some of the extreme values here."""
    try:
        write_event(name, record)
    except Exception:  # noqa: BLE001  the reason does not matter
        return False
    return True


@pytest.mark.parametrize("name", STORED)
def test_the_envelope_and_the_subjects_are_columns(name: str) -> None:
    draw = random.Random(name)
    for _ in range(30):
        record = any_record(name, draw)
        row = row_of(name, record)
        assert row["event_type"] == name
        assert row["category"] == CATEGORY_OF[name]
        plain = contracts().decode(contracts().encode(name, record))[1]
        for field in (
            "event_id",
            "company",
            "account_id",
            "region",
            "source",
            "actor_id",
            "actor_role",
            "correlation_id",
        ):
            assert row[field] == plain[field]
        for subject in SUBJECTS:
            other = {"subject_type": "entity_type", "subject_id": "entity_id"}.get(subject, subject)
            assert row[subject] == (record.get(subject) or record.get(other) or "")


@pytest.mark.parametrize("name", STORED)
def test_the_payload_is_the_written_form_of_the_event(name: str) -> None:
    draw = random.Random(name)
    compared = 0
    for _ in range(150):
        record = any_record(name, draw)
        if not is_writable(name, record):
            continue
        written = {key: value for key, value in write_event(name, record).items() if key not in {*ENVELOPE, "event"}}
        payload = json.loads(row_of(name, record)["payload"])
        assert payload == json.loads(json.dumps({key: value for key, value in written.items() if value is not None}))
        compared += 1
    assert compared > 1, "too few of the samples can be written"


def test_every_event_has_a_category() -> None:
    assert set(CATEGORY_OF) >= set(STORED)


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [
        ("EUR", 1250, Decimal("12.5")),
        ("JPY", 1250, Decimal(1250)),
        ("KWD", 1250, Decimal("1.25")),
        ("CLF", 1250, Decimal("0.125")),
        ("EUR", -1, Decimal("-0.01")),
        ("EUR", 2**63 - 1, Decimal("92233720368547758.07")),
        ("XXX", 1250, None),
    ],
)
def test_the_amount_has_the_decimals_of_its_currency(currency: str, minor: int, amount: Decimal | None) -> None:
    draw = random.Random(1)
    record = {**any_record("PaymentReceived", draw), "currency": currency, "amount_minor": minor}
    row = row_of("PaymentReceived", record)
    if amount is None:
        assert row["amount"] is None
        assert json.loads(row["payload"])["amount_minor"] == minor, "nothing is guessed"
    else:
        assert row["amount"] == amount


@pytest.mark.parametrize(
    ("minor", "scale", "amount"),
    [(100_001, 4, Decimal("10.0001")), (10, 0, Decimal(10)), (1_000_000, 6, Decimal(1)), (1, 6, None), (5, 99, None)],
)
def test_an_amount_without_a_currency_has_its_own_scale(minor: int, scale: int, amount: Decimal | None) -> None:
    record = {**any_record("DisputeOpened", random.Random(1)), "amount_minor": minor, "amount_scale": scale}
    assert row_of("DisputeOpened", record)["amount"] == amount


@pytest.mark.parametrize("name", ["InvoiceIssued", "RemittanceReceived", "UserActivityLogged", "PromiseMade"])
def test_bytes_that_are_cut_off_or_damaged_never_hang_or_break_the_reader(name: str) -> None:
    """They become a refusal here or, where they still look like a row, in the store."""
    draw = random.Random(7)
    transcode = transcoder(name)
    refused = 0
    for _ in range(300):
        value = contracts().encode(name, any_record(name, draw))
        spoiled = bytearray(value[: draw.randint(5, len(value))])
        for _ in range(draw.randint(0, 3)):
            if len(spoiled) > 5:
                spoiled[draw.randrange(5, len(spoiled))] = draw.randrange(256)
        try:
            transcode(bytes(spoiled))
        except (IndexError, ValueError, OverflowError):
            refused += 1
    assert refused > 50
