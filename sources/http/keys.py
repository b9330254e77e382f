"""API keys: made, listed, rotated, revoked; at rest only their hashes.

A key is ``ar_<id>_<secret>``. The id finds the entry, the secret is 256 bits of the operating system's randomness. A
fast hash is enough for such a secret: there is nothing to guess, as there is in a password.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from sources.errors import SourceError

Scope = Literal["events:write", "activities:write"]
SCOPES: tuple[Scope, ...] = ("events:write", "activities:write")
ALL_COMPANIES = "*"
_PREFIX = "ar"
_ID_BYTES = 6
_SECRET_BYTES = 32
logger = logging.getLogger(__name__)
_NOBODY = hashlib.sha256(secrets.token_bytes(_SECRET_BYTES)).hexdigest()


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key. `hash` is SHA-256 of the secret, in hex. `companies` may be ``["*"]``.

    `events_per_second` overrides the rate of the settings for this key; 0 = no limit.
    """

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    companies: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    events_per_second: float | None = None

    @property
    def allows_all(self) -> bool:
        """Whether it may write for every company."""
        return ALL_COMPANIES in self.companies

    @property
    def only_company(self) -> str | None:
        """The company of events that name none; None when the key has several."""
        return self.companies[0] if len(self.companies) == 1 and not self.allows_all else None

    def state(self, now: datetime) -> Literal["valid", "expired", "revoked"]:
        """Whether it may be used at an instant."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


class KeyFile:
    """The file that holds the keys. Changes are made under a lock and written whole, so readers never see half."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._now = now

    def read(self) -> list[ApiKey]:
        """All keys, oldest first; none when there is no file. Raises ``SourceError`` for a file that is none."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror}", "Look at api.keys_file") from error
        try:
            return msgspec.json.decode(content, type=list[ApiKey])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(
                f"{self.path} holds no API keys: {error}", "Restore it, or remove it and make new keys"
            ) from error

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        companies: Sequence[str],
        *,
        expires_at: datetime | None = None,
        events_per_second: float | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is not kept and cannot be had again."""
        with self._changing() as keys:
            key, text = self._new(name, scopes, companies, expires_at, events_per_second)
            keys.append(key)
        return key, text

    def rotate(self, key_id: str, overlap: timedelta) -> tuple[ApiKey, str]:
        """A new key with the rights of another, which stays valid for `overlap` and no longer."""
        with self._changing() as keys:
            place = _place(keys, key_id)
            old = keys[place]
            end = self._now() + overlap
            if old.state(self._now()) != "valid":
                raise SourceError(f"the key {key_id} is {old.state(self._now())}", "Make a new one with keys create")
            key, text = self._new(old.name, old.scopes, old.companies, old.expires_at, old.events_per_second)
            expires_at = end if old.expires_at is None else min(end, old.expires_at)
            keys[place] = msgspec.structs.replace(old, expires_at=expires_at)
            keys.append(key)
        return key, text

    def revoke(self, key_id: str) -> ApiKey:
        """The key may be used no more, from now on; its entry stays for the record."""
        with self._changing() as keys:
            place = _place(keys, key_id)
            if keys[place].revoked_at is None:
                keys[place] = msgspec.structs.replace(keys[place], revoked_at=self._now())
            return keys[place]

    def _new(
        self,
        name: str,
        scopes: Sequence[str],
        companies: Sequence[str],
        expires_at: datetime | None,
        events_per_second: float | None,
    ) -> tuple[ApiKey, str]:
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise SourceError(f"there is no scope {', '.join(unknown)}", f"Scopes are {', '.join(SCOPES)}")
        if not scopes or not companies:
            raise SourceError("a key without scopes or companies may do nothing", "Give at least one of both")
        key_id = secrets.token_hex(_ID_BYTES)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(
            id=key_id,
            name=name,
            hash=_hash(secret),
            scopes=tuple(scopes),
            companies=tuple(companies),
            created_at=self._now(),
            expires_at=expires_at,
            events_per_second=events_per_second,
        )
        return key, f"{_PREFIX}_{key_id}_{secret}"

    @contextmanager
    def _changing(self) -> Iterator[list[ApiKey]]:
        """The keys, to be changed in place; written when the block ends well."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = self.read()
            yield keys
            self._write(keys)
        finally:
            os.close(lock)

    def _write(self, keys: list[ApiKey]) -> None:
        content = msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n"
        temporary = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor with its mode from the start
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)


class KeyRing:
    """The keys of a running service. The file is looked at again when it has changed, at most once in `seconds`."""

    def __init__(self, file: KeyFile, clock: Callable[[], float], seconds: float = 1.0) -> None:
        self._file = file
        self._clock = clock
        self._seconds = seconds
        self._looked = -seconds
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str, ApiKey] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the file if it is another one than before. Raises ``SourceError``; the former keys stay then."""
        self._looked = self._clock()
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return
        self._keys = {key.id: key for key in self._file.read()}
        self._stamp = stamp

    def __len__(self) -> int:
        """How many keys the file has, in whatever state."""
        return len(self._keys)

    def find(self, text: str, now: datetime) -> ApiKey | None:
        """The key of a text when it may be used now. Takes the same time whether the id is known or not."""
        if self._clock() - self._looked >= self._seconds:
            try:
                self.refresh()
            except SourceError as error:
                logger.error("API keys are as they were before: %s", error)  # noqa: TRY400  its words say all
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._keys.get(key_id) if prefix == _PREFIX else None
        same = hmac.compare_digest(_hash(secret), _NOBODY if key is None else key.hash)
        return key if same and key is not None and key.state(now) == "valid" else None

    def _stamp_of_file(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _place(keys: Sequence[ApiKey], key_id: str) -> int:
    for place, key in enumerate(keys):
        if key.id == key_id:
            return place
    raise SourceError(f"there is no API key with the id {key_id}", "See `arrears api keys list`")
