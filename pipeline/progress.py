"""The progress record: how far a partition is applied, and what became of its events.

It is one record of the compacted state topic, written in the transaction of every batch, so that position, state and
outputs can never disagree (DESIGN §3 step 5).
"""

import msgspec

PROGRESS_KEY = b"!progress"
# State keys of the fold never start with it; records of the runtime do.
RESERVED = b"!"


class Progress(msgspec.Struct, omit_defaults=True):
    """Position and counters of one partition since its first event.

    Every record before ``position`` is counted in exactly one of the counters:
    events in = applied + rejected + duplicates + failed + ticks + configured + logged.
    """

    position: int = 0  # the next offset to apply
    clock_micros: int | None = None  # the last tick that was folded
    applied: int = 0
    rejected: int = 0
    duplicates: int = 0
    failed: int = 0
    ticks: int = 0
    configured: int = 0
    logged: int = 0  # valid events that no job folds
    expired: int = 0  # offsets that the broker deleted before they were applied; 0 unless retention was overrun

    @property
    def events(self) -> int:
        """Records taken in so far."""
        return self.applied + self.rejected + self.duplicates + self.failed + self.ticks + self.configured + self.logged

    def encode(self) -> bytes:
        """The record's value: JSON, readable in any tool; absent = 0."""
        return msgspec.json.encode(self)


def decode_progress(value: bytes) -> Progress:
    """Read a progress record. Raises ``msgspec.ValidationError`` when it is not one."""
    return msgspec.json.decode(value, type=Progress)
