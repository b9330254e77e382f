"""Dates and instants as options of commands."""

from datetime import UTC, date, datetime

from pipeline.errors import Problem


def date_of_text(text: str | None, option: str) -> date | None:
    """An ISO date; None stays None. Raises Problem naming the option."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"{option} {text} is not a date", "Write it as 2026-03-31") from error


def instant_of_text(text: str, option: str) -> datetime:
    """An ISO instant; without an offset it is UTC. Raises Problem naming the option."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"{option} {text} is not an instant", "Write it as 2026-04-02T18:00:00Z") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
