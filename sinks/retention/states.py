"""Which current states may go: of what ended before the ledger's days began, and of which the ledger says nothing more.

A state goes with all its versions, after the postings of its item (`sinks/retention/ledger.py`). The topics of states
are compacted, so Kafka keeps the last one of each key for ever: what is removed here is written down by its position,
and `arrears reconcile` does not miss it. What is published anew later comes back, as it should.

What is to go is written down first: a deletion that was cut off must not be judged by what half of it left.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.migrations.ddl import literal
from sinks.retention.holds import Hold
from sinks.retention.ledger import ITEM, MUTATION, TABLE
from sinks.retention.policy import Policy, held_condition

RULE = "ledger"


class States(NamedTuple):
    """A table of current states. `key` says what a state is of, `ended` when it has come to its end, `ended_on` the day
    of that, `item` its document or receipt as the ledger names it, of which no posting may be left. `histories` are
    tables with the same keys, whose rows go too."""

    table: str
    key: str
    ended: str
    ended_on: str
    item: str = ""
    histories: tuple[str, ...] = ()


STATES = (
    States(
        "items_versions",
        "concat(document_type, '/', document_id)",
        "open_minor = 0",
        "ifNull(closed_date, toDate32(recorded_at))",
        "company, account_id, currency, document_type, document_id",
    ),
    States(
        "receipts_versions",
        "payment_id",
        "(unapplied_minor = 0 OR status = 'identified')",
        "toDate32(recorded_at)",
        "company, account_id, currency, 'payment', payment_id",
        histories=("receipts_log",),
    ),
    States(
        "promises_versions",
        "promise_id",
        "status NOT IN ('open', 'pending_cash')",
        "deadline",
        histories=("promises_log",),
    ),
    States(
        "disputes_versions",
        "dispute_id",
        "status = 'resolved'",
        "toDate32(recorded_at)",
        "company, account_id, currency, document_type, document_id",
    ),
    States(
        "exceptions_versions",
        "exception_id",
        "status = 'resolved'",
        "toDate32(recorded_at)",
        histories=("exceptions_log",),
    ),
)


def old_states(policy: Policy, now: datetime) -> str:
    """A condition: a row lies before the cut-off of its company, by arrival and by knowledge time."""
    cutoff = policy.cutoff_expression(RULE, "company", now)
    return f"_appended_at < {cutoff} AND recorded_at < {cutoff}"


def ended_states(states: States, policy: Policy, now: datetime, holds: Iterable[Hold], going_items: str) -> str:
    """A query for what may go, with the rows of it, and whether a hold keeps it. `going_items` is a query for the items
    whose postings go in the same run."""
    held = held_condition(holds, "company", "account_id") or "0"
    cutoff = policy.cutoff_expression(RULE, "company", now)
    left = f"SELECT {ITEM} FROM {TABLE} WHERE ({ITEM}) NOT IN ({going_items})"
    unmentioned = f"({states.item}) NOT IN ({left})" if states.item else "1"
    rows = " UNION ALL ".join(
        f"SELECT company, account_id, {states.key} AS entity FROM {table}"
        for table in (states.table, *states.histories)
    )
    return f"""
SELECT company, account_id, entity, count() AS versions, {held} AS is_held
FROM ({rows})
WHERE (company, account_id, entity) IN
(
    SELECT company, account_id, {states.key}
    FROM {states.table} FINAL
    WHERE {old_states(policy, now)} AND {states.ended} AND {states.ended_on} < toDate32({cutoff}) AND {unmentioned}
)
GROUP BY company, account_id, entity"""


def write_down(client: Client, states: States, query: str) -> None:
    """Write down what is to go, unless a former run left some of this table: that is finished first."""
    left = client.query(
        "SELECT count() FROM retired_states WHERE table = {table:String}", parameters={"table": states.table}
    ).result_rows[0][0]
    if not int(left):
        client.command(
            f"INSERT INTO retired_states (table, company, account_id, entity) "
            f"SELECT {literal(states.table)}, company, account_id, entity FROM ({query}) WHERE NOT is_held"
        )


def going(states: States, old: str) -> str:
    """A condition: the row is one of what is written down, and no newer one."""
    listed = f"SELECT company, account_id, entity FROM retired_states WHERE table = {literal(states.table)}"
    return f"{old} AND (company, account_id, {states.key}) IN ({listed})"


def delete_written_down(client: Client, states: States, old: str) -> None:
    """Delete the rows of what is written down, then the list."""
    for table in (*states.histories, states.table):
        client.command(f"ALTER TABLE {table} DELETE WHERE {going(states, old)} SETTINGS {MUTATION}")
    client.command(f"ALTER TABLE retired_states DROP PARTITION {literal(states.table)}")
