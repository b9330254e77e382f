"""Lockbox files: layouts of overflow records, widths of totals, records that banks leave out."""

from decimal import Decimal

import pytest

from sources.bank import FileRefusedError
from sources.bank.bai import Lockbox
from sources.bank.bai.overflow import remittance
from tests.sources.bank.bai.statements import Check, lockbox
from tests.sources.bank.reading import cash

HEAD = "4001001601"  # batch, item, type and sequence of an overflow record; the indicator of the last one follows


def paid(*bodies: str, amount: str = "100.00") -> list[tuple[str, str | None, str | None]]:
    """Invoices with what is paid and deducted, out of what stands from column 12 on."""
    found = remittance([f"{HEAD}9{body}" for body in bodies], Decimal(amount))
    return [
        (
            invoice.invoice_id,
            None if invoice.amount is None else str(invoice.amount),
            None if invoice.deduction_amount is None else str(invoice.deduction_amount),
        )
        for invoice in found.invoices
    ]


def test_invoice_and_amount() -> None:
    assert paid("INV-1          0000006000", "INV-2          0000004000") == [
        ("INV-1", "60.00", None),
        ("INV-2", "40.00", None),
    ]


def test_what_a_bank_adds_behind_the_amount_is_not_read() -> None:
    assert paid("INV-1          0000010000PO 4711") == [("INV-1", "100.00", None)]
    assert paid("INV-1          0000010000          261124") == [("INV-1", "100.00", None)]


def test_invoice_amount_and_deduction() -> None:
    assert paid("INV-1           00000100000000000500DMG") == [("INV-1", "100.00", "5.00")]
    assert paid("INV-1           00000100000000000000") == [("INV-1", "100.00", None)]
    assert paid("INV-1           0000010000") == [("INV-1", "100.00", None)]


def test_amounts_of_invoices_beside_what_is_kept_of_them() -> None:
    assert paid("INV-1           00000105000000000500DMG") == [("INV-1", "100.00", "5.00")]


def test_numbers_that_fill_their_columns_are_read_where_they_come_to_the_check() -> None:
    assert paid("900000000000048300000100000000000000") == [("9000000000000483", "100.00", None)]
    assert paid("0000000000104700000010000") == [("000000000010470", "100.00", None)]


def test_a_check_that_its_invoices_do_not_come_to_is_read_in_the_nearest_way() -> None:
    assert paid("900000000000048300000090000000000500") == [("9000000000000483", "90.00", "5.00")]
    assert paid("0000000000104700000009000") == [("000000000010470", "90.00", None)]


def test_document_numbers_without_amounts() -> None:
    assert paid("90000000019000000002") == [("9000000001", None, None), ("9000000002", None, None)]
    assert paid("CE554") == [("CE554", None, None)]


def test_a_memo_names_no_invoice() -> None:
    found = remittance([f"{HEAD}0RENT FOR JUNE", f"{HEAD}9SEE LETTER"], Decimal(100))
    assert (found.invoices, found.memo) == ((), "RENT FOR JUNE SEE LETTER")


def test_a_check_without_invoices_is_cash_all_the_same() -> None:
    (entry,) = cash(Lockbox(), lockbox([[Check(5_000, 1001)]]))
    assert (entry.invoices, entry.payment_reference, entry.method) == ((), "1001", "check")
    assert entry.payer_account == "021000089/0044556677"


TWO = lockbox([[Check(5_000, 1001)], [Check(7_000, 1002)]])


@pytest.mark.parametrize("code", [b"2", b"7", b"8"])
def test_records_that_a_bank_leaves_out(code: bytes) -> None:
    lines = [line for line in TWO.splitlines() if not line.startswith((code, b"9"))]
    data = b"\n".join([*lines, b"9%06d" % (len(lines) + 1), b""])
    assert [entry.amount for entry in cash(Lockbox(), data)] == [50, 70]


def test_a_file_without_header_and_trailer_ends_with_a_total() -> None:
    lines = [line for line in TWO.splitlines() if line[:1] in b"567"]
    total = next(line for line in TWO.splitlines() if line.startswith(b"8"))
    assert len(cash(Lockbox(), b"\n".join([*lines, total]))) == 2
    with pytest.raises(FileRefusedError, match="cut off"):
        cash(Lockbox(), b"\n".join(lines))


@pytest.mark.parametrize("total", [b"0020000012000", b"00020000012000", b"002000000012000", b"0002000000012000"])
def test_widths_of_totals(total: bytes) -> None:
    lines = [line[:20] + total if line.startswith(b"8") else line for line in TWO.splitlines()]
    assert len(cash(Lockbox(), b"\n".join(lines))) == 2
    with pytest.raises(FileRefusedError, match=r"checks of 120\.00"):
        cash(Lockbox(), b"\n".join(lines).replace(total, total[:-1] + b"1"))


def test_a_lockbox_may_have_a_header_for_each_batch() -> None:
    lines = TWO.splitlines()
    header = next(line for line in lines if line.startswith(b"5"))
    second = lines.index(next(line for line in lines if line.startswith(b"6002")))
    lines[second:second] = [header]
    lines[-1] = b"9%06d" % len(lines)
    assert [entry.amount for entry in cash(Lockbox(), b"\n".join(lines))] == [50, 70]
