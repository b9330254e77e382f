"""Rollups of closed days, and closes of periods: written out of the as-of views, and replaced as a whole; and openings,
which make these views fast."""

from sinks.rollups.closes import Close, close, closes, differences
from sinks.rollups.days import Rollup, roll_up
from sinks.rollups.openings import forget_openings, write_openings

__all__ = ["Close", "Rollup", "close", "closes", "differences", "forget_openings", "roll_up", "write_openings"]
