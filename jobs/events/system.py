"""Events the pipeline itself writes: time and settings."""

from jobs.events.envelope import Event
from jobs.values import Instant


class ClockTicked(Event, frozen=True, kw_only=True):
    """It is `at` now. The only source of time for the jobs; published into every partition (DESIGN §2)."""

    at: Instant


class CompanyConfigured(Event, frozen=True, kw_only=True):
    """The settings of a company from this position of the log on; published into every partition.

    `settings` is the JSON of the company mapping of SCENARIOS §2.
    """

    version: str
    settings: str
