"""Laws: what is printed is read back, and damage never becomes cash or advice that the file did not say."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceReject
from tests.sources.x12.interchange import interchange
from tests.sources.x12.reading import events, read

cents = st.integers(1, 10_000_000).map(lambda number: Decimal(number).scaleb(-2))
numbers = st.text("ABCDEFGHIJ0123456789-/. ", min_size=1, max_size=20).map(lambda text: "N" + text.strip())
delimiters = st.sampled_from([("*", "~"), ("*", "~\n"), ("|", "'\r\n"), ("+", "\n"), ("\x1d", "\x1c")])
payments = st.lists(st.tuples(cents, numbers), min_size=1, max_size=6)
batches = st.lists(payments, min_size=1, max_size=4)
items = st.lists(st.tuples(numbers, cents, st.integers(0, 300)), min_size=1, max_size=8)


def lockbox(deposit: Sequence[Sequence[tuple[Decimal, str]]]) -> list[str]:
    total = sum(amount for batch in deposit for amount, _ in batch)
    body = [
        "DEP*8841*20260918**000551*01*071000013*DA*555019900",
        f"AMT*TC*{total}",
        f"QTY*41*{len(deposit)}",
        f"QTY*42*{sum(len(batch) for batch in deposit)}",
    ]
    for number, batch in enumerate(deposit, start=1):
        body += [f"BAT*20260918**{number:03}", f"AMT*TC*{sum(amount for amount, _ in batch)}"]
        for amount, check in batch:
            body += [f"BPR*C*{amount}*C*CHK**01*021000021*DA*40017781", f"TRN*1*{check}", f"RMR*IV*I{check}**{amount}"]
    return body


def advice(lines: Sequence[tuple[str, Decimal, int]]) -> list[str]:
    kept = [Decimal(discount).scaleb(-2) for _, _, discount in lines]
    body = [f"BPR*I*{sum(amount for _, amount, _ in lines)}*C*ACH************20260921", "TRN*1*T-1"]
    for (number, amount, _), discount in zip(lines, kept, strict=True):
        body.append(f"RMR*IV*{number}**{amount}*{amount + discount}*{discount}")
    return body


def cash(values: Sequence[Parsed]) -> list[Decimal]:
    written = [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]
    return [Decimal(event["amount"]) for event in written if event["event"] == "PaymentReceived"]


def is_refused(values: Sequence[Parsed]) -> bool:
    return len(values) == 1 and isinstance(values[0], SourceReject)


@given(deposit=batches, ends=delimiters)
def test_a_printed_lockbox_gives_the_same_cash(deposit: list[list[tuple[Decimal, str]]], ends: tuple[str, str]) -> None:
    checks = [check for batch in deposit for check in batch]
    found = events(interchange("823", lockbox(deposit), element=ends[0], end=ends[1]), "x12-823")
    paid = [event for event in found if event["event"] == "PaymentReceived"]
    assert [(Decimal(event["amount"]), event["end_to_end_id"]) for event in paid] == checks
    assert len({event["payment_id"] for event in paid}) == len(paid)
    lines = [event["lines"] for event in found if event["event"] == "RemittanceReceived"]
    assert [(Decimal(line["amount"]), line["invoice_id"]) for (line,) in lines] == [(a, f"I{n}") for a, n in checks]


@given(lines=items, ends=delimiters)
def test_printed_advice_gives_the_same_items(lines: list[tuple[str, Decimal, int]], ends: tuple[str, str]) -> None:
    (event,) = events(interchange("820", advice(lines), element=ends[0], end=ends[1]), "x12-820")
    said = [
        (line["invoice_id"], Decimal(line["amount"]), int(Decimal(line.get("deduction_amount", "0")) * 100))
        for line in event["lines"]
    ]
    assert said == lines


@given(total=cents, number=numbers, days=st.integers(0, 120))
def test_a_printed_invoice_gives_the_same_receivable(total: Decimal, number: str, days: int) -> None:
    body = [f"BIG*20260901*{number}", "N1*BT*N*91*C-1", f"ITD*01*3*****{days}", f"TDS*{int(total * 100)}"]
    (event,) = events(interchange("810", body), "x12-810")
    assert (event["invoice_id"], Decimal(event["amount"])) == (number, total)
    assert event["payment_terms"] == f"NET{days}"


DEPOSIT = [[(Decimal("500.00"), "N1"), (Decimal("12.30"), "N2")], [(Decimal("77.01"), "N3")]]
FILES = {
    "x12-823": interchange("823", lockbox(DEPOSIT)),
    "x12-820": interchange("820", advice([("N1", Decimal("100.00"), 200), ("N2", Decimal("50.50"), 0)])),
    "x12-820-cash": interchange("820", [line.replace("BPR*I", "BPR*C") for line in advice([("N1", Decimal(99), 0)])]),
    "x12-810": interchange("810", ["BIG*20260901*I1", "N1*BT*N*91*C-1", "IT1*1*2*EA*5", "TDS*1000", "CTT*1*2"]),
}


@pytest.mark.parametrize("form", FILES)
def test_every_truncation_is_refused(form: str) -> None:
    whole = FILES[form]
    for length in range(len(whole.rstrip(b"~\n"))):
        assert is_refused(read(whole[:length], form)), whole[:length]


@settings(max_examples=300)
@given(form=st.sampled_from(sorted(FILES)), data=st.data())
def test_one_changed_byte_never_changes_the_cash(form: str, data: st.DataObject) -> None:
    whole = bytearray(FILES[form])
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    values = read(bytes(whole), form)
    if form == "x12-823" and not any(isinstance(value, SourceReject) for value in values):
        assert sum(cash(values)) == Decimal("589.31")
    if form == "x12-820-cash" and not any(isinstance(value, SourceReject) for value in values):
        assert sum(cash(values)) in {Decimal(99), Decimal(0)}  # BPR01 or BPR03 may now say that no money moves


@settings(max_examples=300)
@given(form=st.sampled_from(sorted(FILES)), data=st.data())
def test_damage_of_any_kind_is_a_value_and_never_an_error(form: str, data: st.DataObject) -> None:
    whole = bytearray(FILES[form])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    read(bytes(whole), form)


@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    assert is_refused(read(noise, "x12-823"))
