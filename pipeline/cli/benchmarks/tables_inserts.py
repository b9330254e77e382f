"""Rows a second through the sink's own way in: Avro records of one schema, wrapped undecoded, `FORMAT Avro`."""

import time
from collections.abc import Callable

from avro import contracts
from pipeline.cli.benchmarks.results import Result
from pipeline.memory_log import MemoryRecord
from sinks.clickhouse import Address, ClickHouseStore
from sinks.positions import Member, Partition, Record, Span
from sinks.store import token_of
from sinks.wrap import record_wrapper

_TABLE, _TOPIC = "ledger_entries_log", "bench.ledger"
# The largest span of a lane, and what a lane gathers in a second at a modest rate.
_SIZES = ((50_000, 4), (500, 40))
_MICROS = 1_767_225_600_000_000
_DAY = 20_454


def measure_inserts(address: Address, cpu_milliseconds: Callable[[], float]) -> list[Result]:
    """For each size of a span; CPU time is that of the server, merges of these seconds included."""
    store, wrapper = ClickHouseStore(address), record_wrapper(contracts(), "LedgerEntry")
    place, found, first = Partition(_TOPIC, 0), [], 0
    for size, times in _SIZES:
        spans = []
        for _ in range(times):
            records = [_record(number) for number in range(first, first + size)]
            spans.append((Span(first, first + size - 1), wrapper.wrap([(place, records)], careful=False).container))
            first += size
        cpu, started = cpu_milliseconds(), time.perf_counter()
        for span, container in spans:
            store.insert(_TABLE, token_of(_TABLE, [Member(place, span)]), container)
        seconds, cpu = time.perf_counter() - started, cpu_milliseconds() - cpu
        rows = size * times
        name = f"inserts of {size:,} rows through the sink's store"
        found.append(Result(name, rows / seconds, "rows/s", cpu / rows * 1e3))
    return found


class _Record(MemoryRecord):
    def __len__(self) -> int:
        return len(self.stored_value or b"")


def _record(number: int) -> Record:
    milliseconds = _MICROS // 1000 + number
    return _Record(_TOPIC, 0, number, b"", _value(number), timestamp_milliseconds=milliseconds)


def _value(number: int) -> bytes:
    account = number * 7919 % 5000
    return contracts().encode(
        "LedgerEntry",
        {
            "company": "EU01",
            "account_id": f"C{account:06d}",
            "item_type": "invoice",
            "item_id": f"INV-{number:09d}",
            "instalment": 0,
            "balance_class": "invoice",
            "currency": "EUR",
            "delta_minor": 1000 + number % 100_000,
            "effective_date": _DAY + number % 3,
            "recorded_at": _MICROS + number,
            "due_date": _DAY + 30 + number % 60,
            "entry_type": "invoice",
            "event_id": f"erp:{number * 2654435761 % 2**64:032X}",
            "entry_number": 1,
            "cause_id": None,
            "value_date": None,
            "method": None,
            "reason": None,
            "region": "NORTH",
        },
    )
