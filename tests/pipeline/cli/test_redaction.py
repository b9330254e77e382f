"""What the settings say of redaction holds for the command line, also where nothing is sent."""

import json
from pathlib import Path

from tests.pipeline.cli.calls import arrears, assert_one_line
from tests.sources.watch.inbox import lines

CONTACT = {
    "event": "ContactAttempted", "occurred_at": "2026-03-01T09:00:00Z", "account_id": "C1", "activity_id": "T1",
    "channel": "call", "direction": "out", "outcome": "reached", "note": "card 4111 1111 1111 1111",
}  # fmt: skip
WORDS = ("ingest", "a.jsonl", "--as", "jsonl", "--company", "FR01", "--dry-run")


def test_a_dry_run_masks_by_default_and_obeys_the_settings(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines(CONTACT))
    done = arrears(*WORDS, folder=tmp_path)
    assert (done.code, json.loads(done.output)["note"]) == (0, "card **** **** **** 1111")
    off = arrears(*WORDS, folder=tmp_path, ARREARS_REDACTION__MASK_NUMBERS="false")
    assert json.loads(off.output)["note"] == CONTACT["note"]
    (tmp_path / "arrears.toml").write_text(
        '[redaction.fields]\n"ContactAttempted.note" = "drop"\n"*.outcome" = "mask"\n'
    )
    event = json.loads(arrears(*WORDS, folder=tmp_path).output)
    assert ("note" in event, event["outcome"]) == (False, "*******")


def test_rules_may_stand_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines(CONTACT))
    rules = {"ARREARS_REDACTION__FIELDS": "*.account_id=hash, ContactAttempted.note=drop"}
    done = arrears(*WORDS, folder=tmp_path, **rules | {"ARREARS_REDACTION__HASH_SECRET": "a key"})
    event = json.loads(done.output)
    assert (event["account_id"][:5], "note" in event) == ("hmac:", False)
    assert_one_line(arrears(*WORDS, folder=tmp_path, **rules), "redaction.hash_secret is not set")
    wrong = arrears(*WORDS, folder=tmp_path, ARREARS_REDACTION__FIELDS="*.notes=drop")
    assert_one_line(wrong, "redaction.fields names *.notes", "docs/events.md")
    assert_one_line(arrears(*WORDS, folder=tmp_path, ARREARS_REDACTION__FIELDS="note"), "EVENT.FIELD=ACTION")


def test_reports_quote_nothing_that_is_masked(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines({**CONTACT, "channel": "4111 1111 1111 1111"}))
    done = arrears(*WORDS, folder=tmp_path)
    assert done.code == 1
    assert "4111" not in done.output + done.errors
    assert "**** **** **** 1111" in done.errors
