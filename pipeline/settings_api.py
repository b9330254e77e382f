"""The settings of the HTTP door."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.settings_base import Count, Port, Seconds, Section


class ApiSettings(Section):
    """The HTTP door: events, activities, webhooks of payment providers."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 in a container")
    port: Port = Field(default=8080, description="Port to listen on")
    processes: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Processes that share the port; process n has its metrics at service.port + n, from 0"
    )
    keys_file: Path = Field(
        default=Path("api-keys.json"), description="File of the API keys, hashed; `arrears api keys` writes it"
    )
    webhooks_file: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = Field(
        default=None, description="File (TOML) of the payment providers' endpoints; empty = no webhooks"
    )
    tls_certificate_file: str = Field(default="", description="Certificate chain (PEM); empty = plain HTTP")
    tls_key_file: str = Field(default="", description="Private key of the certificate (PEM)")
    cors_origins: str = Field(
        default="", description="Origins whose pages may call the API, joined by commas; empty = none"
    )
    request_bytes_max: Count = Field(default=8_388_608, description="Largest body of a request")
    decompressed_bytes_max: Count = Field(default=33_554_432, description="Largest body after unpacking gzip")
    events_per_request_max: Count = Field(default=10_000, description="Most events of one request")
    request_seconds_max: Seconds = Field(default=30.0, description="How long a client may take to send a body")
    connections_max: Count = Field(default=2_000, description="Most connections of a process; more are answered 503")
    rate_events_per_second: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Events a second of one key, over all processes; 0 = no limit. A key may have its own"
    )
    rate_burst_seconds: Seconds = Field(default=2.0, description="Seconds of that rate that may come at once")
    in_flight_records_max: Count = Field(
        default=50_000, description="Records of a process that wait for the broker, above which it answers 503"
    )
    in_flight_bytes_max: Count = Field(
        default=67_108_864, description="Bytes of requests under way in a process, above which it answers 503"
    )
    acknowledge_seconds_max: Seconds = Field(
        default=10.0, description="How long the broker may take to acknowledge before the client is answered 503"
    )
    linger_milliseconds: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=2.0, description="How long a record may wait for others on their way to the broker"
    )

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise ValueError("tls_certificate_file and tls_key_file belong together")
        return self
