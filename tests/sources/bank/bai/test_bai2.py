"""BAI2: one cash is told once, funds types bring fields, ids hold when the bank sends a day again."""

import io

import pytest

from sources import ParsedEvent, adapter
from sources.bank import FileRefusedError, PassedOver
from sources.bank.bai import Bai2, bai2_with_lockbox
from sources.bank.bai.type_codes import treatment
from tests.sources.bank.bai.statements import Transaction, bai2
from tests.sources.bank.reading import OPTIONS, cash, entries

DEPOSIT = Transaction("115", 120_000, "LBX1", "0022222")
WIRE = Transaction("195", 50_000, "FW1", "INV-1")


def file_of(*details: str, account: str = "03,ACCT,USD,,,,/") -> bytes:
    """A statement of detail records as they are given. Nothing but the counts is stated."""
    lines = ["01,1,2,261126,0615,1,,,2/", "02,2,1,1,261125,,USD,2/", account, *details]
    lines += [f"49,,{len(details) + 2}/", f"98,,1,{len(details) + 4}/", f"99,,1,{len(details) + 6}/"]
    return "\n".join(lines).encode()


def test_a_lockbox_deposit_is_cash_where_no_lockbox_file_is_taken_in() -> None:
    assert [entry.kind for entry in cash(Bai2(), bai2([[DEPOSIT, WIRE]]))] == ["received", "received"]
    assert [entry.kind for entry in cash(bai2_with_lockbox(), bai2([[DEPOSIT, WIRE]]))] == ["announced", "received"]


def test_items_of_a_deposit_are_cash_where_the_deposit_is_not_told() -> None:
    items = [Transaction("116", 70_000), Transaction("116", 50_000)]
    assert len(cash(Bai2(), bai2([items]))) == 2
    assert [entry.amount for entry in cash(Bai2(), bai2([[DEPOSIT, *items]]))] == [1200]
    found = entries(Bai2(), bai2([[DEPOSIT, *items, Transaction("116", 1)]]))
    assert [entry.why for entry in found if isinstance(entry, PassedOver)] == ["item_of_deposit"] * 2
    assert len(found) == 4  # the last item is more than the deposit has left: cash of its own


@pytest.mark.parametrize(
    ("funds", "value_date"),
    [
        ("", "2026-11-25"),
        ("0", "2026-11-25"),
        ("1", "2026-11-25"),
        ("Z", "2026-11-25"),
        ("S,1,2,3", "2026-11-25"),
        ("D,2,0,100,1,200", "2026-11-25"),
        ("V,261127,", "2026-11-27"),
        ("V,261127,1430", "2026-11-27"),
        ("V,,", "2026-11-25"),
    ],
)
def test_a_funds_type_brings_its_fields_before_the_references(funds: str, value_date: str) -> None:
    (entry,) = cash(Bai2(), file_of(f"16,195,100,{funds},BANKREF,CUSTREF,THE TEXT, WITH A COMMA/"))
    assert entry.value_date.isoformat() == value_date
    assert (entry.servicer_reference, entry.end_to_end_id) == ("BANKREF", "CUSTREF")
    assert entry.payment_reference == "THE TEXT, WITH A COMMA"


@pytest.mark.parametrize("reference", ["", "0", "0000000", "NONREF", "NOTPROVIDED", " - "])
def test_what_stands_for_no_reference_is_none(reference: str) -> None:
    (entry,) = cash(Bai2(), file_of(f"16,195,100,0,{reference},{reference},PAID/"))
    assert (entry.servicer_reference, entry.end_to_end_id) == (None, None)


def test_tags_of_lines_are_read() -> None:
    (entry,) = cash(
        Bai2(),
        file_of(
            "16,195,1125,,GI2229,GS0D9VGM,Incoming Wire,-",
            "88,REMI: INV-7, INV-8",
            "88,EREF: E2E-1",
            "88,DBNM: SAMPLE INC.",
            "88,DACT: 8348572423",
        ).replace(b"49,,7/", b"49,,7/"),
    )
    assert (entry.end_to_end_id, entry.payment_reference) == ("E2E-1", "INV-7, INV-8")
    assert (entry.payer_name, entry.payer_account) == ("SAMPLE INC.", "8348572423")


@pytest.mark.parametrize(
    ("lines", "invoices"),
    [
        (["PAID RMR*IV*INV-1**60*60\\RMR*IV*INV-2**40.00\\"], [("INV-1", "60", None), ("INV-2", "40.00", None)]),
        (["RMR*IV*INV-1**100.00*102.00*2.00~DTM*003*20261101~"], [("INV-1", "100.00", "2.00")]),
        (["RMR*IV*INV-", "1**100", ".00\\"], [("INV-1", "100.00", None)]),
        (["SOME WORDS", "RMR*IV*INV-1**100", "MORE WORDS"], [("INV-1", "100", None)]),
        (["RMR*IV*INV-1**60.00\\RMR*IV*INV-2**4"], []),
        (["RMR*IV*INV-1**"], []),
        (["RMR*PO*4711**100.00"], []),
    ],
)
def test_addenda_name_invoices_where_they_come_to_the_payment(
    lines: list[str], invoices: list[tuple[str, str, str | None]]
) -> None:
    text = ["16,165,10000,0,A,B/", *(f"88,{line}" for line in lines)]
    (entry,) = cash(Bai2(), file_of(*text))
    found = [
        (line.invoice_id, str(line.amount), None if line.deduction_amount is None else str(line.deduction_amount))
        for line in entry.invoices
    ]
    assert found == invoices
    assert entry.payment_reference == " ".join(lines)


@pytest.mark.parametrize(
    ("code", "becomes"),
    [
        ("108", "received"),
        ("115", "received"),
        ("142", "received"),
        ("165", "received"),
        ("169", "received"),
        ("175", "received"),
        ("195", "received"),
        ("201", "received"),
        ("399", "received"),
        ("921", "received"),
        ("100", "summary"),
        ("190", "summary"),
        ("010", "summary"),
        ("354", "interest"),
        ("275", "own_transfer"),
        ("257", "returned_payment"),
        ("252", "reversal_of_debit"),
        ("555", "returned"),
        ("557", "returned"),
        ("451", "debit"),
        ("455", "debit"),
        ("698", "fee"),
        ("965", "debit"),
        ("721", "loan"),
        ("890", "information"),
    ],
)
def test_a_type_code_says_whose_cash_it_is(code: str, becomes: str) -> None:
    assert treatment(code) == becomes


def test_totals_that_are_not_given_are_not_checked_and_those_given_are() -> None:
    assert len(cash(Bai2(), file_of("16,195,100,0,A,B,C/"))) == 1
    with pytest.raises(FileRefusedError, match="control total"):
        cash(Bai2(), file_of("16,195,100,0,A,B,C/").replace(b"49,,", b"49,101,"))


def test_a_trailer_may_leave_the_number_of_its_parts_out() -> None:
    data = bai2([[WIRE]]).replace(b"98,100000,1,5/", b"98,100000,5,/")
    assert len(cash(Bai2(), data)) == 1
    with pytest.raises(FileRefusedError, match="accounts"):
        cash(Bai2(), data.replace(b"98,100000,5,/", b"98,100000,4,/"))


def test_items_of_a_summary_may_be_broken_anywhere() -> None:
    whole = "015,4060801,,,045,3836014,,,100,1589285,00008,,400,1831945,00002,V,060316,,040,4059283,,"
    for at in (place for place, sign in enumerate(whole) if sign == ","):
        account = f"03,0101999999,,{whole[:at]}/\n88,{whole[at + 1 :]}/"
        total = 4060801 + 3836014 + 1589285 + 1831945 + 4059283 + 100
        data = file_of("16,175,100,Z,00087829876,Miami/", account=account)
        counted = data.replace(b"49,,3/", f"49,{total},4/".encode()).replace(b"98,,1,5/", b"98,,1,6/")
        (entry,) = cash(Bai2(), counted.replace(b"99,,1,7/", b"99,,1,8/"))
        assert (entry.servicer_reference, entry.payment_reference) == ("00087829876", "Miami")


def test_a_return_names_its_original_by_the_customers_reference_alone() -> None:
    named, unnamed = cash(Bai2(), bai2([[Transaction("557", 7, "DAY1", "ACH1"), Transaction("555", 7, "DAY1")]]))
    assert (named.original_reference, unnamed.original_reference) == ("ACH1", None)


def test_amounts_have_the_decimals_of_their_currency() -> None:
    for currency, amount in (("USD", "1.25"), ("JPY", "125"), ("KWD", "0.125")):
        (entry,) = cash(Bai2(), file_of("16,195,125,0,A,B,C/", account=f"03,ACCT,{currency},,,,/"))
        assert str(entry.amount) == amount


def test_a_day_sent_again_with_more_adds_only_what_is_new() -> None:
    first = [WIRE, Transaction("142", 700, "DAY", "P1"), Transaction("142", 700, "DAY", "P2"), Transaction("174", 5)]
    again = [*first, Transaction("174", 5), Transaction("195", 50_000, "FW2", "INV-1")]

    def ids(transactions: list[Transaction]) -> list[str]:
        values = adapter("bai2", OPTIONS).read(io.BytesIO(bai2([transactions])), "a.bai")
        return [value.record["payment_id"] for value in values if isinstance(value, ParsedEvent)]

    assert len(set(ids(first))) == 4
    assert ids(again)[:4] == ids(first)
    assert len(set(ids(again))) == 6
    assert set(ids([first[2]])) <= set(ids(first))
