"""The dictionary part of `docs/clickhouse.md`, from the migrations: `python -m sinks.document docs/clickhouse.md`.

Listed is what an analyst may use: every view, and the tables that are read as they are. Storage tables are not.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sinks.migrations import MIGRATIONS
from sinks.migrations.ddl import POSITION, Column, Migration, Table, View

BEGIN = (
    "<!-- Made from sinks/migrations by `python -m sinks.document docs/clickhouse.md`; edit those, not this part. -->"
)
END = "<!-- End of what is made. -->"
# Tables that need no view: their rows are never replaced and hold no minor units.
PLAIN_TABLES = frozenset({"events", "rejected_events"})
_PARAMETER = re.compile(r"\{(\w+):")
_PLACES = {column.name for column in POSITION}


def listed(migrations: Sequence[Migration] = MIGRATIONS) -> dict[str, View | Table]:
    """What analysts may use, by name; where two migrations make the same view, as the later one makes it."""
    found: dict[str, View | Table] = {}
    for migration in migrations:
        for step in migration.steps:
            if isinstance(step, View) or (isinstance(step, Table) and step.name in PLAIN_TABLES):
                found[step.name] = step
    return dict(sorted(found.items()))


def parameters(view: View | Table) -> tuple[str, ...]:
    """The parameters of a view in the order of their first use; a table has none."""
    return tuple(dict.fromkeys(_PARAMETER.findall(view.select))) if isinstance(view, View) else ()


def dictionary(migrations: Sequence[Migration] = MIGRATIONS) -> str:
    """The generated part: one table of names, then the columns of each."""
    return "\n".join(_lines(listed(migrations).values())) + "\n"


def _lines(entries: Iterable[View | Table]) -> Iterator[str]:
    entries = list(entries)
    yield from (BEGIN, "", "| name | one row per |", "|---|---|")
    for entry in entries:
        yield f"| [`{_call(entry)}`](#{entry.name}) | {_cell(entry.comment)} |"
    yield ""
    for entry in entries:
        yield from (f"### {entry.name}", "", entry.comment, "", "| column | type | meaning |", "|---|---|---|")
        yield from (_row(column) for column in entry.columns if column.name not in _PLACES)
        if any(column.name in _PLACES for column in entry.columns):
            yield "| `_topic`, `_partition`, `_offset`, `_appended_at` | | Where the row comes from; see above. |"
        yield ""
    yield END


def _call(entry: View | Table) -> str:
    names = parameters(entry)
    return f"{entry.name}({', '.join(names)})" if names else entry.name


def _row(column: Column) -> str:
    return f"| `{column.name}` | `{_plain(column.type)}` | {_cell(column.comment)} |"


def _plain(type_: str) -> str:
    """The type as a reader of values needs it: how texts are stored does not matter to him."""
    return _cell(re.sub(r"LowCardinality\(((?:Nullable\()?\w+\)?)\)", r"\1", type_))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def replace_in(page: str, part: str) -> str:
    """The page with the generated part in its place. Raises ValueError when the page has no such place."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END + "\n")
    if not begin or not end:
        raise ValueError("the page does not have the marks between which the dictionary stands")
    return head + part + tail


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(replace_in(path.read_text(encoding="utf-8"), dictionary()), encoding="utf-8")
