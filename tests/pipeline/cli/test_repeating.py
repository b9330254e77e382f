"""Rounds: once, or again and again until a signal; the round that runs is finished."""

import os
import signal
from collections.abc import Iterator

import pytest

from pipeline.cli.repeating import rounds


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """The handlers of the test runner come back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_without_every_there_is_one_and_no_handler() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert len(list(rounds(None))) == 1
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_round_end_and_ends_the_rest(number: signal.Signals) -> None:
    finished = 0
    for _ in rounds(0.01):
        if finished == 2:
            os.kill(os.getpid(), number)
        finished += 1
    assert finished == 3


def test_a_signal_ends_the_wait_too() -> None:
    for _ in rounds(3600):
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
