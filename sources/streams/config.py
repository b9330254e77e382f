"""The configuration file of `arrears stream`: which topics, in which form, and the mapping of each table."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sources.config_file import Section, read_config
from sources.streams.columns import declared_type

PAGES = {"debezium": "docs/sources/debezium.md", "outbox": "docs/sources/outbox.md"}


def _known_type(value: str) -> str:
    declared_type(value)
    return value


class TableRule(Section):
    """A table, and the mapping of its rows."""

    name: str = Field(
        description="`table`, `schema.table`, `database.table` or `database.schema.table`, or the name of its topic"
    )
    mapping: str = Field(description="Mapping file of its rows, seen from this file; the same as for a csv extract")
    types: dict[str, Annotated[str, AfterValidator(_known_type)]] = Field(
        default_factory=dict,
        description="For records without a schema: column → `text`, `date_days`, `timestamp_millis`, "
        "`timestamp_micros`, `timestamp_nanos` or `decimal(2)` (base64, with its number of decimals)",
    )


class OutboxColumns(Section):
    """Where an outbox event keeps what: names of columns of the table, and of headers of a routed event."""

    id: str = Field(default="id", description="Column and header that hold the event's unique id")
    type: str = Field(
        default="type", description="Column that names the event, e.g. InvoiceIssued, if its payload does not"
    )
    type_header: str = Field(default="eventType", description="Header that names it, of a routed event")
    payload: str = Field(default="payload", description="Column that holds the event in its written form, as JSON")


class StreamConfig(Section):
    """A stream of change events."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Name of the stream; its position in the topics is kept under it. Another name begins anew",
    )
    kind: Literal["debezium", "outbox"] = Field(
        description="debezium: changes of tables through mappings; outbox: events in their written form"
    )
    topics: list[str] = Field(
        min_length=1, description="Topics to read; one that begins with ^ is a regular expression for names"
    )
    company: str | None = Field(default=None, description="Legal entity of all events; another one in a row is refused")
    source: str | None = Field(
        default=None, description="Name of the source, where an event gives none; needed for an outbox"
    )
    region: str = Field(default="", description="Region of events that give none")
    batch_records: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="Most records that are read before their events are sent and the position is kept"
    )
    table: list[TableRule] = Field(default_factory=list, description="For debezium: the tables")
    outbox: OutboxColumns = Field(default_factory=OutboxColumns, description="For outbox: where what is kept")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "StreamConfig":
        if self.kind == "debezium" and not self.table:
            raise ValueError("a debezium stream needs [[table]] with name and mapping")
        if self.kind == "outbox" and self.table:
            raise ValueError("an outbox has no [[table]]; its events are in their written form")
        if self.kind == "outbox" and not self.source:
            raise ValueError("an outbox needs source: it begins the ids of its events")
        return self


def load_stream_config(path: Path) -> StreamConfig:
    """Read the file. Raises ``SourceError`` with line and key."""
    return read_config(path, StreamConfig, PAGES["debezium"])
