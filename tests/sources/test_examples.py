"""The sample files: generated as committed, read without a reject, and folded to the balances the generator knows."""

import heapq
import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from examples import generate
from jobs import EVENT_TYPES, Fold
from jobs.effects import Carried, LedgerEntry, Rejection
from jobs.events import ClockTicked, CompanyConfigured
from jobs.values import date_of
from pipeline.companies import read_companies, written_form
from sources import ParsedEvent, SourceOptions, adapter

COMPANIES = ("FR01", "US01", "JP01")
FILES = (("invoices.csv", "csv"), ("cash.csv", "csv"), ("activity.jsonl", "jsonl"))
HOUR_MICROS = 3_600_000_000
SIZE_MAX = 2_000_000


@pytest.fixture
def samples(repository: Path) -> Path:
    """The folder of the sample files."""
    return repository / "examples"


def events_of(samples: Path, company: str) -> list[list[ParsedEvent]]:
    """The events of a company's files, file by file."""
    found = []
    for name, form in FILES:
        file = samples / company / name
        reader = adapter(form, SourceOptions(company=company), file.with_suffix(".toml") if form == "csv" else None)
        with file.open("rb") as stream:
            found.append([value for value in reader.read(stream, name) if isinstance(value, ParsedEvent)])
    return found


def recorded_at(event: ParsedEvent) -> int:
    """Knowledge time, in microseconds."""
    micros: int = event.record["recorded_at"]
    return micros


def folded(
    company: str, events: Iterable[ParsedEvent], repository: Path, *, ticking: bool
) -> tuple[list[LedgerEntry], list[Rejection]]:
    """The ledger entries and rejections of a company's events, with the settings that the repository has for it."""
    fold, entries, rejected = Fold(), [], []
    waiting: deque[Any] = deque()
    for event in _log(company, events, repository, ticking=ticking):
        waiting.append(event)
        while waiting:
            for effect in fold.step(waiting.popleft()).effects:
                match effect:
                    case Carried():
                        waiting.append(effect.event)
                    case LedgerEntry():
                        entries.append(effect)
                    case Rejection():
                        rejected.append(effect)
                    case _:
                        pass
        fold.take_changes()
    return entries, rejected


def _log(company: str, events: Iterable[ParsedEvent], repository: Path, *, ticking: bool) -> Iterator[Any]:
    settings = written_form(read_companies(repository / "config" / "companies")[company]).decode()
    envelope = {
        "event_id": "",
        "company": company,
        "account_id": None,
        "occurred_at": 0,
        "recorded_at": 0,
        "region": "",
    }
    yield msgspec.convert({**envelope, "version": "1", "settings": settings}, CompanyConfigured)
    hour = 0
    for event in events:
        if ticking and recorded_at(event) // HOUR_MICROS > hour:
            hour = recorded_at(event) // HOUR_MICROS
            yield msgspec.convert({**envelope, "at": recorded_at(event)}, ClockTicked)
        if event.name in EVENT_TYPES:
            yield msgspec.convert(event.record, EVENT_TYPES[event.name])


def balances(entries: list[LedgerEntry], row: dict[str, str]) -> dict[str, Decimal]:
    """The columns of an expected row out of ledger entries: Σ delta by class and by due date (SEMANTICS 1.2, 2.1)."""
    as_of = date.fromisoformat(row["as_of"])
    known = datetime.fromisoformat(row["known_as_of"]).timestamp() * 1_000_000
    decimals = 0 if row["currency"] == "JPY" else 2
    totals: Counter[str] = Counter()
    for entry in entries:
        if entry.currency != row["currency"] or date_of(entry.effective_date) > as_of or entry.recorded_at > known:
            continue
        if entry.balance_class == "invoice":
            totals["open_items"] += entry.delta_minor
            totals[_bucket((as_of - date_of(entry.due_date)).days)] += entry.delta_minor
        else:
            column = "credits" if entry.balance_class == "credit" else entry.balance_class
            totals[column] -= entry.delta_minor
    totals["total"] = totals["open_items"] - totals["unapplied"] - totals["on_account"] - totals["credits"]
    return {column: Decimal(totals[column]).scaleb(-decimals) for column in row if column in COLUMNS}


COLUMNS = frozenset({"not_due", "1-30", "31-60", "61-90", "91-120", "121+", "open_items", "unapplied", "on_account",
                     "credits", "total"})  # fmt: skip


def _bucket(days_past_due: int) -> str:
    edges = (("not_due", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90), ("91-120", 120))
    return next((name for name, last in edges if days_past_due <= last), "121+")


def test_the_committed_files_are_what_the_generator_writes(samples: Path) -> None:
    generated = generate.files()
    assert {name: (samples / name).read_bytes() == content for name, content in generated.items()} == dict.fromkeys(
        generated, True
    )


def test_the_samples_stay_small(samples: Path) -> None:
    assert sum(file.stat().st_size for file in samples.rglob("*") if file.suffix != ".pyc") < SIZE_MAX


@pytest.mark.parametrize("company", COMPANIES)
def test_every_event_is_read_once(samples: Path, company: str) -> None:
    expected = json.loads((samples / "expected.json").read_text())["events"][company]
    events = [event for part in events_of(samples, company) for event in part]
    assert dict(sorted(Counter(event.name for event in events).items())) == expected
    assert len({event.record["event_id"] for event in events}) == len(events)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("order", ["as entered", "file by file"])
def test_a_ledger_rejects_nothing_and_comes_to_the_expected_balances(
    samples: Path, repository: Path, company: str, order: str
) -> None:
    files = events_of(samples, company)
    in_order = order == "as entered"
    events = list(heapq.merge(*files, key=recorded_at)) if in_order else [event for part in files for event in part]
    entries, rejected = folded(company, events, repository, ticking=in_order)
    assert rejected == []
    expected = json.loads((samples / "expected.json").read_text())
    # What was known at a close is only told by a log in the order of knowing.
    rows = expected["restated"] + (expected["as_reported"] if in_order else [])
    for row in [row for row in rows if row["company"] == company]:
        assert balances(entries, row) == {column: Decimal(row[column]) for column in row if column in COLUMNS}, row


def test_the_samples_hold_what_makes_receivables_hard(samples: Path) -> None:
    expected = json.loads((samples / "expected.json").read_text())
    events: Counter[str] = Counter()
    for company in COMPANIES:
        events.update(expected["events"][company])
    assert 2_900 <= events["InvoiceIssued"] <= 3_100
    hard = ("PaymentReversed", "CreditMemoIssued", "PromiseMade", "DisputeOpened", "CashUnapplied", "PaymentIdentified",
            "PaymentPlacedOnAccount", "InvoiceDueDateChanged", "WriteOffRecovered", "RemittanceReceived",
            "PaymentRefunded", "InvoiceCancelled")  # fmt: skip
    assert not [name for name in hard if events[name] < 5]
    assert {row["currency"] for row in expected["restated"]} == {"EUR", "USD", "JPY", "GBP"}
    last = [row for row in expected["restated"] if row["as_of"] == "2026-09-30"]
    assert all(sum(Decimal(row[column]) for row in last) > 0 for column in ("unapplied", "on_account", "unidentified"))
