"""`arrears api keys`: what is printed, once, and what is told of mistakes; and starts that must fail."""

import json
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from sources.http.keys import KeyFile, KeyRing
from tests.pipeline.cli.calls import arrears, assert_one_line

CREATE = ("api", "keys", "create", "--name", "shop", "--company", "FR01")


def test_a_key_is_printed_once_and_opens_the_door(tmp_path: Path) -> None:
    done = arrears(*CREATE, "--scope", "events:write", "--scope", "activities:write", folder=tmp_path)
    text = done.output.strip()
    ring = KeyRing(KeyFile(tmp_path / "api-keys.json"), time.monotonic)
    key = ring.find(text, datetime.now(UTC))
    assert done.code == 0
    assert key is not None
    assert (key.name, key.scopes, key.companies) == ("shop", ("events:write", "activities:write"), ("FR01",))
    listed = arrears("api", "keys", "list", folder=tmp_path)
    assert key.id in listed.output
    assert text.split("_", 2)[2] not in listed.output + done.errors


def test_programs_read_json(tmp_path: Path) -> None:
    made = json.loads(arrears(*CREATE, "--expires-days", "30", "--json", folder=tmp_path).output)
    assert made["key"].startswith(f"ar_{made['id']}_")
    rotated = json.loads(
        arrears("api", "keys", "rotate", made["id"], "--overlap-days", "1", "--json", folder=tmp_path).output
    )
    assert arrears("api", "keys", "revoke", made["id"], folder=tmp_path).code == 0
    listed = json.loads(arrears("api", "keys", "list", "--json", folder=tmp_path).output)
    assert [(key["id"], key["state"]) for key in listed] == [(made["id"], "revoked"), (rotated["id"], "valid")]
    assert all("key" not in key and "hash" not in key for key in listed)


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    assert_one_line(arrears(*CREATE, "--scope", "events:read", folder=tmp_path), "no scope events:read", "events:write")
    assert_one_line(arrears("api", "keys", "revoke", "x", folder=tmp_path), "no API key with the id x")
    (tmp_path / "api-keys.json").write_text("{}")
    assert_one_line(arrears("api", "keys", "list", folder=tmp_path), "holds no API keys")


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    half = {"ARREARS_API__TLS_CERTIFICATE_FILE": "certificate.pem"}
    assert_one_line(arrears("api", folder=tmp_path, **half), "tls_key_file belong together")
    missing = {"ARREARS_API__WEBHOOKS_FILE": "none.toml", "ARREARS_API__PORT": "0"}
    assert_one_line(arrears("api", folder=tmp_path, **missing), "none.toml cannot be read")
    tls = {**half, "ARREARS_API__TLS_KEY_FILE": "key.pem", "ARREARS_API__PORT": "0"}
    assert_one_line(arrears("api", folder=tmp_path, **tls), "certificate cannot be used", "api.tls_certificate_file")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = {"ARREARS_API__PORT": str(taken.getsockname()[1])}
        assert_one_line(arrears("api", folder=tmp_path, **port), "cannot be listened on", "api.port")
