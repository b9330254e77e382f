"""What people did and what came of it, against counts over the list of events (SEMANTICS 7)."""

from collections import defaultdict
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from tests.sinks.oracles_work.asking import CENTS, RATIO, Rows, ask, quotient, same, windows
from tests.sinks.oracles_work.debts import Debts
from tests.sinks.oracles_work.desks import Sent
from tests.sinks.oracles_work.playing import Played

pytestmark = pytest.mark.clickhouse

HOUR = 3_600_000_000
# What people do, and the field that says what it was; a contact is a contact.
ACTIONS = {"ContactAttempted": "", "NoticeSent": "kind", "UserActivityLogged": "action"}
BOTH = ("from_date", "to_date", "known_as_of")
Dated = dict[str, list[tuple[int, Sent]]]


@pytest.fixture(scope="module")
def dated(played: Played) -> Dated:
    """What happened, each with its local day, by company."""
    found: Dated = {}
    for code, desk in played.desks.items():
        debts = Debts(desk.settings)
        found[code] = [(debts.day(sent.record["occurred_at"]), sent) for sent in played.happened(code)]
    return found


def _touched(sent: Sent) -> str:
    record = sent.record
    kind = record.get("entity_type") or record.get("subject_type") or ""
    return record.get("payment_id") or (
        (record.get("entity_id") or record.get("subject_id") or "") if kind.lower() == "payment" else ""
    )


def test_operators(client: Client, played: Played, dated: Dated) -> None:
    for window in windows(played, 6, 6):
        expected: Rows = {}
        for code, own in dated.items():
            by_person: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for day, sent in own:
                record = sent.record
                known = record["recorded_at"] <= window.instant and record["actor_role"] != "system"
                if window.first <= day <= window.last and record["actor_id"] and known:
                    by_person[record["actor_id"]].append({**record, "name": sent.name, "touched": _touched(sent)})
            for person, records in by_person.items():
                hours = {record["occurred_at"] // HOUR for record in records}
                touches = [record["touched"] for record in records if record["touched"]]
                logged = [record for record in records if record["name"] == "UserActivityLogged"]
                latest = max(record["occurred_at"] for record in records)
                roles = {record["actor_role"] for record in records if record["occurred_at"] == latest}
                expected[code, person] = {
                    "actions": len(records),
                    "active_hours": len(hours),
                    "actions_per_hour": quotient(len(records), len(hours), CENTS),
                    "payments_touched": len(set(touches)),
                    "payment_touches": len(touches),
                    "touches_per_payment": quotient(len(touches), len(set(touches)), CENTS),
                    "logins": sum(record["action"] == "login" for record in logged),
                    "failed": sum(not record["succeeded"] for record in logged),
                    **({"actor_role": roles.pop()} if len(roles) == 1 else {}),
                }
        same(ask(client, "operator_productivity", "company actor_id", window, *BOTH), expected)
        assert not {person for _, person in expected} & {"robot", ""}


def test_activities(client: Client, played: Played, dated: Dated) -> None:
    """Every action once, in words that tell a contact from a notice and both from what was done in a program."""
    kinds = set()
    for window in windows(played, 9, 4):
        expected: Rows = {}
        for code, own in dated.items():
            for day, sent in own:
                record = sent.record
                if not (window.first <= day <= window.last and sent.name in ACTIONS):
                    continue
                activity = record.get(ACTIONS[sent.name], "contact")
                kinds.add(activity)
                expected[code, record["event_id"]] = {
                    "activity": activity,
                    "account_id": record.get("account_id") or "",
                    "activity_id": record.get("activity_id") or record.get("notice_id") or "",
                    "actor_id": record["actor_id"],
                    "actor_role": record["actor_role"],
                    "channel": record.get("channel", ""),
                    "direction": record.get("direction", ""),
                    "outcome": record.get("outcome", ""),
                    "right_party": record.get("right_party"),
                    "invoice_ids": record.get("invoice_ids", []),
                    "subject_type": record.get("entity_type") or "",
                    "subject_id": record.get("entity_id") or "",
                    "succeeded": record.get("succeeded"),
                }
        same(ask(client, "activities", "company event_id", window, "from_date", "to_date"), expected)
    assert {"contact", "login"} < kinds


def test_collectors(client: Client, played: Played, dated: Dated) -> None:
    """Cash counts for who made the last contact with its account before it, if that was not too long before."""
    influenced = elsewhere = 0
    for number, window in enumerate(windows(played, 7, 16)):
        days = (0, 3, 14, 40, 90)[number % 5]
        expected: Rows = {}
        for code, own in dated.items():
            known = [each for each in own if each[1].record["recorded_at"] <= window.instant]
            contacts = [
                (day, sent) for day, sent in known if sent.name == "ContactAttempted" and sent.record["account_id"]
            ]
            made = [sent for day, sent in known if sent.name == "PromiseMade" and window.first <= day <= window.last]
            cash: dict[str, list[int]] = defaultdict(list)
            for account, value_date, minor in _receipts(played, code, window.instant):
                before = [
                    each for each in contacts if each[1].record["account_id"] == account and each[0] <= value_date
                ]
                if not before:
                    continue
                day, last = max(before, key=lambda each: each[1].record["occurred_at"])
                if day + days >= value_date:
                    if window.first <= day <= window.last:
                        cash[last.record["actor_id"]].append(minor)
                        influenced += 1
                    else:
                        elsewhere += 1
            inside = [sent.record for day, sent in contacts if window.first <= day <= window.last]
            for person in {record["actor_id"] for record in (*inside, *(sent.record for sent in made))}:
                mine = [record for record in inside if record["actor_id"] == person]
                currency = played.desks[code].currency if cash[person] else ""
                expected[code, person, currency] = {
                    "contacts": len(mine),
                    "right_party": sum(record["right_party"] is True for record in mine),
                    "accounts": len({record["account_id"] for record in mine}),
                    "promises": sum(sent.record["actor_id"] == person for sent in made),
                    "payments": len(cash[person]),
                    "cash": decimal_of(sum(cash[person]), currency) if currency else 0,
                }
        more = f"influence_days = {days}"
        found = ask(client, "collector_performance", "company collector currency", window, *BOTH, more=more)
        same(found, expected)
    assert influenced
    assert elsewhere


def _receipts(played: Played, company: str, instant: int) -> list[tuple[str, int, int]]:
    """(account, value date, amount) of the cash that stayed and whose account is known, as known at an instant."""
    found: dict[str, list[Any]] = {}
    for sent in played.happened(company):
        record = sent.record
        if sent.at > instant:
            break
        if sent.name == "PaymentReceived":
            found[record["payment_id"]] = [record["account_id"], record["value_date"], record["amount_minor"]]
        elif sent.name == "PaymentIdentified" and found[record["payment_id"]][0] is None:
            found[record["payment_id"]][0] = record["account_id"]
        elif sent.name == "PaymentReversed":
            found[record["payment_id"]][0] = None
    return [(account, value_date, minor) for account, value_date, minor in found.values() if account is not None]


def test_coverage_of_logging(client: Client, played: Played, dated: Dated) -> None:
    for window in windows(played, 8, 6):
        expected: Rows = {}
        for code, own in dated.items():
            about: set[tuple[str, str]] = set()
            transactions: dict[str, set[str]] = defaultdict(set)
            for _, sent in own:
                record = sent.record
                if sent.at > window.instant:
                    continue
                if sent.name == "UserActivityLogged" and record["entity_id"]:
                    about.add(((record["entity_type"] or "").lower(), record["entity_id"]))
                elif sent.name in {"InvoiceIssued", "CreditMemoIssued"}:
                    posted = record.get("posting_date")
                    posted = record["document_date"] if posted is None else posted
                    if window.first <= posted <= window.last:
                        kind = record.get("document_type", "credit_memo")
                        transactions[kind].add(record["credit_memo_id" if kind == "credit_memo" else "invoice_id"])
                elif sent.name == "PaymentReceived" and window.first <= record["value_date"] <= window.last:
                    transactions["payment"].add(record["payment_id"])
            kinds = {"invoice", "debit_memo", "credit_memo", "payment"}
            anything = {name for kind, name in about if kind not in kinds}
            for kind, names in transactions.items():
                logged = {name for name in names if (kind, name) in about or name in anything}
                expected[code, kind] = {
                    "transactions": len(names),
                    "logged": len(logged),
                    "coverage": quotient(len(logged), len(names), RATIO),
                }
        same(ask(client, "logging_coverage", "company kind", window, *BOTH), expected)
