"""The key tables of the pages about running feeds, from their models: `python -m sources.config_document`."""

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sources.sql.config import PollConfig
from sources.streams.config import OutboxColumns, StreamConfig, TableRule

PAGES = Path(__file__).resolve().parents[1] / "docs" / "sources"
BEGIN = "<!-- Made from the models by `python -m sources.config_document`; edit those, not this part. -->"
END = "<!-- End of what is made. -->"
SECTIONS: dict[str, tuple[tuple[str, type[BaseModel]], ...]] = {
    "debezium.md": (("The file as a whole", StreamConfig), ("`[[table]]`", TableRule)),
    "outbox.md": (("`[outbox]`", OutboxColumns),),
    "sql-polling.md": (("All keys of a poll", PollConfig),),
}


def replace_in(page: str, sections: tuple[tuple[str, type[BaseModel]], ...]) -> str:
    """The page with the tables in their place. Raises ValueError when the page has no such place."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page does not have the marks between which the tables stand")
    return head + _tables(sections) + tail


def _tables(sections: tuple[tuple[str, type[BaseModel]], ...]) -> str:
    lines = [BEGIN, ""]
    for title, section in sections:
        lines += [f"### {title}", "", "| key | if left out | meaning |", "|---|---|---|"]
        for name, field in section.model_fields.items():
            lines.append(f"| `{name}` | {_default(field)} | {(field.description or '').replace('|', '&#124;')} |")
        lines.append("")
    return "\n".join([*lines, END])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: object = field.get_default(call_default_factory=True)
    if value is None or value in ([], {}, "") or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value)}`"


if __name__ == "__main__":
    for name, sections in SECTIONS.items():
        path = PAGES / name
        path.write_text(replace_in(path.read_text(encoding="utf-8"), sections), encoding="utf-8")
