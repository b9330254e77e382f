"""The table store over ClickHouse's HTTP interface (the port is `sinks.store`), and the client for everything else."""

import re
from dataclasses import dataclass, field
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from sinks.errors import RowsRefused, SinkProblem, Unavailable

# The server read the data and found them wrong: CANNOT_PARSE_…, CANNOT_READ_ALL_DATA, SIZES_OF_…, TYPE_MISMATCH,
# INCORRECT_DATA, TOO_LARGE_STRING_SIZE, VALUE_IS_OUT_OF_RANGE, DECIMAL_OVERFLOW, STD_EXCEPTION (the Avro library's).
_DATA_CODES = frozenset({6, 26, 27, 33, 38, 41, 53, 72, 117, 131, 321, 407, 1001})

_UNKNOWN_DATABASE = 81
# UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED.
_LOGIN_CODES = frozenset({192, 193, 194, 516})

# Insert settings; DESIGN §4. Each is asserted to exist by `sinks.checks`.
INSERT_SETTINGS = {
    # On by default since 26.x: rows would be confirmed in another way, and tokens checked in another place.
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # The answer comes after the rows are there, not with the headers.
    "wait_end_of_query": 1,
    "input_format_null_as_default": 1,
    # A backfill may span many months; a refusal would block the partition for ever.
    "max_partitions_per_insert_block": 0,
    # One thread parses; another insert is running beside this one.
    "max_insert_threads": 1,
}
# Known to newer servers only: statistics are made by merges instead of by every small insert (3 of 12 ms measured).
OPTIONAL_SETTINGS = {"materialize_statistics_on_insert": 0}


@dataclass(frozen=True)
class Address:
    """Where ClickHouse is, and who we are there."""

    url: str
    database: str
    user: str = "default"
    password: str = field(default="", repr=False)

    def client(self, *, database: str | None = None, timeout_seconds: float = 30.0) -> Client:
        """A client of its own, without a session, so that its queries may run side by side.

        Raises SinkProblem when ClickHouse does not let us in, Unavailable when it does not answer.
        """
        try:
            return clickhouse_connect.get_client(
                dsn=self.url,
                username=self.user,
                password=self.password,
                database=(self.database if database is None else database) or "__default__",
                autogenerate_session_id=False,
                connect_timeout=10,
                send_receive_timeout=int(timeout_seconds),
                compress=False,
                client_name="arrears",
            )
        except OperationalError as error:
            raise Unavailable(f"ClickHouse at {self.url} does not answer: {_reason(error)}") from error
        except ClickHouseError as error:
            raise self._refused(error) from error

    def _refused(self, error: ClickHouseError) -> SinkProblem:
        code = getattr(error, "code", None)
        if code == _UNKNOWN_DATABASE:
            return SinkProblem(
                f"ClickHouse at {self.url} has no database {self.database}",
                "Run `arrears migrate`, or correct clickhouse.database",
            )
        why = " with this password" if code in _LOGIN_CODES else f": {words_of(error)}"
        return SinkProblem(
            f"ClickHouse at {self.url} does not let user {self.user} in{why}",
            "Check clickhouse.user and clickhouse.password",
        )


class ClickHouseStore:
    """Inserts containers with FORMAT Avro: ClickHouse does the decoding."""

    def __init__(self, address: Address, timeout_seconds: float = 60.0) -> None:
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._client: Client | None = None
        self._settings: dict[str, Any] = {}

    def insert(self, table: str, token: str, container: bytes) -> None:
        """One request. A connection that failed is not used again."""
        client = self._client or self._connect()
        settings = {**self._settings, "insert_deduplication_token": token}
        try:
            client.raw_insert(table, insert_block=container, fmt="Avro", settings=settings)
        except DatabaseError as error:
            if error.code in _DATA_CODES:
                raise RowsRefused(words_of(error)) from error
            raise Unavailable(words_of(error)) from error
        except Exception as error:
            # Whatever the transport raises: the rows may be there or not, and the token makes asking again safe.
            self._client = None
            raise Unavailable(f"{type(error).__name__}: {words_of(error)}") from error

    def _connect(self) -> Client:
        try:
            client = self._address.client(timeout_seconds=self._timeout_seconds)
        except SinkProblem as error:
            raise Unavailable(str(error)) from error
        optional = {name: value for name, value in OPTIONAL_SETTINGS.items() if name in client.server_settings}
        self._settings = {**INSERT_SETTINGS, **optional}
        self._client = client
        return client


def words_of(error: Exception) -> str:
    """What the server says, without what the client wraps around it."""
    words = " ".join(str(error).split())
    words = re.sub(r"^Received ClickHouse exception, code: \d+, server response: ", "", words)
    words = re.sub(r" \(version [^()]*(\([^()]*\)[^()]*)?\)", "", words)
    return re.sub(r" \(for url [^ ]*\)$", "", words)[:500]


def _reason(error: Exception) -> str:
    """Of a connection that failed, the operating system's reason; else the client's own words."""
    reason = ""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return reason or words_of(error)
