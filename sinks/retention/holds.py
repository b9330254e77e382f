"""Legal holds: accounts, or whole companies, of which nothing is deleted or erased, whatever its age."""

from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.errors import SinkProblem

_COLUMNS = ("hold_id", "company", "account_id", "reason", "placed_by", "is_active", "changed_at")


class Hold(NamedTuple):
    """A hold that is in force. `account_id` empty = the whole company."""

    hold_id: str
    company: str
    account_id: str
    reason: str
    placed_by: str
    placed_at: datetime


def read_holds(client: Client) -> list[Hold]:
    """All holds in force."""
    rows = client.query(
        "SELECT hold_id, toString(company), account_id, reason, placed_by, placed_at FROM legal_holds "
        "ORDER BY company, account_id, hold_id"
    ).result_rows
    return [Hold(*row) for row in rows]


def place_hold(client: Client, hold: Hold) -> None:
    """Put a hold in force; again with another reason replaces the reason."""
    _write(client, hold, is_active=True)


def lift_hold(client: Client, hold_id: str, company: str, account_id: str, lifted_by: str, now: datetime) -> None:
    """Lift a hold; it stays in the table as lifted. Raises SinkProblem when there is none."""
    for hold in read_holds(client):
        if hold[:3] == (hold_id, company, account_id):
            _write(client, hold._replace(placed_by=lifted_by, placed_at=now), is_active=False)
            return
    whose = f"account {account_id} of {company}" if account_id else f"company {company}"
    raise SinkProblem(f"there is no hold {hold_id} on {whose}", "`arrears retention hold list` shows those there are")


def _write(client: Client, hold: Hold, *, is_active: bool) -> None:
    row = (hold.hold_id, hold.company, hold.account_id, hold.reason, hold.placed_by, is_active, hold.placed_at)
    client.insert("legal_holds_versions", [row], column_names=list(_COLUMNS), settings={"async_insert": 0})
