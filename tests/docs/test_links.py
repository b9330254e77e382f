"""What pages and code refer to is there: links, anchors, decisions, commands, files; and every page is found."""

import re
from pathlib import Path

import pytest

from pipeline.cli import COMMANDS
from tests.docs.pages import DOCS, ROOT, anchor, blocks, headings, links

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
ADR = DOCS / "adr"
CODE = [
    file
    for room in ("avro", "topics", "sources", "jobs", "pipeline", "sinks", "tests", "examples", "config")
    for file in sorted((ROOT / room).rglob("*"))
    if file.suffix in {".py", ".toml", ".yml", ".yaml", ".avsc"}
]
_DECISION = re.compile(r"\b(?:adr/|ADR )(\d{4})([\w-]*\.md)?")
_PAGE = re.compile(r"\bdocs/[\w/-]+\.(?:md|svg)\b")
_COMMAND = re.compile(r"\barrears ([a-z]+)\b")
_CALL = re.compile(r"`[^`\n]*`|^```.*?^```$", re.MULTILINE | re.DOTALL)
# Words behind the name of the program that are no commands: the user of ClickHouse, a database.
_NOT_COMMANDS = frozenset({"needs", "is", "over"})


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _external(target: str) -> bool:
    return target.startswith(("http://", "https://", "mailto:"))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        if _external(target):
            continue
        file, _, fragment = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        is_there = found.exists() and found.is_relative_to(ROOT)
        if not is_there or (fragment and fragment not in {anchor(heading.text) for heading in headings(found)}):
            broken.append(target)
    assert broken == []


def test_every_page_is_found_from_the_front() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md", DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        waiting += [
            (page.parent / target.partition("#")[0]).resolve() for target in links(page) if not _external(target)
        ]
    assert [_name(page) for page in PAGES if page not in reached] == []


def test_every_decision_that_is_named_exists() -> None:
    missing = []
    for file in (*CODE, *PAGES):
        for number, rest in _DECISION.findall(file.read_text(encoding="utf-8", errors="replace")):
            found = list(ADR.glob(f"{number}-*.md"))
            if not found or (rest and not (ADR / f"{number}{rest}").exists()):
                missing.append(f"{_name(file)}: {number}{rest}")
    assert missing == []


def test_every_page_that_the_code_names_exists() -> None:
    missing = [
        f"{_name(file)}: {page}"
        for file in CODE
        if file.is_relative_to(ROOT / "tests") is False
        for page in _PAGE.findall(file.read_text(encoding="utf-8"))
        if not (ROOT / page).exists()
    ]
    assert missing == []


def test_every_command_in_the_pages_exists() -> None:
    unknown = []
    for page in PAGES:
        if page.is_relative_to(ADR) or page.name == "CHANGELOG.md":
            continue
        for call in _CALL.findall(page.read_text(encoding="utf-8")):
            unknown += [
                f"{_name(page)}: arrears {word}"
                for word in _COMMAND.findall(call)
                if word not in COMMANDS and word not in _NOT_COMMANDS
            ]
    assert unknown == []


def test_decisions_are_short_and_say_what_follows() -> None:
    for file in sorted(ADR.glob("[0-9]*.md")):
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {file.name[:4]} "), file.name
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequence")), file.name
        assert len(text.splitlines()) <= 24, file.name


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [file.name[:4] for file in ADR.glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))


def test_fenced_blocks_are_closed() -> None:
    for page in PAGES:
        fences = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("```")]
        assert len(fences) == 2 * len(blocks(page)), _name(page)
