"""The fields of a transaction record (16): type code, amount, funds type, references and free text.

The text is the last field and may hold anything, commas and slashes too. It may begin in the record or in the first 88
that continues it, and so may every field before it.
"""

import re
from datetime import date

import msgspec

from sources.bank.bai.envelopes import extra_fields
from sources.bank.bai.numbers import day
from sources.bank.bai.records import Record
from sources.bank.plain_text import said
from sources.bank.reasons import is_return_code

_FUNDS = frozenset(("", "0", "1", "2", "S", "V", "D", "Z"))
_TAG = re.compile(r"([A-Z]{4}): ?(.*)")
_REASON = re.compile(r"\b(?:R[0-9]{2}|[A-Z]{2}[0-9]{2})\b")
_TYPE_CODE = re.compile(r"[0-9]{3}")


class Detail(msgspec.Struct, frozen=True):
    """A transaction as its record gives it. `amount` is as written.

    `lines` are those of the text, `tags` what such as `REMI: INV 7` say. `value_date` is that of value-dated
    funds (V); other funds types say when money is available, not when it counts.
    """

    code: str
    amount: str
    value_date: date | None
    bank_reference: str | None
    customer_reference: str | None
    text: str | None
    lines: list[str]
    tags: dict[str, str]

    @property
    def reason_code(self) -> str | None:
        """The code of a scheme that says why cash went back (R01, AM04), where the text has one."""
        return next((word for word in _REASON.findall(self.text or "") if is_return_code(word)), None)


class BadDetailError(Exception):
    """A transaction record whose fields make no sense; the message says why."""


def detail(record: Record) -> Detail:
    """The fields of a 16 record. Raises ``BadDetailError``."""
    fields = _Fields(record.parts)
    code, amount, funds = fields.take(), fields.take(), fields.take().upper()
    if _TYPE_CODE.fullmatch(code) is None:
        raise BadDetailError(f"the type code is {code[:20]!r}; it is to be three digits")
    if funds not in _FUNDS:
        raise BadDetailError(f"the funds type is {funds[:20]!r}; it is to be one of 0, 1, 2, S, V, D and Z, or empty")
    value_date = None
    if funds == "V":
        written = fields.take()
        fields.take()  # the time of day, which has no time zone
        value_date = day(written)
        if value_date is None and written:
            raise BadDetailError(f"the value date is {written[:20]!r}; it is to be YYMMDD")
    elif funds == "D":
        for _ in range(extra_fields(funds, [fields.take()]) - 1):
            fields.take()
    else:
        for _ in range(extra_fields(funds, [])):
            fields.take()
    bank, customer = fields.take(), fields.take()
    lines = fields.text()
    tags = {found[1]: found[2].strip() for found in map(_TAG.fullmatch, lines) if found}
    return Detail(code, amount, value_date, said(bank), said(customer), said(" ".join(lines)), lines, tags)


class _Fields:
    """The fields of a record in order, over its physical records; past the end they are empty."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        self._next = 0
        self._rest: str | None = None

    def take(self) -> str:
        """The next field, without the blanks around it."""
        if self._rest is None:
            if self._next == len(self._parts):
                return ""
            self._rest = self._parts[self._next]
            self._next += 1
        field, comma, rest = self._rest.partition(",")
        self._rest = rest if comma else None
        return field.strip()

    def text(self) -> list[str]:
        """All that is left, a physical record a line."""
        begun = [] if self._rest is None else [self._rest]
        return [line.strip() for line in (*begun, *self._parts[self._next :]) if line.strip()]
