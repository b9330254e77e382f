"""`examples/dbt/models/arrears.yml` from the migrations: `python -m sinks.dbt examples/dbt/models/arrears.yml`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from sinks.document import listed, parameters
from sinks.migrations.ddl import Table, View

_HEAD = """\
# Made from the migrations by `python -m sinks.dbt examples/dbt/models/arrears.yml`; edit those, not this file.
# A view with parameters is no relation for dbt: write it as arrears has it, with its dates, in the model that asks it:
#   SELECT * FROM {{ source('arrears', 'x').database }}.aging_as_of(as_of = '...', known_as_of = '...')
version: 2

sources:
  - name: arrears
    description: Accounts receivable, each row once. docs/clickhouse.md says how values are meant.
    schema: "{{ var('arrears_database', 'arrears') }}"
    tables:
"""


def document() -> str:
    """The file: every view and table that analysts may use and that takes no parameters, with its columns."""
    return _HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    for name, entry in listed().items():
        if not parameters(entry):
            yield from _table(name, entry)


def _table(name: str, entry: View | Table) -> Iterator[str]:
    yield f"      - name: {name}\n        description: {_text(entry.comment)}\n        columns:\n"
    for column in entry.columns:
        yield f"          - name: {column.name}\n            description: {_text(column.comment)}\n"
        yield f"            data_type: {_text(column.type)}\n"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
