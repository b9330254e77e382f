"""The pending span in Kafka's commit metadata."""

import pytest

from sinks.errors import SinkProblem
from sinks.intent import CLEAR, TRANSFORM, read_intent, write_intent
from sinks.positions import Span


def test_what_is_written_is_read() -> None:
    intent = read_intent(100, write_intent(Span(100, 250)))
    assert intent is not None
    assert intent.span == Span(100, 250)
    assert intent.transform == TRANSFORM


@pytest.mark.parametrize("metadata", [CLEAR, None])
def test_a_clear_commit_has_no_intent(metadata: str | None) -> None:
    assert read_intent(5, metadata) is None


def test_the_metadata_are_small() -> None:
    """The broker takes 4096 bytes by default."""
    assert len(write_intent(Span(2**62, 2**63 - 1))) < 120


@pytest.mark.parametrize(
    "metadata",
    [
        "another program was here",
        '{"sink":2,"first":100,"last":200,"transform":1}',
        '{"sink":1,"first":99,"last":200,"transform":1}',
        '{"sink":1,"first":100,"last":99,"transform":1}',
        '{"sink":1,"first":100}',
    ],
)
def test_metadata_of_others_are_refused(metadata: str) -> None:
    with pytest.raises(SinkProblem, match="group of its own"):
        read_intent(100, metadata)
