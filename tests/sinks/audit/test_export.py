"""An export proves itself to somebody who has nothing but Python, the folder and a public key."""

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sinks.audit.book import Anchor
from sinks.audit.export import export
from sinks.audit.signature import make_key, public_key, read_key
from sinks.audit.verify_export import is_signed
from sinks.errors import SinkProblem
from tests.sinks.audit.conftest import Log
from tests.sinks.copies import Source

pytestmark = pytest.mark.clickhouse

SINCE, UNTIL = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)

SIGNATURE_2 = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
SIGNATURE_3 = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_signatures_of_the_standard_are_accepted() -> None:
    """RFC 8032, section 7.1, tests 2 and 3; and one bit less is refused."""
    for key, message, signature in (
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            SIGNATURE_2,
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            SIGNATURE_3,
        ),
    ):
        parts = [bytes.fromhex(text) for text in (key, message, signature)]
        assert is_signed(*parts)
        assert not is_signed(parts[0], parts[1] + b"x", parts[2])
        assert not is_signed(parts[0], parts[1], parts[2][:-1] + b"\x01")
        assert not is_signed(parts[0], parts[1], bytes(64))


def test_a_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "audit.pem"
    public = make_key(file)
    assert public_key(read_key(file)) == public
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SinkProblem, match="there already"):
        make_key(file)
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(SinkProblem, match="no private key"):
        read_key(tmp_path / "bad.pem")


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    """A signing key."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def exported(
    sealed: tuple[Source, list[Anchor]], key: Ed25519PrivateKey, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An export of ten days."""
    folder = tmp_path_factory.mktemp("exported") / "export"
    with sealed[0].address.client() as client:
        export(client, "FR01", SINCE, UNTIL, folder, key)
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of it, which the test may damage."""
    return Path(shutil.copytree(exported, tmp_path / "export"))


def _check(folder: Path, *options: str) -> tuple[int, str]:
    """The verifier as an auditor runs it: isolated from everything that is installed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", *options],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _resign(folder: Path, key: Ed25519PrivateKey, file: str, rows: list[dict[str, Any]], **changes: object) -> None:
    """Somebody with the key writes a file anew and signs that: only the chain is left to contradict."""
    data = b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows)
    (folder / file).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) | changes
    manifest["files"][file] = {"sha256": hashlib.sha256(data).hexdigest(), "lines": len(rows)}
    text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sig").write_text(key.sign(text).hex())


def test_an_export_is_complete_and_verifies(sealed_log: Log, folder: Path, key: Ed25519PrivateKey) -> None:
    where = "company = 'FR01' AND recorded_at >= '2026-01-10' AND recorded_at < '2026-01-20'"
    events, entries = (
        int(sealed_log.client.query(f"SELECT count() FROM {table} WHERE {where}").result_rows[0][0])
        for table in ("events", "ledger_entries")
    )
    assert len(_lines(folder / "events.jsonl")) == events > 10
    assert len(_lines(folder / "ledger_entries.jsonl")) == entries
    code, words = _check(folder, "--public-key", public_key(key))
    assert (code, words) == (0, "signature, files, events and chains are right\n")
    assert "the key is the export's own" in _check(folder)[1]
    other = public_key(Ed25519PrivateKey.generate())
    assert _check(folder, "--public-key", other)[0] == 1


@pytest.mark.parametrize("file", ["events.jsonl", "chain.jsonl", "ledger_entries.jsonl", "manifest.json"])
def test_a_changed_file_is_found(folder: Path, file: str) -> None:
    text = (folder / file).read_bytes()
    (folder / file).write_bytes(text.replace(b"1", b"2", 1) if text else b"{}\n")
    code, words = _check(folder)
    assert code == 1
    assert file in words


def test_a_missing_and_an_additional_file_are_found(folder: Path) -> None:
    (folder / "chain.jsonl").unlink()
    (folder / "more.jsonl").write_text("{}\n")
    code, words = _check(folder)
    assert code == 1
    assert "chain.jsonl: is missing" in words
    assert "more.jsonl: is not in the manifest" in words


def test_whoever_has_the_key_cannot_change_an_event(folder: Path, key: Ed25519PrivateKey) -> None:
    rows = _lines(folder / "events.jsonl")
    spoiled = next(row for row in rows if row["amount"] is not None)
    spoiled["amount"] = "1.0000"
    _resign(folder, key, "events.jsonl", rows)
    code, words = _check(folder)
    assert code == 1
    assert f"event {spoiled['event_id']} is not what was sealed" in words


def test_whoever_has_the_key_cannot_leave_an_event_out(folder: Path, key: Ed25519PrivateKey) -> None:
    rows = _lines(folder / "events.jsonl")
    _resign(folder, key, "events.jsonl", rows[:5] + rows[6:])
    code, words = _check(folder)
    assert (code, words.splitlines()[0]) == (1, "1 events of the company are left out, 0 were deleted")


def test_whoever_has_the_key_cannot_add_an_event(folder: Path, key: Ed25519PrivateKey) -> None:
    rows = _lines(folder / "events.jsonl")
    _resign(folder, key, "events.jsonl", [*rows[:5], {**rows[5], "event_id": "forged"}, *rows[5:]])
    code, words = _check(folder)
    assert code == 1
    assert "forged" in words or "is not in the chain" in words


def test_whoever_has_the_key_cannot_change_the_chain(folder: Path, key: Ed25519PrivateKey) -> None:
    rows = _lines(folder / "chain.jsonl")
    _resign(folder, key, "chain.jsonl", rows[:3] + rows[4:])
    code, words = _check(folder)
    assert code == 1
    assert "does not lead to the hash at its end" in words


def test_what_is_not_sealed_is_not_exported(log: Log, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    with pytest.raises(SinkProblem, match="not sealed yet"):
        export(log.client, "FR01", SINCE, UNTIL, tmp_path / "export", key)


def test_nothing_is_overwritten(sealed_log: Log, folder: Path, key: Ed25519PrivateKey) -> None:
    with pytest.raises(SinkProblem, match="not empty"):
        export(sealed_log.client, "FR01", SINCE, UNTIL, folder, key)
