"""An answer as XES, the format of process-mining tools (IEEE 1849-2016): a trace a case, an event a row."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from xml.sax.saxutils import quoteattr

from pipeline.errors import Problem
from sinks.queries import Answer

# The columns of the view process_log, and the keys of the standard extensions for them.
_KEYS = {"activity": "concept:name", "resource": "org:resource", "role": "org:role"}
_NEEDED = ("case_id", "activity", "happened_at", "resource")
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <classifier name="Activity" keys="concept:name"/>
"""


def lines(answer: Answer) -> Iterator[str]:
    """The file, line by line. Raises Problem where the answer is no log of cases."""
    columns = list(answer.columns)
    if missing := [name for name in _NEEDED if name not in columns]:
        raise Problem(
            f"the answer has no column {', '.join(missing)}", "Ask process_log, or name the columns like its own"
        )
    case = columns.index("case_id")
    yield _HEAD
    for name, rows in groupby(answer.rows, key=lambda row: row[case]):
        yield f'  <trace>\n    <string key="concept:name" value={quoteattr(str(name))}/>\n'
        for row in rows:
            yield "".join(_event(dict(zip(columns, row, strict=True))))
        yield "  </trace>\n"
    yield "</log>\n"


def _event(row: dict[str, Any]) -> Iterator[str]:
    yield "    <event>\n"
    for name, value in row.items():
        if name == "case_id" or value in {None, ""}:
            continue
        if isinstance(value, datetime):
            moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
            key = "time:timestamp" if name == "happened_at" else name
            yield f'      <date key="{key}" value="{moment.isoformat(timespec="milliseconds")}"/>\n'
        else:
            yield f'      <string key="{_KEYS.get(name, name)}" value={quoteattr(str(value))}/>\n'
    yield "    </event>\n"
