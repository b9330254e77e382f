"""A random ledger with all that forms of aging depend on, and what SEMANTICS 2.5 and 2.10 make of it, row by row.

Nothing here comes from the jobs or from the views: rows are drawn, written down, and added up again in Python.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

FIRST = date(2026, 1, 1)
_MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
MODES = ("separate", "own_date", "oldest_first")
CREDITS = ("unapplied", "on_account", "credit")
# Company: its own buckets and its own mode; None = ClickHouse has not heard of its settings.
COMPANIES: dict[str, tuple[list[int], str] | None] = {
    "AA01": ([30, 60, 90, 120], "separate"),
    "BB01": ([15, 45], "own_date"),
    "CC01": ([10, 20, 30, 40, 50, 60, 70], "oldest_first"),
    "DD01": None,
}
_ACCOUNTS = ("A1", "A2", "A3", "A4", "A5", "A6", "A7")
_HEADS = ("G1", "G2", "A1", "A2", "A3", "")


class Entry(NamedTuple):
    """A row of the ledger, or of contested amounts (class `disputed`)."""

    company: str
    account: str
    currency: str
    item_type: str
    item: str
    balance_class: str
    region: str
    due: date
    effective: date
    recorded: datetime
    minor: int


class Standing(NamedTuple):
    """A row of master data: what an account is from a day on."""

    company: str
    account: str
    parent: str | None
    collector: str | None
    effective: date
    recorded: datetime


class Report(NamedTuple):
    """Bucket amounts, not_due first, and the columns beside them, in minor units."""

    amounts: list[int]
    unapplied: int
    on_account: int
    credits: int
    disputed: int
    total: int

    def plus(self, other: "Report") -> "Report":
        """Both together."""
        amounts = [mine + its for mine, its in zip(self.amounts, other.amounts, strict=True)]
        return Report(amounts, *(mine + its for mine, its in zip(self[1:], other[1:], strict=True)))


class Past(NamedTuple):
    """What was so on a day, as it was known at an instant."""

    as_of: date
    known: datetime


class History(NamedTuple):
    """All rows, in the order in which they became known."""

    entries: list[Entry]
    standings: list[Standing]

    def open_in(self, past: Past) -> list[Entry]:
        """What of the entries counts."""
        return [entry for entry in self.entries if entry.effective <= past.as_of and entry.recorded <= past.known]

    def standing(self, past: Past) -> dict[tuple[str, str], Standing]:
        """The master data of each account."""
        valid: dict[tuple[str, str], Standing] = {}
        for row in sorted(self.standings, key=lambda row: (row.effective, row.recorded)):
            if row.effective <= past.as_of and row.recorded <= past.known:
                valid[row.company, row.account] = row
        return valid


def drawn(seed: int) -> History:
    """Some hundred items of four companies, and accounts that change hands."""
    chance = random.Random(seed)
    entries: list[Entry] = []
    standings: list[Standing] = []
    for company in COMPANIES:
        for number in range(130):
            entries += _item(chance, company, number)
        standings += [
            Standing(
                company,
                chance.choice((*_ACCOUNTS, "G1", "G2")),
                chance.choice((None, *_HEADS)),
                chance.choice((None, "", "camille", "hugo")),
                FIRST + timedelta(days=chance.randrange(100)),
                _instant(chance.randrange(100), number),
            )
            for number in range(40)
        ]
    return History(entries, standings)


def _item(chance: random.Random, company: str, number: int) -> list[Entry]:
    """A document or receipt that is posted, then reduced, closed, raised or reclassified; some are contested."""
    account, currency = chance.choice(_ACCOUNTS), chance.choice(("EUR", "EUR", "JPY", "KWD"))
    region = chance.choice(("", "NORTH", "SOUTH"))
    balance_class = chance.choice(("invoice", "invoice", "invoice", *CREDITS))
    item_type = {"invoice": "invoice", "credit": "credit_memo"}.get(balance_class, "payment")
    posted = chance.randrange(90)
    due = FIRST + timedelta(days=posted + (chance.randrange(-40, 60) if balance_class == "invoice" else 0))
    amount = chance.randrange(1, 50_000) * (1 if balance_class == "invoice" else -1)
    moves = [(posted, due, amount, balance_class)]
    for _ in range(chance.randrange(3)):
        later = posted + chance.randrange(40)
        part = chance.choice((-amount, -amount // 2, amount // 3))
        moves.append((later, due, part, balance_class))
    if balance_class == "invoice" and chance.random() < 0.3:
        later, moved = posted + chance.randrange(30), due + timedelta(days=chance.randrange(1, 60))
        moves += [(later, due, -amount, balance_class), (later, moved, amount, balance_class)]
    if balance_class == "invoice" and chance.random() < 0.3:
        moves.append((posted + chance.randrange(20), due, chance.randrange(1, 60_000), "disputed"))
    return [
        Entry(
            company,
            account,
            currency,
            item_type,
            f"{item_type}-{number}",
            kind,
            "" if kind == "disputed" else region,
            age_from,
            FIRST + timedelta(days=day),
            _instant(day + chance.choice((0, 0, 0, 25)), number),
            minor,
        )
        for day, age_from, minor, kind in moves
    ]


def _instant(day: int, number: int) -> datetime:
    return _MIDNIGHT + timedelta(days=day, hours=8, seconds=number)


def write(client: Client, history: History) -> None:
    """The rows into the tables, as the sink would."""
    ledger, disputes = [], []
    for number, entry in enumerate(history.entries):
        place: list[object] = ["t", 0, number]
        if entry.balance_class == "disputed":
            row = [*place, entry.company, entry.account, entry.item_type, entry.item, entry.currency]
            disputes.append([*row, entry.minor, entry.effective, entry.recorded])
            continue
        row = [*place, entry.company, entry.account, entry.item_type, entry.item, entry.balance_class]
        ledger.append([*row, entry.currency, entry.minor, entry.effective, entry.recorded, entry.due, entry.region])
    account = ["_topic", "_partition", "_offset", "company", "account_id"]
    dates = ["effective_date", "recorded_at"]
    item = ["item_type", "item_id", "balance_class", "currency", "delta_minor"]
    client.insert("ledger_entries_log", ledger, column_names=[*account, *item, *dates, "due_date", "region"])
    document = ["document_type", "document_id", "currency", "delta_minor"]
    client.insert("dispute_entries_log", disputes, column_names=[*account, *document, *dates])
    client.insert(
        "accounts_log",
        [
            ["t", 0, number, row.company, row.account, row.parent, row.collector, row.effective, row.recorded]
            for number, row in enumerate(history.standings)
        ],
        column_names=[*account, "parent_account_id", "collector_id", *dates],
    )
    client.insert(
        "companies_versions",
        [
            [company, _MIDNIGHT, "1", json.dumps(_settings(own))]
            for company, own in COMPANIES.items()
            if own is not None
        ],
        column_names=["company", "recorded_at", "version", "settings"],
    )


def _settings(own: tuple[list[int], str]) -> dict[str, Any]:
    return {"buckets": own[0], "credit_mode": own[1]}


def limits_of(company: str) -> list[int]:
    """The buckets of a company, or the default ones."""
    own = COMPANIES[company]
    return [30, 60, 90, 120] if own is None else own[0]


def mode_of(company: str, asked: str) -> str:
    """The mode asked for, or the company's own."""
    own = COMPANIES[company]
    return asked or ("separate" if own is None else own[1])


def report(entries: Iterable[Entry], past: Past, limits: list[int], mode: str) -> Report:
    """The report of one account and currency, word by word as SEMANTICS 2.1, 2.5 and 2.7 have it."""
    amounts = [0] * (len(limits) + 2)
    beside = dict.fromkeys(CREDITS, 0)
    contested: dict[str, int] = defaultdict(int)
    owed: dict[str, int] = defaultdict(int)
    total = 0
    for entry in entries:
        if entry.balance_class == "disputed":
            contested[entry.item] += entry.minor
            continue
        total += entry.minor
        if entry.balance_class == "invoice":
            owed[entry.item] += entry.minor
        if entry.balance_class == "invoice" or mode == "own_date":
            amounts[_bucket((past.as_of - entry.due).days, limits)] += entry.minor
        else:
            beside[entry.balance_class] -= entry.minor
    if mode == "oldest_first":  # oldest bucket to youngest, then not due; what is left stays in credits
        left = sum(beside.values())
        for number in range(len(amounts) - 1, -1, -1):
            taken = min(left, amounts[number])
            if taken > 0:
                amounts[number] -= taken
                left -= taken
        beside = {"unapplied": 0, "on_account": 0, "credit": left}
    disputed = sum(max(0, min(minor, owed[item])) for item, minor in contested.items())
    return Report(amounts, beside["unapplied"], beside["on_account"], beside["credit"], disputed, total)


def _bucket(days_past_due: int, limits: list[int]) -> int:
    """0 = not due, which due today is."""
    if days_past_due < 1:
        return 0
    return 1 + sum(1 for last in limits if days_past_due > last)


def members_of(head: str, company: str, standing: dict[tuple[str, str], Standing]) -> set[str]:
    """The account and all that have it above them, at whatever distance."""
    found = {head}
    while True:
        below = {
            row.account for row in standing.values() if row.company == company and row.parent in found and row.parent
        }
        if below <= found:
            return found
        found |= below


def above(account: str, company: str, standing: dict[tuple[str, str], Standing]) -> tuple[list[str], str | None]:
    """The account and those above it, upwards, until there is none or one comes again; and what comes again."""
    path: list[str] = []
    at: str | None = account
    while at and at not in path:
        path.append(at)
        row = standing.get((company, at))
        at = row.parent if row else None
    return path, at or None


def is_top(account: str, company: str, standing: dict[tuple[str, str], Standing]) -> bool:
    """Nothing is above it; or what is above it is below it too, and it has the smallest id of these."""
    path, again = above(account, company, standing)
    return (len(path) == 1 and again is None) or (again == account and account == min(path))
