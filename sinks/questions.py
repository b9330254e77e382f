"""What can be asked by name: a view with its parameters and columns, read from its definition in ClickHouse."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from math import inf
from typing import Any

from sinks.errors import SinkProblem

_PARAMETER = re.compile(r"\{(\w+):(\w+)")
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'")
_COLUMN = re.compile(r"[(,] *`(\w+)` [A-Z]")
# The order of the whole answer, not that of a window, a subquery or a LIMIT BY.
_ORDERED = re.compile(r" ORDER BY [^()]*$")
_EXAMPLES = {
    "company": "FR01",
    "account_id": "C1",
    "invoice_id": "I1",
    "from_date": "2026-03-01",
    "to_date": "2026-03-31",
    "as_of": "2026-03-31",
}
# Of ClickHouse's types, how a value is read, and what to write; longer names first.
_KINDS: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    ("DateTime", datetime.fromisoformat, 'an instant in UTC, as "2026-03-31 18:00:00"'),
    ("Date", date.fromisoformat, "a date, as 2026-03-31"),
    ("UInt", int, "a whole number"),
    ("Int", int, "a whole number"),
)
_NUMBER = re.compile(r"\d+")
_NEAR_MAX = 3


@dataclass(frozen=True)
class Question:
    """A view or table that can be asked by its name.

    `types` are ClickHouse's, by parameter; `is_ordered` where the view itself says in which order its rows come.
    """

    name: str
    comment: str
    types: Mapping[str, str]
    columns: Collection[str]
    is_ordered: bool

    @classmethod
    def read(cls, name: str, comment: str, definition: str) -> "Question":
        """Out of the statement that makes the view or table."""
        bare = _TEXT.sub("''", definition)
        head = bare.partition(" AS ")[0] if bare.startswith("CREATE VIEW") else bare
        order = _ORDERED.search(bare)
        is_ordered = order is not None and " LIMIT " not in order.group()
        return cls(name, comment, dict(_PARAMETER.findall(bare)), tuple(_COLUMN.findall(head)), is_ordered)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Their names, in the order in which people say them."""
        usual = list(_EXAMPLES)
        return tuple(sorted(self.types, key=lambda name: (usual.index(name) if name in usual else len(usual), name)))

    def check(self, values: Mapping[str, str]) -> None:
        """Raise SinkProblem for a value that names nothing, one that is missing, and one that is none of its type."""
        if unknown := sorted(values.keys() - self.types.keys() - set(self.columns)):
            raise SinkProblem(
                f"{self.name} has no parameter and no column {', '.join(unknown)}",
                f"Its parameters are {', '.join(self.parameters) or 'none'}; its columns are {', '.join(self.columns)}",
            )
        if missing := [name for name in self.parameters if name not in values]:
            raise SinkProblem(f"{self.name} needs {', '.join(missing)}", f"Write {self._example(values)}")
        read = {name: _read(name, values[name], type_) for name, type_ in self.types.items()}
        if "from_date" in read and read["from_date"] > read["to_date"]:
            raise SinkProblem(
                f"from_date {values['from_date']} lies after to_date {values['to_date']}",
                "Write the earlier date first; both are in the window",
            )

    def _example(self, values: Mapping[str, str]) -> str:
        """A call that would do; what has a default is left out unless it was given."""
        wanted = [name for name in self.parameters if name not in values or name in _EXAMPLES]
        return f"arrears query {self.name} " + " ".join(
            f"{name}={values.get(name, _EXAMPLES.get(name, '…'))}" for name in wanted
        )

    def sql(self, values: Mapping[str, str]) -> str:
        """The statement that answers it, in a fixed order of rows where there are parameters.

        What is no view with parameters comes as it is stored: it may be long, and a sort would read all of it.
        """
        arguments = ", ".join(f"{name} = {{{name}:String}}" for name in self.types)
        conditions = " AND ".join(f"{name} = {{{name}:String}}" for name in values if name not in self.types)
        text = f"SELECT * FROM {self.name}({arguments})" if arguments else f"SELECT * FROM {self.name}"
        if conditions:
            text += f" WHERE {conditions}"
        return f"{text} ORDER BY ALL" if arguments and not self.is_ordered else text


def unknown_name(name: str, known: Collection[str]) -> SinkProblem:
    """What to say of a name that no view has."""
    if not known:
        return SinkProblem(f"there is no view {name}", "There are none yet: run `arrears migrate`")
    near = get_close_matches(name, known, _NEAR_MAX)
    meant = f"Did you mean {', '.join(near)}? " if near else ""
    return SinkProblem(f"there is no view {name}", f"{meant}`arrears query` lists all")


def in_order(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Rows by their columns from left to right; buckets by age, nothing behind everything."""
    are_buckets = [name == "bucket" or name.endswith("_bucket") for name in columns]

    def place(row: Sequence[Any]) -> list[tuple[bool, Any]]:
        return [
            (value is None, _bucket_place(value) if is_bucket and isinstance(value, str) else value)
            for value, is_bucket in zip(row, are_buckets, strict=True)
        ]

    try:
        return sorted(rows, key=place)
    except TypeError:  # a column of maps, which have no order
        return list(rows)


def _bucket_place(name: str) -> tuple[float, str]:
    """`not_due` before `1-30` before `121+` before what is no bucket, as `settled`."""
    first = _NUMBER.match(name)
    if first is not None:
        return float(first.group()), name
    return (-1.0 if name == "not_due" else inf), name


def _read(name: str, text: str, type_: str) -> Any:  # noqa: ANN401  whatever can be compared with its like
    """A value of a parameter. Raises SinkProblem where it is none of the type."""
    read, form = next((kind[1:] for kind in _KINDS if type_.startswith(kind[0])), (str, ""))
    try:
        return read(text)
    except ValueError as error:
        raise SinkProblem(f"{name}={text} cannot be read", f"Write {form}") from error
