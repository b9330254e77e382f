"""Slow and obvious: what the jobs must come to, computed anew from the list of events, without the jobs."""

from tests.property.oracle.cash import CashOracle
from tests.property.oracle.dated import Line
from tests.property.oracle.journal import Journal
from tests.property.oracle.ledger import Row
from tests.property.oracle.promises import PromiseOracle

__all__ = ["CashOracle", "Journal", "Line", "PromiseOracle", "Row"]
