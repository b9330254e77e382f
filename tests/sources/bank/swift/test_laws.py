"""Laws of SWIFT statements: what is printed is read back; damage never crashes, and what balances deny is told."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sources.bank import BadEntry, BankEntry, FileRefusedError
from sources.bank.swift import Mt940, Mt942
from tests.sources.bank.reading import cash, entries
from tests.sources.bank.swift.statements import Line, mt940

WORDS = st.text("ABCdef 0123456789.,-:'()", min_size=1, max_size=150).filter(lambda text: text.strip())
REFERENCES = st.from_regex(r"[A-Z]{2}[0-9]{1,8}X", fullmatch=True)
LINES = st.builds(
    Line,
    st.sampled_from(("C", "D", "RC", "RD")),
    st.integers(1, 10**9),
    st.just("NONREF") | REFERENCES,
    st.just("") | REFERENCES,
    WORDS.map("166?00GUTSCHRIFT?20SVWZ+{}?32ACME".format) | st.just(""),
)
PAGES = st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=4)


@given(pages=PAGES, opening=st.integers(-(10**9), 10**9), end=st.sampled_from(("\n", "\r\n")))
@settings(max_examples=80, deadline=None)
def test_the_cash_of_a_statement_is_read_back(pages: list[list[Line]], opening: int, end: str) -> None:
    found = cash(Mt940(), mt940(pages, opening, end))
    lines = [line for page in pages for line in page]
    assert [(entry.kind, int(entry.amount * 100)) for entry in found] == [
        ("received" if line.mark == "C" else "returned", line.cents) for line in lines if line.mark in ("C", "RC")
    ]
    references = [line.bank or None for line in lines if line.mark in ("C", "RC")]
    assert [entry.servicer_reference for entry in found] == references


@given(words=WORDS, width=st.integers(60, 65))
@settings(max_examples=80, deadline=None)
def test_what_the_bank_tells_is_the_same_however_it_is_wrapped(words: str, width: int) -> None:
    told = f"166?00GUTSCHRIFT?20SVWZ+{words.replace('-', '')}?32ACME"
    one, other = (cash(Mt940(), mt940([[Line("C", 100, told=told)]], width=n)) for n in (width, 1_000))
    assert one[0].payment_reference == other[0].payment_reference
    assert one[0].payer_name == "ACME"


STATEMENT = mt940(
    [[Line("C", 123450, "INV-1", "B1", "166?20SVWZ+INV 1?32ACME"), Line("D", 400)], [Line("RC", 700, bank="B2")]], -500
)


def amounts_unless_told(data: bytes) -> list[int] | None:
    """Cents; None where the file is refused, or the balances are told not to prove its lines."""
    try:
        found = entries(Mt940(), data)
    except FileRefusedError:
        return None
    if any(isinstance(one, BadEntry) and one.reason == "balance_mismatch" for one in found):
        return None
    return [int(one.amount * 100) for one in found if isinstance(one, BankEntry)]


@given(share=st.floats(0, 0.999))
@settings(max_examples=80, deadline=None)
def test_a_statement_that_is_cut_off_gives_no_cash_but_that_of_whole_pages(share: float) -> None:
    whole = STATEMENT.rstrip(b"-\r\n,")
    cut = whole[: int(len(whole) * share)]
    found = amounts_unless_told(cut)
    pages = cut.count(b":62")
    assert found is None or found == [123450, 700][:pages]


@given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_byte_that_is_changed_never_changes_an_amount_unseen(at: float, byte: int) -> None:
    place = int(at * len(STATEMENT))
    found = amounts_unless_told(STATEMENT[:place] + bytes([byte]) + STATEMENT[place + 1 :])
    # Balances prove amounts and signs; a code may make cash something else, which is then counted as passed over.
    assert found is None or found in ([123450, 700], [700], [123450], [])


@given(data=st.binary(max_size=300), form=st.sampled_from((Mt940, Mt942)))
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes, form: type[Mt940 | Mt942]) -> None:
    with contextlib.suppress(FileRefusedError):
        entries(form(), data)
        entries(form(), b":20:A\n:25:B\n:60F:C260101EUR0,\n" + data)
