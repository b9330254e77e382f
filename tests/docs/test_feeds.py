"""The pages of change streams, outboxes and polled tables: their examples run, and every key is explained."""

import json
import sqlite3
from pathlib import Path

import pytest

from avro.text import write_event
from sources import Parsed, ParsedEvent, SkippedRow
from sources.config_document import SECTIONS, replace_in
from sources.mapping import load_mapping
from sources.sql import Database, MemoryPositions, Poller, load_poll_config
from sources.streams import StreamRecord, load_stream_config, stream_reader
from tests.docs.pages import DOCS, blocks

SOURCES = DOCS / "sources"
OUTBOX_ID = b"4d47e190-0402-4048-bc2c-89dd54343cdc"


def _blocks(page: str, language: str) -> list[str]:
    return [block.text for block in blocks(SOURCES / page) if block.language == language]


def _shown(page: str) -> list[object]:
    return [json.loads(line) for line in _blocks(page, "json")[-1].splitlines()]


def _written(values: list[Parsed]) -> list[object]:
    assert all(isinstance(value, ParsedEvent | SkippedRow) for value in values), values
    return [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]


def _record(line: str, topic: str, headers: dict[str, bytes] | None = None) -> StreamRecord:
    value = None if line == "null" else line.encode()
    return StreamRecord(topic, 0, 0, b'{"number": "INV-17"}', value, headers or {})


def test_the_changes_of_the_page_become_its_events(tmp_path: Path) -> None:
    stream, mapping = _blocks("debezium.md", "toml")
    (tmp_path / "erp.toml").write_text(stream, encoding="utf-8")
    (tmp_path / "ar-invoices.toml").write_text(mapping, encoding="utf-8")
    config = load_stream_config(tmp_path / "erp.toml")
    read = stream_reader(config, tmp_path).read
    lines = _blocks("debezium.md", "json")[0].splitlines()
    values = [value for line in lines for value in read(_record(line, config.topics[0]))]
    shown = _shown("debezium.md")
    assert _written(values) == shown
    assert len(values) == len(shown) + 1  # the tombstone is passed over


def test_the_rows_of_the_outbox_become_the_events_of_its_page(tmp_path: Path) -> None:
    (tmp_path / "billing.toml").write_text(_blocks("outbox.md", "toml")[0], encoding="utf-8")
    read = stream_reader(load_stream_config(tmp_path / "billing.toml"), tmp_path).read
    routed, changed, _ = _blocks("outbox.md", "json")
    values = [*read(_record(routed.strip(), "outbox.event.invoice", {"id": OUTBOX_ID})),
              *read(_record(changed.strip(), "outbox.event.payment"))]  # fmt: skip
    assert _written(values) == _shown("outbox.md")


def test_the_rows_of_the_page_are_polled_into_its_events(tmp_path: Path) -> None:
    poll, mapping = _blocks("sql-polling.md", "toml")
    (tmp_path / "poll.toml").write_text(poll, encoding="utf-8")
    (tmp_path / "ar-invoices.toml").write_text(mapping, encoding="utf-8")
    with sqlite3.connect(tmp_path / "erp.sqlite") as connection:
        connection.executescript(_blocks("sql-polling.md", "sql")[0])
    connection.close()
    config = load_poll_config(tmp_path / "poll.toml")
    database = Database(
        f"sqlite:///{tmp_path / 'erp.sqlite'}", table_name=config.table, query=config.query,
        watermark=config.watermark, key=config.key,
    )  # fmt: skip
    values: list[Parsed] = []

    def deliver(batch: object) -> bool:
        values.extend(batch)  # type: ignore[arg-type]
        return True

    Poller(config, load_mapping(tmp_path / config.mapping), database, MemoryPositions(), deliver).poll()
    assert _written(values) == _shown("sql-polling.md")


@pytest.mark.parametrize("page", SECTIONS)
def test_every_key_is_explained(page: str) -> None:
    text = (SOURCES / page).read_text(encoding="utf-8")
    assert replace_in(text, SECTIONS[page]) == text, "run `python -m sources.config_document`"
