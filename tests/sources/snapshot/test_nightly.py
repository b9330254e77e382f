"""A night with files: what is refused whole, what is kept, and what a crash between the steps leaves behind."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceError, SourceOptions
from sources.mapping import read_mapping
from sources.snapshot import Nightly, StateFile, day_in_name, read_payments, take, take_up

MAPPING = """\
source = "erp"
[values]
timezone = "Europe/Paris"
[all]
account_id = "CUSTOMER"
occurred_at = { template = "{DATE} 12:00" }
recorded_at = { template = "{DATE} 12:00" }
[[event]]
event = "InvoiceIssued"
open = "OPEN"
[event.fields]
invoice_id = "NUMBER"
document_date = "DATE"
due_date = "DUE"
amount = "AMOUNT"
currency = "CURRENCY"
"""
TRAILER = """
[snapshot]
trailer = { NUMBER = "END" }
trailer_count = "CUSTOMER"
"""
PAYMENTS = """\
source = "erp"
[values]
timezone = "Europe/Paris"
[[event]]
event = "PaymentReceived"
[event.fields]
account_id = "CUSTOMER"
occurred_at = { template = "{DATE} 12:00" }
payment_id = "RECEIPT"
value_date = "DATE"
amount = "AMOUNT"
currency = "CURRENCY"
payer_reference = "TEXT"
"""
HEADER = "NUMBER,CUSTOMER,DATE,DUE,AMOUNT,OPEN,CURRENCY\n"
ROWS = [f"I{number},C1,2026-02-{number:02},2026-03-{number:02},100.00,100.00,EUR\n" for number in range(10, 20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the ERP puts its lists."""
    return tmp_path


def put(folder: Path, name: str, rows: list[str], header: str = HEADER) -> Path:
    """A list in the folder."""
    file = folder / name
    file.write_text(header + "".join(rows), encoding="utf-8")
    return file


def nightly(mapping: str = MAPPING, company: str | None = "FR01") -> Nightly:
    """A comparison on the morning of 10 March 2026."""
    options = SourceOptions(company=company, now=lambda: datetime(2026, 3, 10, 5, tzinfo=UTC))
    return Nightly(options, read_mapping(mapping, "open-items.toml"))


class Broker:
    """What was sent and acknowledged; it fails once when asked to."""

    def __init__(self) -> None:
        self.sent: list[ParsedEvent] = []
        self.fails_after: int | None = None

    def send(self, values: Iterator[Parsed]) -> None:
        """Take the values one by one."""
        for number, value in enumerate(values):
            if number == self.fails_after:
                self.fails_after = None
                raise SourceError("the broker is gone")
            if isinstance(value, ParsedEvent):
                self.sent.append(value)


def test_the_next_list_is_compared_with_the_state_that_the_last_one_left(folder: Path) -> None:
    nights, broker = nightly(), Broker()
    first = put(folder, "open-items-2026-03-08.csv", ROWS)
    state = nights.state_file(first)
    take(nights.compare(first, state_file=state), broker.send)
    assert len(broker.sent) == 10
    second = put(folder, "open-items-2026-03-09.csv", ROWS[1:])
    night = nightly().compare(second, state_file=nightly().state_file(second))
    assert [event.name for event in night.difference.events] == ["InvoiceAdjusted"]
    assert night.as_of == "2026-03-09"
    assert sorted(file.name for file in folder.iterdir() if file.suffix == ".json") == [
        ".FR01.erp-open-items.snapshot.json"
    ]


def test_a_night_whose_sending_failed_is_sent_again_before_the_next_one(folder: Path) -> None:
    broker = Broker()
    first, second = put(folder, "l-2026-03-08.csv", ROWS), put(folder, "l-2026-03-09.csv", ROWS[2:])
    nights = nightly()
    state = nights.state_file(first)
    take(nights.compare(first, state_file=state), broker.send)
    broker.fails_after = 1
    with pytest.raises(SourceError, match="the broker is gone"):
        take(nights.compare(second, state_file=state), broker.send)
    third = put(folder, "l-2026-03-10.csv", ROWS[3:])
    again = nightly()
    state = again.state_file(third)
    assert take_up(state, broker.send)
    take(again.compare(third, state_file=state), broker.send)
    adjusted = [write_event(event.name, event.record) for event in broker.sent if event.name == "InvoiceAdjusted"]
    # The event that had gone out before the failure went out again with its id; the worker knows it.
    assert [(one["invoice_id"], one["event_id"].split("/")[3]) for one in adjusted] == [
        ("I10", "2026-03-09.2"), ("I10", "2026-03-09.2"), ("I11", "2026-03-09.2"), ("I12", "2026-03-10.3"),
    ]  # fmt: skip
    assert not take_up(state, broker.send)


def test_a_dry_look_at_the_next_list_takes_the_unfinished_night_for_done(folder: Path) -> None:
    broker = Broker()
    first = put(folder, "l-2026-03-08.csv", ROWS)
    nights = nightly()
    broker.fails_after = 0
    with pytest.raises(SourceError):
        take(nights.compare(first, state_file=nights.state_file(first)), broker.send)
    second = put(folder, "l-2026-03-09.csv", ROWS)
    assert nightly().compare(second, state_file=nightly().state_file(second)).difference.events == ()


def test_a_list_that_looks_cut_is_refused_unless_forced(folder: Path) -> None:
    nights, broker = nightly(), Broker()
    first, second = put(folder, "l-2026-03-08.csv", ROWS), put(folder, "l-2026-03-09.csv", ROWS[:4])
    state = nights.state_file(first)
    take(nights.compare(first, state_file=state), broker.send)
    with pytest.raises(SourceError, match=r"has 4 open items, the list before it 10: less than 50 percent"):
        nights.compare(second, state_file=state)
    assert len(nights.compare(second, state_file=state, force=True).difference.events) == 6
    tolerant = nightly(MAPPING + "[snapshot]\nshare_percent_min = 40\n")
    assert len(tolerant.compare(second, state_file=state).difference.events) == 6


def test_a_list_of_an_earlier_day_is_refused_unless_forced(folder: Path) -> None:
    nights = nightly()
    late, early = put(folder, "l-2026-03-09.csv", ROWS), put(folder, "l-2026-03-08.csv", ROWS[1:])
    state = nights.state_file(late)
    take(nights.compare(late, state_file=state), Broker().send)
    with pytest.raises(SourceError, match=r"is of 2026-03-08, but the last list was of 2026-03-09"):
        nights.compare(early, state_file=state)
    assert nights.compare(early, state_file=state, force=True).difference.events


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        ("", "it has no trailer"),
        ("END,9,,,,,\n", "its trailer counts 9 rows, but there are 10"),
        ("END,10\n" + ROWS[0].replace("I10", "I99"), "rows stand behind the trailer"),
    ],
)
def test_a_list_without_its_trailer_is_refused(folder: Path, end: str, problem: str) -> None:
    file = put(folder, "l.csv", [*ROWS, end])
    with pytest.raises(SourceError, match=f"is not whole: {problem}"):
        nightly(MAPPING + TRAILER).state_file(file)


@pytest.mark.parametrize("end", ["END,10,,,,,\n", "END,0010\n"])
def test_the_trailer_is_no_item(folder: Path, end: str) -> None:
    file = put(folder, "l.csv", [*ROWS, end])
    nights = nightly(MAPPING + TRAILER)
    assert len(nights.compare(file, state_file=nights.state_file(file)).difference.events) == 10


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (ROWS[0].replace("100.00,EUR", "1,00,EUR"), r"1 rows of .* cannot be read, and their items would look"),
        (ROWS[0].replace("100.00,EUR", "x,EUR"), r"1 rows of .*'x' is not an amount"),
        (ROWS[3], r"invoice I13 stands in line 5 already"),
        (ROWS[0].replace("I10", "I99").replace("100.00,EUR", "100.005,EUR"), r"what is open of I99 cannot be read"),
    ],
)
def test_a_list_with_a_bad_row_is_refused_whole(folder: Path, row: str, problem: str) -> None:
    file = put(folder, "l.csv", [*ROWS, row])
    with pytest.raises(SourceError, match=problem):
        nightly().state_file(file)


def test_an_overpaid_invoice_is_a_credit_of_the_customer(folder: Path) -> None:
    file = put(folder, "l.csv", [ROWS[0].replace("100.00,EUR", "-25.00,EUR"), ROWS[1]])
    nights = nightly()
    events = nights.compare(file, state_file=nights.state_file(file)).difference.events
    assert [(event.name, event.record["amount_minor"]) for event in events] == [
        ("CreditMemoIssued", 25_00),
        ("InvoiceIssued", 100_00),
    ]


def test_nothing_open_any_more_is_a_list_too(folder: Path) -> None:
    nights, broker = nightly(), Broker()
    first, second = put(folder, "l-2026-03-08.csv", ROWS[:2]), put(folder, "l-2026-03-09.csv", [])
    state = nights.state_file(first)
    take(nights.compare(first, state_file=state), broker.send)
    night = nights.compare(second, state_file=state, force=True)
    assert [event.name for event in night.difference.events] == ["InvoiceAdjusted"] * 2
    with pytest.raises(SourceError, match="nothing says of which company it is"):
        nightly(MAPPING.replace("[all]", '[all]\ncompany = "CURRENCY"'), None).state_file(second)


def test_two_given_lists_are_compared_without_a_state(folder: Path) -> None:
    before, after = put(folder, "a.csv", ROWS), put(folder, "b.csv", ROWS[1:])
    night = nightly().compare(after, state_file=None, previous=before, as_of=date(2026, 3, 9))
    assert [event.name for event in night.difference.events] == ["InvoiceAdjusted"]
    assert [file.name for file in sorted(folder.iterdir())] == ["a.csv", "b.csv"]


def test_a_list_of_payments_explains_what_is_gone(folder: Path) -> None:
    header = "RECEIPT,CUSTOMER,DATE,AMOUNT,CURRENCY,TEXT\n"
    paid = put(folder, "paid.csv", ["R1,C1,2026-03-08,100.00,EUR,I12\n"], header)
    options = SourceOptions(company="FR01", now=lambda: datetime(2026, 3, 10, 5, tzinfo=UTC))
    companion = read_payments(options, read_mapping(PAYMENTS, "payments.toml"), paid)
    before, after = put(folder, "a.csv", ROWS), put(folder, "b.csv", [*ROWS[1:2], *ROWS[3:]])
    night = nightly().compare(after, state_file=None, previous=before, as_of=date(2026, 3, 9), companion=companion)
    events = [(event.name, event.record.get("invoice_id")) for event in night.difference.events]
    assert events == [("PaymentReceived", None), ("CashApplied", "I12"), ("InvoiceAdjusted", "I10")]


def test_what_a_list_says_of_this_morning_did_not_happen_at_noon(folder: Path) -> None:
    before, after = put(folder, "a.csv", ROWS), put(folder, "b-20260310.csv", ROWS[1:])
    (event,) = nightly().compare(after, state_file=None, previous=before).difference.events
    assert write_event(event.name, event.record)["occurred_at"] == "2026-03-10T05:00:00Z"
    assert event.record["effective_date"] == (date(2026, 3, 10) - date(1970, 1, 1)).days


def test_the_state_of_another_company_is_not_taken(folder: Path) -> None:
    file = put(folder, "l.csv", ROWS)
    nights = nightly()
    take(nights.compare(file, state_file=nights.state_file(file, folder / "s")), Broker().send)
    with pytest.raises(SourceError, match=r"is the state of FR01 with the mapping erp-open-items, not of US01"):
        StateFile(folder / "s", "US01", "erp-open-items").load()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"company": 1}', b"\xff\xfe"])
def test_what_is_no_state_is_named(folder: Path, content: bytes) -> None:
    (folder / "s").write_bytes(content)
    with pytest.raises(SourceError, match="is not the state of a list of open items"):
        StateFile(folder / "s", "FR01", "m").load()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("open-items-2026-03-09.csv", date(2026, 3, 9)),
        ("FBL5N_20260309_0200.txt", date(2026, 3, 9)),
        ("ITEMS20261399.csv", None),
        ("items-120260309.csv", None),
        ("items.csv", None),
    ],
)
def test_the_day_of_a_list_stands_in_its_name(name: str, day: date | None) -> None:
    assert day_in_name(Path(name)) == day


def test_two_runs_with_one_state_are_never_at_work_together(folder: Path) -> None:
    first, second = (StateFile(folder / "s", "FR01", "m") for _ in range(2))
    with first.held(), pytest.raises(SourceError, match="another run is comparing lists"), second.held():
        pass
    with second.held():
        pass
