"""What the server should have, as facts that can be compared with those of its system tables."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sinks.access import scope
from sinks.access.spec import KINDS, Access, Kind, Role, User
from sinks.errors import SinkProblem
from sinks.migrations.ddl import literal
from sinks.routes import EVENTS_TABLE, TABLES

# Roles, policies, quotas and profiles of ours begin with it. What begins with it and is not wanted is dropped.
PREFIX = "arrears_"
# Reads for the masked views. Nobody can log in as it.
DEFINER = f"{PREFIX}views"
HOUR = 3600

_MIB = 1024 * 1024
_DATABASE = re.compile(r"[A-Za-z_]\w*")
# Whole tables are changed by migrations, rollups and retention; no rights on users or on the server.
_PLATFORM = (
    "SELECT", "INSERT", "ALTER TABLE", "ALTER VIEW", "CREATE DATABASE", "CREATE TABLE", "CREATE VIEW", "DROP TABLE",
    "DROP VIEW", "TRUNCATE", "OPTIMIZE",
)  # fmt: skip
_DEFINERS_TABLES = ("accounts_log", "items_versions", "events", "receipts", "receipts_versions")


class Grant(NamedTuple):
    """One right as system.grants has it; empty database, table or column = all."""

    right: str
    database: str
    table: str = ""
    column: str = ""


class Policy(NamedTuple):
    """The rows of one table that one role sees."""

    role: str
    table: str
    condition: str


class Profile(NamedTuple):
    """Settings and limits: rows of system.settings_profile_elements, and of system.quota_limits."""

    name: str
    settings: frozenset[tuple[str, str, str]]
    """Name, value, highest value; with an empty highest value the setting is fixed."""
    quota: tuple[int, int, float]
    """Queries, rows read, seconds in an hour."""
    roles: frozenset[str]


class Wanted(NamedTuple):
    """All of it."""

    database: str
    roles: frozenset[str]
    grants: Mapping[str, frozenset[Grant]]
    policies: frozenset[Policy]
    views: Mapping[str, tuple[str, str]]
    """Statement and mark; the mark stands in the view's comment, so that another text is noticed."""
    profiles: tuple[Profile, ...]
    users: Mapping[str, User]
    password_clauses: Mapping[str, str]
    """By user; not of those whose variable is not set."""

    def password_of(self, user: str) -> str:
        """What a statement says about the password. Raises SinkProblem when it is not in the environment."""
        if user not in self.password_clauses:
            raise SinkProblem(
                f"the password of user {user} is not in the environment",
                f"Set {self.users[user].password_variable}, or give a hash",
            )
        return self.password_clauses[user]


def make_wanted(access: Access, database: str, environment: Mapping[str, str]) -> Wanted:
    """The file as things. Raises SinkProblem for a name of a database that does not do."""
    if not _DATABASE.fullmatch(database):
        raise SinkProblem(f"database {database} has a name that needs quotes", "Give it letters, digits and _ only")
    return Wanted(
        database,
        frozenset(PREFIX + name for name in access.roles),
        {
            **{PREFIX + name: frozenset(_grants(role, database)) for name, role in access.roles.items()},
            DEFINER: frozenset(Grant("SELECT", database, table) for table in _DEFINERS_TABLES),
        },
        frozenset(policy for name, role in access.roles.items() for policy in _policies(PREFIX + name, role, database))
        | {Policy(DEFINER, table, "1") for table in _DEFINERS_TABLES if table in scope.stored_tables()},
        {name: _view(database, name, *text) for name, text in scope.own_views(database, DEFINER).items()},
        tuple(_profile(access, kind) for kind in KINDS if any(role.kind == kind for role in access.roles.values())),
        access.users,
        {name: clause for name, user in access.users.items() if (clause := _password(user, environment))},
    )


def _grants(role: Role, database: str) -> Iterable[Grant]:
    if role.kind == "platform":
        yield from (Grant(right, database) for right in _PLATFORM)
        return
    if role.kind == "auditor":
        yield from (Grant("SELECT", database), Grant("SHOW ACCESS", ""), Grant("SELECT", "system", "query_log"))
        return
    if role.kind == "service":
        yield from (Grant("INSERT", database, table) for table in (EVENTS_TABLE, *TABLES.values()))
        yield from (Grant("SELECT", database, "schema_migrations"), Grant("SHOW TABLES", database))
        return
    for table in scope.tables_of(role):
        columns = scope.columns_of(role, table)
        yield from (Grant("SELECT", database, table.name, column) for column in columns or ("",))
    for view in (*scope.views_of(role), *scope.own_views_of(role)):
        yield Grant("SELECT", database, view)


def _policies(name: str, role: Role, database: str) -> Iterable[Policy]:
    """One for each table that the role reads; 1 where it sees all, or the policies of others would hide the rows."""
    if role.kind == "service":
        return
    own = (
        scope.own_views_of(role) if role.kind in {"analyst", "collector"} else list(scope.own_views(database, DEFINER))
    )
    for table in (*(table.name for table in scope.tables_of(role)), *(own if role.kind != "alerting" else ())):
        yield Policy(name, table, scope.rows_of(role, database, table) or "1")


def _view(database: str, name: str, text: str, comment: str) -> tuple[str, str]:
    mark = hashlib.sha256(f"{text}{comment}".encode()).hexdigest()[:12]
    comment = f"{comment} [{mark}]"
    return f"CREATE OR REPLACE VIEW {database}.{name} {text}\nCOMMENT {literal(comment)}", comment


def _profile(access: Access, kind: Kind) -> Profile:
    limits = access.limits_of(kind)
    roles = frozenset(PREFIX + name for name, role in access.roles.items() if role.kind == kind)
    if kind in {"platform", "service"}:
        # Before everybody else's queries, and bounded by the server's own limits only.
        return Profile(PREFIX + kind, frozenset({("priority", "1", "")}), (0, 0, 0.0), roles)
    memory = limits.memory_mib * _MIB
    bounded = {
        "max_memory_usage": memory,
        "max_memory_usage_for_user": limits.memory_mib_all * _MIB,
        "max_execution_time": limits.seconds,
        "max_threads": limits.threads,
        "max_concurrent_queries_for_user": limits.queries_at_once,
        "max_bytes_before_external_group_by": memory // 4,
        "max_bytes_before_external_sort": memory // 4,
    }
    # readonly 2: clients may send settings along, within these bounds, and can change nothing else.
    fixed = {"readonly": 2, "priority": 10}
    settings = {(name, str(value), str(value)) for name, value in bounded.items()}
    settings |= {(name, str(value), "") for name, value in fixed.items()}
    quota = (limits.queries_an_hour, limits.read_rows_an_hour, float(limits.seconds_an_hour))
    return Profile(PREFIX + kind, frozenset(settings), quota, roles)


def _password(user: User, environment: Mapping[str, str]) -> str:
    if user.password_sha256:
        return f"IDENTIFIED WITH sha256_hash BY {literal(user.password_sha256.upper())}"
    password = environment.get(user.password_variable)
    if not password:
        return ""
    digest = hashlib.sha256(password.encode()).hexdigest().upper()
    return f"IDENTIFIED WITH sha256_hash BY {literal(digest)}"
