"""A batch is sent until it is acknowledged, or the feed is asked to end; nobody takes it for done before."""

from collections.abc import Sequence

import pytest

from sources import Parsed, Position, SkippedRow, SourceError
from sources.delivery import Delivery, wait

BATCH: list[Parsed] = [SkippedRow(Position("t[0]", 1))]


class Broker:
    """One that does not acknowledge the first `failures` batches; it counts those that give to it."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.publishers = 0
        self.taken: list[Sequence[Parsed]] = []

    def publisher(self) -> "Broker":
        """A client of it."""
        self.publishers += 1
        return self

    def publish(self, values: Sequence[Parsed]) -> int:
        """As a publisher does."""
        if self.left:
            self.left -= 1
            raise SourceError("the broker did not acknowledge 1 of 1 records")
        self.taken.append(values)
        return len(values)


def test_a_batch_is_sent_again_by_a_new_client_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.delivery.RETRY_SECONDS", (0.0,))
    broker = Broker(failures=3)
    beats: list[None] = []
    delivery = Delivery(broker.publisher, patient=True, heartbeat=lambda: beats.append(None))
    assert delivery.deliver(BATCH)
    assert (broker.taken, broker.publishers) == ([BATCH], 4)
    assert len(beats) >= 3
    assert delivery.deliver(BATCH)
    assert broker.publishers == 4  # one that works is kept


def test_a_feed_that_is_asked_to_end_gives_up_without_calling_it_done() -> None:
    broker = Broker(failures=100)
    delivery = Delivery(broker.publisher, patient=True, has_ended=lambda: True)
    assert not delivery.deliver(BATCH)
    assert broker.taken == []


def test_a_single_run_is_told_of_the_first_failure() -> None:
    with pytest.raises(SourceError, match="did not acknowledge"):
        Delivery(Broker(failures=1).publisher, patient=False).deliver(BATCH)


def test_waiting_ends_when_it_is_asked_to() -> None:
    asked = iter([False, False, True])
    assert not wait(3600.0, lambda: next(asked), lambda: None)
    assert wait(0.0, lambda: False, lambda: None)
