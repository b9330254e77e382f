"""Prints SWIFT statements with right balances, for the tests that read them back."""

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """A statement line: `mark` as SWIFT has it, the amount in cents, and what the bank tells, unwrapped."""

    mark: str
    cents: int
    reference: str = "NONREF"
    bank: str = ""
    told: str = ""


def amount(cents: int) -> str:
    """With a decimal comma, zeros at its end left out."""
    return f"{cents // 100},{cents % 100:02}".rstrip("0")


def balance(cents: int) -> str:
    """Mark, date, currency and amount."""
    return f"{'C' if cents >= 0 else 'D'}261125EUR{amount(abs(cents))}"


def mt940(pages: Sequence[Sequence[Line]], opening: int = 0, end: str = "\n", width: int = 65) -> bytes:
    """One statement of an account on several pages."""
    lines = []
    running = opening
    for number, page in enumerate(pages, 1):
        lines += [":20:STMT", ":25:DE89370400440532013000", f":28C:7/{number}"]
        lines.append(f":60{'F' if number == 1 else 'M'}:{balance(running)}")
        for line in page:
            running += line.cents if line.mark in ("C", "RD") else -line.cents
            bank = f"//{line.bank}" if line.bank else ""
            lines.append(f":61:2611251125{line.mark}{amount(line.cents)}NTRF{line.reference}{bank}")
            lines += _told(line.told, width)
        lines += [f":62{'F' if number == len(pages) else 'M'}:{balance(running)}", "-"]
    return end.join([*lines, ""]).encode()


def _told(text: str, width: int) -> list[str]:
    pieces = [text[at : at + width] for at in range(0, len(text), width)]
    return [f":86:{pieces[0]}", *pieces[1:]] if pieces else []
