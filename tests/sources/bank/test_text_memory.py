"""Statements that are text take the memory of one entry: five times the entries, the same peak."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sources.bank import BankFormat
from sources.bank.bai import Bai2, Lockbox
from sources.bank.swift import Mt940, Mt942


def bai2(count: int) -> Iterator[str]:
    yield "01,021000021,ACME,261126,0615,1,,,2/\n02,ACME,021000021,1,261125,2359,USD,2/\n03,ACCT,,,,,/\n"
    for number in range(count):
        yield f"16,195,100,0,FW{number:08},INV-{number:08},PAYER OF INVOICE {number}\n88,AND WHAT IT SAYS\n"
    total, records = 100 * count, 2 * count + 2
    yield f"49,{total},{records}/\n98,{total},1,{records + 2}/\n99,{total},1,{records + 4}/\n"


def lockbox(count: int) -> Iterator[str]:
    yield "100ACME      02100002102611250830\n50000000022222261124\n"
    for number in range(count):
        place = f"{number // 1000 % 1000:03}{number % 1000:03}"
        yield f"6{place}{100:010}0210000890044556677{number:010}\n4{place}6019INV-{number:011}{100:010}\n"
    yield f"80000000022222261124{count:05}{100 * count:010}\n9000000\n"


def mt940(count: int) -> Iterator[str]:
    yield ":20:A\n:25:DE89370400440532013000\n:28C:1\n:60F:C261125EUR0,\n"
    for number in range(count):
        yield f":61:2611251125C1,NTRFNONREF//B{number:012}\n"
        yield f":86:166?20EREF+INV-{number}?21SVWZ+INVOICE {number}?32ACME\n"
    yield f":62F:C261125EUR{count},\n-\n"


def mt942(count: int) -> Iterator[str]:
    yield ":20:A\n:25:DE89370400440532013000\n:28C:1\n:34F:EUR0,\n"
    for number in range(count):
        yield f":61:2611251125C1,NTRFNONREF//B{number:012}\n:86:INVOICE {number}\n"
    yield f":90C:{count}EUR{count},\n-\n"


def peak_of(form: BankFormat, file: Path) -> tuple[int, int]:
    """Entries read, and the most memory in bytes that was in use on the way, both passes together."""
    tracemalloc.start()
    try:
        with file.open("rb") as stream:
            form.verify(stream)
            stream.seek(io.SEEK_SET)
            count = sum(1 for _ in form.entries(stream))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("form", "written"),
    [(Bai2, bai2), (Lockbox, lockbox), (Mt940, mt940), (Mt942, mt942)],
    ids=("bai2", "bai-lockbox", "mt940", "mt942"),
)
def test_the_peak_does_not_grow_with_the_file(
    form: Callable[[], BankFormat], written: Callable[[int], Iterator[str]], tmp_path: Path
) -> None:
    peaks = []
    for count in (400, 400, 2_000):  # what is compiled or cached at first is not counted
        file = tmp_path / str(count)
        with file.open("w", encoding="ascii") as stream:
            stream.writelines(written(count))
        found, peak = peak_of(form(), file)
        assert found == count
        peaks.append(peak)
    assert peaks[2] < peaks[1] + 20_000  # a dozen bytes an entry
