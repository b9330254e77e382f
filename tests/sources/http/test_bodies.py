"""Bodies: limits that hold while bytes arrive, gzip, and the items in them."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.http.bodies import BadLine, Body, Items, unpacked
from sources.http.limits import Memory
from sources.http.options import ApiOptions
from sources.http.problems import HttpProblem, Message

OPTIONS = ApiOptions(
    keys_file=Path("none"), request_bytes_max=1000, decompressed_bytes_max=5000, request_seconds_max=0.05
)


def read(chunks: Sequence[bytes | None], headers: dict[bytes, bytes], memory: Memory | None = None) -> bytes:
    """The body of a request that arrives in chunks; None = nothing comes any more."""
    waiting = list(chunks)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        chunk = waiting.pop(0)
        if chunk is None:
            await asyncio.sleep(60)
        taken += 1
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def run() -> bytes:
        body = Body(memory or Memory(10_000))
        try:
            await body.read(headers, receive, OPTIONS)
        finally:
            body.close()
        return body.data

    return asyncio.run(run())


def refused(chunks: Sequence[bytes | None], headers: dict[bytes, bytes]) -> tuple[int, str]:
    memory = Memory(10_000)
    with pytest.raises(HttpProblem) as problem:
        read(chunks, headers, memory)
    assert memory.held == 0
    return problem.value.status, problem.value.reason


def test_chunks_are_joined() -> None:
    assert read([b"[1,", b"2", b"]"], {}) == b"[1,2]"


def test_a_declared_size_is_refused_unread() -> None:
    assert refused([], {b"content-length": b"1001"}) == (413, "too_large")


def test_an_undeclared_size_is_refused_as_soon_as_it_is_passed() -> None:
    assert refused([b"x" * 600, b"x" * 600, *([b"x" * 600] * 50)], {}) == (413, "too_large")


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    assert refused([b"[", None], {}) == (408, "request_timeout")


def test_gzip_is_unpacked() -> None:
    assert read([gzip.compress(b"[1]", mtime=0)], {b"content-encoding": b"gzip"}) == b"[1]"
    assert read([gzip.compress(b"[1") + gzip.compress(b"]")], {b"content-encoding": b"gzip"}) == b"[1]"


def test_a_zip_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(HttpProblem) as problem:
        unpacked(bomb, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (problem.value.status, problem.value.reason) == (413, "too_large")
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "body", [b"[1]", gzip.compress(b"[1]", mtime=0)[:-6], gzip.compress(b"[1]", mtime=0) + b"rest"]
)
def test_what_is_not_whole_gzip_is_refused(body: bytes) -> None:
    assert refused([body], {b"content-encoding": b"gzip"}) == (400, "malformed_gzip")


def test_an_unknown_encoding_is_refused() -> None:
    assert refused([b"x"], {b"content-encoding": b"br"}) == (415, "unknown_encoding")


def test_one_object_and_a_list_and_lines() -> None:
    one = Items(b' {"a":1}\n', b"application/json", 10)
    assert (one.documents, one.original(0)) == ([{"a": 1}], b'{"a":1}')
    many = Items(b'[ {"a":1} , {"b": 2.50}]', b"application/json; charset=utf-8", 10)
    assert [many.original(index) for index in range(2)] == [b'{"a":1}', b'{"b": 2.50}']
    lines = Items(b'{"a":1}\n\n{oops\r\n{"b":2}', b"application/x-ndjson", 10)
    assert lines.documents[0] == {"a": 1}
    assert isinstance(lines.documents[1], BadLine)
    assert lines.original(1) == b"{oops\r"
    assert lines.documents[2] == {"b": 2}


def test_a_list_of_nothing_but_bad_items_is_looked_through_once() -> None:
    count = 10_000
    items = Items(json.dumps([{"n": number, "x": "y" * 200} for number in range(count)]).encode(), b"", count)
    found = items._raw_items
    assert [json.loads(items.original(index))["n"] for index in range(count)] == list(range(count))
    assert items._raw_items is found


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"{", b"application/json", 400, "malformed_json"),
        (b"\xff\xfe", b"application/json", 400, "malformed_json"),
        (b"[" * 100_000, b"application/json", 400, "malformed_json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"application/json", 400, "malformed_json"),
        (b"", b"application/json", 400, "malformed_json"),
        (b"[]", b"application/json", 400, "no_events"),
        (b"\n\n", b"application/x-ndjson", 400, "no_events"),
        (b"[1,2,3,4]", b"application/json", 413, "too_many_events"),
        (b"[" + b"[]," * 400 + b"[]]", b"application/json", 413, "too_many_events"),
        (b"1\n" * 400, b"application/x-ndjson", 413, "too_many_events"),
        (b"<a/>", b"text/xml", 415, "unknown_content_type"),
    ],
)
def test_what_holds_no_events_is_refused(body: bytes, content_type: bytes, status: int, reason: str) -> None:
    with pytest.raises(HttpProblem) as problem:
        Items(body, content_type, 3)
    assert (problem.value.status, problem.value.reason) == (status, reason)


@settings(max_examples=200)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8)), min_size=1, max_size=5))
def test_the_originals_of_a_list_are_its_items(documents: list[dict[str, object]]) -> None:
    items = Items(json.dumps(documents).encode(), b"application/json", 10)
    assert [json.loads(items.original(index)) for index in range(len(documents))] == documents


@settings(max_examples=300)
@given(st.binary(max_size=60), st.sampled_from([b"application/json", b"application/x-ndjson"]))
def test_no_bytes_end_in_anything_but_items_or_a_problem(body: bytes, content_type: bytes) -> None:
    try:
        items = Items(body, content_type, 3)
    except HttpProblem as problem:
        assert problem.status in {400, 413}  # noqa: PT017  either outcome is right
    else:
        assert all(isinstance(items.original(index), bytes) for index in range(len(items.documents)))
