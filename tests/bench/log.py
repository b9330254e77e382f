"""The log of `arrears bench`, without its accounts."""

from collections.abc import Iterator

from pipeline.cli.benchmarks.history import history


def records(
    invoices: int, accounts: int, *, paid_share: float = 0.7, ticks: bool = True
) -> Iterator[tuple[str, bytes]]:
    """(event name, value) in order of time: settings, then invoices, payments, applications and a tick a day."""
    for name, _, value in history(invoices, accounts, paid_share=paid_share, ticks=ticks):
        yield name, value
