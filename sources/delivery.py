"""Batches of a running feed → Kafka, each again until the broker has acknowledged all of it."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sources import feed_metrics as metrics
from sources.errors import SourceError
from sources.values import Parsed

logger = logging.getLogger(__name__)

RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
_STEP_SECONDS = 0.1


class Publishes(Protocol):
    """What sends values and returns when all of them are acknowledged, such as ``Publisher``."""

    def publish(self, values: Sequence[Parsed]) -> int:
        """Raises ``SourceError`` when some were not acknowledged; the same values may then be given again."""


class Delivery:
    """Sends batches. `make` gives a new publisher: one that failed may hold on to what it could not send.

    `has_ended` tells that the feed is asked to end; `patient` that a broker which does not answer is waited for.
    """

    def __init__(
        self,
        make: Callable[[], Publishes],
        *,
        patient: bool,
        has_ended: Callable[[], bool] = lambda: False,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self._make = make
        self._publisher = make()
        self._patient = patient
        self._has_ended = has_ended
        self._heartbeat = heartbeat

    def deliver(self, values: Sequence[Parsed]) -> bool:
        """True when everything is acknowledged, False when the feed was asked to end before that.

        Raises ``SourceError`` after the first failure where the feed is not patient.
        """
        attempt = 0
        while True:
            try:
                self._publisher.publish(values)
            except SourceError as error:
                if not self._patient:
                    raise
                logger.warning("sent again: %s", error.message)
                metrics.RETRIES.inc()
            else:
                return True
            if not wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)], self._has_ended, self._heartbeat):
                return False
            attempt += 1
            self._publisher = self._make()


def wait(seconds: float, has_ended: Callable[[], bool], heartbeat: Callable[[], None]) -> bool:
    """Sleep, in steps; False as soon as the feed is asked to end."""
    deadline = time.monotonic() + seconds
    while not has_ended():
        heartbeat()
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return True
        time.sleep(min(_STEP_SECONDS, remaining))
    return False
