"""Prints BAI2 and lockbox files with right totals, for the tests that read them back."""

from collections.abc import Sequence
from typing import NamedTuple


class Transaction(NamedTuple):
    """A 16 record: amounts in minor units, text as it stands at its end."""

    code: str
    cents: int
    reference: str = ""
    customer: str = ""
    text: str = ""


def bai2(accounts: Sequence[Sequence[Transaction]], end: str = "\n", width: int = 0) -> bytes:
    """One group with these accounts, ACCT1 and so on. Texts are continued in 88 records of `width` characters."""
    lines = ["01,021000021,ACME,261126,0615,1,,,2/", "02,ACME,021000021,1,261125,2359,USD,2/"]
    total = 0
    for number, transactions in enumerate(accounts, 1):
        opened = len(lines)
        amount = sum(transaction.cents for transaction in transactions)
        lines.append(f"03,ACCT{number},USD,010,{amount},,,/")
        for transaction in transactions:
            lines += _transaction(transaction, width)
        lines.append(f"49,{2 * amount},{len(lines) - opened + 1}/")
        total += 2 * amount
    lines += [f"98,{total},{len(accounts)},{len(lines)}/", f"99,{total},1,{len(lines) + 2}/"]
    return end.join([*lines, ""]).encode()


def _transaction(transaction: Transaction, width: int) -> list[str]:
    code, cents, reference, customer, text = transaction
    head = f"16,{code},{cents},0,{reference},{customer}"
    if not width:
        return [f"{head},{text}/"]
    pieces = [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return [f"{head}/", *(f"88,{piece}/" for piece in pieces)]


class Check(NamedTuple):
    """A check of a lockbox with what it pays: invoice number and cents."""

    cents: int
    number: int
    invoices: Sequence[tuple[str, int]] = ()


def lockbox(batches: Sequence[Sequence[Check]], end: str = "\n") -> bytes:
    """One lockbox with these batches."""
    lines = ["100ACME      02100002102611250830", "2ACME      0210000210000000000040008000800"]
    lines.append("50000000022222261124")
    for batch, checks in enumerate(batches, 1):
        for item, check in enumerate(checks, 1):
            place = f"{batch:03}{item:03}"
            lines.append(f"6{place}{check.cents:010}0210000890044556677{check.number:010}")
            for line, (invoice, cents) in enumerate(check.invoices, 1):
                last = 9 if line == len(check.invoices) else 0
                lines.append(f"4{place}6{line:02}{last}{invoice:<15}{cents:010}")
        amount = sum(check.cents for check in checks)
        lines.append(f"7{batch:03}{len(checks):03}0022222261124{len(checks):03}{amount:010}")
    count, amount = sum(map(len, batches)), sum(check.cents for checks in batches for check in checks)
    lines.append(f"80000000022222261124{count:04}{amount:010}")
    lines.append(f"9{len(lines) + 1:06}")
    return end.join([*lines, ""]).encode()
