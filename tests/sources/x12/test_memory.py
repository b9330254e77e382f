"""An interchange of any size costs the memory of one payment: ten times the checks, the same peak."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from sources.bank.payers import Payers
from sources.x12 import x12_823
from tests.sources.x12.interchange import interchange

CHECKS_PER_BATCH = 500


def big_lockbox(file: Path, checks: int) -> int:
    """Write a lockbox of so many checks in one set; its bytes."""
    empty = interchange("823", ["DEP*8841*20260918**000551*01*071000013*DA*555019900"]).decode()
    head, rest = empty.split("SE*3*0001~\n")
    with file.open("w", encoding="ascii") as stream:
        stream.write(head)
        count = 3
        for segment in body(checks):
            stream.write(segment + "~\n")
            count += 1
        stream.write(f"SE*{count}*0001~\n{rest}")
    return file.stat().st_size


def body(checks: int) -> Iterator[str]:
    yield f"AMT*TC*{checks}"
    for number in range(checks):
        if number % CHECKS_PER_BATCH == 0:
            yield f"BAT*20260918**{number:07}"
        yield "BPR*C*1*C*CHK**01*021000021*DA*40017781"
        yield f"TRN*1*{number:07}"
        yield f"RMR*IV*INV-{number:07}**1*1.02*.02"
        yield f"N1*PR*PAYER OF CHECK {number:07}*ZZ*C-{number:07}"


def peak_of(file: Path) -> tuple[int, int]:
    """Payments read, and the most memory in bytes that was in use on the way, both passes together."""
    form = x12_823(Payers())
    tracemalloc.start()
    try:
        with file.open("rb") as stream:
            form.verify(stream)
            stream.seek(0)
            count = sum(1 for _ in form.written(stream))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_peak_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = tmp_path / "small.823", tmp_path / "large.823"
    big_lockbox(small, 400)
    assert big_lockbox(large, 4_000) > 500_000
    count, low = peak_of(small)
    assert count == 400
    count, high = peak_of(large)
    assert count == 4_000
    assert high < low + 100_000
