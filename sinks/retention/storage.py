"""Where old rows of the raw log lie: a TTL moves them to the cold volume, where the server's storage policy has one."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.errors import SinkProblem
from sinks.retention.policy import Policy, cold_ttl, moment_literal

_MOVES = re.compile(r"toIntervalDay\((\d+)\) TO VOLUME '([^']*)'")


class Storage(NamedTuple):
    """What the server has, and what it would be told. `volumes` are those of the storage policy; `statement` brings the
    TTL to what the settings say, empty = it is so; `rows` and `size_bytes` are past the hot days and not moved yet."""

    policy: str
    volumes: tuple[str, ...]
    moves_to: str
    days: int
    statement: str
    rows: int
    size_bytes: int


def look(client: Client, policy: Policy, now: datetime, on_cluster: str = "") -> Storage:
    """Where the raw log lies. Changes nothing. Raises SinkProblem for a volume that is asked for and not there."""
    name, text = client.query(
        "SELECT storage_policy, create_table_query FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'events'"
    ).result_rows[0]
    volumes = tuple(
        str(row[0])
        for row in client.query(
            "SELECT volume_name FROM system.storage_policies WHERE policy_name = {name:String} "
            "ORDER BY volume_priority",
            parameters={"name": name},
        ).result_rows
    )
    wanted = policy.cold_volume
    if wanted and wanted not in volumes:
        raise SinkProblem(
            f"the storage policy {name!r} of table events has no volume {policy.cold_volume!r}: "
            f"its volumes are {', '.join(volumes)}",
            "Add the volume to the server's storage policy, or leave retention.cold_volume empty",
        )
    found = _MOVES.search(str(text))
    there = (int(found[1]), found[2]) if found else None
    statement = ""
    if wanted and there != (policy.hot_days, wanted):
        ttl = cold_ttl(policy.hot_days, wanted)
        statement = f"ALTER TABLE events{on_cluster} MODIFY TTL {ttl} SETTINGS materialize_ttl_after_modify = 0"
    elif there and not wanted:
        statement = f"ALTER TABLE events{on_cluster} REMOVE TTL"
    rows, size = _waiting(client, now - timedelta(days=policy.hot_days), wanted, str(name)) if wanted else (0, 0)
    return Storage(str(name), volumes, wanted, policy.hot_days, statement, rows, size)


def _waiting(client: Client, before: datetime, volume: str, name: str) -> tuple[int, int]:
    """Rows and bytes of parts that are wholly past the hot days and on no disk of the volume."""
    rows = client.query(
        f"""
SELECT sum(rows), sum(bytes_on_disk)
FROM system.parts
WHERE database = currentDatabase() AND table = 'events' AND active AND NOT has(
    (SELECT groupArrayArray(disks) FROM system.storage_policies
        WHERE policy_name = {{name:String}} AND volume_name = {{volume:String}}),
    disk_name
) AND max_time < {moment_literal(before)}""",
        parameters={"name": name, "volume": volume},
    ).result_rows
    return int(rows[0][0] or 0), int(rows[0][1] or 0)
