"""A file whose totals disagree is refused whole; what may differ is no disagreement."""

from decimal import Decimal

import pytest

from tests.sources.bank.camt.reading import cash, outcome
from tests.sources.bank.camt.statement import CONTAINERS, Detail, Entry, batch, printed

ENTRIES = [
    Entry(Decimal("12.50"), reference="A1"),
    batch(Detail(Decimal(5)), Detail(Decimal(7)), reference="A2"),
    Entry(Decimal(3), is_credit=False, reference="A3"),
]
STATEMENT = printed(ENTRIES)


def changed(old: bytes, new: bytes, data: bytes = STATEMENT) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def reasons(data: bytes, form: str = "camt") -> list[str]:
    said = outcome(form, data)
    assert not cash(form, data) or all("rejected" not in row for row in said)
    return [row["rejected"] for row in said if "rejected" in row]


def without_summary(data: bytes) -> bytes:
    return data[: data.index(b"<TxsSummry>")] + data[data.index(b"</TxsSummry>") + len(b"</TxsSummry>") :]


def without_balances(data: bytes) -> bytes:
    return data[: data.index(b"<Bal>")] + data[data.rindex(b"</Bal>") + len(b"</Bal>") :]


def test_a_statement_that_agrees() -> None:
    assert len(cash("camt053", STATEMENT)) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<TtlNtries><NbOfNtries>3<", b"<TtlNtries><NbOfNtries>5<"),
        (b"<TtlCdtNtries><NbOfNtries>2<", b"<TtlCdtNtries><NbOfNtries>1<"),
        (b"<Sum>27.50<", b"<Sum>27.51<"),
        (b"<Sum>24.50<", b"<Sum>24.5001<"),
        (b"<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>3<", b"<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>0<"),
        (b'<Amt Ccy="EUR">12.50<', b'<Amt Ccy="EUR">12.60<'),
        (b'<Amt Ccy="EUR">100<', b'<Amt Ccy="EUR">-100<'),
        (b"<Sum>24.50<", b"<Sum>twenty<"),
        (b"<TtlNtries><NbOfNtries>3<", b"<TtlNtries><NbOfNtries>" + b"3" * 5000 + b"<"),
    ],
)
def test_a_total_that_disagrees(old: bytes, new: bytes) -> None:
    assert reasons(changed(old, new))[0] in {"control_total_mismatch", "malformed_file"}
    assert cash("camt053", changed(old, new)) == []


def told(data: bytes) -> list[str]:
    """What is said beside the cash, behind its statement."""
    said = outcome("camt053", data)
    assert "rejected" not in said[0]
    return [row["rejected"] for row in said if "rejected" in row]


def test_an_entry_that_is_missing_shows_in_the_balances_alone() -> None:
    """Balances may be of another kind, and entries left out: cash is taken, and that they do not prove it is told."""
    start, end = STATEMENT.index(b"<Ntry>"), STATEMENT.index(b"</Ntry>") + len(b"</Ntry>")
    partial = without_summary(STATEMENT[:start] + STATEMENT[end:])
    assert told(partial) == ["balance_mismatch"]
    assert len(cash("camt053", partial)) == 2
    closing = changed(b'<Amt Ccy="EUR">121.50<', b'<Amt Ccy="EUR">121.00<')
    assert told(closing) == ["balance_mismatch"]
    assert told(STATEMENT) == []


def test_each_statement_has_its_own_balances() -> None:
    start, end = STATEMENT.index(b"<Stmt>"), STATEMENT.index(b"</Stmt>") + len(b"</Stmt>")
    wrong = STATEMENT[start:end].replace(b'<Amt Ccy="EUR">121.50<', b'<Amt Ccy="EUR">121.00<')
    both = (
        STATEMENT[:start] + wrong + STATEMENT[start:end].replace(b"A1", b"B1").replace(b"A2", b"B2") + STATEMENT[end:]
    )
    said = outcome("camt053", both)
    events = [row for row in said if row.get("event") == "PaymentReceived" or "rejected" in row]
    assert [row.get("rejected", "cash") for row in events] == ["cash"] * 3 + ["balance_mismatch"] + ["cash"] * 3


def test_entries_that_were_left_out_on_purpose() -> None:
    start, end = STATEMENT.index(b"<Ntry>"), STATEMENT.index(b"</Ntry>") + len(b"</Ntry>")
    partial = without_summary(STATEMENT[:start] + STATEMENT[end:])
    assert "--as camt053-partial" in outcome("camt053", partial)[-1]["message"]
    assert [row for row in outcome("camt053-partial", partial) if "rejected" in row] == []
    assert len(cash("camt053-partial", partial)) == 2
    # What is left still has to agree with a summary, where there is one.
    assert cash("camt053-partial", STATEMENT[:start] + STATEMENT[end:]) == []


def test_an_entry_that_is_missing_shows_in_the_summary_alone() -> None:
    start, end = STATEMENT.index(b"<Ntry>"), STATEMENT.index(b"</Ntry>") + len(b"</Ntry>")
    assert reasons(without_balances(STATEMENT[:start] + STATEMENT[end:])) == ["control_total_mismatch"]


def test_a_direction_that_is_turned() -> None:
    data = STATEMENT.replace(b"<CdtDbtInd>DBIT<", b"<CdtDbtInd>CRDT<")
    assert reasons(data) == ["control_total_mismatch"]
    assert told(without_summary(data)) == ["balance_mismatch"]


def test_counts_may_be_those_of_transactions() -> None:
    data = changed(b"<TtlCdtNtries><NbOfNtries>2<", b"<TtlCdtNtries><NbOfNtries>3<")
    assert len(cash("camt053", changed(b"<TtlNtries><NbOfNtries>3<", b"<TtlNtries><NbOfNtries>4<", data))) == 3


def test_counts_may_be_those_of_transactions_that_are_not_listed() -> None:
    start, end = STATEMENT.index(b"<TxDtls>"), STATEMENT.rindex(b"</TxDtls>") + len(b"</TxDtls>")
    data = changed(
        b"<TtlCdtNtries><NbOfNtries>2<", b"<TtlCdtNtries><NbOfNtries>3<", STATEMENT[:start] + STATEMENT[end:]
    )
    assert len(cash("camt053", changed(b"<TtlNtries><NbOfNtries>3<", b"<TtlNtries><NbOfNtries>4<", data))) == 2


def test_sums_may_be_net() -> None:
    assert len(cash("camt053", changed(b"<Sum>27.50<", b"<Sum>21.50<"))) == 3


@pytest.mark.parametrize("counted", [True, False])
def test_pending_entries_may_be_in_the_summary_or_not(counted: bool) -> None:
    pending = [*ENTRIES, Entry(Decimal(40), status="PDNG"), Entry(Decimal(1), status="INFO")]
    data = printed(pending) if counted else printed(ENTRIES).replace(b"</Stmt>", _entries(pending[3:]) + b"</Stmt>")
    assert len(cash("camt053", data)) == 3


def _entries(entries: list[Entry]) -> bytes:
    data = printed(entries)
    return data[data.index(b"<Ntry>") : data.rindex(b"</Ntry>") + len(b"</Ntry>")]


@pytest.mark.parametrize(
    "page",
    [b"<PgNb>1</PgNb><LastPgInd>false</LastPgInd>", b"<PgNb>2</PgNb><LastPgInd>true</LastPgInd>"],
)
def test_totals_of_a_page_may_be_those_of_all_pages(page: bytes) -> None:
    wrong = changed(b"<Sum>27.50<", b"<Sum>900.00<")
    assert reasons(wrong) == ["control_total_mismatch"]
    in_statement = changed(b"<Id>S</Id>", b"<Id>S</Id><StmtPgntn>" + page + b"</StmtPgntn>", wrong)
    assert len(cash("camt053", in_statement)) == 3
    in_message = changed(b"</GrpHdr>", b"<MsgPgntn>" + page + b"</MsgPgntn></GrpHdr>", wrong)
    assert len(cash("camt053", in_message)) == 3


def test_the_only_page_is_checked() -> None:
    page = b"<StmtPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>"
    data = changed(b"<Id>S</Id>", b"<Id>S</Id>" + page, changed(b"<Sum>27.50<", b"<Sum>900.00<"))
    assert reasons(data) == ["control_total_mismatch"]


def test_balances_of_reports_and_notices_are_not_checked() -> None:
    """They need not hold all entries of the day."""
    for message in ("camt.052", "camt.054"):
        data = printed(ENTRIES, message).replace(
            b"<TxsSummry>",
            b'<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
            b'<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">2</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
            b"<TxsSummry>",
        )
        assert len(cash("camt", data)) == 3


def test_other_balances_say_nothing() -> None:
    available = STATEMENT.replace(b"<Cd>OPBD</Cd>", b"<Cd>OPAV</Cd>")
    assert len(cash("camt053", available.replace(b'<Amt Ccy="EUR">100<', b'<Amt Ccy="EUR">7<'))) == 3
    foreign = STATEMENT.replace(b'<Amt Ccy="EUR">121.50<', b'<Amt Ccy="USD">7<')
    assert len(cash("camt053", foreign)) == 3


def test_sums_over_several_currencies_say_nothing() -> None:
    data = changed(b'<Amt Ccy="EUR">12.50<', b'<Amt Ccy="USD">13.00<')
    assert len(cash("camt053", data)) == 3


@pytest.mark.parametrize(
    ("batch_says", "is_refused"),
    [
        (b"<NbOfTxs>2</NbOfTxs>", False),
        (b"<NbOfTxs>3</NbOfTxs>", True),
        (b'<NbOfTxs>2</NbOfTxs><TtlAmt Ccy="EUR">12</TtlAmt>', False),
        (b'<NbOfTxs>2</NbOfTxs><TtlAmt Ccy="EUR">13</TtlAmt>', True),
        (b'<NbOfTxs>2</NbOfTxs><TtlAmt Ccy="USD">13</TtlAmt>', False),
        (b"<PmtInfId>P</PmtInfId>", False),
        (b"<NbOfTxs>" + b"2" * 5000 + b"</NbOfTxs>", False),
    ],
)
def test_a_batch_that_contradicts_its_transactions(batch_says: bytes, is_refused: bool) -> None:
    data = changed(b"<Btch><NbOfTxs>2</NbOfTxs></Btch>", b"<Btch>" + batch_says + b"</Btch>")
    assert reasons(data) == (["control_total_mismatch"] if is_refused else [])


@pytest.mark.parametrize("message", CONTAINERS)
def test_a_bad_entry_in_a_file_with_totals_refuses_it(message: str) -> None:
    data = printed(ENTRIES, message).replace(b'<Amt Ccy="EUR">12.50<', b'<Amt Ccy="EUR">12,50<')
    assert reasons(data) == ["control_total_mismatch"]


def test_a_bad_entry_in_a_file_without_totals_is_rejected_with_all_its_bytes() -> None:
    data = without_summary(without_balances(STATEMENT))
    data = data.replace(b'<TxDtls><Amt Ccy="EUR">7<', b'<TxDtls><Amt Ccy="EUR">seven<')
    said = outcome("camt053", data)
    assert [row.get("rejected") for row in said] == [None, "invalid_amount", None]
    assert "seven" in said[1]["message"]
