"""Which postings may go without changing any answer inside the window.

An item goes whole or stays whole. It goes when every posting of it is older than the cut-off, by effective date and by
knowledge time, and each of its lines comes to zero: then it adds nothing to any balance that is asked for a date and a
knowledge time from the cut-off on. An item that is open, or that anything happened to later, keeps all its postings,
however old; so opening balances need no rows that stand for others (docs/adr/0019).

Openings (docs/adr/0060) are forgotten before the first posting goes, for they are compared with the ledger by number
only, and made again afterwards. Meanwhile answers are slower, not different.

The items are written down first. A deletion that was cut off is finished by the next run, with the same items: it must
never be decided again from what half a deletion left.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from clickhouse_connect.driver.client import Client

from sinks.retention.holds import Hold
from sinks.retention.policy import Policy, held_condition, let_go
from sinks.rollups.openings import forget_openings, write_openings

# Return when it is done, everywhere. The subqueries give the same wherever they run: nothing that they read changes.
MUTATION = "mutations_sync = 2, allow_nondeterministic_mutations = 1"
TABLE = "ledger_entries_log"
DISPUTES = "dispute_entries_log"
ITEM = "company, account_id, currency, item_type, item_id"
_DOCUMENT = "company, account_id, currency, document_type, document_id"
WRITTEN_DOWN = f"SELECT {ITEM} FROM retired_items"


def old_postings(policy: Policy, now: datetime, firsts: Mapping[str, Mapping[int, int]] | None) -> str:
    """A condition: a posting lies before the cut-off of its company, by both of its dates."""
    cutoff = policy.cutoff_expression("ledger", "company", now)
    # recorded_at is an instant and effective_date a day: both must lie before the midnight.
    old = f"effective_date < toDate32({cutoff}) AND recorded_at < {cutoff}"
    return old if firsts is None else f"{old} AND {let_go(firsts)}"


def closed_items(old: str, holds: Iterable[Hold]) -> str:
    """A query for the items whose postings may go, with how many they have and whether a hold keeps them."""
    held = held_condition(holds, "company", "account_id") or "0"
    return f"""
SELECT {ITEM}, sum(postings) AS postings, {held} AS is_held
FROM
(
    SELECT {ITEM}, instalment, balance_class, due_date, sum(delta_minor) AS minor, count() AS postings,
        countIf(NOT ({old})) AS later
    FROM {TABLE}
    GROUP BY {ITEM}, instalment, balance_class, due_date
)
GROUP BY {ITEM}
HAVING sum(later) = 0 AND countIf(minor != 0) = 0"""


def write_down(client: Client, query: str) -> None:
    """Write the items down, unless a former run left some: those are finished first."""
    left = int(client.query("SELECT count() FROM retired_items").result_rows[0][0])
    if not left:
        client.command(f"INSERT INTO retired_items ({ITEM}) SELECT {ITEM} FROM ({query}) WHERE NOT is_held")


def written_down(old: str) -> dict[str, str]:
    """Conditions by table: postings of the items that are written down, and what was contested of them.

    What was posted to one of them since it was written down is not old, and stays.
    """
    return {
        DISPUTES: f"{old} AND ({_DOCUMENT}) IN ({WRITTEN_DOWN}) "
        f"AND ({_DOCUMENT}) NOT IN (SELECT {_DOCUMENT} FROM {DISPUTES} WHERE NOT ({old}))",
        TABLE: f"{old} AND ({ITEM}) IN ({WRITTEN_DOWN})",
    }


def delete_written_down(client: Client, old: str) -> None:
    """Delete them, then the list."""
    if not client.query("SELECT count() FROM retired_items").result_rows[0][0]:
        return
    had_openings = forget_openings(client)
    for table, goes in written_down(old).items():
        client.command(f"ALTER TABLE {table} DELETE WHERE {goes} SETTINGS {MUTATION}")
    client.command("TRUNCATE TABLE retired_items")
    # A rollup may have run meanwhile.
    if forget_openings(client) or had_openings:
        write_openings(client)
