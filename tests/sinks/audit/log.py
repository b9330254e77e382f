"""The audit topic's twin in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sinks.audit.book import Anchor


@dataclass
class MemoryAuditLog:
    """What was published, in order."""

    anchors: list[Anchor] = field(default_factory=list)

    def publish(self, anchors: Sequence[Anchor]) -> None:
        """Keep them."""
        self.anchors += anchors
