"""The log of a random history as the oracle keeps its books: nothing is forgotten, and an id names one payment."""

import msgspec

from jobs.events import CompanyConfigured, Event, PaymentReceived
from tests.property.histories import COMPANIES, History

KEPT = tuple(msgspec.structs.replace(settings, closed_item_days=3_650) for settings in COMPANIES)
"""The companies of random histories, with their closed items kept for ten years."""


def log_of(history: History) -> list[Event]:
    """Everything but settings, and cash of nobody under the id of somebody's payment."""
    received = [event for event in history.log if isinstance(event, PaymentReceived)]
    owned = {(event.company, event.payment_id) for event in received if event.account_id is not None}
    return [
        event
        for event in history.log
        if not isinstance(event, CompanyConfigured)
        and not (
            isinstance(event, PaymentReceived)
            and event.account_id is None
            and (event.company, event.payment_id) in owned
        )
    ]
