"""820: what is paid, what is kept back, whose it is, and that advice is no cash."""

from pathlib import Path

import pytest

from tests.sources.x12.interchange import interchange
from tests.sources.x12.reading import events, read, reject

HEAD = ["BPR*C*{}*C*ACH*CTX*01*021000021*DA*123456789*1211403990**01*071000013*DA*555019900*20260922", "TRN*1*T-1"]
PARTIES = ["N1*PR*NORTHWIND RETAIL CO*91*C-10042", "N1*PE*SELLER"]


def lines_of(amount: str, *detail: str, form: str = "x12-820") -> list[dict[str, str]]:
    data = interchange("820", [HEAD[0].format(amount), HEAD[1], *PARTIES, *detail])
    lines: list[dict[str, str]] = events(data, form)[-1]["lines"]
    return lines


def line(invoice_id: str, amount: str, deduction: str | None = None, reason: str | None = None) -> dict[str, str]:
    kept = {} if deduction is None else {"deduction_amount": deduction}
    return (
        {"invoice_id": invoice_id, "amount": amount} | kept | ({} if reason is None else {"deduction_reason": reason})
    )


def test_each_item_is_a_line() -> None:
    assert lines_of("30", "ENT*1", "RMR*IV*I1**10", "RMR*IV*I2*PO*20*25") == [line("I1", "10"), line("I2", "20")]


def test_adjustments_that_break_down_an_amount_change_nothing() -> None:
    assert lines_of("100", "RMR*IV*I1**100*100", "ADX*60*1", "ADX*40*2") == [line("I1", "100")]


def test_a_discount_is_a_deduction() -> None:
    assert lines_of("98", "RMR*IV*I1**98*100*2") == [line("I1", "98", "2", "discount")]


def test_an_item_without_an_amount_is_paid_in_full_less_the_discount() -> None:
    assert lines_of("98", "RMR*IV*I1***100*2") == [line("I1", "98", "2", "discount")]


def test_the_adjustment_of_an_item_is_a_deduction_with_its_code() -> None:
    assert lines_of("90", "RMR*IV*I1**90*100", "ADX*-10*06") == [line("I1", "90", "10", "06")]


def test_two_reasons_are_two_lines_of_one_invoice() -> None:
    assert lines_of("85", "RMR*IV*I1**85*100*5", "ADX*-10*06") == [
        line("I1", "85", "5", "discount"), line("I1", "0", "10", "06"),
    ]  # fmt: skip


def test_equal_reasons_are_one_deduction() -> None:
    assert lines_of("85", "RMR*IV*I1**85*100", "ADX*-10*06", "ADX*-5*06") == [line("I1", "85", "15", "06")]


def test_a_total_shows_that_items_stand_before_their_adjustments() -> None:
    assert lines_of("90", "RMR*IV*I1**100", "ADX*-10*06") == [line("I1", "90", "10", "06")]


def test_what_is_paid_on_top_is_no_deduction() -> None:
    assert lines_of("105", "RMR*IV*I1**105*100", "ADX*5*ZZ") == [line("I1", "105")]
    assert lines_of("103", "RMR*IV*I1**103*100**ZZ*3") == [line("I1", "103")]


def test_a_further_adjustment_of_the_item_is_kept_back_where_its_numbers_say_so() -> None:
    assert lines_of("97", "RMR*IV*I1**97*100**06*3") == [line("I1", "97", "3", "06")]


def test_an_adjustment_of_the_payment_names_its_own_document() -> None:
    assert lines_of("90", "ENT*1", "ADX*-10*75*CM*CB-1", "RMR*IV*I1**100") == [
        line("CB-1", "0", "10", "75"), line("I1", "100"),
    ]  # fmt: skip


def test_an_adjustment_of_the_payment_that_names_an_item_is_one_of_that_item() -> None:
    for detail in (["ADX*-10*75*IV*I1"], ["ADX*-10*75", "REF*IV*I1"], ["ADX*-10*75*CM*CB-1", "REF*IV*I1"]):
        assert lines_of("90", "ENT*1", *detail, "RMR*IV*I1**100") == [line("I1", "90", "10", "75")]


def test_an_adjustment_under_a_new_entity_is_one_of_the_payment() -> None:
    assert lines_of("90", "ENT*1", "RMR*IV*I1**100", "ENT*2", "ADX*-10*75") == [
        line("I1", "100"), line("unreferenced", "0", "10", "75"),
    ]  # fmt: skip


def test_a_credit_that_is_taken_is_a_deduction_on_its_own_number() -> None:
    assert lines_of("80", "RMR*IV*I1**100", "RMR*CM*CM-7**-20") == [line("I1", "100"), line("CM-7", "0", "20", "CM")]
    assert lines_of("80", "RMR*IV*I1**100", "RMR*CM*CM-7**-20", "ADX*-20*52")[1] == line("CM-7", "0", "20", "52")


def test_an_item_that_names_something_else_is_known_by_its_invoice() -> None:
    assert lines_of("5", "RMR*PO*PO-1**5", "REF*VV*77", "REF*IV*I1") == [line("I1", "5")]
    assert lines_of("5", "RMR*IV*I1**5", "REF*IV*OTHER") == [line("I1", "5")]


def test_a_payment_on_account_leaves_its_amount_unapplied() -> None:
    assert lines_of("30", "RMR*IV*I1**10", "RMR***PO*20") == [line("I1", "10")]


def test_one_item_without_amounts_is_paid_by_all_of_it() -> None:
    assert lines_of("30", "RMR*IV*I1") == [line("I1", "30")]


def test_several_items_without_amounts_say_too_little() -> None:
    (event,) = events(interchange("820", [HEAD[0].format("30"), HEAD[1], "RMR*IV*I1", "RMR*IV*I2"]), "x12-820")
    assert (event["event"], event["action"]) == ("UserActivityLogged", "cash_announced")


DISAGREEING = interchange("820", [HEAD[0].format("99.50"), "RMR*IV*I1**100", "ADX*-1*06"])


def test_advice_that_does_not_add_up_is_taken_as_it_says() -> None:
    """It is no cash, and half of what payers send is like this; the ledger compares it with the payment."""
    assert events(DISAGREEING, "x12-820")[0]["lines"] == [line("I1", "100", "1", "06")]


def test_then_an_items_own_total_tells_whether_its_adjustments_are_in_what_is_paid() -> None:
    assert lines_of("1", "RMR*IV*I1**100*100", "ADX*-10*06") == [line("I1", "90", "10", "06")]
    assert lines_of("1", "RMR*IV*I1**90*100", "ADX*-10*06") == [line("I1", "90", "10", "06")]
    assert lines_of("1", "RMR*IV*I1**5*0", "ADX*5*53") == [line("I1", "5")]


def test_taken_as_cash_it_is_refused_with_the_numbers() -> None:
    assert reject(DISAGREEING, "x12-820-cash").message == (
        "the file is refused: the 820 with control number 0001 is over 99.50 (BPR02), but its items and adjustments "
        "add up to 100, or 99 with the adjustments of items taken off"
    )


def test_advice_is_no_cash_however_money_travels() -> None:
    for code in "CDEHIUXZ":
        data = interchange("820", [HEAD[0].format("10").replace("BPR*C", f"BPR*{code}"), HEAD[1], "RMR*IV*I1**10"])
        assert [event["event"] for event in events(data, "x12-820")] == ["RemittanceReceived"]


@pytest.mark.parametrize(
    ("code", "flag", "is_cash"),
    [("C", "C", True), ("D", "C", True), ("U", "C", True), ("I", "C", False), ("H", "C", False), ("C", "D", False)],
)
def test_taken_as_cash_only_what_moves_money_is_a_payment(code: str, flag: str, is_cash: bool) -> None:
    order = HEAD[0].format("10").replace("BPR*C*10*C", f"BPR*{code}*10*{flag}")
    found = events(interchange("820", [order, HEAD[1], "RMR*IV*I1**10"]), "x12-820-cash")
    assert [event["event"] for event in found] == ["PaymentReceived"] * is_cash + ["RemittanceReceived"]
    if is_cash:
        assert found[0]["payment_id"] == found[1]["payment_id"]
        assert (found[0]["amount"], found[0]["value_date"]) == ("10.00", "2026-09-22")


def test_a_prenotification_announces_nothing() -> None:
    data = interchange("820", ["BPR*P*0*C*ACH", "TRN*1*T1"])
    assert [getattr(value, "reason", "") for value in read(data, "x12-820")] == ["prenotification"]


def test_the_table_of_payers_knows_a_payer_by_number_or_name(tmp_path: Path) -> None:
    payers = tmp_path / "payers.csv"
    for payer in ("C-10042", "Northwind Retail Co", "1211403990", "BUYERCO"):
        payers.write_text(f"payer,account_id\n{payer},A-1\n", encoding="utf-8")
        data = interchange("820", [HEAD[0].format("10"), HEAD[1], *PARTIES, "RMR*IV*I1**10"])
        assert events(data, "x12-820", payers)[0]["account_id"] == "A-1"


def test_without_the_table_only_a_number_that_we_have_given_is_an_account() -> None:
    for qualifier, account in (("91", "C-10042"), ("92", None), ("1", None)):
        payer = PARTIES[0].replace("*91*", f"*{qualifier}*")
        data = interchange("820", [HEAD[0].format("10"), HEAD[1], payer, "RMR*IV*I1**10"])
        assert events(data, "x12-820")[0].get("account_id") == account


def test_parts_of_one_payment_in_one_file_are_told_apart() -> None:
    advice = [HEAD[0].format("10"), HEAD[1], "RMR*IV*I1**10"]
    found = events(interchange("820", advice, advice), "x12-820")
    assert [event["remittance_id"] for event in found] == ["1211403990:T-1", "1211403990:T-1:2"]


def test_without_a_trace_the_content_is_the_reference() -> None:
    order = "BPR*I*10*C*CHK"
    one, other = (events(interchange("820", [order, f"RMR*IV*{i}**10"]), "x12-820")[0] for i in ("I1", "I2"))
    assert one["remittance_id"] != other["remittance_id"]
    assert one["remittance_id"].startswith("BUYERCO:~")


def test_a_bad_date_costs_the_set_and_not_the_file() -> None:
    order = "BPR*C*10*C*ACH************20260931"
    good = [HEAD[0].format("10"), HEAD[1], "RMR*IV*I1**10"]
    values = read(interchange("820", [order, "RMR*IV*I1**10"], good), "x12-820-cash")
    assert [getattr(value, "reason", "event") for value in values] == ["invalid_date", "event", "event"]


def test_too_many_decimals_reject_the_advice() -> None:
    data = interchange("820", [HEAD[0].format("10.125"), "CUR*PR*USD", "RMR*IV*I1**10.125"])
    assert reject(data, "x12-820").reason == "invalid_amount"


def test_more_items_than_an_event_can_hold_reject_the_set() -> None:
    items = [f"RMR*IV*I{number}**1" for number in range(10_001)]
    assert reject(interchange("820", ["BPR*I*10001*C*ACH", *items]), "x12-820").reason == "too_many_lines"


def test_adjustments_without_end_reject_the_set_too() -> None:
    body = ["BPR*I*1*C*ACH", "RMR*IV*I1**1", *["ADX*0*06"] * 10_001]
    assert reject(interchange("820", body), "x12-820").reason == "too_many_lines"
