"""The pending insert in Kafka's commit metadata."""

import pytest

from sinks.errors import SinkProblem
from sinks.intent import CLEAR, MEMBERS_MAX, METADATA_BYTES_MAX, TRANSFORM, read_intent, write_intent
from sinks.positions import Member, Partition, Span


def place(number: int) -> Partition:
    return Partition("ar.ledger", number)


PLACE = place(3)


def test_what_is_written_is_read() -> None:
    member = Member(PLACE, Span(100, 250))
    intent = read_intent(PLACE, 100, write_intent([member]))
    assert intent is not None
    assert (intent.members, intent.transform) == ((member,), TRANSFORM)


def test_every_member_of_a_joint_insert_finds_all_of_them() -> None:
    members = (Member(place(0), Span(7, 7)), Member(place(3), Span(100, 250)), Member(place(11), Span(0, 4)))
    metadata = write_intent(members)
    for partition, span in members:
        intent = read_intent(partition, span.first, metadata)
        assert intent is not None
        assert intent.members == members


def test_a_span_by_itself_is_written_as_it_always_was() -> None:
    """Metadata of the first release: they are read after an upgrade, and by the former program on the way back."""
    assert write_intent([Member(PLACE, Span(100, 250))]) == '{"sink":1,"first":100,"last":250,"transform":1}'


@pytest.mark.parametrize("metadata", [CLEAR, None])
def test_a_clear_commit_has_no_intent(metadata: str | None) -> None:
    assert read_intent(PLACE, 5, metadata) is None


def test_the_metadata_are_small() -> None:
    """However large partitions and offsets are; `arrears doctor` asks the broker for as much."""
    largest = [Member(place(2**31 - 1 - number), Span(2**62, 2**63 - 1)) for number in range(MEMBERS_MAX)]
    assert METADATA_BYTES_MAX * 0.9 < len(write_intent(largest)) <= METADATA_BYTES_MAX


@pytest.mark.parametrize(
    "metadata",
    [
        "another program was here",
        '{"sink":3,"first":100,"last":200,"transform":1}',
        '{"sink":2,"first":100,"last":200,"transform":1}',
        '{"sink":1,"first":99,"last":200,"transform":1}',
        '{"sink":1,"first":100,"last":99,"transform":1}',
        '{"sink":1,"first":100}',
        '{"sink":2,"transform":1,"members":[]}',
        '{"sink":2,"transform":1,"members":[[1,100,200],[2,5,6]]}',
        '{"sink":2,"transform":1,"members":[[1,5,6],[3,99,200]]}',
        '{"sink":2,"transform":1,"members":[[1,6,5],[3,100,200]]}',
        '{"sink":2,"transform":1,"members":[[3,100,200],[1,5,6]]}',
        '{"sink":2,"transform":1,"members":[[3,100,200],[3,100,200]]}',
    ],
)
def test_metadata_of_others_are_refused(metadata: str) -> None:
    with pytest.raises(SinkProblem, match="group of its own"):
        read_intent(PLACE, 100, metadata)
