"""Lists of all open items, night by night: what changed between two becomes events that say what is inferred."""

from sources.snapshot.compare import Difference, Report, compare
from sources.snapshot.extract import SnapshotExtract, read_companion, read_extract
from sources.snapshot.items import Companion, OpenItem
from sources.snapshot.nightly import Night, Nightly, day_in_name, read_payments, take, take_up
from sources.snapshot.state import KnownItem, State, StateFile

__all__ = [
    "Companion",
    "Difference",
    "KnownItem",
    "Night",
    "Nightly",
    "OpenItem",
    "Report",
    "SnapshotExtract",
    "State",
    "StateFile",
    "compare",
    "day_in_name",
    "read_companion",
    "read_extract",
    "read_payments",
    "take",
    "take_up",
]
