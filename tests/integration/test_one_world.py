"""The common history is written so that no partition is asked about a day that it has not heard of."""

from typing import cast

from jobs.events import Event, PaymentIdentified
from pipeline.scenarios import load
from tests.integration.installed import LogWriter
from tests.integration.one_world import parts_of, play
from tests.integration.settling import Cutting
from tests.scenarios.test_scenarios import OWN

PATH = OWN / "cash" / "identified_with_escalation_running_on.yaml"


class Written:
    """A log in memory that knows which ticks a broker may still be without."""

    def __init__(self) -> None:
        self.late_ticks: list[int] = []
        self.late_at: list[list[int]] = []

    def event(self, event: Event) -> None:
        """An identification reaches the company's partition by way of the account's."""
        if isinstance(event, PaymentIdentified):
            self.late_at.append([*self.late_ticks])

    def tick(self, at_micros: int) -> None:
        """It is on its way."""
        self.late_ticks.append(at_micros)

    def flush(self) -> None:
        """Everything has arrived."""
        self.late_ticks.clear()


class Settled:
    """Everything that is written counts as applied."""

    def settle(self) -> None:
        """Nothing to wait for."""


def test_the_time_is_everywhere_before_what_leads_from_one_partition_to_another() -> None:
    written = Written()
    play(parts_of([load(PATH)]), cast("LogWriter", written), cast("Cutting", Settled()))
    assert written.late_at == [[]]
