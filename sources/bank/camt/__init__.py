"""ISO 20022 cash management: statements (camt.053), notices (camt.054) and intraday reports (camt.052).

The three share their entries, and so do their versions; ``Camt`` reads them all. Each function is a format of `--as`.
"""

from sources.bank.camt.format import Camt


def camt052() -> Camt:
    """Intraday reports only."""
    return Camt({"camt.052"})


def camt053() -> Camt:
    """Statements only."""
    return Camt({"camt.053"})


def camt053_with_camt054() -> Camt:
    """Statements whose batches come with their transactions in notices, so that their totals are no cash."""
    return Camt({"camt.053"}, batches_elsewhere=True)


def camt053_partial() -> Camt:
    """Statements from which entries were left out on purpose, such as those that others shall not see."""
    return Camt({"camt.053"}, is_partial=True)


def camt054() -> Camt:
    """Notices only."""
    return Camt({"camt.054"})


def camt() -> Camt:
    """Whichever of the three a file is."""
    return Camt({"camt.052", "camt.053", "camt.054"})


__all__ = ["Camt", "camt", "camt052", "camt053", "camt053_partial", "camt053_with_camt054", "camt054"]
