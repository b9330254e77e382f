"""The page of the events is made from the contracts."""

from pathlib import Path

from avro.document import page


def test_the_page_is_what_the_contracts_say() -> None:
    written = Path(__file__).parents[2] / "docs" / "events.md"
    assert written.read_text(encoding="utf-8") == page(), "run `python -m avro.document docs/events.md`"
