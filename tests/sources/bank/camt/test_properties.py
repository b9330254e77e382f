"""Laws of statements: what is printed is read back, damage never makes cash, size costs no memory."""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from io import BufferedReader, BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sources import ParsedEvent, SourceReject, adapter
from sources.bank.camt import Camt, camt053
from sources.bank.entry import BankEntry
from tests.sources.bank.camt.reading import OPTIONS, cash, values
from tests.sources.bank.camt.statement import CONTAINERS, Detail, Entry, batch, printed

amounts = st.decimals(0, 10**9, places=2)
statuses = st.sampled_from(["BOOK", "BOOK", "BOOK", "PDNG"])
references = st.one_of(st.none(), st.sampled_from(["R1", "R2", "R3"]), st.text("ABC123", min_size=5, max_size=9))
singles = st.builds(Entry, amounts, st.booleans(), references, statuses)
details = st.builds(Detail, amounts, st.booleans())
batches = st.builds(
    lambda several, reference, status: batch(*several, reference=reference, status=status),
    st.lists(details, min_size=2, max_size=5),
    references,
    statuses,
)
statements = st.lists(st.one_of(singles, batches), max_size=8)


def expected(entries: list[Entry]) -> Counter[Decimal]:
    """The credits that are booked, each transaction on its own."""
    found: Counter[Decimal] = Counter()
    for entry in entries:
        parts = entry.details or (Detail(entry.amount, entry.is_credit),)
        if entry.status == "BOOK":
            found += Counter(part.amount for part in parts if part.is_credit and part.amount)
    return found


@given(statements, st.sampled_from(sorted(CONTAINERS)), st.integers(4, 13))
@settings(max_examples=150, deadline=None)
def test_what_is_printed_is_read_back(entries: list[Entry], message: str, version: int) -> None:
    payments = cash("camt", printed(entries, message, version))
    assert Counter(amount for _, amount in payments) == expected(entries)
    assert len({payment for payment, _ in payments}) == len(payments)


@given(statements)
@settings(deadline=None)
def test_reading_twice_gives_the_same_ids(entries: list[Entry]) -> None:
    data = printed(entries)
    assert cash("camt053", data) == cash("camt", data)


@given(st.lists(st.one_of(singles, batches), min_size=1, max_size=4), st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_that_is_cut_off_gives_no_cash(entries: list[Entry], data: st.DataObject) -> None:
    whole = printed(entries)
    length = data.draw(st.integers(0, len(whole.rstrip()) - 1))
    said = values("camt053", whole[:length])
    assert [type(value) for value in said] == [SourceReject]


@given(st.lists(st.one_of(singles, batches), min_size=1, max_size=4), st.data())
@settings(max_examples=400, deadline=None)
def test_damage_never_makes_cash(entries: list[Entry], data: st.DataObject) -> None:
    whole = bytearray(printed(entries))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    said = values("camt053", bytes(whole))
    received = [value.record for value in said if isinstance(value, ParsedEvent) and value.name == "PaymentReceived"]
    total = sum(record["amount_minor"] for record in received if record["currency"] == "EUR")
    true = sum(amount * count for amount, count in expected(entries).items()) * 100
    # An entry whose currency was hit makes sums over currencies, which say nothing; it is no euro then.
    is_other_currency = any(isinstance(value, SourceReject) for value in said) or any(
        record["currency"] != "EUR" for record in received
    )
    # Damage within a batch makes it one payment of what the bank booked, which is its balance.
    is_one = any(entry.details for entry in entries)
    assert total in {0, true} or ((is_other_currency or is_one) and total <= true)


FILES = sorted((Path(__file__).parent / "golden").glob("*.xml"))
WORDS = [
    "",
    "0",
    "-1",
    "abc",
    "CRDT",
    "DBIT",
    "BOOK",
    "PDNG",
    "1.2.3",
    "2026-13-01",
    "9999-12-31T23:59:59-14:00",
    "true",
]


@given(st.sampled_from(FILES), st.data())
@settings(max_examples=300, deadline=None)
def test_elements_may_be_missing_doubled_misplaced_or_say_anything(file: Path, data: st.DataObject) -> None:
    """Whatever stands in a file, it becomes events and rejects, and every payment is of an amount."""
    tree = etree.fromstring(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        elements = list(tree.iterdescendants("*"))
        if not elements:
            break
        element = elements[data.draw(st.integers(0, len(elements) - 1))]
        parent = element.getparent()
        assert parent is not None
        change = data.draw(st.sampled_from(["remove", "double", "move", "say", "currency"]))
        if change == "remove":
            parent.remove(element)
        elif change == "double":
            element.addnext(deepcopy(element))
        elif change == "move":
            tree.append(element)
        elif change == "say":
            element.text = data.draw(st.sampled_from(WORDS))
        else:
            element.set("Ccy", data.draw(st.sampled_from(["USD", "xx", ""])))
    said = values("pain002" if "pain002" in file.name else "camt", etree.tostring(tree))
    payments = [value.record for value in said if isinstance(value, ParsedEvent) and value.name == "PaymentReceived"]
    assert all(record["amount_minor"] > 0 for record in payments)


class _Rows(BytesIO):
    """A seekable stream that is made while it is read, so that only the reader's memory counts."""

    def __init__(self, head: bytes, row: bytes, count: int, tail: bytes) -> None:
        super().__init__()
        self._parts = (head, row, count, tail)
        self._rows = self._made()

    def _made(self) -> Iterator[bytes]:
        head, row, count, tail = self._parts
        yield head
        for number in range(count):
            yield row.replace(b"#", b"%d" % number)
        yield tail

    def read(self, size: int | None = -1, /) -> bytes:
        taken = bytearray()
        while len(taken) < (size or 0) and (row := next(self._rows, b"")):
            taken += row
        return bytes(taken)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        assert (offset, whence) == (0, 0)
        self._rows = self._made()
        return 0


HEAD = (
    b"<Document><BkToCstmrStmt><Stmt><CreDtTm>2026-03-31T20:00:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000"
    b"</IBAN></Id></Acct>"
)
TAIL = b"</Stmt></BkToCstmrStmt></Document>"
ONE = (
    b'<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-31</Dt></BookgDt>'
    b"<AcctSvcrRef>R#</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E#</EndToEndId></Refs><RltdPties><Dbtr><Nm>A"
    b"</Nm></Dbtr></RltdPties><RmtInf><Ustrd>Invoice #</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
)
BATCH_HEAD = (
    b'<Ntry><Amt Ccy="EUR">6000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-31</Dt>'
    b"</BookgDt><AcctSvcrRef>R</AcctSvcrRef><NtryDtls><Btch><NbOfTxs>6000</NbOfTxs></Btch>"
)
OF_BATCH = (
    b'<TxDtls><Refs><EndToEndId>E#</EndToEndId></Refs><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    b"<RltdPties><Dbtr><Nm>A</Nm></Dbtr></RltdPties><RmtInf><Ustrd>Invoice # of a customer who wrote a long text"
    b"</Ustrd></RmtInf></TxDtls>\n"
)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the kernel does not tell the resident memory here")
@pytest.mark.parametrize(
    ("head", "row", "tail"),
    [(HEAD, ONE, TAIL), (HEAD + BATCH_HEAD, OF_BATCH, b"</NtryDtls></Ntry>" + TAIL)],
    ids=["entries", "one batch"],
)
def test_size_costs_no_memory(head: bytes, row: bytes, tail: bytes) -> None:
    def read(form: Camt, count: int) -> int:
        stream = _Rows(head, row, count, tail)
        form.verify(stream)
        stream.seek(0)
        return sum(1 for entry in form.entries(stream) if isinstance(entry, BankEntry))

    if row is ONE:
        read(camt053(), 500)
    before = _resident()
    assert read(camt053(), 6_000) == 6_000  # some 2.5 MB, which would be 15 MB as a tree
    assert _resident() - before < 6_000_000


def test_a_real_file_is_read_in_two_passes(tmp_path: Path) -> None:
    file = tmp_path / "statement.xml"
    file.write_bytes(printed([Entry(Decimal(5), reference="A")]))
    with file.open("rb") as stream:
        assert isinstance(stream, BufferedReader)
        assert len(list(adapter("camt053", OPTIONS).read(stream, file.name))) == 1
