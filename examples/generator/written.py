"""The events that come as JSON lines, and the expected balances."""

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from examples.generator.books import BUCKETS, Books, month_ends
from examples.generator.extracts import decimal_text
from examples.generator.facts import END, START, Fact, instant
from examples.generator.history import History

_AMOUNT_NAMES = frozenset({"amount", "credit_limit"})
_CLOSE_DAYS = 3
_COLUMNS = (*BUCKETS, "open_items", "unapplied", "on_account", "credits", "unidentified")


def activity(history: History) -> bytes:
    """Everything that no ERP extract holds, one event a line in the written form."""
    company = history.company
    lines = []
    for fact in history.others():
        at = instant(fact.at)
        role = (
            "collector" if fact.actor in company.collectors else "clerk" if fact.actor in company.clerks else "system"
        )
        document = {"event": fact.event, "occurred_at": at, "recorded_at": at, "company": company.code}
        document |= {"account_id": fact.account} if fact.account else {}
        document |= {
            name: _plain(value, fact["currency"], name) for name, value in fact.fields.items() if value is not None
        }
        document |= {"region": company.region, "source": _source(fact, company.source), "actor_id": fact.actor}
        lines.append(json.dumps(document | {"actor_role": role}, ensure_ascii=False, separators=(",", ":")))
    return "".join(f"{line}\n" for line in lines).encode()


def _source(fact: Fact, erp: str) -> str:
    by_event = {"ExchangeRateSet": "treasury", "AccountChanged": erp, "RemittanceReceived": "edi"}
    return by_event.get(fact.event, "collections")


def _plain(value: Any, currency: str | None, name: str) -> Any:  # noqa: ANN401  a field of any event
    if isinstance(value, date):
        return value.isoformat()
    if name in _AMOUNT_NAMES and isinstance(value, int) and currency:
        return ("-" if value < 0 else "") + decimal_text(value, currency)
    if isinstance(value, list):
        return [_plain(item, currency, name) for item in value]
    if isinstance(value, dict) and name in {"lines", "instalments"}:
        return {key: _plain(item, currency, key) for key, item in value.items()}
    return value


def expected(histories: list[History]) -> bytes:
    """Balances at every month end by company and currency, and how many events of each type there are.

    `restated` is what is known at the end, `as_reported` what was known `_CLOSE_DAYS` days after each month end.
    """
    restated: list[dict[str, Any]] = []
    reported: list[dict[str, Any]] = []
    end = datetime.combine(END + timedelta(days=1), time(12), UTC)
    for history in histories:
        books = Books(history.company)
        books.book(history.facts)
        for as_of in month_ends(START, END):
            close = datetime.combine(as_of + timedelta(days=_CLOSE_DAYS), time(0), UTC)
            restated += _rows(history.company.code, books, as_of, end)
            reported += _rows(history.company.code, books, as_of, close)
    events = {
        history.company.code: dict(sorted(Counter(fact.event for fact in history.facts).items()))
        for history in histories
    }
    parts = [f'"events": {json.dumps(events, indent=1)}']
    for name, rows in (("restated", restated), ("as_reported", reported)):
        parts.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _rows(company: str, books: Books, as_of: date, known: datetime) -> list[dict[str, Any]]:
    rows = []
    for currency, columns in books.balances(as_of, known).items():
        row = {"company": company, "as_of": as_of.isoformat(), "known_as_of": instant(known), "currency": currency}
        row |= {column: decimal_text(columns.get(column, 0), currency) for column in _COLUMNS}
        held = sum(columns.get(column, 0) for column in ("unapplied", "on_account", "credits"))
        total = columns.get("open_items", 0) - held
        rows.append({**row, "total": ("-" if total < 0 else "") + decimal_text(total, currency)})
    return rows
