"""What providers send → events, by golden files: a delivery (JSON) and the events that come of it (JSON Lines).

``python -m tests.sources.http.test_provider_samples`` writes what comes out now; read the difference before it stays.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro.text import write_event
from sources.http.webhooks import adyen, gocardless, stripe
from sources.http.webhooks.mapped import Mapped, UnmappableError
from sources.http.webhooks.registry import Endpoint
from sources.intake import Intake, RefusedError, SourceOptions
from sources.values import Position

SAMPLES = Path(__file__).parent / "samples"
DELIVERIES = sorted(SAMPLES.rglob("*.json"))
NOW = datetime(2026, 6, 1, tzinfo=UTC)
# What the providers' own APIs say of the resources that the samples name.
RESOURCES: dict[tuple[str, str], Mapping[str, Any]] = {
    ("payments", "PM00123ABC"): {
        "id": "PM00123ABC",
        "amount": 10000,
        "amount_refunded": 0,
        "charge_date": "2026-03-27",
        "currency": "EUR",
        "description": "Invoice I1",
        "reference": "EXEMPLE-I1",
        "status": "confirmed",
        "links": {"mandate": "MD000AMA19XGEC", "creditor": "CR000001"},
        "metadata": {"account_id": "C1", "invoice_id": "I1"},
    },
    ("charges", "ch_3R7yQ2LkdIwHu7ix1xYz0010"): {
        "id": "ch_3R7yQ2LkdIwHu7ix1xYz0010",
        "amount": 10000,
        "amount_captured": 10000,
        "captured": True,
        "created": 1774857590,
        "currency": "eur",
        "metadata": {"account_id": "C1", "invoice_id": "I1"},
    },
    ("refunds", "RF0001AAA"): {
        "id": "RF0001AAA",
        "amount": 2550,
        "currency": "EUR",
        "links": {"payment": "PM00123ABC", "mandate": "MD000AMA19XGEC"},
        "metadata": {},
        "reference": None,
    },
}


async def details(resource: str, resource_id: str) -> Mapping[str, Any]:
    found = RESOURCES.get((resource, resource_id))
    if found is None:
        raise UnmappableError("unknown_document", "links", f"GoCardless has no {resource} {resource_id}")
    return found


def mapped(provider: str, delivery: Mapping[str, Any]) -> Iterator[Mapped | UnmappableError]:
    endpoint = Endpoint(provider=provider, company="FR01", secrets=("00",))  # type: ignore[arg-type]
    naming = endpoint.naming
    events = delivery.get("events") or [delivery]
    if provider == "adyen":
        events = [item["NotificationRequestItem"] for item in delivery["notificationItems"]]
    for event in events:
        try:
            if provider == "stripe":
                charge = RESOURCES.get(("charges", stripe.charge_to_ask_for(event) or ""))
                yield stripe.map_event(event, naming, charge)
            elif provider == "adyen":
                yield adyen.map_item(event, naming, "capture")
            else:
                yield asyncio.run(gocardless.map_event(event, naming, details))
        except UnmappableError as error:
            yield error


def outcome(path: Path) -> list[dict[str, Any]]:
    """The events of a delivery as they are published, in the order in which they are sent."""
    provider = path.parent.name
    intake = Intake(SourceOptions(company="FR01", now=lambda: NOW), provider)
    lines: list[dict[str, Any]] = []
    for one in mapped(provider, json.loads(path.read_text(encoding="utf-8"))):
        if isinstance(one, UnmappableError):
            lines.append({"rejected": one.reason, "field": one.field, "message": one.message})
            continue
        if one.is_skipped:
            lines.append({"skipped": True})
        for wave, documents in enumerate((one.first, one.then), start=1):
            for document in documents:
                event = intake.event(document, Position(path.name, 1))
                lines.append({"wave": wave, **write_event(event.name, event.record)})
    return lines


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_delivery_becomes_these_events(path: Path) -> None:
    golden = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    assert outcome(path) == [json.loads(line) for line in golden]


def test_every_kind_of_outcome_is_among_the_samples() -> None:
    kinds = {
        line.get("event") or next(iter(line.keys() & {"skipped", "rejected"}))
        for path in DELIVERIES
        for line in map(json.loads, path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines())
    }
    assert kinds == {
        "PaymentReceived", "PaymentIdentified", "RemittanceReceived", "PaymentReversed", "PaymentRefunded",
        "DisputeOpened", "DisputeResolved", "UserActivityLogged", "skipped", "rejected",
    }  # fmt: skip


def test_charge_and_intent_are_one_payment() -> None:
    def ids(name: str) -> list[str]:
        return [line["event_id"] for line in outcome(SAMPLES / "stripe" / f"{name}.json")]

    assert ids("charge_succeeded") == ids("payment_intent_succeeded")


def test_a_delivery_again_gives_the_same_ids() -> None:
    for path in DELIVERIES:
        assert outcome(path) == outcome(path)


def test_where_authorisations_are_the_cash_captures_are_not() -> None:
    naming = Endpoint(provider="adyen", company="FR01", secrets=("00",)).naming
    items = {
        name: json.loads((SAMPLES / "adyen" / f"{name}.json").read_text())["notificationItems"][0][
            "NotificationRequestItem"
        ]
        for name in ("authorisation", "capture")
    }
    assert adyen.map_item(items["authorisation"], naming, "capture").is_skipped
    assert adyen.map_item(items["capture"], naming, "authorisation").is_skipped
    by_authorisation = adyen.map_item(items["authorisation"], naming, "authorisation")
    by_capture = adyen.map_item(items["capture"], naming, "capture")
    assert by_authorisation.first[0]["payment_id"] == by_capture.first[0]["payment_id"]


@pytest.mark.parametrize(("refunded", "rest"), [(0, ["60.00"]), (1000, ["50.00"]), (6000, []), (None, [])])
def test_of_a_disputed_charge_the_rest_that_was_not_refunded_stays(refunded: int | None, rest: list[str]) -> None:
    event = json.loads((SAMPLES / "stripe" / "dispute_of_a_part_funds_withdrawn.json").read_text())
    charge = {**RESOURCES["charges", "ch_3R7yQ2LkdIwHu7ix1xYz0010"], "amount_refunded": refunded}
    mapped = stripe.map_event(event, Endpoint(provider="stripe", company="FR01", secrets=("x",)).naming, charge)
    assert mapped.first[0]["event"] == "PaymentReversed"
    assert [document["amount"] for document in mapped.first if document["event"] == "PaymentReceived"] == rest


@pytest.mark.parametrize("amount", [None, "100", 1.5, True])
def test_an_amount_that_is_no_whole_number_is_refused(amount: object) -> None:
    path = SAMPLES / "stripe" / "charge_succeeded.json"
    event = json.loads(path.read_text())
    event["data"]["object"]["amount_captured"] = amount
    with pytest.raises(UnmappableError, match="not a whole number"):
        stripe.map_event(event, Endpoint(provider="stripe", company="FR01", secrets=("x",)).naming)


def test_what_is_mapped_still_meets_the_checks_of_all_sources() -> None:
    path = SAMPLES / "stripe" / "charge_krona_of_iceland.json"
    event = json.loads(path.read_text())
    event["data"]["object"] |= {"amount": 50050, "amount_captured": 50050}
    document = stripe.map_event(event, Endpoint(provider="stripe", company="FR01", secrets=("x",)).naming).first[0]
    assert (document["amount"], document["currency"]) == ("500.50", "ISK")
    with pytest.raises(RefusedError, match="no decimals"):
        Intake(SourceOptions(company="FR01"), "stripe").event(document, Position("x", 1))


ODD = [
    None,
    "",
    "x",
    0,
    -1,
    10**30,
    1.5,
    True,
    False,
    [],
    [1],
    {},
    {"id": 1},
    "2026-03-30T08:00:00Z",
    "0000-00-00",
    "EUR",
    "eur",
]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values stand in a document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_provider_sends_becomes_events_or_a_refusal(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(DELIVERIES))
    delivery = json.loads(path.read_text(encoding="utf-8"))
    inside = [place for place in places(delivery) if place[0] not in {"events", "notificationItems"} or len(place) > 3]
    for place in data.draw(st.lists(st.sampled_from(inside), min_size=1, max_size=3)):
        holder: Any = delivery
        try:
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = data.draw(st.sampled_from(ODD))
        except (KeyError, IndexError, TypeError):
            continue  # a place inside something that was changed before
    intake = Intake(SourceOptions(company="FR01", now=lambda: NOW), path.parent.name)
    for one in mapped(path.parent.name, delivery):
        if isinstance(one, Mapped):
            for document in (*one.first, *one.then):
                with contextlib.suppress(RefusedError):
                    intake.event(document, Position(path.name, 1))


def _write() -> None:
    for path in DELIVERIES:
        lines = [json.dumps(line, ensure_ascii=False) for line in outcome(path)]
        path.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
