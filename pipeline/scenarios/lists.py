"""Expectations of whole lists: alerts, transitions, rejections, notices, the worklist (SCENARIOS §2)."""

from typing import Any

from jobs.money import decimal_of
from jobs.values import date_of
from pipeline.scenarios.comparison import Answers, Mismatch, UnansweredError, compare_list
from pipeline.scenarios.world import World

_WHOSE = frozenset({"company", "account_id"})


def alerts(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """The full list so far, in order."""
    return compare_list(expectation, "alerts", "alerts", _alerts(expectation, world, None), _WHOSE)


def alerts_of(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """The same of one kind."""
    kind = str(expectation["alerts_of"])
    return compare_list(expectation, "alerts_of", "list", _alerts(expectation, world, kind), _WHOSE)


def _alerts(expectation: dict[str, Any], world: World, kind: str | None) -> list[Answers]:
    """By instant, then subject, also where several events of one instant raised them; of a subject as they came."""
    return [
        {
            "kind": alert.kind,
            "subject": alert.subject,
            "status": alert.status,
            "amount": None if alert.amount_minor is None else decimal_of(alert.amount_minor, alert.currency or ""),
            "currency": alert.currency,
            "supersedes": alert.supersedes is not None,
            "account_id": alert.account_id,
            "company": alert.company,
        }
        for alert in sorted(world.alerts, key=lambda alert: (alert.raised_at, alert.subject))
        if kind in {None, alert.kind} and _is_of(expectation, alert.company, alert.account_id)
    ]


def transitions(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """[local date, from, to] of a document, then the instalment; the invoice where several share a number."""
    document_id = str(expectation["transitions"])
    found = [
        transition
        for transition in world.transitions
        if transition.document_id == document_id
        and _is_of(expectation, transition.company, transition.account_id)
        and transition.document_type == expectation.get("document_type", transition.document_type)
    ]
    types = {document_type for _, document_type, item_id in world.items if item_id == document_id}
    if "document_type" not in expectation and "invoice" in types:
        found = [transition for transition in found if transition.document_type == "invoice"]
    actual = [
        [date_of(transition.local_date).isoformat(), transition.from_bucket, transition.to_bucket]
        + ([] if transition.instalment is None else [str(transition.instalment)])
        for transition in found
    ]
    return compare_list(expectation, "transitions", "list", actual, _WHOSE | {"document_type"})


def rejected(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """The events that were rejected, in order, by id or by the number of their step."""
    actual: list[Answers] = [{"event": event, "reason": reason} for event, reason in world.rejected]
    expected = expectation["rejected"]
    if isinstance(expected, list):
        for wanted, answer in zip(expected, actual, strict=False):
            number = world.steps.get(str(answer["event"]))
            if isinstance(wanted, dict) and str(wanted.get("event")) == str(number):
                answer["event"] = number
    return compare_list(expectation, "rejected", "rejected", actual, frozenset())


def notices_due(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """The notices that are due now: a row for each account and level, in any order, with its invoices in any order."""
    actual: list[Answers] = [
        {
            "account_id": notice.account,
            "level": notice.level,
            "invoice_ids": list(notice.invoice_ids),
            "company": company,
        }
        for company in _companies(expectation, world)
        for notice in world.fold.notices_due(company)
    ]
    expected = expectation["notices_due"]
    if isinstance(expected, list) and all(isinstance(row, dict) for row in expected):
        expectation = {**expectation, "notices_due": sorted(map(_with_sorted_ids, expected), key=_account_and_level)}
    actual.sort(key=_account_and_level)
    return compare_list(expectation, "notices_due", "notices_due", actual, frozenset({"company"}))


def _with_sorted_ids(row: dict[str, Any]) -> dict[str, Any]:
    ids = row.get("invoice_ids")
    return {**row, "invoice_ids": sorted(map(str, ids))} if isinstance(ids, list) else row


def _account_and_level(row: dict[str, Any]) -> tuple[str, str]:
    return str(row.get("account_id")), str(row.get("level"))


def worklist(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """Account ids, the first to call first."""
    rows = [row for company in _companies(expectation, world) for row in world.fold.worklist(company)]
    actual = [row.account for row in sorted(rows, key=lambda row: row.order)]
    return compare_list(expectation, "worklist", "worklist", actual, frozenset({"company"}))


def _is_of(expectation: dict[str, Any], company: str, account: str | None) -> bool:
    return company == str(expectation.get("company", company)) and (
        "account_id" not in expectation or account == str(expectation["account_id"])
    )


def _companies(expectation: dict[str, Any], world: World) -> list[str]:
    if "company" not in expectation:
        return list(world.companies)
    code = str(expectation["company"])
    if code not in world.companies:
        raise UnansweredError(f"the scenario has no company {code}")
    return [code]
