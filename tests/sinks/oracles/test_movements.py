"""What changed between two dates, and statements that lead from one balance to the next (SEMANTICS 1.1, 1.4, 2.1)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Day, Instant, date_of
from tests.property.oracle import Journal
from tests.property.oracle.dated import Change, Paper, Part
from tests.sinks.oracles.asking import ask, keyed, money
from tests.sinks.oracles.test_as_of import bucket_of
from tests.sinks.oracles.told import Told, days_of

pytestmark = pytest.mark.clickhouse

Asked = tuple[Journal, Instant | None, list[tuple[Day, Day]]]


@pytest.fixture(params=[2, 4, None])
def asked(told: Told, request: pytest.FixtureRequest) -> Asked:
    """Books as known at a moment, the moment, and windows: some that follow each other, one day, and everything."""
    known = None if request.param is None else told.moments[request.param]
    journal = told.journal(known)
    days = days_of(journal, 4)
    middle = days[len(days) // 2]
    windows = [(Day(first + 1), last) for first, last in zip(days[1::2], days[2::2], strict=False)]
    return journal, known, [*windows, (middle, middle), (days[0], days[-1])]


def invoices(journal: Journal) -> Iterator[tuple[Paper, Part]]:
    """What is owed: invoices and debit memos, instalment by instalment."""
    for paper in journal.papers.values():
        if paper.kind != "credit_memo":
            yield from ((paper, part) for part in paper.parts)


_COLUMNS = {
    "adjustment": "adjusted", "unapplication": "reopened", "reversal": "reopened", "write_off": "written_off",
    "recovery": "recovered", "cancellation": "cancelled", "invoice": "issued", "debit_memo": "issued",
}  # fmt: skip
_MOVES = ("issued", "adjusted", "paid", "credited", "reopened", "written_off", "recovered", "cancelled")


def _column(change: Change) -> str:
    if change.kind == "application":
        return "credited" if change.value_date is None else "paid"
    return _COLUMNS[change.kind]


def test_aging_change(client: Client, asked: Asked) -> None:
    journal, known, windows = asked
    met: Counter[str] = Counter()
    for first, last in windows:
        before = Day(first - 1)
        expected: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        for paper, part in invoices(journal):
            if part.since > last:
                continue
            sums = expected[paper.company, paper.account, paper.currency]
            for name, day in (("opening", before), ("closing", last)):
                sums[name] += part.open_on(day)
                sums[f"{name}_overdue"] += part.open_on(day) if part.due_on(day) < day else 0
            for change in part.changes:
                if first <= change.day <= last:
                    sums[_column(change)] += change.amount
        rows = ask(client, "aging_change", from_date=first, to_date=last, known_as_of=known)
        found = keyed(rows, "company", "account_id", "currency")
        assert found.keys() == expected.keys()
        for key, row in found.items():
            sums = expected[key]
            sums["rolled"] = sums["closing_overdue"] - sums["opening_overdue"]
            for name in ("opening", *_MOVES, "other", "closing", "opening_overdue", "rolled", "closing_overdue"):
                assert row[name] == money(sums[name], key[2]), (key, name)
            assert row["opening"] + sum(row[name] for name in _MOVES) == row["closing"]
            assert row["opening_overdue"] + row["rolled"] == row["closing_overdue"]
            met += Counter(name for name in _MOVES if sums[name])
    assert set(met) == set(_MOVES)


def rounded(value: Fraction, unit: str) -> Decimal:
    """Half up, as the views round."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(unit), ROUND_HALF_UP)


def test_roll_rates(client: Client, told: Told, asked: Asked) -> None:
    journal, known, windows = asked
    for first, last in windows:
        expected: Counter[tuple[str, str, str, str]] = Counter()
        whole: Counter[tuple[str, str, str]] = Counter()
        for paper, part in invoices(journal):
            limits = told.settings[paper.company].buckets
            was, later = part.open_on(first), max(0, part.open_on(last))
            if was <= 0:
                continue
            origin = paper.company, paper.currency, bucket_of(first - part.due_on(first), limits)
            stays = min(was, later)
            expected[(*origin, bucket_of(last - part.due_on(last), limits))] += stays
            expected[(*origin, "settled")] += was - stays
            whole[origin] += was
        rows = ask(client, "roll_rates", from_date=first, to_date=last, known_as_of=known)
        found = keyed(rows, "company", "currency", "from_bucket", "to_bucket")
        assert {key: (row["amount"], row["rate"]) for key, row in found.items()} == {
            key: (money(minor, key[1]), rounded(Fraction(minor, whole[key[:3]]), "0.0001"))
            for key, minor in expected.items()
            if minor
        }


_WRITTEN_OFF = {"write_off", "recovery"}


def _moves(journal: Journal, company: str, account: str, currency: str) -> list[tuple[str, str, Change]]:
    """Every change of an account: (kind of item, its number, the change)."""
    wanted = company, account, currency
    papers = [
        (paper.kind, paper.number, change)
        for paper in journal.papers.values()
        if (paper.company, paper.account, paper.currency) == wanted
        for part in paper.parts
        for change in part.changes
    ]
    cash = [
        ("payment", receipt.payment_id, change)
        for receipt in journal.cash.values()
        if (receipt.company, receipt.account, receipt.currency) == wanted
        for change in receipt.part.changes
    ]
    return papers + cash


def test_account_statement(client: Client, asked: Asked) -> None:
    """What moves the balance, a line for each cause; what an account's own cash settles is no line."""
    journal, known, windows = asked
    accounts = {(paper.company, paper.account) for paper in journal.papers.values()}
    lines = 0
    for number, (company, account) in enumerate(sorted(accounts)[:: 1 + len(accounts) // 40]):
        first, last = windows[number % len(windows)]
        rows = ask(
            client, "account_statement", company=company, account_id=account, from_date=first, to_date=last,
            known_as_of=known,
        )  # fmt: skip
        for currency in {row["currency"] for row in rows} | {"EUR", "KWD", "JPY"}:
            own = [row for row in rows if row["currency"] == currency]
            moves = [move for move in _moves(journal, company, account, currency) if move[2].day <= last]
            if not moves:
                assert own == []
                continue
            opening = sum(change.amount for _, _, change in moves if change.day < first)
            assert (own[0]["line"], own[0]["entry_type"]) == (0, "opening")
            assert (own[0]["amount"], own[0]["effective_date"]) == (money(opening, currency), date_of(first))
            expected: Counter[tuple[Day, str, str, bool]] = Counter()
            for _, item, change in moves:
                if change.day >= first:
                    cause = change.cause or item
                    expected[change.day, change.event_id, cause, change.kind in _WRITTEN_OFF] += change.amount
            for row in own:
                row["event_id"] = row["event_id"].split("/")[0]  # what an event carries to another account is its own
            assert Counter(
                (row["effective_date"], row["event_id"], row["entry_type"] in _WRITTEN_OFF, row["amount"])
                for row in own[1:]
            ) == Counter(
                (date_of(day), event_id, written_off, money(minor, currency))
                for (day, event_id, _, written_off), minor in expected.items()
                if minor
            )
            kinds = {(item_type, item, change.kind, change.event_id) for item_type, item, change in moves}
            balance = Decimal(0)
            for position, row in enumerate(own):
                balance += row["amount"]
                assert (row["line"], row["balance"]) == (position, balance)
                told = row["item_type"], row["item_id"], row["entry_type"], row["event_id"]
                assert position == 0 or told in kinds, told
            assert own == sorted(own, key=lambda row: (row["effective_date"], row["line"]))
            lines += len(own) - 1
    assert lines > 20


def test_control_totals(client: Client, asked: Asked) -> None:
    journal, known, windows = asked
    for _, as_of in windows:
        sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for line, amount in journal.lines(as_of).items():
            sums[line.company, line.currency][line.balance_class] += amount
        items = Counter(
            (company, currency) for (company, currency, _, _), amount in _items(journal, as_of).items() if amount
        )
        rows = ask(client, "control_totals", as_of=as_of, known_as_of=known)
        found = keyed(rows, "company", "currency")
        posted = _posted(journal, as_of)
        assert found.keys() == posted.keys()
        for key, row in found.items():
            classes, currency = sums[key], key[1]
            assert row["owed"] == money(classes["invoice"], currency)
            assert row["unapplied"] == money(-classes["unapplied"], currency)
            assert row["on_account"] == money(-classes["on_account"], currency)
            assert row["credits"] == money(-classes["credit"], currency)
            assert row["balance"] == money(sum(classes.values()), currency)
            assert (row["accounts"], row["open_items"]) == (len(posted[key]), items[key])
            assert row["reconciliation_gap"] == 0


def _items(journal: Journal, as_of: Day) -> Counter[tuple[str, str, str, str]]:
    """Balance of each document and receipt."""
    items: Counter[tuple[str, str, str, str]] = Counter()
    for line, amount in journal.lines(as_of).items():
        items[line.company, line.currency, line.item_type, line.item_id] += amount
    return items


def _posted(journal: Journal, as_of: Day) -> dict[tuple[str, str], set[str]]:
    """Accounts with anything posted by a day."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for paper in journal.papers.values():
        if paper.posting_date <= as_of:
            found[paper.company, paper.currency].add(paper.account)
    for cash in journal.cash.values():
        if cash.value_date <= as_of:
            found[cash.company, cash.currency].add(cash.account)
    return found
