"""Settings of the program, in typed sections; ``pipeline/settings_sources.py`` reads them.

Every field has a description; ``config/reference.toml`` and ``docs/configuration.md`` are made from them.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from pipeline.settings_api import ApiSettings
from pipeline.settings_base import (
    CHOICE,
    AddressList,
    Count,
    Days,
    FieldActions,
    NamedDays,
    NamedTexts,
    Port,
    Seconds,
    Section,
    Url,
)
from topics import PRODUCER_OPTIONS

PREFIX = "ARREARS_"


class KafkaSettings(Section):
    """The broker. An address given here wins over the local stack."""

    bootstrap_servers: AddressList = Field(
        default="127.0.0.1:9092", description="Broker addresses, host:port, joined by commas", json_schema_extra=CHOICE
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Transport and authentication"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How to log in; used with the SASL protocols only"
    )
    sasl_username: str = Field(default="", description="User name for SASL")
    sasl_password: SecretStr = Field(
        default=SecretStr(""), description="Password for SASL; better set in the environment"
    )
    ssl_ca_location: str = Field(default="", description="File with the certificate authority; empty = the system's")
    ssl_certificate_location: str = Field(default="", description="Client certificate file, for mutual TLS")
    ssl_key_location: str = Field(default="", description="Client key file, for mutual TLS")
    topic_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="Put before every topic and group name; keeps two systems apart",
    )
    replication_factor: Annotated[int, Field(ge=0, le=10)] = Field(
        default=0, description="Copies of each new topic; 0 = one per broker, at most 3"
    )

    def client_config(self) -> dict[str, Any]:
        """Options of librdkafka that consumers, producers and admin clients share."""
        options: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "client.id": "arrears",
            # Failed connections reach us as errors, and become one line; librdkafka would print twenty a second.
            "log_level": 2,
        }
        if self.security_protocol.startswith("SASL"):
            options |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.sasl_username,
                "sasl.password": self.sasl_password.get_secret_value(),
            }
        if self.security_protocol.endswith("SSL"):
            files = {
                "ssl.ca.location": self.ssl_ca_location,
                "ssl.certificate.location": self.ssl_certificate_location,
                "ssl.key.location": self.ssl_key_location,
            }
            options |= {name: value for name, value in files.items() if value}
        return options

    def producer_config(self) -> dict[str, Any]:
        """``client_config`` plus what all producers have (``topics.producing``)."""
        return {**self.client_config(), **PRODUCER_OPTIONS}


class ClickHouseSettings(Section):
    """The analytical store. A url given here wins over the local stack."""

    url: Url = Field(
        default="http://127.0.0.1:8123", description="HTTP interface of ClickHouse", json_schema_extra=CHOICE
    )
    database: str = Field(
        default="arrears", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Database of all tables and views"
    )
    user: str = Field(default="default", description="User name")
    password: SecretStr = Field(
        default=SecretStr(""),
        description="Password; better set in the environment. The local stack asks for it, too",
    )
    cluster: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_.-]*$",
        description="Name of a cluster: tables are replicated there; empty = one server",
    )


class SchemaRegistrySettings(Section):
    """Where schema ids come from."""

    url: Url = Field(
        default="",
        description="Confluent-compatible schema registry; empty = the ids pinned in avro/ids.json",
    )
    user: str = Field(default="", description="User name, when the registry asks for one")
    password: SecretStr = Field(default=SecretStr(""), description="Password; better set in the environment")


class StackSettings(Section):
    """The local Kafka and ClickHouse of `arrears up` and `arrears demo`."""

    folder: Path = Field(default=Path(".arrears"), description="Where the local stack keeps its data between runs")
    kafka_port: Port = Field(
        default=9092, description="Preferred port of the local broker; a free one is taken when it is in use"
    )
    clickhouse_port: Port = Field(default=8123, description="Preferred port of the local ClickHouse; likewise")
    kafka_heap_mib: Annotated[int, Field(ge=128)] = Field(
        default=512, description="Largest heap of the local broker, in MiB"
    )
    cache_folder: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = Field(
        default=None,
        description="Where the broker's program files are kept, for all stacks; default: the user's cache",
    )


class WorkerSettings(Section):
    """The stream worker."""

    application_id: str = Field(
        default="arrears",
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Names the consumer group and the transactional ids",
    )
    batch_records_max: Count = Field(default=10_000, description="Most records of one micro-batch")
    fetch_bytes_max: Count = Field(default=4_194_304, description="Most bytes of one partition in one fetch")
    forward_events: bool = Field(
        default=True,
        description="false only while a whole event log is replayed: it holds what accounts sent one another already",
    )
    commit_timeout_seconds: Seconds = Field(
        default=30.0, description="How long one commit may take before the worker gives up"
    )
    transaction_timeout_seconds: Seconds = Field(
        default=20.0,
        description="How long the broker keeps a dead worker's open transaction before it aborts it",
    )
    session_timeout_seconds: Seconds = Field(
        default=10.0, description="How long a silent worker stays a member of the group"
    )
    heartbeat_interval_seconds: Seconds = Field(
        default=2.0, description="How often a worker reports to the group; at most a third of the session timeout"
    )
    restore_timeout_seconds: Seconds = Field(
        default=600.0, description="How long a partition's state may take to be read back"
    )
    stall_seconds_max: Seconds = Field(
        default=60.0, description="/healthz fails when the loop has not moved for so long"
    )

    @model_validator(mode="after")
    def _heartbeats_fit(self) -> Self:
        if self.heartbeat_interval_seconds * 3 > self.session_timeout_seconds:
            raise ValueError("heartbeat_interval_seconds must be at most a third of session_timeout_seconds")
        return self


class ClockSettings(Section):
    """Who makes time pass for the jobs."""

    mode: Literal["live", "external"] = Field(
        default="live",
        description="live: workers append the clock's ticks; external: somebody else does, as in a replay",
    )
    interval_seconds: Seconds = Field(default=1.0, description="Between two ticks of the live clock")


class SinkSettings(Section):
    """The writer into ClickHouse."""

    group_id: str = Field(
        default="arrears-sink", pattern=r"^[A-Za-z0-9._-]+$", description="Consumer group of the sink"
    )
    rows_max: Count = Field(default=50_000, description="Rows after which an insert is written")
    bytes_max: Count = Field(default=8_388_608, description="Bytes after which an insert is written")
    age_seconds_min: Seconds = Field(
        default=0.25, description="How long a row waits for others at least, then four times as long as an insert takes"
    )
    age_seconds_max: Seconds = Field(default=1.0, description="Age of the oldest row after which an insert is written")


class RedactionSettings(Section):
    """What is taken out of events before they are published or printed."""

    mask_numbers: bool = Field(
        default=True, description="Mask card numbers and IBANs in free text, and in what is kept of rejected lines"
    )
    fields: FieldActions = Field(
        default={},
        description="Field of an event, EVENT.FIELD with * for any, to mask, hash, drop or keep; the first that fits "
        "counts. In the environment EVENT.FIELD=ACTION, joined by commas",
    )
    hash_secret: SecretStr = Field(
        default=SecretStr(""), description="Key of the hashes; better set in the environment, and never changed"
    )
    rejects: Literal["mask", "withhold", "keep"] = Field(
        default="mask",
        description="Bytes of rejected lines in ar.failed: numbers masked, nothing kept, or as they are. Where fields "
        "are masked, hashed or dropped, mask keeps nothing, either",
    )


class AuditSettings(Section):
    """The hash chain over the raw log, and signed exports of it."""

    signing_key_file: Path = Field(
        default=Path("audit-key.pem"), description="Private key of audit exports (PEM); `arrears audit key` makes one"
    )


class RetentionSettings(Section):
    """How long ClickHouse keeps what, in days since its arrival; `arrears retention apply` deletes what is older."""

    events_days_hot: Days = Field(
        default=400, description="Raw log: then counted by month, and moved to the cold volume if one is named"
    )
    events_days: Days = Field(default=3653, description="Raw log, and events that were refused or failed")
    activity_days: Days = Field(default=400, description="What users did and saw (UserActivityLogged)")
    ledger_days: Days = Field(
        default=3653,
        description="Postings of items that were closed before, and the states of what has ended; as-of answers inside "
        "stay exact",
    )
    alerts_days: Days = Field(default=3653, description="Alerts, advice and changes of bucket")
    snapshots_days: Days = Field(default=3653, description="Aging of each day (aging_daily), by the day it is of")
    forecasts_days: Days = Field(default=400, description="Forecasts invoice by invoice, by the day they were made for")
    cold_volume: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_-]*$",
        description="Volume of the storage policy of table events that old rows are moved to; empty = they stay",
    )
    classes: NamedTexts = Field(
        default={}, description="Class of a company, COMPANY=CLASS; companies without one have the days above"
    )
    class_days: NamedDays = Field(
        default={},
        description="Days of a class where it differs, CLASS.RULE=DAYS; rules are events, activity, ledger, alerts, "
        "snapshots, forecasts",
    )


class ServiceSettings(Section):
    """The /metrics, /healthz and /readyz address of a service."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 in a container")
    port: Port = Field(default=0, description="Port to listen on; 0 = off")


class CompanySettings(Section):
    """The companies whose receivables are kept."""

    folder: Path = Field(default=Path("config/companies"), description="Folder with one TOML file per company")


class LoggingSettings(Section):
    """Log lines on stderr."""

    format: Literal["console", "json"] = Field(default="console", description="console for people, json for machines")
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity that is written"
    )


class Settings(Section):
    """All settings."""

    kafka: KafkaSettings = KafkaSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    schema_registry: SchemaRegistrySettings = SchemaRegistrySettings()
    stack: StackSettings = StackSettings()
    worker: WorkerSettings = WorkerSettings()
    clock: ClockSettings = ClockSettings()
    sink: SinkSettings = SinkSettings()
    api: ApiSettings = ApiSettings()
    redaction: RedactionSettings = RedactionSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    service: ServiceSettings = ServiceSettings()
    companies: CompanySettings = CompanySettings()
    logging: LoggingSettings = LoggingSettings()

    def with_addresses(self, kafka_bootstrap_servers: str, clickhouse_url: str) -> "Settings":
        """The same settings, with these addresses where none was given; an empty one changes nothing."""
        kafka, clickhouse = self.kafka, self.clickhouse
        if kafka_bootstrap_servers and not kafka.is_set("bootstrap_servers"):
            kafka = _with(kafka, bootstrap_servers=kafka_bootstrap_servers)
        if clickhouse_url and not clickhouse.is_set("url"):
            clickhouse = _with(clickhouse, url=clickhouse_url)
        return _with(self, kafka=kafka, clickhouse=clickhouse)


AnySection = TypeVar("AnySection", bound=Section)


def _with(section: AnySection, **values: object) -> AnySection:
    """A copy with other values, of which neither file nor environment knows: ``is_set`` answers as before."""
    return section.model_construct(_fields_set=section.model_fields_set, **{**dict(section), **values})


def variable_name(section: str, field: str) -> str:
    """The environment variable of one field."""
    return f"{PREFIX}{section}__{field}".upper()


def section_model(section: str) -> type[Section]:
    """The model of one section, by its name in ``Settings``."""
    return cast("type[Section]", Settings.model_fields[section].annotation)
