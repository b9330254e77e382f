"""Instants as people give them to commands."""

from datetime import UTC, datetime

from pipeline.errors import Problem


def parse_instant(text: str) -> datetime:
    """An ISO instant or day; without a time zone it is UTC. Raises ``Problem``."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            f"{text!r} is no time", "Write it as 2026-03-31T08:00:00Z, or 2026-03-31 for its midnight"
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
