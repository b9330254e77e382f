"""Laws of the chain, without a database: whatever is done to one place of a sealed log is found, and no more."""

from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sinks.audit.chain import Finding, Link, Place, Stored, Verification, genesis, link

PLACE = Place("ar.events", 3)
Log = dict[int, tuple[list[Link], list[Stored]]]


def _sealed(offsets: list[int]) -> Log:
    log: Log = {}
    previous = genesis(PLACE)
    for offset in offsets:
        labels, content = b"FR01", sha256(b"row %d" % offset).digest()
        previous = link(previous, offset, labels, content)
        log[offset] = ([Link(offset, labels, content, previous)], [Stored(f"e{offset}", labels, content)])
    return log


def _verified(log: Log) -> list[Finding]:
    state = Verification(PLACE)
    found: list[Finding] = []
    for offset in sorted(log):
        links, rows = log[offset]
        found += state.take(offset, links, rows, may_be_gone=False)
    return [*found, *state.end(is_whole=True)]


OFFSETS = st.lists(st.integers(0, 10_000), min_size=3, max_size=30, unique=True).map(sorted)


@given(OFFSETS)
def test_what_nobody_touched_has_no_findings(offsets: list[int]) -> None:
    assert _verified(_sealed(offsets)) == []


@given(OFFSETS, st.data())
def test_a_changed_row_is_named_and_no_other(offsets: list[int], data: st.DataObject) -> None:
    log, offset = _sealed(offsets), data.draw(st.sampled_from(offsets))
    log[offset][1][0] = Stored(f"e{offset}", b"FR01", sha256(b"another").digest())
    assert [(finding.kind, finding.offset) for finding in _verified(log)] == [("changed", offset)]


@given(OFFSETS, st.data())
def test_a_removed_row_is_named_and_no_other(offsets: list[int], data: st.DataObject) -> None:
    log, offset = _sealed(offsets), data.draw(st.sampled_from(offsets))
    log[offset][1].clear()
    assert [(finding.kind, finding.offset) for finding in _verified(log)] == [("removed", offset)]


@given(OFFSETS, st.integers(0, 10_000))
def test_an_inserted_row_is_named_and_no_other(offsets: list[int], offset: int) -> None:
    log = _sealed(offsets)
    log.setdefault(offset, ([], []))[1].append(Stored("forged", b"FR01", sha256(b"forged").digest()))
    # What stands behind the last link waits to be sealed; that it never will be is for the anchors to say.
    wanted = [("inserted", offset)] if offset <= offsets[-1] else []
    assert [(finding.kind, finding.offset) for finding in _verified(log)] == wanted


@given(OFFSETS, st.data())
def test_two_rows_that_are_swapped_are_both_named(offsets: list[int], data: st.DataObject) -> None:
    log = _sealed(offsets)
    one, other = data.draw(st.lists(st.sampled_from(offsets), min_size=2, max_size=2, unique=True))
    log[one], log[other] = (log[one][0], log[other][1]), (log[other][0], log[one][1])
    assert [(finding.kind, finding.offset) for finding in _verified(log)] == [
        ("changed", offset) for offset in sorted((one, other))
    ]


@given(OFFSETS, st.data())
def test_a_link_that_is_gone_breaks_the_chain_unless_it_was_the_last(offsets: list[int], data: st.DataObject) -> None:
    log, offset = _sealed(offsets), data.draw(st.sampled_from(offsets))
    del log[offset]
    found = [(finding.kind, finding.offset) for finding in _verified(log)]
    behind = [other for other in offsets if other > offset]
    assert found == ([("chain_changed", behind[0])] if behind else [])


@given(OFFSETS, st.data(), st.sampled_from(["content", "chain", "labels"]))
def test_a_changed_link_is_named_and_no_row_behind_it(offsets: list[int], data: st.DataObject, part: str) -> None:
    log, offset = _sealed(offsets), data.draw(st.sampled_from(offsets))
    values: dict[str, Any] = {part: sha256(b"another").digest()}
    log[offset][0][0] = log[offset][0][0]._replace(**values)
    found = _verified(log)
    assert {finding.offset for finding in found} == {offset}
    assert "chain_changed" in {finding.kind for finding in found}
