"""Everything that happened to an invoice: what was said of it, what was posted, what was contested."""

from collections import Counter

import pytest
from clickhouse_connect.driver.client import Client

from jobs.events import CreditMemoIssued, ExceptionFlagged
from jobs.values import date_of
from tests.property.oracle import Journal
from tests.property.oracle.dated import Paper
from tests.sinks.oracles.asking import Row, ask, money
from tests.sinks.oracles.told import Told

pytestmark = pytest.mark.clickhouse


def root(row: Row) -> str:
    """What an event carries to another account is its own."""
    return str(row["event_id"]).split("/")[0]


def said_of(told: Told, journal: Journal, paper: Paper) -> set[str]:
    """Events that name the invoice, users' activities about it, and events that moved it without naming it."""
    named = {
        event.event_id
        for event in told.log
        if event.company == paper.company
        and (
            paper.number
            in {
                getattr(event, "invoice_id", None),
                *getattr(event, "invoice_ids", ()),
                *(line.invoice_id for line in getattr(event, "lines", ())),
            }
            or (
                isinstance(event, ExceptionFlagged)
                and (event.subject_type, event.subject_id) == ("invoice", paper.number)
            )
        )
    }
    looked = {
        f"{paper.company}-{number}"
        for number, (kind, identifier) in enumerate(sorted(told.activities[paper.company]))
        if identifier == paper.number and kind in {"invoice", "debit_memo"}
    }
    return named | looked | {change.event_id for part in paper.parts for change in part.changes}


def refused(told: Told) -> Counter[tuple[str, str]]:
    """(company, event) of every refusal, as the worker put it out."""
    topic, books = "ar.rejected", told.books
    found: Counter[tuple[str, str]] = Counter()
    for partition in range(books.topics[topic].partitions):
        for stored in books.broker.records(topic, partition):
            _, record = books.contracts.decode(stored.stored_value or b"")
            found[str(record["company"]), str(record["event_id"])] += 1
    return found


def test_the_history_of_an_invoice(client: Client, told: Told) -> None:
    journal = told.journal()
    papers = [paper for paper in journal.papers.values() if paper.kind != "credit_memo"]
    twice = Counter((paper.company, paper.number) for paper in papers)
    refusals = refused(told)
    told_of = seen_refused = 0
    for paper in papers[::4] + papers[-4:]:
        if twice[paper.company, paper.number] > 1:
            continue  # an invoice and a debit memo of one number are told together
        rows = ask(client, "invoice_history", company=paper.company, invoice_id=paper.number)
        assert {root(row) for row in rows if row["log"] == "event"} == said_of(told, journal, paper), paper.number
        named = {
            event.event_id
            for event in told.log
            if event.company == paper.company and getattr(event, "invoice_id", None) == paper.number
        }
        assert Counter(root(row) for row in rows if row["log"] == "refused") == Counter(
            {
                event_id: n
                for (company, event_id), n in refusals.items()
                if company == paper.company and event_id in named
            }
        )
        seen_refused += sum(row["log"] == "refused" for row in rows)
        posted: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            if row["log"] == "ledger":
                posted[root(row), row["what"], row["detail"].split(",")[0]] += row["amount"]
        expected: Counter[tuple[str, str, str]] = Counter()
        for part in paper.parts:
            for change in part.changes:
                expected[change.event_id, change.kind, f"effective {date_of(change.day)}"] += change.amount
        assert {key: amount for key, amount in posted.items() if amount} == {
            key: money(minor, paper.currency) for key, minor in expected.items() if minor
        }
        disputed = sum(row["amount"] for row in rows if row["log"] == "dispute")
        assert disputed == money(journal.contested(paper), paper.currency)
        assert rows == sorted(rows, key=lambda row: row["recorded_at"])
        told_of += len(rows)
    assert told_of > 300
    assert seen_refused > 3


def test_a_credit_memo_was_issued_whatever_it_does_to_the_invoice_that_it_names(client: Client, told: Told) -> None:
    """In another currency than the invoice it waited for it is refused late, in part, and is a credit all the same."""
    refusals, found = refused(told), 0
    memos = [event for event in told.log if isinstance(event, CreditMemoIssued)]
    for paper in told.journal().papers.values():
        of = [memo for memo in memos if (memo.company, memo.invoice_id) == (paper.company, paper.number)]
        waited = [
            memo.event_id
            for memo in of
            if refusals[memo.company, memo.event_id]
            and memo.currency != paper.currency
            and (memo.company, "credit_memo", memo.credit_memo_id) in told.journal().papers
        ]
        if not waited or paper.kind == "credit_memo":
            continue
        on = paper.posting_date
        rows = ask(client, "process_log", company=paper.company, from_date=on, to_date=on)
        issued = {row["event_id"] for row in rows if row["activity"] == "CreditMemoIssued"}
        found += sum(memo in issued for memo in waited)
        assert set(waited) <= issued, (paper.number, waited)
    assert found
