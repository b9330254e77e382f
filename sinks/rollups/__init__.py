"""Rollups of closed days, and closes of periods: written out of the as-of views, and replaced as a whole."""

from sinks.rollups.closes import Close, close, closes, differences
from sinks.rollups.days import Rollup, roll_up

__all__ = ["Close", "Rollup", "close", "closes", "differences", "roll_up"]
