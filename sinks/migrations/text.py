"""Columns written as a table of text, one a line, as a person would list them.

name : type | what it means,
            | over as many lines as it takes
"""

from sinks.migrations.ddl import Column


def columns(text: str) -> tuple[Column, ...]:
    """The columns of such a text. A type may be followed by a rule after two spaces: `String  CODEC(ZSTD(1))`."""
    found: list[Column] = []
    for line in text.strip().splitlines():
        definition, _, comment = line.partition("|")
        name, separator, rest = definition.partition(" : ")
        if separator:
            type_, _, rule = rest.strip().partition("  ")
            found.append(Column(name.strip(), type_.strip(), comment.strip(), rule.strip()))
        elif found:
            last = found[-1]
            found[-1] = Column(last.name, last.type, f"{last.comment} {comment.strip()}".strip(), last.rule)
    return tuple(found)
