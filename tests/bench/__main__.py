"""The cost of the domain on one core, in CPU time: `make bench`.

Every figure stands beside the bare loop of the same run that decodes and counts, so that machines can be compared. The
fold's figure holds the writing of its state records; outputs are keyed, placed and encoded as the worker does it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from avro import contracts
from jobs import EFFECT_TYPES, EVENT_TYPES, Fold
from jobs.events import Event
from pipeline.codec import EventCodec
from pipeline.memory_log import MemoryRecord
from pipeline.outputs import Outputs
from tests.bench import large_accounts
from tests.bench.log import records
from topics import catalogue

BATCH = 2_000
OPEN_ITEMS = 100_000


def main() -> None:
    """Measure and print."""
    decode = EventCodec(contracts(), EVENT_TYPES).decode
    log = [value for _, value in records(10_000, 1_000)]
    bare, events = _timed(lambda: [decode(value) for value in log])
    print(f"decode alone, no fold            {_rate(len(log), bare)}")
    whole, _ = _timed(lambda: _folded(events))
    print(f"fold alone, all jobs             {_rate(len(log), whole)}  {whole / bare:.1f} x the bare loop")
    put_out, effects = _put_out(events)
    print(f"outputs to Avro                  {_rate(len(log), put_out)}  {effects / len(log):.1f} outputs an event")
    print(f"decode, fold and outputs         {_rate(len(log), bare + whole + put_out)}")
    _restart()
    large_accounts.main()


def _put_out(events: list[Event]) -> tuple[float, int]:
    """Seconds to turn what a log puts out into keyed records, and how many they are."""
    fold = Fold()
    record = MemoryRecord("ar.events", 0, 0, b"", b"")
    effects = [effect for event in events for effect in fold.step(event).effects]
    of_effect = Outputs(contracts(), catalogue(), EFFECT_TYPES).of_effect
    seconds, _ = _timed(lambda: [of_effect(effect, record) for effect in effects])
    return seconds, len(effects)


def _restart() -> None:
    decode = contracts().decode
    events = [_event(*decode(value)) for _, value in records(OPEN_ITEMS, 2_000, paid_share=0.0, ticks=False)]
    fold = Fold()
    state: dict[str, bytes | None] = {}
    for event in events:
        fold.step(event)
    state.update(fold.take_changes())
    size = fold.statistics()["bytes"]

    def restore() -> Fold:
        other = Fold()
        for key, value in state.items():
            other.restore(key, value)
        other.restored()
        return other

    seconds, _ = _timed(restore)
    print(f"restore {OPEN_ITEMS:,} open items         {seconds:.2f} s")
    print(f"state at rest                    {size / OPEN_ITEMS:.0f} bytes an open item, event ids included")


def _folded(events: list[Event]) -> Fold:
    fold = Fold()
    for number, event in enumerate(events, start=1):
        fold.step(event)
        if number % BATCH == 0:
            fold.take_changes()
    return fold


def _event(name: str, record: dict[str, Any]) -> Event:
    return msgspec.convert(record, EVENT_TYPES[name])


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:>9,.0f} events/s  {seconds / count * 1e6:>6.1f} us an event"


if __name__ == "__main__":
    main()
    # The rest is measured by the installed command, on real parts.
    sys.exit(subprocess.run([sys.executable, "-m", "pipeline.cli", "bench", *sys.argv[1:]], check=False).returncode)
