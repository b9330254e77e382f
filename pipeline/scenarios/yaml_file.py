"""A YAML file with the line on which every entry of a list begins, for messages that name the place."""

from pathlib import Path
from typing import Any

import yaml


class ScenarioError(Exception):
    """The file is not a scenario; the message names the place and what is allowed."""


class Lines:
    """Line numbers, from 1, of the entries of a top-level list, and of each list inside them."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._root = root

    def of(self, *path: str | int) -> int:
        """The line on which something begins; that of its nearest known parent where it is not in the file."""
        node, line = self._root, 1
        for part in path:
            node = _child(node, part)
            if node is None:
                break
            line = node.start_mark.line + 1
        return line


def read(path: Path) -> tuple[Any, Lines]:
    """The content of a file and its lines. Raises ScenarioError, also for a key that stands twice in one mapping."""
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        try:
            root = loader.get_single_node()
            _refuse_repeated(path, root)
            return (None if root is None else loader.construct_document(root)), Lines(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        raise ScenarioError(f"{place}: cannot be read as YAML: {error.problem or error.context}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise ScenarioError(f"{path}: cannot be read as YAML: {error}") from error


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _refuse_repeated(path: Path, node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise ScenarioError(f"{path}:{key.start_mark.line + 1}: the key {key.value!r} stands there twice")
                seen.add(key.value)
            _refuse_repeated(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated(path, value)
