"""Customer payment status reports (ISO 20022 pain.002): which of our collections the bank rejects, and why.

A rejection says that a direct debit was not, or will not be, collected. It moves no cash: what the bank has booked and
takes back, it books again, and its statement (camt.053, camt.054) says so with the same end-to-end id. So a rejection
is logged as an activity and never reverses a payment; a report that comes before, after or without the booking does no
harm.
"""

from sources.bank.status_report.form import StatusReport

__all__ = ["StatusReport"]
