"""The steps that migrations are made of. Each knows its way forward and its way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sinks.migrations.engines import Engines


class Step(Protocol):
    """One statement and its opposite. Both may be repeated: a migration that was cut off is run again from its start."""

    def forward(self, engines: Engines) -> str:
        """The statement that makes the change."""

    def backward(self, engines: Engines) -> str:
        """The statement that takes it back."""

    @property
    def loses_data_forward(self) -> bool:
        """Whether rows are gone after the way forward."""

    @property
    def loses_data_backward(self) -> bool:
        """Whether rows are gone after the way back."""


@dataclass(frozen=True)
class Column:
    """A column of a table or of a view; `rule` is a DEFAULT, MATERIALIZED, ALIAS or CODEC clause."""

    name: str
    type: str
    comment: str
    rule: str = ""

    def sql(self) -> str:
        """The column as CREATE wants it."""
        words = [f"`{self.name}`", self.type, self.rule, f"COMMENT {literal(self.comment)}"]
        return " ".join(word for word in words if word)


# Where a row comes from. Together they are unique, and what `arrears reconcile` compares with Kafka. Codecs by measurement
# (docs/adr/0061): half the space for the same CPU time.
POSITION = (
    Column("_topic", "LowCardinality(String)", "Kafka topic of the record that the row was made from."),
    Column("_partition", "UInt16", "Its partition."),
    Column("_offset", "UInt64", "Its offset; with topic and partition it is unique.", "CODEC(Delta, ZSTD(1))"),
    Column(
        "_appended_at",
        "DateTime64(3, 'UTC')",
        "When Kafka took it in; retention counts from here.",
        "CODEC(T64, ZSTD(1))",
    ),
)


@dataclass(frozen=True)
class Table:
    """A MergeTree table. Its rows are lost on the way back."""

    name: str
    comment: str
    columns: Sequence[Column]
    order_by: str
    kind: str = "MergeTree"
    version: str = ""
    partition_by: str = ""
    indexes: Sequence[str] = ()
    projections: Sequence[str] = ()
    loses_data_forward: bool = False
    loses_data_backward: bool = True

    def forward(self, engines: Engines) -> str:
        """CREATE TABLE."""
        members = [column.sql() for column in self.columns] + [f"INDEX {index}" for index in self.indexes]
        members += [f"PROJECTION {projection}" for projection in self.projections]
        lines = [
            f"CREATE TABLE IF NOT EXISTS {self.name}{engines.on_cluster}",
            "(",
            ",\n".join(f"    {member}" for member in members),
            ")",
            f"ENGINE = {engines.engine(self.kind, self.version)}",
        ]
        if self.partition_by:
            lines.append(f"PARTITION BY {self.partition_by}")
        settings = [f"{name} = {value}" for name, value in engines.settings.items()]
        if self.projections:
            settings.append("lightweight_mutation_projection_mode = 'rebuild'")  # else DELETE FROM is refused
        lines += [f"ORDER BY {self.order_by}", f"SETTINGS {', '.join(settings)}", f"COMMENT {literal(self.comment)}"]
        return "\n".join(lines)

    def backward(self, engines: Engines) -> str:
        """DROP TABLE."""
        return f"DROP TABLE IF EXISTS {self.name}{engines.on_cluster} SYNC"


@dataclass(frozen=True)
class View:
    """A view, with typed columns so that a change of a table below cannot change them silently."""

    name: str
    comment: str
    columns: Sequence[Column]
    select: str
    loses_data_forward: bool = False
    loses_data_backward: bool = False

    def forward(self, engines: Engines) -> str:
        """CREATE OR REPLACE VIEW."""
        columns = ",\n".join(f"    {column.sql()}" for column in self.columns)
        return (
            f"CREATE OR REPLACE VIEW {self.name}{engines.on_cluster}\n(\n{columns}\n)\nAS\n{self.select.strip()}\n"
            f"COMMENT {literal(self.comment)}"
        )

    def backward(self, engines: Engines) -> str:
        """DROP VIEW."""
        return f"DROP VIEW IF EXISTS {self.name}{engines.on_cluster} SYNC"


@dataclass(frozen=True)
class MaterializedView:
    """Rows of one table made from those of another as they are inserted. What is in the target stays on the way back."""

    name: str
    comment: str
    target: str
    select: str
    loses_data_forward: bool = False
    loses_data_backward: bool = False

    def forward(self, engines: Engines) -> str:
        """CREATE MATERIALIZED VIEW … TO."""
        return (
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {self.name}{engines.on_cluster} TO {self.target}\n"
            f"AS\n{self.select.strip()}\nCOMMENT {literal(self.comment)}"
        )

    def backward(self, engines: Engines) -> str:
        """DROP VIEW."""
        return f"DROP VIEW IF EXISTS {self.name}{engines.on_cluster} SYNC"


@dataclass(frozen=True)
class Statement:
    """Any other change, with its opposite. `{on_cluster}` in the texts is filled in."""

    forward_sql: str
    backward_sql: str
    loses_data_forward: bool = False
    loses_data_backward: bool = False

    def forward(self, engines: Engines) -> str:
        """The statement as it is written."""
        return self.forward_sql.replace("{on_cluster}", engines.on_cluster)

    def backward(self, engines: Engines) -> str:
        """Its opposite as it is written."""
        return self.backward_sql.replace("{on_cluster}", engines.on_cluster)


@dataclass(frozen=True)
class Migration:
    """Numbered steps. Once released its text never changes; what must change is a new migration."""

    number: int
    title: str
    steps: Sequence[Step]

    def forward(self, engines: Engines) -> list[str]:
        """All statements of the way forward, in order."""
        return [step.forward(engines) for step in self.steps]

    def backward(self, engines: Engines) -> list[str]:
        """All statements of the way back: the steps in reverse."""
        return [step.backward(engines) for step in reversed(self.steps)]


def literal(text: str) -> str:
    """A string literal of ClickHouse."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
