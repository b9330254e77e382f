"""The envelopes of a BAI2 file: file (01, 99), group (02, 98), account (03, 49), and the detail records in them.

Every pass over the file checks structure, totals and counts, so there is no way to read one that disagrees.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Literal

import msgspec

from sources.bank.account import BankAccount
from sources.bank.bai.numbers import count_of, day, total_of
from sources.bank.bai.records import Record, records
from sources.bank.bai.totals import AccountTotals, EnvelopeTotals
from sources.bank.format import FileRefusedError
from sources.bank.plain_text import Repetitions, digest

GroupStatus = Literal["update", "deletion", "correction", "test"]
_STATUSES: dict[str, GroupStatus] = {"1": "update", "2": "deletion", "3": "correction", "4": "test"}
_INTRADAY = frozenset("13")  # interim previous-day and interim same-day data; the final ones follow
_VERSIONS = frozenset(("", "2", "3"))
_SUMMARY_FIELDS = 4
_DISTRIBUTED = {"S": 3, "V": 2}
_CURRENCY = "USD"  # where neither account nor group names one
_GIVEN: tuple[str, ...] = ("",) * 8


class Group(msgspec.Struct, frozen=True, gc=False):
    """What a group header (02) says about all its accounts. `as_of` is the day of its data.

    `intraday`: the data are not final, a later group brings the bookings.
    """

    originator: str
    status: GroupStatus
    as_of: date
    intraday: bool
    currency: str


class Section(msgspec.Struct, frozen=True, gc=False):
    """An account in a group. `ordinal` counts the sections of the file."""

    ordinal: int
    group: Group
    account: BankAccount
    currency: str


def details(stream: BinaryIO, repetitions: Repetitions | None = None) -> Iterator[tuple[Section, Record]]:
    """The detail records (16) of a file in order. Raises ``FileRefusedError`` at what does not agree.

    `repetitions` notes the sections by what they say.
    """
    reading = _Reading(repetitions)
    for record in records(stream):
        if reading.take(record) and reading.section is not None:
            yield reading.section, record
    reading.end()


class _Reading:
    """Where in the envelopes the reading is."""

    def __init__(self, repetitions: Repetitions | None) -> None:
        self.section: Section | None = None
        self._group: Group | None = None
        self._in_file = False
        self._files = 0
        self._sections = 0
        self._file_totals = EnvelopeTotals()
        self._group_totals = EnvelopeTotals()
        self._account_totals = AccountTotals()
        self._repetitions = repetitions
        self._content = b""
        self._line = 0

    def take(self, record: Record) -> bool:
        """One record; True for a detail."""
        self._line = record.line
        match record.code:
            case "01":
                self._expect(not self._in_file, record, "a file header before the trailer (99) of the file before it")
                self._file_header(record)
            case "02":
                self._expect(self._in_file and self._group is None, record, "a group header where no group can begin")
                self._group_header(record)
            case "03":
                self._expect(self._group is not None and self.section is None, record, "an account outside a group")
                self._account_header(record)
            case "16":
                self._expect(self.section is not None, record, "a transaction outside an account")
                self._detail(record)
                return True
            case "49":
                self._expect(self.section is not None, record, "an account trailer without its account")
                self._account_trailer(record)
            case "98":
                self._expect(self._group is not None and self.section is None, record, "a group trailer out of place")
                self._group_trailer(record)
            case _:
                self._expect(self._in_file and self._group is None, record, "a file trailer out of place")
                self._file_trailer(record)
        return False

    def end(self) -> None:
        """The end of the stream. Raises ``FileRefusedError`` where the trailer is missing."""
        if self._in_file:
            message = "the file has no trailer (99); it is cut off: ask the bank for it again"
            raise FileRefusedError("truncated_file", message, self._line)
        if not self._files:
            raise FileRefusedError("malformed_file", "the file has no file header (01), so it is no BAI2 file")

    def _expect(self, holds: bool, record: Record, found: str) -> None:
        if not holds:
            raise FileRefusedError("malformed_file", f"record {record.code}: {found}", record.line)

    def _file_header(self, record: Record) -> None:
        version = _padded(record)[7]
        if version not in _VERSIONS:
            message = f"the file is of BAI version {version[:10]!r}; versions 2 and 3 (BTRS) are read"
            raise FileRefusedError("unsupported_version", message, record.line)
        self._in_file = True
        self._files += 1
        self._file_totals = EnvelopeTotals()
        self._file_totals.count(record.physical)

    def _group_header(self, record: Record) -> None:
        fields = _padded(record)
        as_of = day(fields[3])
        if as_of is None:
            message = f"the as-of date of the group is {fields[3][:20]!r}; it is to be YYMMDD"
            raise FileRefusedError("malformed_file", message, record.line)
        status = _STATUSES.get(fields[2] if fields[2] not in ("", "0") else "1")
        if status is None:
            raise FileRefusedError("malformed_file", f"{fields[2][:20]!r} is no status of a group (1-4)", record.line)
        self._group = Group(fields[1], status, as_of, fields[6] in _INTRADAY, fields[5].upper() or _CURRENCY)
        self._group_totals = EnvelopeTotals()
        self._group_totals.count(record.physical)

    def _account_header(self, record: Record) -> None:
        group = self._group
        number, currency, *summaries = _padded(record, fields_min=2)
        if group is None or not number:
            raise FileRefusedError("malformed_file", "the account header (03) names no account", record.line)
        currency = currency.upper() or group.currency
        account = BankAccount(number, currency, group.originator or None)
        self.section = Section(self._sections, group, account, currency)
        self._sections += 1
        self._account_totals = AccountTotals()
        self._account_totals.count(record.physical)
        for amount in _summary_amounts(summaries):
            total = total_of(amount, "amount of a summary (03)", record.line)
            if total is not None:
                self._account_totals.add(total, is_detail=False)
        self._content = digest([group.originator, group.status, group.as_of.isoformat(), *record.parts])

    def _detail(self, record: Record) -> None:
        self._account_totals.count(record.physical)
        _code, _comma, rest = ",".join(record.parts).partition(",")
        total = total_of(rest.partition(",")[0], "amount of a transaction (16)", record.line)
        if total is not None:
            self._account_totals.add(total, is_detail=True)
        if self._repetitions is not None:
            self._content = digest(record.parts, self._content)

    def _account_trailer(self, record: Record) -> None:
        section, totals = self.section, self._account_totals
        if section is None:
            return
        totals.count(record.physical)
        fields = _padded(record, fields_min=2)
        total = total_of(fields[0], "control total of an account (49)", record.line)
        count = count_of(fields[1], "number of records of an account (49)", record.line)
        totals.check(total, count, section.account.number, record.line)
        self._group_totals.add(total, totals.records, totals.continuations)
        if self._repetitions is not None:
            self._repetitions.note(section.ordinal, self._content)
        self.section = None

    def _group_trailer(self, record: Record) -> None:
        totals = self._group_totals
        totals.count(record.physical)
        total, parts, count = _trailer(record, "group (98)")
        totals.check(total, parts, count, ("group", "account"), record.line)
        self._file_totals.add(total, totals.records, totals.continuations)
        self._group = None

    def _file_trailer(self, record: Record) -> None:
        self._file_totals.count(record.physical)
        total, parts, count = _trailer(record, "file (99)")
        self._file_totals.check(total, parts, count, ("file", "group"), record.line)
        self._in_file = False


def _padded(record: Record, fields_min: int = 8) -> list[str]:
    return [*record.fields, *_GIVEN[:fields_min]]


def _trailer(record: Record, name: str) -> tuple[Decimal | None, int | None, int | None]:
    fields = _padded(record, fields_min=3)
    return (
        total_of(fields[0], f"control total of the {name}", record.line),
        count_of(fields[1], f"number of parts of the {name}", record.line),
        count_of(fields[2], f"number of records of the {name}", record.line),
    )


def _summary_amounts(fields: list[str]) -> Iterator[str]:
    """Amounts of the summary items of a 03 record: code, amount, item count, funds type and what that brings."""
    position = 0
    while position < len(fields):
        if not fields[position]:
            position += 1  # defaulted fields, or the comma too many that some banks write
            continue
        _code, amount, _count, funds = (*fields[position : position + _SUMMARY_FIELDS], "", "", "")[:_SUMMARY_FIELDS]
        yield amount
        position += _SUMMARY_FIELDS + extra_fields(funds.upper(), fields[position + _SUMMARY_FIELDS :])


def extra_fields(funds: str, following: list[str]) -> int:
    """How many fields a funds type brings: S three amounts, V date and time, D a number of pairs of days and amount."""
    if funds == "D":
        pairs = following[0] if following else ""
        return 1 + 2 * int(pairs) if pairs.isdecimal() and len(pairs) < 4 else 1
    return _DISTRIBUTED.get(funds, 0)
