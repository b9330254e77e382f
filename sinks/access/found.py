"""What the server has, and what is to be done so that it has what is wanted.

Order: what restricts comes before what permits. Roles, then policies and limits, then grants, then users; what is not
wanted goes last, but rights that are too many are revoked together with the grants.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.access import statements
from sinks.access.wanted import DEFINER, HOUR, PREFIX, Grant, Policy, Profile, Wanted
from sinks.clickhouse import Address, words_of
from sinks.errors import SinkProblem

logger = logging.getLogger(__name__)

_ACCESS_DENIED = 497


class Change(NamedTuple):
    """One thing that is not as it should be."""

    what: str
    statements: Sequence[str]


class Found(NamedTuple):
    """What the server has of ours."""

    roles: frozenset[str]
    users: frozenset[str]
    grants: dict[str, frozenset[Grant]]
    policies: frozenset[Policy]
    marks: dict[str, str]
    profiles: dict[str, Profile]
    members: dict[str, frozenset[str]]
    """Roles of ours by user."""


class AccessRunner:
    """Brings the users and rights of one server to where the file says; running it twice does nothing."""

    def __init__(self, address: Address, wanted: Wanted) -> None:
        self._address = address
        self._wanted = wanted

    def plan(self) -> list[Change]:
        """What `apply` would do. Raises SinkProblem when the server keeps no users, or does not show them to us."""
        with self._address.client() as client:
            _refuse_without_users(client, self._address.url)
            found = read_found(client, self._wanted.database)
            return changes(self._wanted, found, _formatted(client, self._wanted.policies | found.policies))

    def apply(self, plan: Sequence[Change], report: Callable[[Change], None]) -> None:
        """Carry out a plan. One that is cut off is finished by the next. Raises SinkProblem when a statement fails."""
        with self._address.client() as client:
            for change in plan:
                for statement in change.statements:
                    try:
                        client.command(statement)
                    except ClickHouseError as error:
                        raise SinkProblem(
                            f"ClickHouse refused {change.what}: {words_of(error)[:400]}",
                            "What came before it is done; run `arrears access apply` again when the cause is gone",
                        ) from error
                logger.info("access changed", extra={"what": change.what})
                report(change)

    def set_passwords(self, report: Callable[[Change], None]) -> None:
        """Set the passwords and hosts of all users of the file; ClickHouse does not show whether they differ."""
        wanted = self._wanted
        self.apply(
            [
                Change(f"password of {name}", statements.create_user(name, user, wanted.password_of(name))[1:])
                for name, user in wanted.users.items()
            ],
            report,
        )


def _refuse_without_users(client: Client, url: str) -> None:
    writable = client.query("SELECT count() FROM system.user_directories WHERE type != 'users_xml'").result_rows[0][0]
    if not writable:
        raise SinkProblem(
            f"ClickHouse at {url} keeps no users: the embedded engine of `arrears up` has one, which may do everything",
            "Point clickhouse.url to a ClickHouse server; there, access management needs a directory for users",
        )


def read_found(client: Client, database: str) -> Found:
    """What the server has of ours. Raises SinkProblem when we may not see it."""
    try:
        return _read_found(client, database)
    except ClickHouseError as error:
        if getattr(error, "code", None) == _ACCESS_DENIED:
            raise SinkProblem(
                f"this user may not manage access: {words_of(error)[:300]}",
                "Set clickhouse.user to one with access_management, for this command",
            ) from error
        raise


def _read_found(client: Client, database: str) -> Found:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        parameters = {"prefix": PREFIX, "database": database}
        return [tuple(row) for row in client.query(sql, parameters=parameters).result_rows]

    grants: dict[str, set[Grant]] = defaultdict(set)
    for who, right, *place in rows(
        "SELECT ifNull(role_name, user_name), toString(access_type), ifNull(database, ''), ifNull(table, ''), "
        "ifNull(column, '') FROM system.grants WHERE startsWith(ifNull(role_name, user_name), {prefix:String})"
    ):
        grants[who].add(Grant(right, *place))
    members: dict[str, set[str]] = defaultdict(set)
    for user, role in rows(
        "SELECT user_name, granted_role_name FROM system.role_grants "
        "WHERE user_name IS NOT NULL AND startsWith(granted_role_name, {prefix:String})"
    ):
        members[user].add(role)
    return Found(
        frozenset(name for (name,) in rows("SELECT name FROM system.roles WHERE startsWith(name, {prefix:String})")),
        frozenset(name for (name,) in rows("SELECT name FROM system.users")),
        {who: frozenset(all_) for who, all_ in grants.items()},
        frozenset(
            Policy(name, table, condition if set(to) == {name} else "")
            for name, table, condition, to in rows(
                "SELECT short_name, table, ifNull(select_filter, '1'), apply_to_list FROM system.row_policies "
                "WHERE database = {database:String} AND startsWith(short_name, {prefix:String})"
            )
        ),
        dict(rows("SELECT name, comment FROM system.tables WHERE database = {database:String} AND engine = 'View'")),
        _profiles(rows),
        {user: frozenset(roles) for user, roles in members.items()},
    )


def _profiles(rows: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, Profile]:
    settings: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for name, setting, value, highest in rows(
        "SELECT profile_name, setting_name, ifNull(value, ''), if(writability = 'CONST', '', ifNull(max, '-')) "
        "FROM system.settings_profile_elements WHERE startsWith(ifNull(profile_name, ''), {prefix:String}) "
        "AND setting_name IS NOT NULL"
    ):
        settings[name].add((setting, value, highest))
    quotas = {
        name: (int(queries), int(read), float(seconds))
        for name, queries, read, seconds in rows(
            "SELECT quota_name, ifNull(max_queries, 0), ifNull(max_read_rows, 0), ifNull(max_execution_time, 0) "
            f"FROM system.quota_limits WHERE startsWith(quota_name, {{prefix:String}}) AND duration = {HOUR}"
        )
    }
    return {
        name: Profile(name, frozenset(settings[name]), quotas.get(name, (0, 0, 0.0)), frozenset(roles))
        for name, roles in rows(
            "SELECT name, apply_to_list FROM system.settings_profiles WHERE startsWith(name, {prefix:String})"
        )
    }


def _formatted(client: Client, policies: Iterable[Policy]) -> dict[str, str]:
    """Every condition as the server writes it, so that equal ones are equal texts."""
    texts = sorted({policy.condition for policy in policies})
    rows = client.query(
        "SELECT text, formatQuerySingleLine(concat('SELECT ', text)) "
        "FROM (SELECT arrayJoin({texts:Array(String)}) AS text)",
        parameters={"texts": texts},
    ).result_rows
    return {str(text): str(formatted) for text, formatted in rows}


def changes(wanted: Wanted, found: Found, formatted: Mapping[str, str]) -> list[Change]:
    """The difference, in the order in which it is to be made. `formatted`: conditions as the server writes them."""
    made = [Change(f"role {name}", [statements.create_role(name)]) for name in sorted(wanted.roles - found.roles)]
    if DEFINER not in found.users:
        made.append(Change(f"user {DEFINER}", [statements.create_definer(DEFINER)]))
    made += _grant_changes(DEFINER, wanted, found)
    made += [
        Change(f"view {name}", [statement])
        for name, (statement, comment) in wanted.views.items()
        if found.marks.get(name) != comment
    ]
    present = {(policy.role, policy.table): formatted[policy.condition] for policy in found.policies}
    made += [
        Change(f"rows of {policy.table} for {policy.role}", [statements.create_policy(policy, wanted.database)])
        for policy in sorted(wanted.policies)
        if present.get((policy.role, policy.table)) != formatted[policy.condition]
    ]
    made += [
        Change(f"limits of {profile.name}", statements.create_profile(profile))
        for profile in wanted.profiles
        if found.profiles.get(profile.name) != profile
    ]
    for name in sorted(wanted.roles):
        made += _grant_changes(name, wanted, found)
    return made + _user_changes(wanted, found) + _drops(wanted, found)


def _grant_changes(name: str, wanted: Wanted, found: Found) -> Iterable[Change]:
    should, has = wanted.grants[name], found.grants.get(name, frozenset())
    if should != has:
        # First what is too many: a right on a whole table would be there twice, with its columns.
        yield Change(
            f"rights of {name}", [*statements.revoke(has - should, name), *statements.grant(should - has, name)]
        )


def _user_changes(wanted: Wanted, found: Found) -> list[Change]:
    made = []
    for name, user in sorted(wanted.users.items()):
        texts = statements.create_user(name, user, wanted.password_of(name)) if name not in found.users else []
        roles = {PREFIX + role for role in user.roles}
        has = found.members.get(name, frozenset())
        texts += [statements.revoke_roles(name, has - roles)] if has - roles else []
        texts += [statements.grant_roles(name, roles - has)] if roles - has else []
        if texts:
            made.append(Change(f"user {name}", texts))
    return made + [
        Change(f"user {name}, whom the file does not name", [statements.revoke_roles(name, roles)])
        for name, roles in sorted(found.members.items())
        if name not in wanted.users
    ]


def _drops(wanted: Wanted, found: Found) -> list[Change]:
    policies = {(policy.role, policy.table) for policy in wanted.policies}
    profiles = {profile.name for profile in wanted.profiles}
    # A role goes before its policies: while a user still has it, its rows must stay restricted.
    made = [
        Change(f"role {name}, which the file does not have", [statements.drop("ROLE", name)])
        for name in sorted(found.roles - wanted.roles)
    ]
    made += [
        Change(
            f"rows of {policy.table} for {policy.role}",
            [statements.drop("ROW POLICY", policy.role, f"{wanted.database}.{policy.table}")],
        )
        for policy in sorted(found.policies)
        if (policy.role, policy.table) not in policies
    ]
    return made + [
        Change(f"limits of {name}", [statements.drop("SETTINGS PROFILE", name), statements.drop("QUOTA", name)])
        for name in sorted(found.profiles.keys() - profiles)
    ]
