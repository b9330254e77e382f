"""The configuration file of `arrears poll`: which rows of which database, how far back to look, and the mapping."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from sources.config_file import Section, Zone, read_config

PAGE = "docs/sources/sql-polling.md"


class PollConfig(Section):
    """A table or query that is polled."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Name of the poll; its position is kept under it. Another name begins anew",
    )
    mapping: str = Field(description="Mapping file of the rows, seen from this file; the same as for a csv extract")
    company: str | None = Field(default=None, description="Legal entity of all events; another one in a row is refused")
    region: str = Field(default="", description="Region of events that give none")
    url_variable: str = Field(
        default="POLL_DATABASE_URL",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the SQLAlchemy URL of the database, with user and password; "
        "it does not begin with ARREARS_",
    )
    table: str | None = Field(
        default=None, description="Table or view, `schema.table`, spelt as in the database's catalogue"
    )
    query: str | None = Field(
        default=None, description="A SELECT instead of a table; each of its columns has a name of its own"
    )
    key: list[str] = Field(min_length=1, description="Columns that tell rows apart, never empty")
    watermark: str = Field(
        description="Column that grows with every insert and update: a timestamp, or a whole number. "
        "Rows are read in its order, and by `key` where it is equal"
    )
    overlap: Annotated[int, Field(ge=0)] = Field(
        default=300,
        description="How far every poll looks back from the highest watermark, for transactions that committed late: "
        "seconds of a timestamp, else the number itself. Rows that were sent already are known",
    )
    timezone: Zone | None = Field(
        default=None,
        description="Time zone of a watermark without offset; without it that of the mapping, else UTC",
    )
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="Most rows that are read at once; their events are sent before the next ones are read"
    )
    interval_seconds: Annotated[float, Field(gt=0)] = Field(
        default=10.0, strict=False, description="Between the end of a poll and the next one"
    )

    @model_validator(mode="after")
    def _has_one_origin(self) -> "PollConfig":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        if self.url_variable.startswith("ARREARS_"):
            raise ValueError("url_variable begins with ARREARS_, as only settings of arrears do; name it otherwise")
        return self


def load_poll_config(path: Path) -> PollConfig:
    """Read the file. Raises ``SourceError`` with line and key."""
    return read_config(path, PollConfig, PAGE)
