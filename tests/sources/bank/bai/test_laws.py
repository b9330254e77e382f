"""Laws of BAI files: what is printed is read back; damage never crashes, and never gives cash that totals deny."""

import contextlib
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from sources import ParsedEvent, adapter
from sources.bank import BankFormat, FileRefusedError
from sources.bank.bai import Bai2, Lockbox
from tests.sources.bank.bai.statements import Check, Transaction, bai2, lockbox
from tests.sources.bank.reading import OPTIONS, cash, entries

CREDITS = st.sampled_from(("108", "142", "165", "169", "174", "175", "195", "201", "399"))
OTHERS = st.sampled_from(("275", "354", "451", "475", "557", "698"))
CENTS = st.integers(1, 10**9)
REFERENCES = st.text("ABCXYZ0123456789-", max_size=8)
TEXTS = st.text("ABC xyz,.:'0123456789/", max_size=60).filter(lambda text: "88:" not in text)
TRANSACTIONS = st.builds(Transaction, CREDITS | OTHERS, CENTS, REFERENCES, REFERENCES, TEXTS)
ACCOUNTS = st.lists(st.lists(TRANSACTIONS, max_size=6), min_size=1, max_size=4)
ENDS = st.sampled_from(("\n", "\r\n"))
INVOICES = st.lists(st.tuples(st.from_regex(r"INV-[0-9]{1,8}", fullmatch=True), st.integers(1, 10**8)), max_size=4)
BATCHES = st.lists(
    st.lists(st.builds(Check, st.integers(1, 10**8), st.integers(1, 10**9), INVOICES), max_size=5), max_size=4
)


@given(accounts=ACCOUNTS, end=ENDS, width=st.sampled_from((0, 7, 40)))
@settings(max_examples=50, deadline=None)
def test_the_cash_of_a_statement_is_read_back(accounts: list[list[Transaction]], end: str, width: int) -> None:
    paid = [
        (f"ACCT{number}", transaction.cents)
        for number, transactions in enumerate(accounts, 1)
        for transaction in transactions
        if transaction.code[0] in "123" and transaction.code not in ("275", "354")
    ]
    found = cash(Bai2(), bai2(accounts, end, width))
    assert [(entry.account.number, int(entry.amount * 100)) for entry in found if entry.kind == "received"] == paid
    returned = [t.cents for transactions in accounts for t in transactions if t.code == "557"]
    assert [int(entry.amount * 100) for entry in found if entry.kind == "returned"] == returned


@given(accounts=ACCOUNTS)
@settings(max_examples=50, deadline=None)
def test_no_two_payments_of_a_file_share_an_id_and_a_second_reading_gives_the_same(
    accounts: list[list[Transaction]],
) -> None:
    data = bai2(accounts)
    first, second = (
        [
            value.record["payment_id"]
            for value in adapter("bai2", OPTIONS).read(io.BytesIO(data), "a.bai")
            if isinstance(value, ParsedEvent) and value.name == "PaymentReceived"
        ]
        for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == len(first)


@given(batches=BATCHES, end=ENDS)
@settings(max_examples=50, deadline=None)
def test_the_checks_of_a_lockbox_are_read_back_with_what_they_pay(batches: list[list[Check]], end: str) -> None:
    found = cash(Lockbox(), lockbox(batches, end))
    checks = [check for batch in batches for check in batch]
    assert [int(entry.amount * 100) for entry in found] == [check.cents for check in checks]
    for entry, check in zip(found, checks, strict=True):
        paid = [(invoice.invoice_id, int((invoice.amount or 0) * 100)) for invoice in entry.invoices]
        assert paid == list(check.invoices)


STATEMENT = bai2([[Transaction("195", 123450, "FW1", "INV-1", "PAID, WITH / COMMAS")], [Transaction("557", 7, "R1")]])
BOX = lockbox([[Check(123450, 1001, [("INV-1", 100000), ("INV-2", 23450)])], [Check(700, 1002)]])
DAMAGED = st.sampled_from(((Bai2, STATEMENT), (Lockbox, BOX)))


def cash_or_refusal(form: BankFormat, data: bytes) -> list[tuple[str, int]] | None:
    """Kinds and cents; None where the file is refused."""
    try:
        return [(entry.kind, int(entry.amount * 100)) for entry in cash(form, data)]
    except FileRefusedError:
        return None


@given(damaged=DAMAGED, share=st.floats(0, 0.999))
@settings(max_examples=100, deadline=None)
def test_a_file_that_is_cut_off_gives_no_cash(damaged: tuple[type[Bai2 | Lockbox], bytes], share: float) -> None:
    form, data = damaged
    whole = data.rstrip(b"\r\n/")
    cut = whole[: int(len(whole) * share)]
    found = cash_or_refusal(form(), cut)
    # Cut inside its trailer, a file has all its cash, and the totals of its parts have proved it.
    in_trailer = cut.count(b"\n") == whole.count(b"\n")
    assert found is None or (in_trailer and found == cash_or_refusal(form(), data))


@given(damaged=DAMAGED, at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@settings(max_examples=250, deadline=None)
def test_a_byte_that_is_changed_never_changes_the_cash_unseen(
    damaged: tuple[type[Bai2 | Lockbox], bytes], at: float, byte: int
) -> None:
    form, data = damaged
    place = int(at * len(data))
    flipped = data[:place] + bytes([byte]) + data[place + 1 :]
    found = cash_or_refusal(form(), flipped)
    whole = cash_or_refusal(form(), data)
    assert whole is not None
    # Totals prove amounts. What a booking is, its code says, and no total covers that.
    assert found is None or sorted(cents for _, cents in found) in _subsets([cents for _, cents in whole])


def _subsets(amounts: list[int]) -> list[list[int]]:
    """Sorted amounts with any of them left out: an entry may be lost to a code, and is then counted as passed over."""
    return [
        sorted(amount for bit, amount in enumerate(amounts) if chosen >> bit & 1) for chosen in range(2 ** len(amounts))
    ]


@given(data=st.binary(max_size=300), form=st.sampled_from((Bai2, Lockbox)))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes, form: type[Bai2 | Lockbox]) -> None:
    with contextlib.suppress(FileRefusedError):
        entries(form(), data)
