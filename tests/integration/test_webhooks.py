"""Webhooks of payment providers on a real broker: who signed, what comes of it, and what a replay does."""

import base64
import copy
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from pipeline.local import KafkaBroker
from tests.conftest import _delete_topics
from tests.integration.door import Answer, Door
from tests.sources.http.test_provider_samples import RESOURCES, SAMPLES
from tests.sources.http.test_signatures import ADYEN_KEY, GOCARDLESS_SECRET, STRIPE_SECRET
from topics import apply, catalogue

pytestmark = pytest.mark.kafka

PREFIX = f"hooks{os.getpid()}."
OF_US01 = "whsec_of_us01"
ENDPOINTS = """
[[endpoint]]
provider = "stripe"
company = "FR01"
secrets = ["{stripe}", "whsec_next"]

[[endpoint]]
provider = "stripe"
company = "US01"
secrets = ["whsec_of_us01"]
access_token = "token"
api_url = "{api}"

[[endpoint]]
provider = "gocardless"
company = "FR01"
secrets = ["{gocardless}"]
access_token = "token"
api_url = "{api}"

[[endpoint]]
provider = "adyen"
company = "FR01"
secrets = ["{adyen}"]
user = "adyen"
password = "word"
"""


class ProviderApi(BaseHTTPRequestHandler):
    """The providers' APIs, as far as they are asked: GET /payments/ID, /refunds/ID, /v1/charges/ID."""

    def do_GET(self) -> None:
        is_stripe = self.path.startswith("/v1/")
        resource, _, resource_id = self.path.removeprefix("/v1").strip("/").partition("/")
        found = RESOURCES.get((resource, resource_id))
        status = 200 if found else 500 if resource_id == "PM00DOWN" else 404
        if self.headers["Authorization"] != "Bearer token" or not (is_stripe or self.headers["GoCardless-Version"]):
            status = 401
        body = json.dumps(found if is_stripe else {resource: found}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def door(kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("hooks")
    apply(AdminClient({"bootstrap.servers": kafka.bootstrap_servers}), catalogue(PREFIX))
    server = ThreadingHTTPServer(("127.0.0.1", 0), ProviderApi)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = f"http://127.0.0.1:{server.server_address[1]}"
    file = folder / "webhooks.toml"
    file.write_text(ENDPOINTS.format(stripe=STRIPE_SECRET, gocardless=GOCARDLESS_SECRET, adyen=ADYEN_KEY, api=api))
    made = Door(kafka.bootstrap_servers, PREFIX, folder, webhooks_file=file, acknowledge_seconds_max=5)
    try:
        made.start()
        yield made
        assert made.stop() == 0
    finally:
        made.kill()
        server.shutdown()
        server.server_close()
        _delete_topics(kafka, PREFIX)


def sample(provider: str, name: str) -> Any:
    return json.loads((SAMPLES / provider / f"{name}.json").read_text(encoding="utf-8"))


def renamed(delivery: Any, old: str, new: str) -> Any:
    """The same delivery about another object."""
    return json.loads(json.dumps(delivery).replace(old, new))


def from_stripe(door: Door, event: Any, secret: str = STRIPE_SECRET, *, age: int = 0, body: bytes = b"") -> Answer:
    at = int(time.time()) - age
    content = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), f"{at}.".encode() + content, hashlib.sha256).hexdigest()
    return door.ask("POST", "/v1/webhooks/stripe", body or content, stripe_signature=f"t={at},v1={signature}")


def from_gocardless(door: Door, delivery: Any, secret: str = GOCARDLESS_SECRET) -> Answer:
    content = json.dumps(delivery).encode()
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return door.ask("POST", "/v1/webhooks/gocardless", content, webhook_signature=signature)


def from_adyen(door: Door, delivery: Any, *, user: str = "adyen:word", spoil: str = "") -> Answer:
    signed = copy.deepcopy(delivery)
    for one in signed["notificationItems"]:
        item = one["NotificationRequestItem"]
        fields = [item["pspReference"], item.get("originalReference", ""), item["merchantAccountCode"]]
        fields += [item["merchantReference"], str(item["amount"]["value"]), item["amount"]["currency"]]
        text = ":".join([*fields, item["eventCode"], item["success"]])
        digest = hmac.new(bytes.fromhex(ADYEN_KEY), text.encode(), hashlib.sha256).digest()
        item["additionalData"]["hmacSignature"] = base64.b64encode(digest).decode()
        if spoil:
            item["merchantReference"] = spoil
    authorization = "Basic " + base64.b64encode(user.encode()).decode()
    return door.ask("POST", "/v1/webhooks/adyen", signed, authorization=authorization, content_type="application/json")


def of_payment(door: Door, payment_id: str) -> list[str]:
    """The events that name a payment, in the order of their ids."""
    found = [(record["event_id"], name) for name, record in door.records() if record.get("payment_id") == payment_id]
    return [name for _, name in sorted(found)]


def test_a_payment_is_cash_identified_and_explained_and_a_replay_has_the_same_ids(door: Door) -> None:
    event = sample("stripe", "charge_succeeded")
    payment = event["data"]["object"]["id"]
    assert from_stripe(door, event).status == 200
    assert of_payment(door, payment) == ["PaymentIdentified", "PaymentReceived", "RemittanceReceived"]
    assert from_stripe(door, event, "whsec_next").status == 200
    ids = [record["event_id"] for _, record in door.records() if record.get("payment_id") == payment]
    assert len(ids) == 2 * len(set(ids)) == 6


def test_what_is_signed_wrongly_or_was_long_ago_is_refused(door: Door) -> None:
    event = renamed(sample("stripe", "charge_succeeded"), "ch_", "forged_")
    payment = event["data"]["object"]["id"]
    assert from_stripe(door, event, "whsec_guessed").problem == (401, "wrong_signature")
    assert from_stripe(door, event, body=b'{"id":"evt"}').problem == (401, "wrong_signature")
    answer = from_stripe(door, event, age=3600)
    assert answer.problem == (401, "too_old")
    assert "seconds ago" in answer.document["detail"]
    assert door.ask("POST", "/v1/webhooks/stripe", event).problem == (401, "wrong_signature")
    assert from_gocardless(door, sample("gocardless", "payments_paid_out"), "other").problem == (401, "wrong_signature")
    assert of_payment(door, payment) == []


def test_the_secret_says_whose_cash_it_is(door: Door) -> None:
    event = renamed(sample("stripe", "charge_succeeded"), "ch_", "us_")
    assert from_stripe(door, event, OF_US01).status == 200
    companies = {
        record["company"] for _, record in door.records() if record.get("payment_id") == event["data"]["object"]["id"]
    }
    assert companies == {"US01"}


def test_a_part_that_is_disputed_leaves_the_rest(door: Door) -> None:
    event = sample("stripe", "dispute_of_a_part_funds_withdrawn")
    assert from_stripe(door, event, OF_US01).status == 200
    charge = event["data"]["object"]["charge"]
    rest = f"{charge}/after/{event['data']['object']['id']}"
    assert of_payment(door, charge) == ["PaymentReversed"]
    assert of_payment(door, rest) == ["PaymentIdentified", "PaymentReceived"]
    unknown = renamed(event, charge, "ch_nobody_knows")
    assert from_stripe(door, unknown, OF_US01).status == 200
    assert of_payment(door, "ch_nobody_knows") == ["PaymentReversed"]


def test_amounts_of_gocardless_are_asked_for(door: Door) -> None:
    assert from_gocardless(door, sample("gocardless", "payments_submitted_and_confirmed")).status == 200
    assert from_gocardless(door, sample("gocardless", "payments_failed_late")).status == 200
    events = of_payment(door, "PM00123ABC")
    assert set(events) == {"PaymentReceived", "PaymentIdentified", "RemittanceReceived", "PaymentReversed"}
    down = renamed(sample("gocardless", "payments_submitted_and_confirmed"), "PM00123ABC", "PM00DOWN")
    answer = from_gocardless(door, down)
    assert answer.problem == (503, "provider_unavailable")
    assert answer.headers["retry-after"] == "30"


def test_what_cannot_be_mapped_is_kept_and_not_sent_again_for_ever(door: Door) -> None:
    delivery = sample("gocardless", "payments_unknown_to_the_api")
    series = 'arrears_api_webhook_events_total{outcome="rejected",provider="gocardless"}'
    before = door.metric(series)
    assert from_gocardless(door, delivery).status == 200
    assert door.metric(series) == before + 1
    failed = [json.loads(record["original_value"]) for _, record in door.records("ar.failed")]
    assert delivery["events"][0] in failed
    assert of_payment(door, "PM00NOTTHERE") == []


def test_unknown_kinds_are_answered_and_counted(door: Door) -> None:
    series = 'arrears_api_webhook_events_total{outcome="skipped",provider="stripe"}'
    before = door.metric(series)
    assert from_stripe(door, sample("stripe", "customer_updated")).status == 200
    assert door.metric(series) == before + 1


def test_what_a_test_mode_sends_is_no_cash(door: Door) -> None:
    event = {**renamed(sample("stripe", "charge_succeeded"), "ch_", "test_"), "livemode": False}
    assert from_stripe(door, event).status == 200
    delivery = {**renamed(sample("adyen", "capture"), "NC6HT9CRT65ZGN82", "TESTTESTTEST0001"), "live": "false"}
    assert from_adyen(door, delivery).status == 200
    assert of_payment(door, event["data"]["object"]["id"]) == of_payment(door, "TESTTESTTEST0001") == []


def test_adyen_gets_the_answer_that_it_expects(door: Door) -> None:
    answer = from_adyen(door, sample("adyen", "capture"))
    assert (answer.status, answer.body) == (200, b"[accepted]")
    assert len(of_payment(door, "NC6HT9CRT65ZGN82")) == 3
    assert from_adyen(door, sample("adyen", "chargeback"), user="adyen:wrong").problem == (401, "wrong_signature")
    assert from_adyen(door, sample("adyen", "chargeback"), spoil="I2").problem == (401, "wrong_signature")
    assert from_adyen(door, {"live": "true", "notificationItems": []}).problem == (400, "no_events")
    assert "PaymentReversed" not in of_payment(door, "NC6HT9CRT65ZGN82")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 90_000, b'{"events": [1]}'])
def test_bodies_that_are_no_deliveries(door: Door, body: bytes) -> None:
    signature = hmac.new(GOCARDLESS_SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = door.ask("POST", "/v1/webhooks/gocardless", body, webhook_signature=signature)
    assert answer.problem == (400, "malformed_json")


def test_too_much_is_refused_before_it_is_read(door: Door) -> None:
    answer = door.ask("POST", "/v1/webhooks/stripe", b"x", content_length=str(2**20 + 1), stripe_signature="t=1,v1=x")
    assert answer.problem == (413, "too_large")
