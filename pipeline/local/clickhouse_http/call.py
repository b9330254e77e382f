"""One HTTP request as ClickHouse understands it: parameters, settings, user, session, compression."""

import base64
import binascii
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.local.clickhouse_http.errors import AUTHENTICATION_FAILED, EngineError

# Parameters that speak to the HTTP interface; all others are settings of the query.
_OWN_PARAMETERS = frozenset(
    {
        "query", "database", "default_format", "user", "password", "quota_key", "role", "query_id", "stacktrace",
        "session_id", "session_timeout", "session_check", "client_protocol_version",
        "compress", "decompress", "buffer_size", "wait_end_of_query", "close_session",
    }
)  # fmt: skip
# Settings that only mean something to an HTTP server: the engine need not know them.
_HTTP_SETTINGS = frozenset(
    {
        "enable_http_compression", "http_zlib_compression_level", "http_response_buffer_size", "http_wait_end_of_query",
        "send_progress_in_http_headers", "http_headers_progress_interval_ms", "add_http_cors_header",
        "cancel_http_readonly_queries_on_client_close", "http_write_exception_in_output_format",
    }
)  # fmt: skip
PARAMETER_PREFIX = "param_"
SESSION_SECONDS = 60.0
SESSION_SECONDS_MAX = 3600.0


@dataclass(frozen=True)
class Call:
    """What a request asks for besides the statement itself."""

    query: str
    database: str | None
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    default_format: str
    query_id: str
    session_id: str | None
    session_seconds: float
    session_must_exist: bool
    accepted_encodings: str
    content_encoding: str
    native_compression: bool
    native_decompression: bool
    waits_for_end: bool
    cancels_on_close: bool


def read_call(method: str, values: Mapping[str, str], headers: Mapping[str, str]) -> Call:
    """Take the parameters of the address (or of a form) and the headers apart."""
    settings = {
        name: value
        for name, value in values.items()
        if name not in _OWN_PARAMETERS and name not in _HTTP_SETTINGS and not name.startswith(PARAMETER_PREFIX)
    }
    if method == "GET":
        settings.setdefault("readonly", "2")
    # On by default in the engine of today, so only an explicit 0 turns it off.
    compresses = values.get("enable_http_compression", "1") not in {"0", "false"}
    return Call(
        query=values.get("query", ""),
        database=values.get("database") or headers.get("X-ClickHouse-Database") or None,
        settings=settings,
        parameters={
            name.removeprefix(PARAMETER_PREFIX): value
            for name, value in values.items()
            if name.startswith(PARAMETER_PREFIX)
        },
        default_format=values.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        query_id=values.get("query_id") or str(uuid.uuid4()),
        session_id=values.get("session_id") or None,
        session_seconds=_session_seconds(values.get("session_timeout")),
        session_must_exist=_is_on(values.get("session_check")),
        accepted_encodings=headers.get("Accept-Encoding", "") if compresses else "",
        content_encoding=headers.get("Content-Encoding", ""),
        native_compression=_is_on(values.get("compress")),
        native_decompression=_is_on(values.get("decompress")),
        waits_for_end=_is_on(values.get("wait_end_of_query")) or _is_on(values.get("http_wait_end_of_query")),
        cancels_on_close=_is_on(values.get("cancel_http_readonly_queries_on_client_close")),
    )


def _is_on(value: str | None) -> bool:
    return value is not None and value.lower() in {"1", "true"}


def _session_seconds(value: str | None) -> float:
    try:
        return min(float(value), SESSION_SECONDS_MAX) if value else SESSION_SECONDS
    except ValueError:
        return SESSION_SECONDS


@dataclass(frozen=True)
class Credentials:
    """The one user that the server knows."""

    user: str
    password: str

    def check(self, values: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Accept the user and password of a request, wherever it carries them, or raise ``EngineError``."""
        user, password = _given(values, headers)
        same = hmac.compare_digest(user.encode(), self.user.encode())
        if not (same & hmac.compare_digest(password.encode(), self.password.encode())):
            raise EngineError(
                AUTHENTICATION_FAILED,
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name. "
                "(AUTHENTICATION_FAILED)",
            )


def _given(values: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", "default"), headers.get("X-ClickHouse-Key", "")
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user or "default", password
    return values.get("user") or "default", values.get("password", "")
