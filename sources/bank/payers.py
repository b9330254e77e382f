"""Which customer account a payer is: a table that a team keeps, for cash that need not wait for a clerk.

CSV with the columns `payer` and `account_id`; a payer is a bank account (IBAN), a customer number or a name as the bank
writes it. Spaces, dashes and case do not count.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from sources.bank.account import normalised
from sources.errors import SourceError

_COLUMNS = ("payer", "account_id")


class Payers:
    """Payer → account id."""

    def __init__(self, accounts: Mapping[str, str] | None = None) -> None:
        self._accounts = {normalised(payer): account for payer, account in (accounts or {}).items()}

    def account_of(self, said: Iterable[str | None]) -> str | None:
        """The account of the first thing said about the payer that the table knows."""
        if not self._accounts:
            return None
        return next((self._accounts[key] for key in map(normalised, filter(None, said)) if key in self._accounts), None)


def read_payers(path: Path) -> Payers:
    """The table in a file. Raises ``SourceError`` naming the line at fault."""
    advice = "A payer table is CSV with the header payer,account_id"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read {path}: {error}", advice) from error
    rows = csv.DictReader(text.splitlines())
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise SourceError(f"{path} lacks the columns {' and '.join(_COLUMNS)}", advice)
    accounts: dict[str, str] = {}
    for row in rows:
        payer, account = (str(row[column] or "").strip() for column in _COLUMNS)
        key = normalised(payer)
        if not key or not account:
            raise SourceError(f"{path}:{rows.line_num} has an empty payer or account_id", advice)
        if accounts.setdefault(key, account) != account:
            raise SourceError(f"{path}:{rows.line_num} gives {payer} a second account", "Leave one of the lines")
    return Payers(accounts)
