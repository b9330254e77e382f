"""Python source that is written by a program: lines, indentation, fresh names, and the way from text to function."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

_INDENT = "    "


class Source:
    """The text of one generated function, and the objects that it refers to by name."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = dict(names)
        self._lines: list[str] = []
        self._depth = 0
        self._numbers = itertools.count(1)

    def add(self, *lines: str) -> None:
        """Append lines at the present indentation."""
        self._lines += [_INDENT * self._depth + line for line in lines]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """The lines added inside stand indented under `head`."""
        self.add(head)
        self._depth += 1
        yield
        self._depth -= 1

    def fresh(self, word: str) -> str:
        """A variable name that nothing else in the text has."""
        return f"{word}_{next(self._numbers)}"

    def bind(self, word: str, value: object) -> str:
        """Give the text a name for an object."""
        name = self.fresh(word)
        self.names[name] = value
        return name

    @property
    def text(self) -> str:
        """The source so far."""
        return "\n".join(self._lines)

    def function(self, name: str, title: str) -> Callable[..., Any]:
        """Compile the text and return the function `name`; `title` stands for the file in tracebacks."""
        namespace = dict(self.names)
        exec(compile(self.text, f"<{title}>", "exec"), namespace)  # noqa: S102  our own text, made from our schemas
        return cast("Callable[..., Any]", namespace[name])
