"""API keys: only hashes at rest, valid while they should be, noticed when they change."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sources.errors import SourceError
from sources.http.keys import KeyFile, KeyRing

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON
        self.seconds = 0.0

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.seconds += timedelta(**span).total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> KeyFile:
    return KeyFile(tmp_path / "keys" / "api-keys.json", lambda: clock.now)


@pytest.fixture
def ring_of(file: KeyFile, clock: Clock) -> Callable[[], KeyRing]:
    return lambda: KeyRing(file, lambda: clock.seconds)


def test_a_key_is_found_by_its_text_and_by_nothing_else(file: KeyFile, ring_of: Callable[[], KeyRing]) -> None:
    key, text = file.create("shop", ["events:write"], ["FR01"])
    ring = ring_of()
    assert ring.find(text, NOON) == key
    last = "B" if text[-1] != "B" else "C"
    for wrong in (
        "",
        "ar",
        "ar_",
        f"ar_{key.id}_",
        f"ar_{key.id}_{key.hash}",
        text[:-1] + last,
        text + "x",
        text.upper(),
    ):
        assert ring.find(wrong, NOON) is None


def test_the_file_holds_hashes_and_is_for_its_owner_only(file: KeyFile) -> None:
    _, text = file.create("shop", ["events:write"], ["FR01"])
    assert text.split("_", 2)[2] not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_key_ends_when_it_expires(file: KeyFile, ring_of: Callable[[], KeyRing]) -> None:
    _, text = file.create("shop", ["events:write"], ["FR01"], expires_at=NOON + timedelta(days=1))
    ring = ring_of()
    assert ring.find(text, NOON + timedelta(days=1, microseconds=-1)) is not None
    assert ring.find(text, NOON + timedelta(days=1)) is None


def test_while_one_key_replaces_another_both_are_valid(
    file: KeyFile, ring_of: Callable[[], KeyRing], clock: Clock
) -> None:
    old, old_text = file.create("shop", ["events:write"], ["FR01", "US01"], events_per_second=50)
    new, new_text = file.rotate(old.id, timedelta(days=7))
    assert (new.scopes, new.companies, new.events_per_second) == (old.scopes, old.companies, 50)
    ring = ring_of()
    assert ring.find(old_text, clock.now)
    assert ring.find(new_text, clock.now)
    clock.pass_by(days=7)
    assert ring.find(old_text, clock.now) is None
    assert ring.find(new_text, clock.now)


def test_a_rotation_never_prolongs_a_key(file: KeyFile) -> None:
    old, _ = file.create("shop", ["events:write"], ["FR01"], expires_at=NOON + timedelta(days=1))
    file.rotate(old.id, timedelta(days=7))
    assert [key.expires_at for key in file.read()] == [NOON + timedelta(days=1)] * 2


def test_a_running_service_notices_changes(file: KeyFile, ring_of: Callable[[], KeyRing], clock: Clock) -> None:
    key, text = file.create("shop", ["events:write"], ["FR01"])
    ring = ring_of()
    _, later = file.create("later", ["events:write"], ["FR01"])
    file.revoke(key.id)
    clock.pass_by(seconds=1)
    assert ring.find(text, clock.now) is None
    assert ring.find(later, clock.now)


def test_a_file_that_is_spoilt_while_the_service_runs_changes_nothing(
    file: KeyFile, ring_of: Callable[[], KeyRing], clock: Clock
) -> None:
    _, text = file.create("shop", ["events:write"], ["FR01"])
    ring = ring_of()
    file.path.write_text("[{")
    clock.pass_by(seconds=5)
    assert ring.find(text, clock.now)
    with pytest.raises(SourceError, match="holds no API keys"):
        ring_of()


def test_keys_made_at_once_are_all_kept(file: KeyFile) -> None:
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            try:
                file.create(f"shop{number}", ["events:write"], ["FR01"])
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert sorted(key.name for key in file.read()) == [f"shop{number}" for number in range(4)]


@pytest.mark.parametrize(
    ("scopes", "companies", "words"),
    [
        (["events:read"], ["FR01"], "there is no scope events:read"),
        ([], ["FR01"], "may do nothing"),
        (["events:write"], [], "may do nothing"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    file: KeyFile, scopes: list[str], companies: list[str], words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        file.create("shop", scopes, companies)
    assert file.read() == []


def test_unknown_and_ended_keys_cannot_be_changed(file: KeyFile) -> None:
    key, _ = file.create("shop", ["events:write"], ["FR01"])
    file.revoke(key.id)
    with pytest.raises(SourceError, match="is revoked"):
        file.rotate(key.id, timedelta(days=1))
    with pytest.raises(SourceError, match="no API key with the id nobody"):
        file.revoke("nobody")
