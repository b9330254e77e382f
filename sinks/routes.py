"""Which table a topic goes into, and how its records become rows."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from avro import Contracts
from sinks.wrap import Wrapper, event_wrapper, record_wrapper
from topics import EVENTS, Topic

# Storage tables by the one record that their topics carry; analysts read the views of docs/clickhouse.md.
TABLES = {
    "Account": "accounts_log",
    "AccountAging": "account_aging_versions",
    "Action": "actions_log",
    "AgingTransition": "aging_transitions_log",
    "Alert": "alerts_log",
    "DisputeCase": "disputes_versions",
    "DisputeEntry": "dispute_entries_log",
    "ExceptionCase": "exceptions_versions",
    "ExchangeRateSet": "exchange_rates_versions",
    "FailedEvent": "failed_events_versions",
    "Item": "items_versions",
    "LedgerEntry": "ledger_entries_log",
    "Promise": "promises_versions",
    "Receipt": "receipts_versions",
    "RejectedEvent": "rejected_events",
}
EVENTS_TABLE = "events"


class Route(NamedTuple):
    """From one topic into one table."""

    topic: str
    table: str
    wrapper: Wrapper


def routes(contracts: Contracts, catalogue: Mapping[str, Topic]) -> dict[str, Route]:
    """The routes of all topics that have a table, by the topic's own name (which may carry a prefix)."""
    wrappers: dict[str, Wrapper] = {}
    found = {}
    for name, topic in catalogue.items():
        if name == EVENTS:
            found[topic.name] = Route(topic.name, EVENTS_TABLE, event_wrapper(contracts, topic.records))
            continue
        record = _only(topic.records)
        if record in TABLES:
            wrapper = wrappers.setdefault(record, record_wrapper(contracts, record))
            found[topic.name] = Route(topic.name, TABLES[record], wrapper)
    return found


def _only(records: Iterable[str]) -> str:
    """The one record of a topic; the empty name when it carries none or several."""
    names = list(records)
    return names[0] if len(names) == 1 else ""
