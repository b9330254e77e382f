"""The contract of a table store, over the memory twin and over ClickHouse: whole spans, each token once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from avro import contracts
from sinks.clickhouse import Address, ClickHouseStore
from sinks.errors import RowsRefused, Unavailable
from sinks.positions import Member, Partition, Span, span_of
from sinks.store import TableStore, token_of
from sinks.wrap import record_wrapper
from tests.sinks.copies import make_tables
from tests.sinks.samples import entry_value
from tests.sinks.twins import MemoryRecord, MemoryStore

PLACE = Partition("ar.ledger", 3)
TABLE = "ledger_entries_log"


@dataclass
class Bench:
    """A store, and the offsets that its table holds."""

    store: TableStore
    offsets: Callable[[], list[int]]


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.clickhouse)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The same tests for both."""
    if request.param == "memory":
        store = MemoryStore()
        yield Bench(store, lambda: sorted(int(str(row["_offset"])) for row in store.tables[TABLE]))
        return
    server = request.getfixturevalue("clickhouse")
    prefix = request.getfixturevalue("topic_prefix")
    address = Address(server.url, "store_" + prefix.strip("."))
    make_tables(address)
    with address.client() as client:
        yield Bench(
            ClickHouseStore(address),
            lambda: [row[0] for row in client.query(f"SELECT _offset FROM {TABLE} ORDER BY _offset").result_rows],
        )
        client.command(f"DROP DATABASE {address.database}")


def container(*offsets: int) -> bytes:
    records = [MemoryRecord(PLACE, offset, entry_value(offset)) for offset in offsets]
    return record_wrapper(contracts(), "LedgerEntry").wrap([(PLACE, records)], careful=False).container


def token(first: int, last: int) -> str:
    return token_of(TABLE, [Member(PLACE, Span(first, last))])


def test_rows_are_there_when_the_insert_returns(bench: Bench) -> None:
    bench.store.insert(TABLE, token(1, 3), container(1, 2, 3))
    assert bench.offsets() == [1, 2, 3]


def test_a_token_is_stored_once(bench: Bench) -> None:
    for _ in range(3):
        bench.store.insert(TABLE, token(1, 3), container(1, 2, 3))
    assert bench.offsets() == [1, 2, 3]


def test_the_token_decides_and_not_the_rows(bench: Bench) -> None:
    bench.store.insert(TABLE, token(1, 2), container(1, 2))
    bench.store.insert(TABLE, token(1, 3), container(1, 2))
    assert bench.offsets() == [1, 1, 2, 2]


def test_rows_of_several_partitions_are_stored_once_under_the_token_of_all(bench: Bench) -> None:
    """A joint insert comes again, whole, from every owner of one of its members."""
    other = Partition("ar.ledger", 5)
    spans = [
        (place, [MemoryRecord(place, offset, entry_value(offset)) for offset in offsets])
        for place, offsets in ((PLACE, (1, 2)), (other, (7, 8, 9)))
    ]
    joint = record_wrapper(contracts(), "LedgerEntry").wrap(spans, careful=False).container
    name = token_of(TABLE, [Member(place, span_of(records)) for place, records in spans])
    for _ in range(3):
        bench.store.insert(TABLE, name, joint)
    bench.store.insert(TABLE, token(3, 3), container(3))
    assert bench.offsets() == [1, 2, 3, 7, 8, 9]


def test_refused_rows_leave_nothing_behind_and_their_token_free(bench: Bench) -> None:
    spoiled = container(1, 2, 3)[:-40]
    with pytest.raises(RowsRefused):
        bench.store.insert(TABLE, token(1, 3), spoiled)
    assert bench.offsets() == []
    bench.store.insert(TABLE, token(1, 3), container(1, 2, 3))
    assert bench.offsets() == [1, 2, 3]


def test_a_datum_that_is_cut_off_is_refused(bench: Bench) -> None:
    records = [MemoryRecord(PLACE, number, entry_value(number)[: -5 if number == 2 else None]) for number in (1, 2, 3)]
    spoiled = record_wrapper(contracts(), "LedgerEntry").wrap([(PLACE, records)], careful=False).container
    with pytest.raises(RowsRefused):
        bench.store.insert(TABLE, token(1, 3), spoiled)
    assert bench.offsets() == []


@pytest.mark.clickhouse
def test_a_server_that_is_away_is_unavailable_and_the_store_finds_it_again(
    clickhouse: "object", topic_prefix: str
) -> None:
    server = clickhouse
    address = Address(server.url, "away_" + topic_prefix.strip("."))  # type: ignore[attr-defined]
    make_tables(address)
    store = ClickHouseStore(address, timeout_seconds=10)
    store.insert(TABLE, token(1, 1), container(1))
    server.stop()  # type: ignore[attr-defined]
    try:
        with pytest.raises(Unavailable):
            store.insert(TABLE, token(2, 2), container(2))
    finally:
        server.start()  # type: ignore[attr-defined]
    store.insert(TABLE, token(1, 1), container(1))
    store.insert(TABLE, token(2, 2), container(2))
    with address.client() as client:
        found = client.query(f"SELECT groupArray(_offset) FROM (SELECT _offset FROM {TABLE} ORDER BY _offset)")
        assert found.result_rows == [([1, 2],)], "the token was remembered over the restart"
