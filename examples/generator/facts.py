"""A fact of the sample history: what an ERP would have entered, and when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

START = date(2026, 1, 2)
END = date(2026, 9, 30)


@dataclass(frozen=True)
class Fact:
    """One event in plain terms: amounts are integers in minor units, dates are dates. `at` is when it was entered."""

    at: datetime
    event: str
    account: str | None
    actor: str
    fields: dict[str, Any]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  the fields are those of any event
        """A field, None where the event does not have it."""
        return self.fields.get(name)


def instant(at: datetime) -> str:
    """An instant in UTC as ISO text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
