"""The page of the topics is made from the catalogue."""

from pathlib import Path

from topics.document import page


def test_the_page_is_what_the_catalogue_says() -> None:
    written = Path(__file__).parents[2] / "docs" / "topics.md"
    assert written.read_text(encoding="utf-8") == page(), "run `python -m topics.document docs/topics.md`"
