"""Statements out of the fields of a file: their lines with what the bank tells about each, and their totals.

Every pass over the file checks them. Counts and sums of an MT942 (90C, 90D) that are not those of its lines refuse it.
That opening balance and lines come to the closing balance of each message, and that a page that goes on (60M) begins
with what the page before it ended with (62M), is told where it is not so.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO, Literal

import msgspec

from sources.bank.account import BankAccount
from sources.bank.format import BadEntry, FileRefusedError
from sources.bank.plain_text import Repetitions, digest, said
from sources.bank.swift.details import Details, details, non_swift
from sources.bank.swift.fields import Field, fields
from sources.bank.swift.statement_line import StatementLine, decimal_of, statement_line

MessageType = Literal["MT940", "MT942"]
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})?([0-9]{1,15}(?:,[0-9]{0,4})?)")
_SUM = re.compile(r"([0-9]{0,5})([A-Z]{3})([0-9]{1,15}(?:,[0-9]{0,4})?)")
_ACCOUNTS_MAX = 100_000
_TELLING_MAX = 20


class Statement(msgspec.Struct, frozen=True, gc=False):
    """The message that a line stands in. `ordinal` counts those of the file."""

    ordinal: int
    account: BankAccount
    currency: str


class Posting(msgspec.Struct, frozen=True):
    """A statement line, with the fields in which the bank tells about it."""

    field: Field
    statement: Statement
    posted: StatementLine
    telling: list[Field]

    @property
    def line(self) -> int:
        """Where it begins in the file."""
        return self.field.line

    @property
    def told(self) -> Details:
        """What the bank tells."""
        lines = [line for field in self.telling if field.tag == "86" for line in field.lines]
        if lines:
            return details(lines)
        return non_swift([line for field in self.telling for line in field.lines])

    @property
    def original(self) -> bytes:
        """What the file has."""
        parts = (self.field, *self.telling)
        return "\n".join(f":{part.tag}:" + "\n".join(part.lines) for part in parts).encode()


def postings(
    stream: BinaryIO, form: MessageType, repetitions: Repetitions | None = None
) -> Iterator[Posting | BadEntry]:
    """The lines of all statements in order, and behind a statement what its balances do not prove.

    Raises ``FileRefusedError`` at what cannot be a statement, or is not all of it.
    """
    reading = _Reading(form, repetitions)
    for field in fields(stream):
        done = reading.take(field)
        if done is not None:
            yield done
        if reading.gap is not None:
            yield reading.gap
            reading.gap = None
    reading.end()


class _Reading:
    """Where in the messages the reading is."""

    def __init__(self, form: MessageType, repetitions: Repetitions | None) -> None:
        self._form = form
        self._repetitions = repetitions
        self._messages = 0
        self._pages: dict[str, Decimal] = {}
        self.gap: BadEntry | None = None
        self._begin(0)

    def _begin(self, line: int) -> None:
        """A new message."""
        self._line = line
        self._account = ""
        self._statement: Statement | None = None
        self._balance = Decimal(0)
        self._is_closed = False
        self._sums = _Sums()
        self._pending: tuple[Field, StatementLine] | None = None
        self._told: list[Field] = []
        self._content = b""

    def take(self, field: Field) -> Posting | None:
        """One field; a line with its details once another field begins."""
        if field.tag in ("86", "NS") and self._pending is not None:
            if len(self._told) >= _TELLING_MAX:
                message = (
                    f"a statement line has more than {_TELLING_MAX} fields :{field.tag}:; is it a SWIFT statement?"
                )
                raise FileRefusedError("malformed_file", message, field.line)
            self._told.append(field)
            self._note(field)
            return None
        done = self._done()
        if field.tag == "20":
            self._begin(field.line)
        elif field.tag == "":
            self._end_message(field.line)
            return done
        self._note(field)
        match field.tag:
            case "25" | "25P":
                self._account = said(field.lines[0]) or ""
            case "34F":
                if self._form == "MT942":
                    self._open(field, field.text[:3])
            case "60F" | "60M":
                self._opening(field)
            case "61":
                self._line_of(field)
            case "62F" | "62M":
                self._closing(field)
            case "90C" | "90D":
                self._sum(field)
        return done

    def _note(self, field: Field) -> None:
        if self._repetitions is not None:
            self._content = digest([field.tag, *field.lines], self._content)

    def end(self) -> None:
        """The end of the file. Raises ``FileRefusedError`` where it has no statement."""
        if not self._messages:
            raise FileRefusedError("malformed_file", "the file has no statement (:20:), so it is no SWIFT statement")

    def _done(self) -> Posting | None:
        if self._pending is None or self._statement is None:
            return None
        field, posted = self._pending
        telling, self._told, self._pending = self._told, [], None
        return Posting(field, self._statement, posted, telling)

    def _open(self, field: Field, currency: str) -> None:
        if self._statement is not None:
            return
        if not self._account:
            message = f":{field.tag}: comes before the account (:25:), or the account is empty"
            raise FileRefusedError("malformed_file", message, field.line)
        self._statement = Statement(self._messages, BankAccount(self._account, currency), currency)

    def _opening(self, field: Field) -> None:
        if self._form == "MT942":
            message = "the message has an opening balance, so it is an MT940; say --as mt940"
            raise FileRefusedError("wrong_format", message, field.line)
        if self._statement is not None:
            raise FileRefusedError("malformed_file", "the statement has a second opening balance", field.line)
        balance, currency = _balance(field)
        if not currency:
            raise FileRefusedError("malformed_file", f"the opening balance {field.text!r} has no currency", field.line)
        self._open(field, currency)
        self._balance = balance
        before = self._pages.pop(self._account, None)
        if field.tag == "60M" and before is not None and before != balance:
            message = f"the page begins with {balance}, but the page before it ended with {before}; a page is missing"
            self._tell(field, message)

    def _line_of(self, field: Field) -> None:
        if self._statement is None or self._is_closed:
            place = "behind the closing balance" if self._is_closed else "without an opening balance"
            hint = "without the currency (:34F:)" if self._form == "MT942" else place
            raise FileRefusedError("malformed_file", f"a statement line stands {hint}", field.line)
        posted = statement_line(field.lines)
        if posted is None:
            message = f"the statement line {field.lines[0][:60]!r} cannot be read, so the totals cannot be checked"
            raise FileRefusedError("malformed_file", message, field.line)
        self._balance += posted.signed
        self._sums.add(posted)
        self._pending = (field, posted)

    def _closing(self, field: Field) -> None:
        if self._statement is None or self._is_closed:
            raise FileRefusedError("malformed_file", "a closing balance stands without an opening one", field.line)
        closing, currency = _balance(field)
        if currency not in ("", self._statement.currency):
            message = f"the statement opens in {self._statement.currency} and closes in {currency}"
            raise FileRefusedError("malformed_file", message, field.line)
        if closing != self._balance:
            message = f"opening balance and lines come to {self._balance}, but the statement closes with {closing}"
            self._tell(field, message)
        self._is_closed = True
        if field.tag == "62M" and len(self._pages) < _ACCOUNTS_MAX:
            self._pages[self._account] = closing

    def _tell(self, field: Field, message: str) -> None:
        told = f"{message}; the lines are taken, ask the bank for the statement again"
        original = f":{field.tag}:" + "\n".join(field.lines)
        self.gap = BadEntry(field.line, "balance_mismatch", told, original.encode())

    def _sum(self, field: Field) -> None:
        if self._form == "MT940":
            return  # of some banks' own counting; the balances have proved the lines
        found = _SUM.fullmatch(field.text)
        if found is None:
            raise FileRefusedError("malformed_file", f"the sum :{field.tag}:{field.text[:40]} is none", field.line)
        self._sums.check(field.tag[-1], int(found[1]) if found[1] else None, decimal_of(found[3]), field.line)

    def _end_message(self, line: int) -> None:
        if self._form == "MT940" and not self._is_closed:
            if self._statement is None:
                message = "the message has no opening balance (:60F:); an interim report (MT942) is read --as mt942"
                raise FileRefusedError("malformed_file", message, self._line)
            message = "the statement has no closing balance (:62F:); it is cut off: ask the bank for it again"
            raise FileRefusedError("truncated_file", message, line)
        if self._repetitions is not None:
            self._repetitions.note(self._messages, self._content)
        self._messages += 1


class _Sums:
    """Numbers and sums of the lines of an MT942. Banks count a reversal with its own side or with the one it reverses,
    and expected items (EC, ED) with the others or not at all."""

    def __init__(self) -> None:
        self.lines = 0
        self._counts: dict[str, int] = {}
        self._amounts: dict[str, Decimal] = {}

    def add(self, posted: StatementLine) -> None:
        self.lines += 1
        self._counts[posted.mark] = self._counts.get(posted.mark, 0) + 1
        self._amounts[posted.mark] = self._amounts.get(posted.mark, Decimal(0)) + posted.amount

    def check(self, side: str, count: int | None, amount: Decimal, line: int) -> None:
        """Raises ``FileRefusedError`` where no way of counting gives what the message says."""
        other = "D" if side == "C" else "C"
        ways = [
            (side, reversal, *expected)
            for reversal in (f"R{other}", f"R{side}", "")
            for expected in ((), (f"E{side}",))
        ]
        for marks in ways:
            counted = sum(self._counts.get(mark, 0) for mark in marks)
            summed = sum((self._amounts.get(mark, Decimal(0)) for mark in marks), Decimal(0))
            if count in (None, counted) and amount == summed:
                return
        own, total = self._counts.get(side, 0), self._amounts.get(side, Decimal(0))
        raise FileRefusedError(
            "control_total_mismatch",
            f":90{side}: says {count} entries of {amount}, but the lines are {own} of {total}; "
            "ask the bank for the report again",
            line,
        )


def _balance(field: Field) -> tuple[Decimal, str]:
    found = _BALANCE.fullmatch(field.text)
    if found is None:
        message = f"the balance :{field.tag}:{field.text[:40]} cannot be read"
        raise FileRefusedError("malformed_file", message, field.line)
    amount = decimal_of(found[4])
    return (amount if found[1] == "C" else -amount), found[3] or ""
