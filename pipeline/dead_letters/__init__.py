"""Dead letters: what could not be processed and lies in `ar.failed`; found, looked at, sent again, or handed back."""

from pipeline.dead_letters.export import Exported, export
from pipeline.dead_letters.letter import DeadLetter, LetterFilter, Place, read_letters
from pipeline.dead_letters.replay import REPLAYED_FROM, Outcome, Replayer, ReplayOptions, obstacle

__all__ = [
    "REPLAYED_FROM",
    "DeadLetter",
    "Exported",
    "LetterFilter",
    "Outcome",
    "Place",
    "ReplayOptions",
    "Replayer",
    "export",
    "obstacle",
    "read_letters",
]
