"""What the demo shows while it runs and at its end, read from ClickHouse like any analyst would."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from jobs.money import exponent

_LIVE = """
SELECT company, currency, sum(not_due), sum(arraySum(arrayMap(bucket -> bucket.2, buckets))),
    sum(unapplied), sum(on_account + credits), sum(disputed), sum(total)
FROM account_aging GROUP BY company, currency ORDER BY company, currency
"""
_ALERTS = """
SELECT raised_at, company, kind, subject, status, message FROM alerts_log
ORDER BY raised_at DESC, alert_id DESC LIMIT {rows:UInt32}
"""
_ALERTS_BY_KIND = """
SELECT kind, countIf(status = 'raised'), countIf(status = 'escalated'), countIf(status = 'resolved'),
    countIf(status = 'corrected')
FROM alerts_log GROUP BY kind ORDER BY kind
"""
_TODAY = "SELECT max(as_of) FROM account_aging_versions"
_PROMISES = "SELECT status, count() FROM promises GROUP BY status ORDER BY status"
_AGING = """
SELECT company, currency, sum(not_due), sumMap(mapFromArrays(buckets.name, buckets.amount)),
    sum(unapplied), sum(on_account), sum(credits), sum(disputed), sum(total), sum(reconciliation_gap)
FROM aging_as_of(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')})
GROUP BY company, currency ORDER BY company, currency
"""
_UNAPPLIED = """
SELECT company, currency, count(), sum(unapplied), max(dateDiff('day', value_date, {as_of:Date32}))
FROM receipts WHERE status IN ('unapplied', 'partially_applied', 'unidentified') AND unapplied > 0
GROUP BY company, currency ORDER BY company, currency
"""
_DISPUTES = """
SELECT company, currency, countIf(status != 'resolved'), sumIf(outstanding, status != 'resolved'), count()
FROM disputes GROUP BY company, currency ORDER BY company, currency
"""
_WORKLIST = """
SELECT company, account_id, score, amounts, rules FROM actions WHERE kind = 'worklist'
ORDER BY score DESC, arrayMax(mapValues(amounts)) DESC, account_id LIMIT 8
"""


class View:
    """Tables of the demo. A question that cannot be answered yet gives an empty table, never an error."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def rows(self, query: str, **parameters: object) -> list[Sequence[Any]]:
        """The rows of a query; none where ClickHouse cannot answer just now."""
        try:
            return list(self._client.query(query, parameters=parameters).result_rows)
        except ClickHouseError:
            return []

    def live(self, counters: str, width: int) -> Group:
        """Live totals by company and currency, and the latest alerts, as far as they have come to ClickHouse."""
        today = "".join(f" on {date}" for (date,) in self.rows(_TODAY))
        table = Table(title=f"Live aging{today}", title_justify="left")
        _columns(table, "company", "currency", text=2)
        for name in ("not due", "overdue", "unapplied", "other credits", "disputed", "total"):
            table.add_column(name, justify="right")
        for company, currency, *amounts in self.rows(_LIVE):
            table.add_row(company, currency, *(_money(amount, currency) for amount in amounts))
        lines = [
            Text(f"{raised_at:%Y-%m-%d} {company} {status:<9} {kind}: {message}"[:width], style=_STYLES.get(status, ""))
            for raised_at, company, kind, _, status, message in reversed(self.rows(_ALERTS, rows=8))
        ]
        promises = ", ".join(f"{count:,} {status}" for status, count in self.rows(_PROMISES))
        return Group(Text(counters, style="dim"), table, Text(f"promises: {promises}"), *lines)

    def aging(self, as_of: object, known_as_of: object, title: str) -> Table:
        """Aging by company and currency at two dates."""
        found = self.rows(_AGING, as_of=as_of, known_as_of=known_as_of)
        names = sorted({name for row in found for name in row[3]}, key=lambda name: int(name.rstrip("+").split("-")[0]))
        table = Table(title=title, title_justify="left")
        # Buckets run downwards: amounts in full are wide, and companies in a demo are few.
        _columns(table, "", *(f"{company} {currency}" for company, currency, *_ in found), text=1)
        amounts = [
            [_money(amount, row[1]) for amount in (row[2], *(row[3].get(name, Decimal(0)) for name in names), *row[4:])]
            for row in found
        ]
        heads = ("not due", *names, "unapplied", "on account", "credits", "disputed", "total", "gap")
        for head, *line in zip(heads, *amounts, strict=True):
            table.add_row(head, *line)
        return table

    def alerts_so_far(self) -> str:
        """How many alerts were raised, by kind, in one line."""
        return ", ".join(f"{raised:,} {kind}" for kind, raised, *_ in self.rows(_ALERTS_BY_KIND) if raised)

    def alerts(self) -> Table:
        """What was raised, and what became of it."""
        table = Table(title="Alerts", title_justify="left")
        _columns(table, "kind", "raised", "escalated", "resolved", "corrected", text=1)
        for kind, *counts in self.rows(_ALERTS_BY_KIND):
            table.add_row(kind, *(f"{count:,}" for count in counts))
        return table

    def promises(self) -> Table:
        """How promises stand."""
        table = Table(title="Promises to pay", title_justify="left")
        _columns(table, "status", "promises", text=1)
        for status, count in self.rows(_PROMISES):
            table.add_row(status, f"{count:,}")
        return table

    def unapplied(self, as_of: object) -> Table:
        """Cash that waits, and how long."""
        table = Table(title="Cash not applied, unidentified included", title_justify="left")
        _columns(table, "company", "currency", "receipts", "amount", "oldest (days)", text=2)
        for company, currency, count, amount, days in self.rows(_UNAPPLIED, as_of=as_of):
            table.add_row(company, currency, f"{count:,}", _money(amount, currency), f"{days}")
        return table

    def disputes(self) -> Table:
        """Disputes that are open."""
        table = Table(title="Disputes", title_justify="left")
        _columns(table, "company", "currency", "open", "outstanding", "all", text=2)
        for company, currency, still, outstanding, count in self.rows(_DISPUTES):
            table.add_row(company, currency, f"{still:,}", _money(outstanding, currency), f"{count:,}")
        return table

    def worklist(self) -> Table:
        """Whom to call first, and why."""
        table = Table(title="Worklist: whom to call first", title_justify="left")
        _columns(table, "company", "account", "score", "collectible overdue", "because", text=2)
        for company, account, score, amounts, rules in self.rows(_WORKLIST):
            owed = ", ".join(f"{_money(amount, currency)} {currency}" for currency, amount in sorted(amounts.items()))
            table.add_row(company, account, f"{score}", owed, escape(", ".join(rules)))
        return table


_STYLES = {"raised": "yellow", "escalated": "red", "resolved": "green", "corrected": "green"}


def _money(amount: Decimal | int, currency: str) -> str:
    """An amount with the decimals of its currency."""
    return f"{Decimal(amount):,.{exponent(currency) or 0}f}"


def _columns(table: Table, *names: str, text: int) -> None:
    """Add columns; all but the first `text` hold numbers."""
    for position, name in enumerate(names):
        table.add_column(name, justify="left" if position < text or name == "because" else "right")
