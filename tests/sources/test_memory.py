"""A file is read as a stream: four times the rows cost the same memory."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sources import Adapter, SourceOptions, adapter

INVOICE = '{{"event":"InvoiceIssued","occurred_at":"2026-01-14T09:00:00Z","account_id":"C1","invoice_id":"I{}",'
INVOICE += '"document_date":"2026-01-14","amount":"{}.00","currency":"EUR"}}\n'


class Generated(io.RawIOBase):
    """A stream whose rows are made while they are read."""

    def __init__(self, rows: Iterator[bytes]) -> None:
        self._rows = rows
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._rest) < len(buffer) and (row := next(self._rows, b"")):
            self._rest += row
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def peak_of(reader: Adapter, rows: Iterator[bytes]) -> tuple[int, int]:
    """Values read, and the most memory in bytes that was in use on the way."""
    tracemalloc.start()
    try:
        count = sum(1 for _ in reader.read(io.BufferedReader(Generated(rows)), "big"))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def jsonl_rows(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield INVOICE.format(number, number).encode() if number % 10 else b'{"bad": ' + b"x" * 200 + b"\n"


def csv_rows(count: int) -> Iterator[bytes]:
    yield b"N,D,A,C,T\n"
    for number in range(count):
        quoted = b'"1' if number % 10 == 0 else b"1"
        yield b"%d,2026-01-%02d,%s,EUR,2026-01-14T09:%02d:00\n" % (number, number % 28 + 1, quoted, number % 60)


def test_json_lines() -> None:
    reader = adapter("jsonl", SourceOptions(company="FR01"))
    peak_of(reader, jsonl_rows(2000))  # what is imported or cached at first is not counted
    few, small = peak_of(reader, jsonl_rows(2_000))
    many, large = peak_of(reader, jsonl_rows(8_000))
    assert (few, many) == (2_000, 8_000)
    assert large < small + 100_000  # a dozen and a half bytes a row


def test_csv(tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        'source = "x"\n[values]\ntimezone = "UTC"\n[[event]]\nevent = "InvoiceIssued"\n[event.fields]\n'
        'invoice_id = "N"\ndocument_date = "D"\namount = "A"\ncurrency = "C"\noccurred_at = "T"\n'
    )
    reader = adapter("csv", SourceOptions(company="FR01"), mapping)
    peak_of(reader, csv_rows(2_000))
    few, small = peak_of(reader, csv_rows(2_000))
    many, large = peak_of(reader, csv_rows(8_000))
    assert many > 3.6 * few > 4_000
    assert large < small + 100_000  # a dozen and a half bytes a row
