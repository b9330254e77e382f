"""What a check is, and what it finds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import Problem
from pipeline.settings import Settings

Status = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do about it."""

    subject: str
    status: Status
    message: str
    advice: str = ""


@dataclass(frozen=True)
class Check:
    """One question. ``look`` gives findings, or raises ``Problem``, which is a failure.

    ``needs`` names the subject of another check without whose success there is nothing to look at.
    """

    subject: str
    look: Callable[[Settings], Iterable[Finding]]
    needs: str = ""


def examine(settings: Settings, checks: Sequence[Check]) -> Iterator[Finding]:
    """Carry out all checks in order; findings come as they are made."""
    failed: set[str] = set()
    for check in checks:
        if check.needs in failed:
            failed.add(check.subject)
            yield Finding(check.subject, "skipped", f"not looked at, because {check.needs} has failed")
            continue
        for finding in _look(settings, check):
            if finding.status == "failed":
                failed.add(check.subject)
            yield finding


def _look(settings: Settings, check: Check) -> list[Finding]:
    try:
        return list(check.look(settings))
    except Problem as problem:
        return [Finding(check.subject, "failed", problem.message, problem.advice)]
    except Exception as error:  # noqa: BLE001  one check that cannot be carried out must not keep the others from it
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return [Finding(check.subject, "failed", f"cannot be looked at: {words[:300]}")]
