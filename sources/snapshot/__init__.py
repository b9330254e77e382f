"""Lists of all open items, night by night: what changed between two becomes events that say what is inferred."""

from sources.snapshot.compare import Difference, Report, compare
from sources.snapshot.extract import SnapshotExtract, read_companion, read_extract
from sources.snapshot.items import Companion, OpenItem
from sources.snapshot.state import KnownItem, State, StateFile

__all__ = [
    "Companion",
    "Difference",
    "KnownItem",
    "OpenItem",
    "Report",
    "SnapshotExtract",
    "State",
    "StateFile",
    "compare",
    "read_companion",
    "read_extract",
]
