"""Which rule each table has."""

from sinks.retention import ledger, states
from sinks.retention.policy import TABLES


def rules_by_table() -> dict[str, str]:
    """The rule of every table of which rows are deleted; of `events` that of everything but user activity."""
    rules: dict[str, str] = {}
    for aged in TABLES:
        rules.setdefault(aged.table, aged.rule)
    rules |= {ledger.TABLE: "ledger", ledger.DISPUTES: "ledger"}
    for one in states.STATES:
        rules |= dict.fromkeys((one.table, *one.histories), states.RULE)
    return rules
