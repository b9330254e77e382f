"""Key figures of a company, currency and window of business dates, from the ledger (SEMANTICS 7).

The slow, obvious form against which the views of ClickHouse are held. A denominator of 0 or less gives None.
"""

from jobs.kpi.books import Books, Window
from jobs.kpi.cases import CaseMoment
from jobs.kpi.figures import FIGURES, figure

__all__ = ["FIGURES", "Books", "CaseMoment", "Window", "figure"]
