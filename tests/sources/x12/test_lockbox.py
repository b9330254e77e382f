"""823: every check is cash once, and deposits and batches are what they state."""

from pathlib import Path

import pytest

from sources import SkippedRow
from tests.sources.x12.interchange import interchange
from tests.sources.x12.reading import events, read, reject

DEPOSIT = ["DEP*8841*20260918*1745*000551*01*071000013*DA*555019900", "AMT*TC*750.00", "QTY*41*2", "QTY*42*3"]
FIRST = ["BAT*20260918*1530*014", "AMT*TC*600", "QTY*42*2"]
CHECKS = [
    ["BPR*C*500.00*C*CHK**01*021000021*DA*40017781", "TRN*1*882104", "RMR*IV*I1**500"],
    ["BPR*C*100.00*C*CHK**01*021000021*DA*40017782", "TRN*1*5501", "RMR*IV*I2**100", "N1*PR*LAKESIDE*ZZ*LA-1"],
]
SECOND = ["BAT*20260918*1700*015", "BPR*C*150*C*CHK", "TRN*1*882106"]
BODY = [*DEPOSIT, *FIRST, *CHECKS[0], *CHECKS[1], *SECOND]


def payments(*body: str, payers: Path | None = None) -> list[dict[str, str]]:
    found = events(interchange("823", list(body)), "x12-823", payers)
    return [event for event in found if event["event"] == "PaymentReceived"]


def test_each_check_is_a_payment_with_its_number_and_what_it_is_for() -> None:
    found = events(interchange("823", BODY), "x12-823")
    assert [event["event"] for event in found] == [
        "PaymentReceived", "RemittanceReceived", "PaymentReceived", "RemittanceReceived", "PaymentReceived",
    ]  # fmt: skip
    assert [(p["amount"], p["end_to_end_id"]) for p in payments(*BODY)] == [
        ("500.00", "882104"), ("100.00", "5501"), ("150.00", "882106"),
    ]  # fmt: skip
    assert found[1]["payment_id"] == found[0]["payment_id"]
    assert found[1]["lines"] == [{"invoice_id": "I1", "amount": "500.00"}]


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("AMT*TC*750.00", "AMT*TC*750.01"),
        ("AMT*TC*600", "AMT*TC*650"),
        ("QTY*41*2", "QTY*41*4"),
        ("QTY*42*3", "QTY*42*4"),
        ("QTY*42*2", "QTY*42*1"),
        ("QTY*42*2", "QTY*42*0"),
        ("BPR*C*150*C*CHK", "BPR*C*151*C*CHK"),
        ("BPR*C*150*C*CHK", "BPR*C*150*D*CHK"),
    ],
)
def test_a_total_or_count_that_disagrees_refuses_the_file(said: str, changed: str) -> None:
    assert said in BODY
    body = [changed if segment == said else segment for segment in BODY]
    assert reject(interchange("823", body), "x12-823").reason == "control_total_mismatch"


def test_counts_of_something_else_are_not_compared() -> None:
    assert len(payments(*DEPOSIT, "QTY*QA*99", *BODY[4:])) == 3
    assert len(payments(DEPOSIT[0], "QTY*41*1", "QTY*46*1", *CHECKS[0])) == 1


def test_checks_may_be_counted_without_other_payments() -> None:
    body = [DEPOSIT[0], "QTY*42*1", *CHECKS[0], "BPR*C*9*C*ACH", "TRN*1*T"]
    assert len(payments(*body)) == 2


def test_the_numbers_are_said() -> None:
    body = [segment.replace("750.00", "800") for segment in BODY]
    assert reject(interchange("823", body), "x12-823").message == (
        "the file is refused: deposit 000551 states 800 (AMT02), its payments add up to 750.00"
    )


def test_totals_that_are_not_given_are_not_asked_for() -> None:
    assert len(payments(DEPOSIT[0], *CHECKS[0])) == 1


def test_two_equal_checks_are_two_payments_and_the_same_ones_when_read_again() -> None:
    body = [DEPOSIT[0], *FIRST[:1], *CHECKS[0], *CHECKS[0]]
    ids = [payment["payment_id"] for payment in payments(*body)]
    assert len(set(ids)) == 2
    assert ids == [payment["payment_id"] for payment in payments(*body)]


def test_batches_without_numbers_do_not_share_places() -> None:
    body = [DEPOSIT[0], "BAT*20260918", *CHECKS[0], "BAT*20260918", *CHECKS[1]]
    assert len({payment["payment_id"] for payment in payments(*body)}) == 2


def test_without_numbers_of_deposit_and_batch_the_content_tells_checks_apart() -> None:
    deposit = "DEP*8841*20260918***01*071000013*DA*555019900"
    one, other = payments(deposit, *CHECKS[0], *CHECKS[1])
    assert ":~" in one["payment_id"]
    assert payments(deposit, *CHECKS[1])[0]["payment_id"] == other["payment_id"]


def test_a_debit_is_passed_over_and_counts_in_the_total() -> None:
    body = [DEPOSIT[0], "AMT*TC*400", *CHECKS[0], "BPR*C*100*D*CHK"]
    values = read(interchange("823", body), "x12-823")
    assert [value.reason for value in values if isinstance(value, SkippedRow)] == ["debit"]


def test_a_deposit_without_payments_is_no_cash_here() -> None:
    values = read(interchange("823", [DEPOSIT[0], "AMT*TC*400"]), "x12-823")
    assert [value.reason for value in values if isinstance(value, SkippedRow)] == ["deposit_without_payments"]


def test_the_table_of_payers_knows_the_account_on_the_check(tmp_path: Path) -> None:
    payers = tmp_path / "payers.csv"
    payers.write_text("payer,account_id\n40017781,A-1\nLakeside,A-2\n", encoding="utf-8")
    assert [payment.get("account_id") for payment in payments(*BODY, payers=payers)] == ["A-1", "A-2", None]


def test_a_payment_before_any_deposit_refuses_the_file() -> None:
    assert reject(interchange("823", CHECKS[0]), "x12-823").reason == "malformed_file"


def test_a_bad_date_costs_its_payments() -> None:
    body = [DEPOSIT[0].replace("20260918", "20261318"), *CHECKS[0]]
    assert reject(interchange("823", body), "x12-823").reason == "invalid_date"
