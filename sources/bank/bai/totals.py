"""Control totals and counts of BAI2: 49 for an account, 98 for a group, 99 for a file.

The specification sums all amounts of 03, 16 and 88 records with their signs, and counts all records of an envelope,
88 records and its own header and trailer among them. Banks also sum without the signs, or the 16 records only, and
count without the 88. A total that agrees with none of these refuses the file; one that is not given is not checked.
"""

from decimal import Decimal

from sources.bank.format import FileRefusedError


class AccountTotals:
    """What an account section comes to."""

    def __init__(self) -> None:
        self._signed = Decimal(0)
        self._absolute = Decimal(0)
        self._details = Decimal(0)
        self.records = 0
        self.continuations = 0

    def count(self, physical: int) -> None:
        """A logical record of so many physical ones."""
        self.records += physical
        self.continuations += physical - 1

    def add(self, amount: Decimal, *, is_detail: bool) -> None:
        """An amount field of a 03 or 16 record."""
        self._signed += amount
        self._absolute += abs(amount)
        if is_detail:
            self._details += amount

    def check(self, total: Decimal | None, count: int | None, account: str, line: int) -> None:
        """The 49 record. Raises ``FileRefusedError``, which gives no more of the account number than its end."""
        name = f"account ...{account[-4:]}"
        if total is not None and total not in {self._signed, self._absolute, self._details}:
            raise FileRefusedError(
                "control_total_mismatch",
                f"the control total of {name} is {total}, but its amounts come to {self._signed}; "
                "ask the bank for the file again",
                line,
            )
        check_records(count, self.records, self.continuations, name, line)


class EnvelopeTotals:
    """What a group or file comes to: the totals of its parts as their trailers give them."""

    def __init__(self) -> None:
        self._sum: Decimal | None = Decimal(0)
        self.parts = 0
        self.records = 0
        self.continuations = 0

    def add(self, total: Decimal | None, records: int, continuations: int) -> None:
        """A part with the total of its trailer. A part without one leaves nothing to compare."""
        self._sum = None if total is None or self._sum is None else self._sum + total
        self.parts += 1
        self.records += records
        self.continuations += continuations

    def count(self, physical: int) -> None:
        """A record of the envelope itself."""
        self.records += physical
        self.continuations += physical - 1

    def check(
        self, total: Decimal | None, parts: int | None, count: int | None, names: tuple[str, str], line: int
    ) -> None:
        """The 98 or 99 record; `names` are those of the envelope and of its parts. Raises ``FileRefusedError``."""
        envelope, part = names
        if total is not None and self._sum is not None and total != self._sum:
            raise FileRefusedError(
                "control_total_mismatch",
                f"the control total of the {envelope} is {total}, but its {part}s come to {self._sum}; "
                "ask the bank for the file again",
                line,
            )
        if count is None and parts == self.records:
            parts, count = None, parts  # banks that leave the number of parts out (in New Zealand)
        if parts is not None and parts != self.parts:
            raise FileRefusedError(
                "control_count_mismatch", f"the {envelope} names {parts:,} {part}s, but has {self.parts:,}", line
            )
        check_records(count, self.records, self.continuations, envelope, line)


def check_records(count: int | None, records: int, continuations: int, name: str, line: int) -> None:
    """A count of records, with the continuations or without them. Raises ``FileRefusedError``."""
    if count is not None and count not in {records, records - continuations}:
        raise FileRefusedError(
            "control_count_mismatch",
            f"{name} is said to have {count:,} records, but has {records:,}; records are missing or too many",
            line,
        )
