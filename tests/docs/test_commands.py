"""Commands in the pages are commands of the program, with the options that they have."""

import shlex
from pathlib import Path

import pytest
import typer

from pipeline.cli import app
from tests.docs.pages import DOCS, blocks

PAGES = ["dead-letters.md", "alerts.md", "sources/watched-folders.md"]


def _commands() -> list[tuple[Path, str]]:
    return [
        (DOCS / page, line)
        for page in PAGES
        for block in blocks(DOCS / page)
        for line in block.text.splitlines()
        if not block.language and line.startswith("arrears ")
    ]


@pytest.mark.parametrize(("page", "line"), _commands(), ids=[line for _, line in _commands()])
def test_a_command_of_a_page_is_taken_by_the_program(page: Path, line: str) -> None:
    _, *words = shlex.split(line.partition(" | ")[0].partition(" > ")[0])
    command = typer.main.get_command(app)
    while True:
        # Reads the words as a call would, and refuses what it does not know, but runs nothing.
        context = command.make_context(command.name, list(words), help_option_names=["-h", "--help"])
        if not hasattr(command, "resolve_command"):
            break
        _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None, f"{page.name}: {line}"
