"""A folder into which others put files: each is taken once, moved on, and answered with a report."""

from sources.watch.folder import WatchedFolder
from sources.watch.report import FileReport
from sources.watch.taking import FileTaker, Taken
from sources.watch.watcher import Watcher, WatchOptions

__all__ = ["FileReport", "FileTaker", "Taken", "WatchOptions", "WatchedFolder", "Watcher"]
