"""Which letters are wanted, and which of them can be sent again."""

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.dead_letters import DeadLetter, LetterFilter, Place, obstacle
from pipeline.errors import Problem

LETTER = DeadLetter(
    place=Place(3, 17),
    topic="t.ar.events",
    partition=5,
    offset=118,
    stage="route",
    reason="wrong_partition",
    error="the key belongs elsewhere",
    company="FR01",
    event_type="InvoiceIssued",
    key=b"FR01|C1",
    value=b"\x00\x00\x00\x00\x01",
    headers=(("note", b"one"), ("note", b"two")),
    failed_at=datetime(2026, 3, 31, 8, tzinfo=UTC),
    arrived_milliseconds=1,
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"topic": "t.ar.reference"}, None),
        ({"topic": "in/a.csv", "partition": -1}, "arrears dlq export"),
        ({"topic": "t.ar.items"}, "written by the pipeline alone"),
        ({"topic": "ar.events"}, "written by the pipeline alone"),  # another system's, by its prefix
        ({"event_type": "ClockTicked"}, "clock"),
        ({"value": None}, "bytes"),
    ],
)
def test_only_what_sources_wrote_into_topics_can_be_sent_again(changes: dict[str, object], words: str | None) -> None:
    found = obstacle(msgspec.structs.replace(LETTER, **changes), "t.")
    assert found is None if words is None else words in (found or "")
    light = msgspec.structs.replace(LETTER, **changes).without_bytes()
    assert (obstacle(light, "t.") is None) == (words is None), "without its bytes a letter is judged the same"


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (LetterFilter(), True),
        (LetterFilter(places=frozenset({Place(3, 17)})), True),
        (LetterFilter(places=frozenset({Place(3, 18)})), False),
        (LetterFilter(reasons=frozenset({"wrong_partition", "x"})), True),
        (LetterFilter(reasons=frozenset({"x"})), False),
        (LetterFilter(stages=frozenset({"fold"})), False),
        (LetterFilter(sources=("*.events", "x")), True),
        (LetterFilter(sources=("x",)), False),
        (LetterFilter(companies=frozenset({"US01"})), False),
        (LetterFilter(event_types=frozenset({"InvoiceIssued"})), True),
        (LetterFilter(since=LETTER.failed_at), True),
        (LetterFilter(until=LETTER.failed_at), False),
        (LetterFilter(topic="t.*", partition=5, offset=118), True),
        (LetterFilter(partition=6), False),
        (LetterFilter(offset=1), False),
    ],
)
def test_a_filter_looks_at_what_it_names(wanted: LetterFilter, holds: bool) -> None:
    assert wanted.wants(LETTER) is holds


def test_a_topic_is_never_a_file() -> None:
    line = msgspec.structs.replace(LETTER, topic="events.csv", partition=-1)
    assert not LetterFilter(topic="*").wants(line)
    assert LetterFilter(sources=("*",)).wants(line)
    assert (line.source, LETTER.source) == ("events.csv:118", "t.ar.events:5:118")


def test_places_are_written_as_they_are_shown() -> None:
    assert Place.parse(str(LETTER.place)) == LETTER.place
    assert LETTER.header("note") == "two"
    for text in ("3", "3:", "3:x", "-1:2", "3:17:1", ""):
        with pytest.raises(Problem, match="PARTITION:OFFSET"):
            Place.parse(text)
