"""`arrears api` on a real broker: what is acknowledged stands in the topics, what is wrong is refused and why."""

import contextlib
import gzip
import json
import os
import random
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from pipeline.local import KafkaBroker
from sources.http import KeyFile
from sources.http.openapi import CHANGE, INVOICE, LOGIN, PAYMENT
from tests.conftest import _delete_topics
from tests.docs.pages import DOCS, blocks
from tests.integration.door import ACTIVITIES, EVENTS, Door, answer_of
from tests.sources.http.test_provider_samples import ODD
from topics import apply, catalogue

pytestmark = pytest.mark.kafka

PREFIX = f"door{os.getpid()}."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("door")


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    """API keys by what they are for."""
    file = KeyFile(folder / "keys.json")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return {
        "shop": file.create("shop", ["events:write"], ["FR01"])[1],
        "group": file.create("group", ["events:write", "activities:write"], ["FR01", "DE01"])[1],
        "both": file.create("both", ["events:write", "activities:write"], ["FR01"])[1],
        "any": file.create("any", ["events:write"], ["*"])[1],
        "screens": file.create("screens", ["activities:write"], ["FR01"])[1],
        "slow": file.create("slow", ["events:write"], ["FR01"], events_per_second=0.5)[1],
        "expired": file.create("expired", ["events:write"], ["FR01"], expires_at=yesterday)[1],
    }


@pytest.fixture(scope="module")
def prefix(kafka: KafkaBroker) -> Iterator[str]:
    apply(AdminClient({"bootstrap.servers": kafka.bootstrap_servers}), catalogue(PREFIX))
    yield PREFIX
    _delete_topics(kafka, PREFIX)


@pytest.fixture(scope="module")
def door(kafka: KafkaBroker, folder: Path, keys: dict[str, str], prefix: str) -> Iterator[Door]:
    """The service, with limits that tests can reach."""
    assert keys
    made = Door(
        kafka.bootstrap_servers,
        prefix,
        folder,
        keys_file=folder / "keys.json",
        request_bytes_max=200_000,
        decompressed_bytes_max=400_000,
        events_per_request_max=1000,
        acknowledge_seconds_max=2,
        request_seconds_max=3,
    )
    try:
        made.start()
        yield made
        assert made.stop() == 0
    finally:
        made.kill()


def payments(name: str, count: int) -> list[dict[str, Any]]:
    return [{**PAYMENT, "event_id": f"{name}/{n}", "payment_id": f"{name}{n}"} for n in range(count)]


def test_what_is_accepted_stands_in_the_log(door: Door, keys: dict[str, str]) -> None:
    one = {name: value for name, value in payments("one", 1)[0].items() if name not in {"event_id", "company"}}
    answer = door.post(keys["shop"], one)
    assert answer.status == 202
    assert answer.document == {
        "accepted": 1,
        "rejected": 0,
        "results": [{"index": 0, "status": "accepted", "event_id": "api/FR01/PaymentReceived/one0"}],
    }
    many = payments("many", 500)
    lines = "\n".join(json.dumps(document) for document in payments("line", 3))
    packed = gzip.compress(json.dumps(payments("packed", 2)).encode())
    assert door.post(keys["any"], many).document["accepted"] == 500
    assert door.post(keys["any"], lines, content_type="application/x-ndjson").document["accepted"] == 3
    assert door.post(keys["group"], packed, content_encoding="gzip").document["accepted"] == 2
    ids = ["api/FR01/PaymentReceived/one0", *(f"many/{n}" for n in range(500)), "line/0", "line/1", "line/2"]
    assert set(map(tuple, door.by_id([*ids, "packed/0", "packed/1"]).values())) == {("PaymentReceived",)}
    (record,) = [record for _, record in door.records() if record["event_id"] == ids[0]]
    assert (record["company"], record["source"], record["actor_id"]) == ("FR01", "api", "shop")


def test_the_page_shows_what_is_sent_and_answered(door: Door, keys: dict[str, str]) -> None:
    shown = [json.loads(block.text) for block in blocks(DOCS / "sources" / "http-api.md") if block.language == "json"]
    assert len(shown) == 6
    for request, answer in zip(shown[::2], shown[1::2], strict=True):
        is_activity = isinstance(request, list) and "action" in request[0]
        told = door.post(keys["both"], request, ACTIVITIES if is_activity else EVENTS)
        assert told.status == (207 if answer["rejected"] else 202)
        assert told.document == answer


def test_sending_again_gives_the_same_ids(door: Door, keys: dict[str, str]) -> None:
    document = {name: value for name, value in INVOICE.items() if name != "event_id"}
    ids = {door.post(keys["shop"], document).document["results"][0]["event_id"] for _ in range(3)}
    assert ids == {"api/FR01/InvoiceIssued/invoice/I1"}


def test_what_is_bad_is_told_item_by_item_and_kept(door: Door, keys: dict[str, str]) -> None:
    good, other = payments("mixed", 2)
    bad = {**payments("bad", 1)[0], "amount": "12.345"}
    answer = door.post(keys["shop"], [good, bad, "text", {**other, "event": "ClockTicked"}, other])
    assert answer.status == 207
    told = [(r["index"], r["status"], r.get("reason"), r.get("field")) for r in answer.document["results"]]
    assert told == [
        (0, "accepted", None, None),
        (1, "rejected", "invalid_amount", "amount"),
        (2, "rejected", "malformed_json", None),
        (3, "rejected", "unknown_event", "event"),
        (4, "accepted", None, None),
    ]
    failed = [record for _, record in door.records("ar.failed") if record["topic"] == EVENTS]
    kept = {record["offset"]: (record["reason"], json.loads(record["original_value"])) for record in failed}
    assert kept[2] == ("invalid_amount", bad)
    assert kept[3] == ("malformed_json", "text")


def test_when_nothing_is_taken_it_is_a_problem(door: Door, keys: dict[str, str]) -> None:
    answer = door.post(keys["shop"], {**PAYMENT, "currency": "XXX"})
    assert answer.problem == (422, "all_rejected")
    assert answer.document["results"][0]["reason"] == "invalid_amount"


def test_card_numbers_are_masked_before_anything_is_published(door: Door, keys: dict[str, str]) -> None:
    document = {**payments("masked", 1)[0], "payer_reference": "card 4111 1111 1111 1111"}
    assert door.post(keys["shop"], [document, {**document, "amount": "x"}]).status == 207
    (record,) = [record for _, record in door.records() if record["event_id"] == "masked/0"]
    assert "1111 1111" not in str(record["payer_reference"])
    assert all(b"4111 1111" not in record["original_value"] for _, record in door.records("ar.failed"))


@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [
        (None, 401, "not_authenticated"),
        ("ar_0123456789ab_nothing", 401, "not_authenticated"),
        ("expired", 401, "not_authenticated"),
        ("screens", 403, "missing_scope"),
    ],
)
def test_who_may_not_is_told_so(door: Door, keys: dict[str, str], key: str | None, status: int, reason: str) -> None:
    answer = door.post(keys.get(key or "", key), PAYMENT)
    assert answer.problem == (status, reason)
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_an_event_of_another_company_refuses_the_whole_request(door: Door, keys: dict[str, str]) -> None:
    own, foreign = payments("foreign", 2)
    for key, company in (("shop", "US01"), ("group", "US01")):
        answer = door.post(keys[key], [own, {**foreign, "company": company}])
        assert answer.problem == (403, "other_company")
    assert door.by_id(["foreign/0", "foreign/1"]) == {"foreign/0": [], "foreign/1": []}
    assert door.post(keys["group"], {**payments("german", 1)[0], "company": "DE01"}).status == 202


def test_a_key_that_is_revoked_is_refused_within_a_second(door: Door, keys: dict[str, str], folder: Path) -> None:
    assert keys
    file = KeyFile(folder / "keys.json")
    key, text = file.create("short", ["events:write"], ["FR01"])
    deadline = time.monotonic() + 10
    while door.post(text, PAYMENT).status != 202:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    file.revoke(key.id)
    while door.post(text, PAYMENT).status != 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_sizes_and_forms_that_are_refused(door: Door, keys: dict[str, str]) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b" " * 10_000

    shop = keys["shop"]
    assert door.post(shop, b" " * 300_000).problem == (413, "too_large")
    assert door.post(shop, endless()).problem == (413, "too_large")
    bomb = gzip.compress(bytes(100_000_000), 9)
    assert door.post(shop, bomb, content_encoding="gzip").problem == (413, "too_large")
    assert door.post(shop, b"[" * 90_000).problem == (400, "malformed_json")
    assert door.post(shop, b'{"a":' * 30_000 + b"1" + b"}" * 30_000).problem == (400, "malformed_json")
    assert door.post(shop, [{}] * 1001).problem == (413, "too_many_events")
    assert door.post(shop, b"<Document/>", content_type="application/xml").problem == (415, "unknown_content_type")
    assert door.post(shop, b"x", content_encoding="br").problem == (415, "unknown_encoding")
    assert door.ask("GET", EVENTS).problem == (405, "method_not_allowed")
    assert door.ask("GET", "/v2/events").problem == (404, "not_found")
    assert door.post(shop, payments("after", 1)).status == 202


def test_nothing_that_is_sent_is_a_defect(door: Door, keys: dict[str, str]) -> None:
    """Spoilt bytes, and values where others belong: taken or refused, never 500."""
    drawn = random.Random(5)
    right = [PAYMENT, INVOICE, {**LOGIN, "event": "UserActivityLogged"}, {**CHANGE, "event": "UserActivityLogged"}]
    for _ in range(150):
        document = json.loads(json.dumps(drawn.choice(right)))
        for _ in range(drawn.randint(1, 3)):
            document[drawn.choice([*document, "surprise", "event_id"])] = drawn.choice(ODD)
        body = bytearray(json.dumps(drawn.choice([document, [document, PAYMENT], [[document]]])).encode())
        if drawn.random() < 0.3:
            body[drawn.randrange(len(body))] = drawn.randrange(256)
        kind = drawn.choice(["application/json", "application/x-ndjson"])
        answer = door.post(keys["group"], bytes(body), drawn.choice([EVENTS, ACTIVITIES]), content_type=kind)
        assert answer.status in {202, 207, 400, 403, 422}, (bytes(body), answer)


def test_heads_that_are_endless_or_do_not_end(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), 10) as endless:
        endless.sendall(b"POST /v1/events HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(100_000):
                endless.sendall(b"X-Header-%d: %s\r\n" % (number, b"x" * 1000))
        with contextlib.suppress(ConnectionResetError):
            assert endless.recv(100).startswith(b"HTTP/1.1 431 ")
    with socket.create_connection(("127.0.0.1", door.port), 10) as silent:
        assert silent.recv(100) == b""
    with socket.create_connection(("127.0.0.1", door.port), 10) as silent:
        silent.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\n")
        told = HTTPResponse(silent)
        told.begin()
        assert answer_of(told).problem == (408, "request_timeout")
        assert silent.recv(100) == b""


def test_a_key_has_its_share_and_waits_for_more(door: Door, keys: dict[str, str]) -> None:
    assert door.post(keys["slow"], payments("slow", 3)).status == 202
    answer = door.post(keys["slow"], payments("slow", 1))
    assert answer.problem == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert door.post(keys["shop"], payments("slow", 1)).status == 202


def test_what_users_did_is_logged(door: Door, keys: dict[str, str]) -> None:
    assert door.post(keys["shop"], LOGIN, ACTIVITIES).problem == (403, "missing_scope")
    answer = door.post(keys["screens"], [LOGIN, CHANGE], ACTIVITIES)
    assert answer.status == 202
    ids = [result["event_id"] for result in answer.document["results"]]
    assert [set(names) for names in door.by_id(ids).values()] == [{"UserActivityLogged"}] * 2
    assert door.post(keys["screens"], PAYMENT, ACTIVITIES).problem == (422, "all_rejected")


def test_the_page_describes_what_is_served_and_its_examples_are_taken(door: Door, keys: dict[str, str]) -> None:
    page = door.ask("GET", "/openapi.json").document
    assert {f"{EVENTS}", f"{ACTIVITIES}", "/v1/webhooks/stripe", "/healthz"} <= set(page["paths"])
    for path in (EVENTS, ACTIVITIES):
        operation = page["paths"][path]["post"]
        assert {"202", "207", "401", "403", "413", "422", "429", "503"} <= set(operation["responses"])
        for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
            assert door.post(keys["group"], example["value"], path).status == 202
    assert door.ask("GET", "/docs").status == 200


def test_a_provider_that_is_not_set_up_is_told_so(door: Door) -> None:
    assert door.ask("POST", "/v1/webhooks/stripe", {}).problem == (404, "no_endpoint")


def test_requests_are_counted(door: Door, keys: dict[str, str]) -> None:
    series = 'arrears_api_requests_total{path="/v1/events",status="202"}'
    before = door.metric(series)
    door.post(keys["shop"], payments("counted", 1))
    assert door.metric(series) == before + 1
    assert door.metric("arrears_api_broker_reachable") == 1


def test_without_a_broker_it_says_so_and_goes_on_when_it_is_back(
    door: Door, keys: dict[str, str], kafka: KafkaBroker
) -> None:
    kafka.stop()
    try:
        answer = door.post(keys["shop"], payments("lost", 1))
        assert answer.problem == (503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
        assert door.ask("GET", "/readyz").status == 503
        assert door.ask("GET", "/healthz").status == 200
    finally:
        kafka.start()
    deadline = time.monotonic() + 30
    while (answer := door.post(keys["shop"], payments("back", 1))).status != 202:
        assert answer.problem[0] == 503
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert door.by_id(["back/0"])["back/0"]


def test_what_is_under_way_is_answered_before_the_end(
    kafka: KafkaBroker, folder: Path, keys: dict[str, str], prefix: str
) -> None:
    """Two processes, TLS, pages of another origin; and SIGTERM while sixteen clients send."""
    certificate = make_certificate(folder)
    made = Door(
        kafka.bootstrap_servers,
        prefix,
        folder,
        keys_file=folder / "keys.json",
        processes=2,
        tls_certificate_file=certificate,
        tls_key_file=folder / "key.pem",
        cors_origins="https://screens.example, https://other.example",
    )
    made.tls = ssl.create_default_context(cafile=str(certificate))
    answered: list[str] = []
    ending = threading.Event()

    def send(number: int) -> None:
        turn = 0
        while not ending.is_set():
            turn += 1
            try:
                answer = made.post(keys["shop"], payments(f"end{number}-{turn}", 1))
            except OSError:
                return  # nobody listens any more
            if answer.status == 202:
                answered.append(f"end{number}-{turn}/0")

    try:
        made.start()
        asked = made.ask("OPTIONS", EVENTS, origin="https://screens.example", access_control_request_method="POST")
        assert asked.headers["access-control-allow-origin"] == "https://screens.example"
        refused = made.ask("OPTIONS", EVENTS, origin="https://evil.example", access_control_request_method="POST")
        assert "access-control-allow-origin" not in refused.headers
        with ThreadPoolExecutor(16) as clients:
            running = [clients.submit(send, number) for number in range(16)]
            while len(answered) < 50:
                assert not any(one.done() and one.exception() for one in running)
                time.sleep(0.01)
            assert made.stop() == 0
            ending.set()
        missing = [event_id for event_id, names in made.by_id(answered).items() if not names]
        assert missing == []
    finally:
        ending.set()
        made.kill()


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else trusts."""
    certificate = folder / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *kind, *subject, *files], check=True, capture_output=True)
    return certificate
