"""The simplest stateful job on the real worker: count and sum by account, every tenth event with an output.

It is what stream processors are compared by; it shows what the runtime costs without the domain. Run as a process:
`python -m pipeline.cli.benchmarks.counting`, with the settings of `arrears worker`.
"""

import asyncio
import signal
import struct

from avro import contracts
from jobs.effects import LedgerEntry
from jobs.events import InvoiceIssued
from pipeline.cli.worker import worker_options
from pipeline.health import Health, serve_health
from pipeline.ports import Effect, Event
from pipeline.settings_sources import load
from pipeline.worker import Jobs, Worker

OUTPUT_EVERY = 10
_STATE = struct.Struct("<qq")


class Counted:
    """What one event came to."""

    outcome = "applied"

    def __init__(self, effects: list[Effect]) -> None:
        self.effects = effects


_NOTHING = Counted([])


class CountingFold:
    """Count and sum of the amounts of each account."""

    clock_micros: int | None = None

    def __init__(self) -> None:
        self._totals: dict[str, tuple[int, int]] = {}
        self._changed: set[str] = set()
        self._events = 0

    def restore(self, key: str, value: bytes) -> None:
        """One account."""
        self._totals[key] = _STATE.unpack(value)

    def restored(self) -> None:
        """Nothing is derived."""

    def step(self, event: Event) -> Counted:
        """Add the amount; every tenth event says what the account came to."""
        account = event.account_id
        count, total = self._totals.get(account, (0, 0))
        self._totals[account] = (count + 1, total + event.amount_minor)
        self._changed.add(account)
        self._events += 1
        return _NOTHING if self._events % OUTPUT_EVERY else Counted([_entry(event, total)])

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        """The accounts that changed."""
        changes: list[tuple[str, bytes | None]] = [(key, _STATE.pack(*self._totals[key])) for key in self._changed]
        self._changed.clear()
        return changes

    def next_wake_micros(self) -> int | None:
        """No timers."""
        return None

    def statistics(self) -> dict[str, int]:
        """Accounts."""
        return {"account": len(self._totals)}


def _entry(event: Event, total: int) -> LedgerEntry:
    return LedgerEntry(
        company=event.company,
        account_id=event.account_id,
        item_type="invoice",
        item_id=event.invoice_id,
        instalment=0,
        balance_class="invoice",
        currency=event.currency,
        delta_minor=total,  # type: ignore[arg-type]
        effective_date=event.document_date,
        recorded_at=event.recorded_at,
        due_date=event.document_date,
        entry_type="document",
        event_id=event.event_id,
        entry_number=1,
        cause_id=None,
        value_date=None,
        method=None,
        reason=None,
        region=event.region,
    )


async def _run(worker: Worker) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()


def main() -> None:
    """Work until SIGTERM."""
    settings = load(None)
    health = Health()
    jobs = Jobs(CountingFold, {"InvoiceIssued": InvoiceIssued}, (LedgerEntry,))
    worker = Worker(worker_options(settings), jobs, contracts(), health.heartbeat, health.set_ready)
    with serve_health(health, settings.service.host, settings.service.port):
        asyncio.run(_run(worker))


if __name__ == "__main__":
    main()
