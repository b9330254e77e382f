"""What the API may take: sizes, rates and times, given by whoever composes the service."""

from pathlib import Path

import msgspec

from sources.redaction import STANDARD, Redactor


class ApiOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The limits and files of one API process; `arrears api` makes them of the settings section `api`.

    Bytes are of a request's body, before and after decompression. `rate_events_per_second` is a key's, over all
    `processes` that share the port; 0 = no limit. `acknowledge_seconds_max` is how long the broker may take before the
    client is told to come back. `redactor` takes out what must not be published, also of what is rejected.
    """

    keys_file: Path
    webhooks_file: Path | None = None
    cors_origins: tuple[str, ...] = ()
    request_bytes_max: int = 8 * 1024 * 1024
    decompressed_bytes_max: int = 32 * 1024 * 1024
    events_per_request_max: int = 10_000
    request_seconds_max: float = 30.0
    rate_events_per_second: float = 0.0
    rate_burst_seconds: float = 2.0
    processes: int = 1
    in_flight_records_max: int = 50_000
    in_flight_bytes_max: int = 64 * 1024 * 1024
    acknowledge_seconds_max: float = 10.0
    redactor: Redactor = STANDARD
    linger_milliseconds: float = 2.0
