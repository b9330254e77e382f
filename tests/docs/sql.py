"""Runs the queries of `docs/clickhouse.md` on the rows that the page itself gives, as tables of text.

`python -m tests.docs.sql docs/clickhouse.md` writes the answers anew, into the block behind each query: read them
before you commit them.
"""

import re
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from pipeline.scenarios import load
from sinks.clickhouse import Address
from tests.docs.books import Books
from tests.docs.pages import blocks

# As a terminal shows it, without colours and row numbers.
SHOWN = {
    "output_format_pretty_color": "0",
    "output_format_pretty_row_numbers": "0",
    "output_format_pretty_fallback_to_vertical": "0",
    "output_format_pretty_highlight_digit_groups": "0",
    "output_format_pretty_display_footer_column_names": "0",
    "output_format_pretty_single_large_number_tip_threshold": "0",
    "output_format_pretty_highlight_trailing_spaces": "0",
}
_PAIR = re.compile(r"(^```sql\n(.*?)^```\n\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A query, the answer that the page shows, and the line of the query."""

    sql: str
    answer: str
    line: int


def examples(page: Path) -> list[Example]:
    """The pairs of a query and its answer."""
    found = blocks(page)
    return [
        Example(query.text, answer.text, query.line) for query, answer in pairwise(found) if query.language == "sql"
    ]


def fill(page: Path, address: Address, folder: Path) -> None:
    """A database with what the events of the page's scenario come to."""
    (history,) = [block.text for block in blocks(page) if block.language == "yaml"]
    file = folder / "history.yaml"
    file.write_text(history, encoding="utf-8")
    books = Books()
    books.play(load(file))
    books.write_to(address)


def answer(client: Client, sql: str) -> str:
    """What ClickHouse prints."""
    return client.raw_query(sql, fmt="PrettyCompactMonoBlock", settings=SHOWN).decode().rstrip("\n") + "\n"


def refresh(page: Path) -> None:
    """Ask every query again and write down the answers."""
    with tempfile.TemporaryDirectory() as folder, ClickHouseServer(Path(folder) / "clickhouse", port=0) as server:
        address = Address(server.url, "arrears")
        fill(page, address, Path(folder))
        with address.client() as client:
            text = page.read_text(encoding="utf-8")
            page.write_text(_PAIR.sub(lambda pair: pair[1] + answer(client, pair[2]) + pair[4], text), encoding="utf-8")


if __name__ == "__main__":
    refresh(Path(sys.argv[1]))
