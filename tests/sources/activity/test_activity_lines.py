"""Logs of user actions: every line is an activity, a reject with its reason, or another kind of message."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro.text import write_event
from sources import Parsed, ParsedEvent, SkippedRow, SourceOptions, SourceReject, adapter
from sources.activity.syslog import SyslogLine, syslog_line

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = SourceOptions(company="FR01")


def read(text: str | bytes) -> list[Parsed]:
    """What a log yields."""
    data = text.encode() if isinstance(text, str) else text
    return list(adapter("activity", OPTIONS).read(io.BytesIO(data), "app.log"))


def activity(**said: object) -> str:
    """A line of JSON with the least that an activity needs, and what is said beside."""
    return json.dumps({"time": "2026-03-02T08:00:00Z", "user": "kwong", "action": "view", **said}) + "\n"


def test_a_log_gives_the_events_committed() -> None:
    values = read((GOLDEN / "actions.log").read_bytes())
    events = [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]
    # Those without an instant of their own were recorded when they happened.
    expected = [json.loads(line) for line in (GOLDEN / "actions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [{**event, "recorded_at": ""} for event in events] == [{**event, "recorded_at": ""} for event in expected]
    assert [value.reason for value in values if isinstance(value, SkippedRow)] == ["other log messages"] * 2
    assert not [value for value in values if isinstance(value, SourceReject)]
    assert len({event["event_id"] for event in events}) == len(events)


def test_the_same_log_twice_is_the_same_events() -> None:
    text = (GOLDEN / "actions.log").read_bytes()
    first, again = ([v.record["event_id"] for v in read(text) if isinstance(v, ParsedEvent)] for _ in range(2))
    assert first == again


def test_two_changes_of_one_second_are_two_activities() -> None:
    changes = [{"limit": {"old": "1", "new": "2"}}, {"limit": {"old": "2", "new": "3"}}]
    events = read("".join(activity(action="update", changes=one) for one in changes))
    assert len({value.record["event_id"] for value in events if isinstance(value, ParsedEvent)}) == 2


@pytest.mark.parametrize(
    ("line", "reason", "field", "message"),
    [
        ("hello\n", "malformed_line", None, "the line is neither a JSON object nor a line of syslog"),
        ("[1, 2]\n", "malformed_line", None, "the line is neither"),
        ('{"action": \n', "malformed_json", None, "the message is not JSON"),
        ('{"user": "kwong"}\n', "missing_field", "action", "the line does not say what was done"),
        ('{"user": "kwong", "action": "view"}\n', "missing_field", "occurred_at", "the event says neither when"),
        (activity(outcome="maybe"), "invalid_value", "succeeded", "'maybe' is no outcome"),
        (activity(changes="a"), "invalid_value", "changes", "changes are {field: {old, new}}"),
        (activity(changes={"a": 1}), "invalid_value", "a", "a is not a record of fields"),
        (activity(action="approval"), "missing_field", "decision", "an approval says approved or rejected"),
        (activity(action="approve"), "missing_field", "subject_type", "ApprovalDecided needs it"),
        (activity(company="US01"), "wrong_company", "company", "the event is of company US01"),
        ('{"event": "ClockTicked", "time": "2026-03-02T08:00:00Z"}\n', "missing_field", "action", "the line does not"),
    ],
)
def test_what_is_wrong_is_named_and_the_line_is_kept(line: str, reason: str, field: str | None, message: str) -> None:
    (value,) = read(line)
    assert isinstance(value, SourceReject)
    assert (value.reason, value.position.field, value.original) == (reason, field, line.encode())
    assert value.message.startswith(message)


def test_a_rejected_decision_takes_its_activity_with_it() -> None:
    assert [type(value) for value in read(activity(action="approve"))] == [SourceReject]


def test_an_approval_that_was_refused_decides_nothing() -> None:
    (event,) = read(activity(action="approve", entity_type="refund", entity_id="R", outcome="failure"))
    assert isinstance(event, ParsedEvent)
    assert (event.name, event.record["succeeded"]) == ("UserActivityLogged", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<34>1 2026-03-02T10:00:00Z host app 1 ID - hi", SyslogLine("2026-03-02T10:00:00Z", "app", "hi")),
        ("<34>1 - - - - - - hi", SyslogLine("", "", "hi")),
        ('<34>1 - h a - - [a@1 b="c d" e="\\"]x"] {"x":1}', SyslogLine("", "a", '{"x":1}')),
        ("<34>1 - h a - - [a@1] \ufeff@cee: {}", SyslogLine("", "a", "{}")),
        ("<34>1 - h a - - -", SyslogLine("", "a", "")),
        ("<34>Oct 11 22:14:15 host su[12]: failed", SyslogLine("", "su", "failed")),
        ("<34>1 - h a - - [broken", None),
        ("no syslog at all", None),
    ],
)
def test_the_parts_of_a_line_of_syslog(text: str, expected: SyslogLine | None) -> None:
    assert syslog_line(text) == expected


_KEYS = ["action", "user", "time", "changes", "event", "outcome", "before", "field", "old", "decision", "entity_id"]
_NOISE = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5) | st.lists(inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"<165>1 2026-03-02T10:00:00Z h a 1 - - ", activity().encode().strip()]),
)  # fmt: skip


@given(st.lists(st.lists(_NOISE, min_size=1, max_size=2).map(b"".join), max_size=5))
def test_whatever_stands_in_a_log_every_line_is_answered(pieces: list[bytes]) -> None:
    data = b"\n".join(piece.replace(b"\n", b" ") for piece in pieces)
    answered = [value.position.line for value in read(data)]
    # An approval is two events.
    assert sorted(set(answered)) == [number for number, line in enumerate(io.BytesIO(data), start=1) if line.strip()]
