"""The key tables of `docs/sources/csv-mapping.md`: `python -m sources.mapping.document docs/sources/csv-mapping.md`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sources.mapping.model import (
    Changes,
    Clearing,
    Condition,
    EventRule,
    FieldSource,
    FileLayout,
    Indicator,
    Lookup,
    MappingFile,
    SettledLine,
    SkipRule,
    Snapshot,
    Stored,
    Values,
)

BEGIN = (
    "<!-- Made from sources/mapping/model.py by `python -m sources.mapping.document docs/sources/csv-mapping.md`; "
    "edit that, not this part. -->"
)
END = "<!-- End of what is made. -->"
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file as a whole", MappingFile),
    ("`[file]`", FileLayout),
    ("`[values]`", Values),
    ("`[[event]]`", EventRule),
    ("A field's source", FieldSource),
    ("`indicator` of an amount", Indicator),
    ("`stored` of an amount", Stored),
    ("A condition in `when`", Condition),
    ("`[[skip]]`", SkipRule),
    ("`changes` of an audit table", Changes),
    ("`[[lookup]]`", Lookup),
    ("`[clearing]`", Clearing),
    ("`[clearing.line]`", SettledLine),
    ("`[snapshot]`", Snapshot),
)


def tables() -> str:
    """Every key with its default and its sentence."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (BEGIN, "")
    for title, section in SECTIONS:
        yield from (f"### {title}", "", "| key | if left out | meaning |", "|---|---|---|")
        for name, field in section.model_fields.items():
            sentence = (field.description or "").replace("|", "&#124;")
            yield f"| `{field.alias or name}` | {_default(field)} | {sentence} |"
        yield ""
    yield END


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: object = field.get_default(call_default_factory=True)
    if value is None or value in ([], {}) or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value)}`" if value != "" else "empty"


def replace_in(page: str) -> str:
    """The page with the tables in their place. Raises ValueError when the page has no such place."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END + "\n")
    if not begin or not end:
        raise ValueError("the page does not have the marks between which the tables stand")
    return head + tables() + tail


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(replace_in(path.read_text(encoding="utf-8")), encoding="utf-8")
