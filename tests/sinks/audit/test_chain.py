"""The chain over the raw log: complete, repeatable, and broken by whatever is done to a copy of it."""

from datetime import timedelta

import pytest

from sinks.audit.chain import Finding, Place
from sinks.errors import SinkProblem
from tests.sinks.audit.conftest import Log

pytestmark = pytest.mark.clickhouse

CHANGE = "ALTER TABLE {table} UPDATE {change} WHERE {where} SETTINGS mutations_sync = 1"
REMOVE = "ALTER TABLE {table} DELETE WHERE {where} SETTINGS mutations_sync = 1"


def _at(place: Place, offset: int) -> str:
    return f"_topic = '{place.topic}' AND _partition = {place.partition} AND _offset = {offset}"


def _link_at(place: Place, offset: int) -> str:
    return f"topic = '{place.topic}' AND partition = {place.partition} AND offset = {offset}"


def _change(log: Log, table: str, where: str, change: str) -> None:
    log.client.command(CHANGE.format(table=table, where=where, change=change))


def _remove(log: Log, table: str, where: str) -> None:
    log.client.command(REMOVE.format(table=table, where=where))


def _named(findings: list[Finding]) -> list[tuple[str, int, int]]:
    return [(finding.kind, finding.partition, finding.offset) for finding in findings]


def test_a_sealed_log_verifies_and_sealing_again_does_nothing(log: Log) -> None:
    sealed = log.seal()
    rows = int(log.client.query("SELECT count() FROM events").result_rows[0][0])
    assert sum(place.rows for place in sealed) == rows > 100
    findings, totals = log.verify()
    assert findings == []
    assert (totals.rows, totals.waiting, totals.anchors) == (rows, 0, len(log.places()))
    anchors = list(log.published.anchors)
    assert sum(place.rows for place in log.seal()) == 0
    assert log.published.anchors == anchors
    assert int(log.client.query("SELECT count() FROM event_chain").result_rows[0][0]) == rows


def test_the_chain_is_the_same_however_it_is_cut(log: Log) -> None:
    place = log.busiest()
    middle = log.offsets(place)[40]
    log.seal(end=middle, at_once=7)
    findings, totals = log.verify()
    assert (findings, totals.waiting > 0) == ([], True)
    log.seal()
    log.step = 9
    findings, totals = log.verify()
    assert (findings, totals.waiting) == ([], 0)
    assert len(log.published.anchors) > len(log.places())


def test_two_sealers_at_once_write_one_chain(log: Log) -> None:
    place = log.busiest()
    book = log.book
    tail = book.tail(place)
    late = book.unsealed(place, tail.offset, 2**62, 30)
    log.seal()
    book.append(place, tail, [(row, b"\x01" * 32) for row in late])
    findings, _ = log.verify()
    assert findings == []


COLUMNS = (
    ("event_type", "'InvoiceCancelled'"),
    ("category", "'other'"),
    ("event_id", "'another'"),
    ("occurred_at", "occurred_at + 1"),
    ("region", "'EU1'"),
    ("invoice_id", "concat(invoice_id, '0')"),
    ("amount", "ifNull(amount, 0) + 1"),
    ("currency", "'CHF'"),
    ("payload", "concat(payload, ' ')"),
    ("source", "'sap9'"),
    ("actor_id", "'eve'"),
    ("actor_role", "'cfo'"),
    ("correlation_id", "'c'"),
)


def test_every_changed_column_is_found(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    offsets = log.offsets(place)
    spoiled = offsets[3::2][: len(COLUMNS)]
    for offset, (column, value) in zip(spoiled, COLUMNS, strict=True):
        _change(log, "events", _at(place, offset), f"{column} = {value}")
    findings, _ = log.verify()
    assert _named(findings) == [("changed", place.partition, offset) for offset in spoiled]
    named = {finding.offset: finding.event_id for finding in findings}
    assert named[spoiled[2]] == "another"


def test_columns_of_the_sorting_key_are_hashed_too(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    spoiled = log.offsets(place)[5:25:5]
    changes = (
        ("company", "'ZZ'"),
        ("account_id", "'ZZ'"),
        ("recorded_at", "recorded_at + 1"),
        ("_appended_at", "_appended_at + 1"),
    )
    for offset, (column, value) in zip(spoiled, changes, strict=True):
        log.client.command(
            f"INSERT INTO events SELECT * REPLACE ('new' AS _topic, {value} AS {column}) "
            f"FROM (SELECT * FROM events WHERE {_at(place, offset)})"
        )
        _remove(log, "events", _at(place, offset))
        _change(log, "events", "_topic = 'new'", f"_topic = '{place.topic}'")
    findings, _ = log.verify()
    assert _named(findings) == [("changed", place.partition, offset) for offset in spoiled]


def test_a_removed_row_is_named(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    first, *_, last = offsets = log.offsets(place)
    for offset in (first, offsets[33], last):
        _remove(log, "events", _at(place, offset))
    findings, _ = log.verify()
    assert _named(findings) == [("removed", place.partition, offset) for offset in (first, offsets[33], last)]


def test_an_inserted_row_is_named(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    offsets = log.offsets(place)
    free = next(offset for offset in range(offsets[10], offsets[-1]) if offset not in offsets)
    for offset in (free, offsets[12]):
        log.client.command(
            f"INSERT INTO events SELECT * REPLACE ({offset} AS _offset, 'forged' AS event_id) "
            f"FROM (SELECT * FROM events WHERE {_at(place, offsets[20])})"
        )
    findings, _ = log.verify()
    assert sorted(_named(findings)) == sorted(
        [("inserted", place.partition, free), ("inserted", place.partition, offsets[12])]
    )
    assert {finding.event_id for finding in findings} == {"forged"}


def test_a_row_that_is_there_twice_is_found(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    offset = log.offsets(place)[8]
    log.client.command(f"INSERT INTO events SELECT * FROM events WHERE {_at(place, offset)}")
    findings, _ = log.verify()
    assert _named(findings) == [("inserted", place.partition, offset)]


def test_swapped_rows_are_both_named(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    one, other = log.offsets(place)[10:12]
    _swap(log, place, one, other)
    findings, _ = log.verify()
    assert _named(findings) == [("changed", place.partition, one), ("changed", place.partition, other)]


def _swap(log: Log, place: Place, one: int, other: int) -> None:
    where = f"_topic = '{place.topic}' AND _partition = {place.partition} AND _offset IN ({one}, {other})"
    log.client.command(
        f"INSERT INTO events SELECT * REPLACE (if(_offset = {one}, {other}, {one}) AS _offset, 'swapped' AS _topic) "
        f"FROM (SELECT * FROM events WHERE {where})"
    )
    _remove(log, "events", where)
    _change(log, "events", "_topic = 'swapped'", f"_topic = '{place.topic}'")


@pytest.mark.parametrize(
    "change",
    ["content_hash = SHA256('x')", "chain_hash = SHA256('x')", "company = 'ZZ01'", "recorded_at = recorded_at + 1"],
)
def test_a_changed_row_of_the_chain_is_named_and_no_other(sealed_log: Log, change: str) -> None:
    log = sealed_log
    place = log.busiest()
    offset = log.offsets(place)[21]
    _change(log, "event_chain", _link_at(place, offset), change)
    findings, _ = log.verify()
    assert {found[1:] for found in _named(findings)} == {(place.partition, offset)}
    assert "chain_changed" in {finding.kind for finding in findings}


def test_a_removed_row_of_the_chain_is_named(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    offset, following = log.offsets(place)[21:23]
    _remove(log, "event_chain", _link_at(place, offset))
    findings, _ = log.verify()
    assert _named(findings) == [
        ("not_in_chain", place.partition, offset),
        ("chain_changed", place.partition, following),
    ]


def test_a_row_that_is_gone_from_both_sides_breaks_the_chain(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    offset, following = log.offsets(place)[21:23]
    _remove(log, "event_chain", _link_at(place, offset))
    _remove(log, "events", _at(place, offset))
    findings, _ = log.verify()
    assert _named(findings) == [("chain_changed", place.partition, following)]


def test_a_truncated_tail_is_found_by_the_anchors_alone(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    cut, last = log.offsets(place)[-6], log.offsets(place)[-1]
    where = f"partition = {place.partition} AND offset >= {cut}"
    _remove(log, "event_chain", where)
    _remove(log, "events", where.replace("partition", "_partition").replace("offset", "_offset"))
    assert ("chain_truncated", place.partition, last) in _named(log.verify()[0])
    _remove(log, "audit_anchors", where)
    findings, _ = log.verify()
    assert set(_named(findings)) == {
        ("chain_truncated", place.partition, last),
        ("anchor_missing", place.partition, last),
    }


def test_nothing_is_sealed_over_a_truncated_chain(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    _remove(log, "event_chain", f"partition = {place.partition} AND offset >= {log.offsets(place)[-6]}")
    with pytest.raises(SinkProblem, match="was anchored at"):
        log.seal()


def test_a_chain_that_was_made_anew_is_not_the_one_that_was_anchored(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    offset = log.offsets(place)[15]
    _change(log, "events", _at(place, offset), "amount = 1, actor_id = 'eve'")
    for table in ("event_chain", "audit_anchors"):
        log.client.command(f"TRUNCATE TABLE {table}")
    published = list(log.published.anchors)
    log.seal()
    findings, _ = log.verify(anchors=published)
    assert {finding.kind for finding in findings} == {"anchor_changed"}
    assert place.partition in {finding.partition for finding in findings}
    assert log.verify(anchors=[])[0] == []  # by itself it is consistent: only what stands elsewhere proves anything


def test_changed_anchors_in_the_table_are_found(sealed_log: Log) -> None:
    log = sealed_log
    place = log.busiest()
    _change(log, "audit_anchors", f"partition = {place.partition}", "chain_hash = SHA256('x')")
    findings, _ = log.verify()
    assert {finding.kind for finding in findings} == {"anchor_changed"}
    assert {finding.partition for finding in findings} == {place.partition}


def test_a_period_is_verified_from_anchor_to_anchor(log: Log) -> None:
    place = log.busiest()
    offsets = log.offsets(place)
    marks = [offsets[len(offsets) * part // 5] for part in range(1, 5)]
    for mark in marks:
        log.seal(end=mark)
    log.seal()
    early, middle, late = offsets[2], offsets[len(offsets) // 2], offsets[-2]
    for offset in (early, middle, late):
        _change(log, "events", _at(place, offset), "actor_id = 'eve'")
    at = log.client.query(f"SELECT _appended_at FROM events WHERE {_at(place, middle)}").result_rows[0][0]
    findings, totals = log.verify(since=at, until=at + timedelta(milliseconds=1))
    assert ("changed", place.partition, middle) in _named(findings)
    assert not {early, late} & {finding.offset for finding in findings}
    whole = log.verify()[1].rows
    assert totals.rows < whole
