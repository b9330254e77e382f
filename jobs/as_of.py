"""As-of answers from ledger entries, for any two dates (SEMANTICS 1.2, 1.4, 2.1, 2.5).

The slow, obvious form of what ClickHouse computes with `aging_as_of`: the scenario runner and the tests hold the fast
forms against it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from jobs.aging import CREDIT, INVOICE, ON_ACCOUNT
from jobs.buckets import Buckets
from jobs.collectible import UNAPPLIED
from jobs.company import CreditMode
from jobs.effects import LedgerEntry
from jobs.values import Day, Instant, Minor


class OpenLine(NamedTuple):
    """What is open on a day of one instalment, document or receipt, and what it is aged from."""

    company: str
    account_id: str
    item_type: str
    item_id: str
    instalment: int
    balance_class: str
    currency: str
    due_date: Day


class Aging(NamedTuple):
    """An aging report; credits positive, buckets as the credit mode says, `open_items` summed on its own."""

    buckets: dict[str, Minor]
    unapplied: Minor
    on_account: Minor
    credits: Minor
    open_items: Minor

    @property
    def total(self) -> Minor:
        """Net of all columns; negative for an account in net credit (SEMANTICS 2.6)."""
        return Minor(sum(self.buckets.values()) - self.unapplied - self.on_account - self.credits)

    @property
    def reconciliation_gap(self) -> Minor:
        """Columns against open items; 0 (SEMANTICS 1.4)."""
        return Minor(self.total - self.open_items)


def known(entries: Iterable[LedgerEntry], known_as_of: Instant | None) -> Iterable[LedgerEntry]:
    """What had been recorded at an instant; everything for None ("restated")."""
    return (entry for entry in entries if known_as_of is None or entry.recorded_at <= known_as_of)


def open_lines(entries: Iterable[LedgerEntry], as_of: Day, known_as_of: Instant | None = None) -> dict[OpenLine, Minor]:
    """Σ delta where effective_date ≤ as_of and recorded_at ≤ known_as_of, without what nets to zero (SEMANTICS 1.2)."""
    lines: dict[OpenLine, Minor] = {}
    for entry in known(entries, known_as_of):
        if entry.effective_date <= as_of:
            line = OpenLine(
                entry.company,
                entry.account_id,
                entry.item_type,
                entry.item_id,
                entry.instalment,
                entry.balance_class,
                entry.currency,
                entry.due_date,
            )
            lines[line] = Minor(lines.get(line, 0) + entry.delta_minor)
    return {line: amount for line, amount in lines.items() if amount}


def age(lines: dict[OpenLine, Minor], as_of: Day, buckets: Buckets, mode: CreditMode = "separate") -> Aging:
    """Buckets and credit columns of lines of one currency (SEMANTICS 2.1, 2.5)."""
    amounts = dict.fromkeys(buckets.names, 0)
    columns = {UNAPPLIED: 0, ON_ACCOUNT: 0, CREDIT: 0}
    for line, amount in lines.items():
        if line.balance_class == INVOICE or mode == "own_date":
            amounts[buckets.name(as_of - line.due_date)] += amount
        else:
            columns[line.balance_class] -= amount
    if mode == "oldest_first":
        rest = sum(columns.values())
        for name in reversed(buckets.names):
            used = max(0, min(rest, amounts[name]))
            amounts[name] -= used
            rest -= used
        columns = {UNAPPLIED: 0, ON_ACCOUNT: 0, CREDIT: rest}
    return Aging(
        {name: Minor(amount) for name, amount in amounts.items()},
        Minor(columns[UNAPPLIED]),
        Minor(columns[ON_ACCOUNT]),
        Minor(columns[CREDIT]),
        Minor(sum(lines.values())),
    )


def rolled_up(lines: dict[OpenLine, Minor], as_of: Day, buckets: Buckets, mode: CreditMode = "separate") -> Aging:
    """The reports of all accounts, added up: a credit of one account reduces no bucket of another (SEMANTICS 2.10)."""
    of: dict[str, dict[OpenLine, Minor]] = {}
    for line, amount in lines.items():
        of.setdefault(line.account_id, {})[line] = amount
    whole = age({}, as_of, buckets, mode)
    for own in of.values():
        part = age(own, as_of, buckets, mode)
        whole = Aging(
            {name: Minor(amount + part.buckets[name]) for name, amount in whole.buckets.items()},
            Minor(whole.unapplied + part.unapplied),
            Minor(whole.on_account + part.on_account),
            Minor(whole.credits + part.credits),
            Minor(whole.open_items + part.open_items),
        )
    return whole
