"""810: what is owed, by whom and when; credits, debit memos and what asks for no payment."""

from pathlib import Path
from typing import Any

import pytest

from sources import SkippedRow
from tests.sources.x12.interchange import interchange
from tests.sources.x12.reading import events, read, reject

BIG = "BIG*20260901*INV-1*20260815*PO-7***DI"
BILL_TO = "N1*BT*NORTHWIND*91*C-10042"
ITEM = "IT1*1*500*EA*12.50**VP*WIDGET"


def invoice(*segments: str) -> dict[str, Any]:
    (event,) = events(interchange("810", list(segments)), "x12-810")
    return event


def test_the_receivable_is_the_total_before_discount() -> None:
    event = invoice(BIG, BILL_TO, ITEM, "TDS*625000*625000*612500*12500", "CTT*1*500")
    assert (event["amount"], event["currency"], event["invoice_id"]) == ("6250.00", "USD", "INV-1")
    assert (event["account_id"], event["reference"], event["document_date"]) == ("C-10042", "PO-7", "2026-09-01")


@pytest.mark.parametrize(("written", "amount"), [("1", "0.01"), ("500.00", "500.00"), ("0", "0.00"), ("5475", "54.75")])
def test_hundredths_are_implied_unless_a_point_is_written(written: str, amount: str) -> None:
    assert invoice(BIG, BILL_TO, f"TDS*{written}")["amount"] == amount


def test_other_currencies() -> None:
    assert invoice(BIG, "CUR*SE*JPY", BILL_TO, "TDS*10000000")["amount"] == "100000"
    assert invoice(BIG, "CUR*SE*EUR*1.1", "CUR*BY*USD", BILL_TO, "TDS*1000")["currency"] == "EUR"


@pytest.mark.parametrize(
    ("terms", "due"),
    [
        (["ITD*01*3*2**10**30"], "2026-10-01"),
        (["ITD*01*3*2**10*20261015*30"], "2026-10-15"),
        (["ITD*14*1*****60", "DTM*011*20260830"], "2026-10-29"),
        (["ITD*14*2*****10", "DTM*035*20260903"], "2026-09-13"),
        (["ITD*14*1*****60"], "2026-10-31"),
        (["DTM*013*20261101"], "2026-11-01"),
        (["DTM*814*20261102"], "2026-11-02"),
        (["ITD*05*3*****0"], "2026-09-01"),
        (["ITD*02************DUE ON RECEIPT"], None),
        ([], None),
    ],
)
def test_due_dates(terms: list[str], due: str | None) -> None:
    assert invoice(BIG, BILL_TO, *terms, "TDS*100").get("due_date") == due


def test_terms_in_words_and_in_days() -> None:
    assert invoice(BIG, BILL_TO, "ITD*01*3*2**10**30", "TDS*100")["payment_terms"] == "NET30"
    assert invoice(BIG, BILL_TO, "ITD*01*3*****30*****2/10 NET 30", "TDS*100")["payment_terms"] == "2/10 NET 30"


def test_instalments_add_up_to_the_invoice() -> None:
    parts = ["ITD*04********20261001*6000", "ITD*04********20261101*4000"]
    event = invoice(BIG, BILL_TO, *parts, "TDS*10000")
    assert event["instalments"] == [
        {"number": 1, "due_date": "2026-10-01", "amount": "60.00"},
        {"number": 2, "due_date": "2026-11-01", "amount": "40.00"},
    ]
    assert "instalments" not in invoice(BIG, BILL_TO, *parts, "TDS*10001")


@pytest.mark.parametrize(
    ("kind", "total", "event", "amount"),
    [
        ("CR", "5475", "CreditMemoIssued", "54.75"),
        ("CN", "5475", "CreditMemoIssued", "54.75"),
        ("CG", "5475", "CreditMemoIssued", "54.75"),
        ("CR", "-5475", "CreditMemoIssued", "54.75"),
        ("DI", "-5475", "CreditMemoIssued", "54.75"),
        ("DR", "5475", "InvoiceIssued", "54.75"),
        ("", "5475", "InvoiceIssued", "54.75"),
    ],
)
def test_kinds_of_documents(kind: str, total: str, event: str, amount: str) -> None:
    found = invoice(f"BIG*20260901*D-1*****{kind}", BILL_TO, f"TDS*{total}")
    assert (found["event"], found["amount"]) == (event, amount)
    if event == "InvoiceIssued":
        assert found["document_type"] == ("debit_memo" if kind == "DR" else "invoice")


def test_a_credit_memo_names_its_invoice() -> None:
    assert invoice("BIG*20260901*CM-1*****CR***INV-9", BILL_TO, "TDS*100")["invoice_id"] == "INV-9"
    assert invoice("BIG*20260901*CM-1*****CR", "REF*OI*INV-8", BILL_TO, "TDS*100")["invoice_id"] == "INV-8"
    assert "invoice_id" not in invoice("BIG*20260901*CM-1*****CR", BILL_TO, "TDS*100")


@pytest.mark.parametrize("purpose", ["01", "03"])
def test_a_cancellation_cancels(purpose: str) -> None:
    event = invoice(f"BIG*20260901*INV-1*****DI*{purpose}", BILL_TO, "TDS*100")
    assert (event["event"], event["invoice_id"]) == ("InvoiceCancelled", "INV-1")


@pytest.mark.parametrize(("big", "word"), [("BIG*20260901*P1*****PF", "pro_forma"),
                                           ("BIG*20260901*P1*****DI*22", "information_copy")])  # fmt: skip
def test_what_asks_for_no_payment_is_passed_over(big: str, word: str) -> None:
    values = read(interchange("810", [big, BILL_TO, "TDS*100"]), "x12-810")
    assert [value.reason for value in values if isinstance(value, SkippedRow)] == [word]


@pytest.mark.parametrize("codes", ["DI*04", "DI*05", "CO*00", "CO"])
def test_a_replacement_is_not_billed_a_second_time(codes: str) -> None:
    found = reject(interchange("810", [f"BIG*20260901*INV-1*****{codes}", BILL_TO, "TDS*100"]), "x12-810")
    assert found.reason == "unsupported_purpose"
    assert "send an adjustment or a cancellation" in found.message


@pytest.mark.parametrize(
    ("parties", "account"),
    [
        (["N1*ST*DC 7*92*0007", "N1*BY*BUYER*92*B-1", BILL_TO], "C-10042"),
        (["N1*RE*US*92*OUR", "N1*ST*DC 7*92*0007", "N1*BY*BUYER*92*B-1"], "B-1"),
        (["N1*ST*DC 7*92*0007"], "0007"),
        (["N1*RE*US*92*OUR"], "SELLERCO"),  # whom the group is for
    ],
)
def test_who_owes_it(parties: list[str], account: str) -> None:
    assert invoice(BIG, *parties, "TDS*100")["account_id"] == account


def test_the_table_gives_the_account(tmp_path: Path) -> None:
    payers = tmp_path / "payers.csv"
    payers.write_text("payer,account_id\nNorthwind,A-1\n", encoding="utf-8")
    data = interchange("810", [BIG, BILL_TO, "TDS*100"])
    assert events(data, "x12-810", payers)[0]["account_id"] == "A-1"


@pytest.mark.parametrize(
    ("items", "counts", "agrees"),
    [
        (["IT1*1*5*EA*1", "IT1*2*7*EA*1"], "CTT*2*12", True),
        (["IT1*1*.0018*EA*1", "IT1*2*.18*EA*1", "IT1*3*1.8*EA*1", "IT1*4*18.01*EA*1"], "CTT*4*1855", True),
        (["IT1*1*1.5*EA*1"], "CTT*1*1.5", True),
        (["IT1*1*5*EA*1"], "CTT*2", False),
        (["IT1*1*5*EA*1"], "CTT*1*6", False),
    ],
)
def test_counts_and_hash_totals(items: list[str], counts: str, agrees: bool) -> None:
    data = interchange("810", [BIG, BILL_TO, *items, "TDS*100", counts])
    if agrees:
        assert len(events(data, "x12-810")) == 1
    else:
        assert reject(data, "x12-810").reason == "control_total_mismatch"


@pytest.mark.parametrize(("segment", "reason"), [(BIG, "malformed_file"), ("TDS*100", "malformed_file")])
def test_what_must_be_there(segment: str, reason: str) -> None:
    body = [each for each in (BIG, BILL_TO, ITEM, "TDS*100") if each != segment]
    assert reject(interchange("810", body), "x12-810").reason == reason


def test_a_bad_document_does_not_hold_up_the_others() -> None:
    good, bad = [BIG, BILL_TO, "TDS*100"], [BIG.replace("20260901", "20260931"), BILL_TO, "TDS*100"]
    values = read(interchange("810", bad, good), "x12-810")
    assert [getattr(value, "reason", "event") for value in values] == ["invalid_date", "event"]


def test_dates_before_release_4010_have_two_digits_of_the_year() -> None:
    assert invoice("BIG*260901*INV-1", BILL_TO, "TDS*100")["document_date"] == "2026-09-01"
    assert invoice("BIG*990901*INV-1", BILL_TO, "TDS*100")["document_date"] == "1999-09-01"
