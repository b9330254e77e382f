"""The statements of ClickHouse that make one thing as it should be. All of them may be repeated."""

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import ip_network

from sinks.access.spec import User
from sinks.access.wanted import HOUR, PREFIX, Grant, Policy, Profile
from sinks.migrations.ddl import literal


def create_role(name: str) -> str:
    """A role."""
    return f"CREATE ROLE IF NOT EXISTS {name}"


def create_definer(name: str) -> str:
    """The user whose rights the masked views have; from no host, so nobody logs in as it."""
    return f"CREATE USER IF NOT EXISTS {name} IDENTIFIED WITH no_password HOST NONE"


def grant(grants: Iterable[Grant], to: str) -> list[str]:
    """GRANT statements, one a table."""
    return [f"GRANT {rights} ON {place} TO {to}" for place, rights in _by_place(grants)]


def revoke(grants: Iterable[Grant], from_: str) -> list[str]:
    """REVOKE statements, one a table."""
    return [f"REVOKE {rights} ON {place} FROM {from_}" for place, rights in _by_place(grants)]


def _by_place(grants: Iterable[Grant]) -> list[tuple[str, str]]:
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for right, database, table, column in sorted(grants):
        place = f"{database or '*'}.{table or '*'}"
        columns = places[place][right]
        if column:
            columns.append(column)
    return [
        (place, ", ".join(f"{right}({', '.join(columns)})" if columns else right for right, columns in rights.items()))
        for place, rights in sorted(places.items())
    ]


def create_policy(policy: Policy, database: str) -> str:
    """A row policy; several of one user are joined by OR."""
    return (
        f"CREATE ROW POLICY OR REPLACE {policy.role} ON {database}.{policy.table} AS PERMISSIVE FOR SELECT "
        f"USING {policy.condition} TO {policy.role}"
    )


def create_profile(profile: Profile) -> list[str]:
    """A settings profile and a quota of the same name; a quota of nothing but zeros is none."""
    settings = ", ".join(
        f"{name} = {value} MAX {highest}" if highest else f"{name} = {value} CONST"
        for name, value, highest in sorted(profile.settings)
    )
    to = ", ".join(sorted(profile.roles))
    statements = [f"CREATE SETTINGS PROFILE OR REPLACE {profile.name} SETTINGS {settings} TO {to}"]
    if any(profile.quota):
        queries, rows, seconds = profile.quota
        statements.append(
            f"CREATE QUOTA OR REPLACE {profile.name} KEYED BY user_name FOR INTERVAL {HOUR // 3600} hour "
            f"MAX queries = {queries}, read_rows = {rows}, execution_time = {seconds:g} TO {to}"
        )
    return statements


def create_user(name: str, user: User, password: str) -> list[str]:
    """A user as the file says, with these roles of ours. Rights that others gave stay."""
    hosts = ", ".join(f"IP {literal(str(ip_network(host)))}" for host in user.hosts) or "ANY"
    return [
        f"CREATE USER IF NOT EXISTS {name} {password} HOST {hosts}",
        f"ALTER USER {name} {password} HOST {hosts}",
    ]


def grant_roles(name: str, roles: Iterable[str]) -> str:
    """Roles of ours to a user."""
    return f"GRANT {', '.join(sorted(roles))} TO {name}"


def revoke_roles(name: str, roles: Iterable[str]) -> str:
    """Roles of ours from a user."""
    return f"REVOKE {', '.join(sorted(roles))} FROM {name}"


def drop(kind: str, name: str, table: str = "") -> str:
    """What is not wanted any more."""
    if not name.startswith(PREFIX):
        raise ValueError(f"{name} is not ours")
    place = f" ON {table}" if table else ""
    return f"DROP {kind} IF EXISTS {name}{place}"
