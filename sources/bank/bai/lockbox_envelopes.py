"""The envelopes of a lockbox file: transmission (1, 9), lockbox (5, 8), batch (7), and the checks (6, 4) in them.

Columns are fixed. Totals come in fields of several widths; one that agrees in none of them refuses the file, one that
is blank is not checked. Every pass over the file checks them. Banks leave records out: a file may do without service
record (2), batch totals (7), or lockbox totals (8) where it has a trailer (9); one without header (1) and trailer is
complete when its last record is a lockbox total.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import BinaryIO

import msgspec

from sources.bank.bai.numbers import day
from sources.bank.format import FileRefusedError
from sources.bank.plain_text import Repetitions, digest, text_lines

_CENTS = 2
_OVERFLOWS_MAX = 20_000
_LINE_BYTES_MAX = 4_096
# Where count and amount stand in a total, from 0: banks give them three or four, ten or twelve digits.
_TOTALS = ((20, 23, 33), (20, 24, 34), (20, 23, 35), (20, 24, 36), (20, 25, 35))


class LockboxHeader(msgspec.Struct, frozen=True, gc=False):
    """A lockbox of one deposit date (record 5). `ordinal` counts those of the file; `origin` is the bank's number."""

    ordinal: int
    number: str
    deposit_date: date
    origin: str | None


class Check(msgspec.Struct, frozen=True, gc=False):
    """A check (record 6) with its overflow records (4), each from column 1 on."""

    line: int
    record: str
    overflows: list[str]
    amount: Decimal


class _Totals:
    """Number and amount of the checks in an envelope."""

    def __init__(self) -> None:
        self.count = 0
        self.amount = Decimal(0)

    def add(self, amount: Decimal) -> None:
        self.count += 1
        self.amount += amount

    def check(self, record: str, name: str, line: int) -> None:
        """Raises ``FileRefusedError`` where the record's totals are others."""
        if not record[_TOTALS[0][0] :].strip():
            return
        for start, middle, end in _TOTALS:
            count, amount = record[start:middle].strip() or "0", record[middle:end].strip() or "0"
            if not (count.isdecimal() and amount.isdecimal()):
                continue
            if int(count) == self.count and Decimal(amount).scaleb(-_CENTS) == self.amount:
                return
        raise FileRefusedError(
            "control_total_mismatch",
            f"{name} has {self.count:,} checks of {self.amount:,.2f}, but its total record says "
            f"{record[20:36].strip()!r}; ask the bank for the file again",
            line,
        )


def checks(stream: BinaryIO, repetitions: Repetitions | None = None) -> Iterator[tuple[LockboxHeader, Check]]:
    """The checks of a file in order. Raises ``FileRefusedError`` at what does not agree."""
    reading = _Reading(repetitions)
    for line in text_lines(stream, "a lockbox", _LINE_BYTES_MAX):
        found = reading.take(line.text, line.number)
        if found is not None:
            yield found
    reading.end()


class _Reading:
    """Where in the envelopes the reading is."""

    def __init__(self, repetitions: Repetitions | None) -> None:
        self._repetitions = repetitions
        self._origin: str | None = None
        self._in_file = False
        self._bare = False
        self._files = 0
        self._lockboxes = 0
        self._records = 0
        self._lockbox: LockboxHeader | None = None
        self._lockbox_totals = _Totals()
        self._batch_totals = _Totals()
        self._check: Check | None = None
        self._content = b""
        self._line = 0

    def take(self, record: str, line: int) -> tuple[LockboxHeader, Check] | None:
        """One record; a check with its overflow records once the next record begins."""
        self._records += 1
        self._line = line
        code = record[:1]
        if code == "4":
            self._overflow(record, line)
            return None
        done = self._check
        self._check = None
        lockbox = self._lockbox
        match code:
            case "1":
                self._expect(not self._in_file and not self._bare, "1: a header before the file before it ends", line)
                self._in_file, self._records = True, 1
                self._files += 1
                self._origin = record[13:23].strip() or None
            case "2":
                self._expect(self._in_file and lockbox is None, "2: a service record out of place", line)
            case "5":
                self._expect(self._in_file or self._bare or not self._files, "5: a lockbox after the trailer (9)", line)
                self._header(record, line)
            case "6":
                self._expect(lockbox is not None, "6: a check outside a lockbox (5)", line)
                self._detail(record, line)
            case "7":
                self._expect(lockbox is not None, "7: a batch total outside a lockbox (5)", line)
                self._batch_totals.check(record, f"batch {record[1:4]}", line)
                self._batch_totals = _Totals()
            case "8":
                self._expect(lockbox is not None, "8: a lockbox total without its lockbox (5)", line)
                self._lockbox_total(record, line)
            case "9":
                self._expect(self._in_file, "9: a trailer without its header (1)", line)
                self._close()
                self._trailer(record, line)
            case _:
                message = f"{record[:20]!r} is no record of a lockbox file (1, 2, 4 to 9)"
                raise FileRefusedError("malformed_file", message, line)
        return None if done is None or lockbox is None else (lockbox, done)

    def end(self) -> None:
        """The end of the stream. Raises ``FileRefusedError`` where the trailer is missing."""
        if self._in_file or (self._bare and self._lockbox is not None):
            message = "the file has no trailer (9) or lockbox total (8); it is cut off: ask the bank for it again"
            raise FileRefusedError("truncated_file", message, self._line)
        if not self._files:
            raise FileRefusedError("malformed_file", "the file has no header (1), so it is no lockbox file")

    def _expect(self, holds: bool, found: str, line: int) -> None:
        if not holds:
            raise FileRefusedError("malformed_file", f"record {found}", line)

    def _header(self, record: str, line: int) -> None:
        number, deposited = record[7:14].strip(), day(record[14:20])
        if not number or deposited is None:
            message = f"the lockbox header (5) is to give a number and a date YYMMDD, not {record[7:20]!r}"
            raise FileRefusedError("malformed_file", message, line)
        if not self._in_file and not self._bare:
            self._bare = True
            self._files += 1
        if self._lockbox is None or self._lockbox.number != number:
            self._close()
            self._lockbox_totals = _Totals()
            self._lockboxes += 1
        self._lockbox = LockboxHeader(self._lockboxes, number, deposited, self._origin)
        self._batch_totals = _Totals()
        self._note(record)

    def _detail(self, record: str, line: int) -> None:
        cents = record[7:17]
        if not (cents.isdecimal() and cents.isascii() and len(cents) == 10):
            message = f"the amount of a check (6) is {cents!r}; it is to be ten digits in columns 8 to 17"
            raise FileRefusedError("malformed_file", message, line)
        amount = Decimal(cents).scaleb(-_CENTS)
        self._lockbox_totals.add(amount)
        self._batch_totals.add(amount)
        self._check = Check(line, record, [], amount)
        self._note(record)

    def _overflow(self, record: str, line: int) -> None:
        if self._check is None or len(self._check.overflows) >= _OVERFLOWS_MAX:
            raise FileRefusedError("malformed_file", "record 4: an overflow record without its check (6)", line)
        self._check.overflows.append(record)
        self._note(record)

    def _lockbox_total(self, record: str, line: int) -> None:
        lockbox = self._lockbox
        if lockbox is None:
            return
        self._lockbox_totals.check(record, f"lockbox {lockbox.number}", line)
        self._close()

    def _note(self, record: str) -> None:
        if self._repetitions is not None:
            self._content = digest([record.rstrip()], self._content)

    def _close(self) -> None:
        """The end of a lockbox, if one is open."""
        if self._lockbox is not None and self._repetitions is not None:
            self._repetitions.note(self._lockbox.ordinal, self._content)
        self._lockbox = None
        self._content = b""

    def _trailer(self, record: str, line: int) -> None:
        stated = record[1:7].strip()
        # Header and trailer are counted or not; zero stands for no count.
        if stated.isdecimal() and int(stated) not in {0, self._records, self._records - 2}:
            raise FileRefusedError(
                "control_count_mismatch",
                f"the trailer counts {int(stated):,} records, but there are {self._records:,}; "
                "ask the bank for the file again",
                line,
            )
        self._in_file = False
