"""Which tables and views a role may read, which of their columns, and which of their rows."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sinks.access.spec import Role
from sinks.migrations import MIGRATIONS
from sinks.migrations.ddl import Table, View, literal

# Columns with texts about persons, by table. A role without personal fields has no grant on them.
PERSONAL = {"events": ("payload",), "receipts_versions": ("payer_reference",)}
# Bytes as they came, of any company: for platform and auditors only.
UNSORTED = frozenset({"failed_events_versions", "failed_events", "audit_anchors", "erased_rows"})
# Tables of no account that everybody needs to read the others.
REFERENCE = frozenset({"companies_versions", "exchange_rates_versions", "exchange_rates_log", "openings"})
ALERTS = frozenset({"alerts_log", "alerts", "alert_history"})

ACCOUNTS_VIEW = "access_accounts"
EVENTS_MASKED = "events_masked"
RECEIPTS_MASKED = "receipts_masked"
_MASKS = {EVENTS_MASKED: "events", RECEIPTS_MASKED: "receipts_versions"}

_WORD = re.compile(r"\b\w+\b")


class Stored(NamedTuple):
    """A table of the migrations."""

    name: str
    columns: tuple[str, ...]

    @property
    def by_company(self) -> bool:
        """Whether its rows belong to companies."""
        return "company" in self.columns

    @property
    def by_account(self) -> bool:
        """Whether they belong to accounts."""
        return "account_id" in self.columns


@lru_cache(maxsize=1)
def stored_tables() -> dict[str, Stored]:
    """All tables of the migrations, by name."""
    steps = [step for migration in MIGRATIONS for step in migration.steps]
    tables = [step for step in steps if isinstance(step, Table)]
    return {table.name: Stored(table.name, tuple(column.name for column in table.columns)) for table in tables}


@lru_cache(maxsize=1)
def _views() -> dict[str, View]:
    return {step.name: step for migration in MIGRATIONS for step in migration.steps if isinstance(step, View)}


@lru_cache(maxsize=1)
def read_by_views() -> dict[str, frozenset[str]]:
    """The tables and views that each view reads, through other views too."""
    views = _views()
    names = views.keys() | stored_tables().keys()
    found: dict[str, frozenset[str]] = {}

    def reads(name: str) -> frozenset[str]:
        if name not in found:
            below = (_words(name) & names) - {name} if name in views else set()
            found[name] = frozenset(below).union(*(reads(other) for other in below))
        return found[name]

    return {name: reads(name) for name in views}


def needs_personal_fields(view: str) -> bool:
    """Whether a view cannot be asked without the grants on personal columns.

    Of a view with parameters ClickHouse wants the grants of all that it reads; of another one only those of the columns
    that are asked for.
    """
    below = {view, *read_by_views()[view]} & _views().keys()
    return any("{" in _views()[name].select and _reads_personal(name) for name in below)


def _reads_personal(view: str) -> bool:
    read, words = read_by_views()[view], _words(view)
    return any(table in read and not words.isdisjoint(columns) for table, columns in PERSONAL.items())


def _words(view: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_views()[view].select))


def tables_of(role: Role) -> list[Stored]:
    """The tables that a role reads, by itself or through views."""
    return [table for table in stored_tables().values() if _reads(role, table)]


def _reads(role: Role, table: Stored) -> bool:
    if role.kind in {"platform", "auditor"}:
        return True
    if role.kind == "alerting":
        return table.name in ALERTS
    if table.name in UNSORTED or not (table.by_company or table.name in REFERENCE):
        return False
    if role.kind == "collector":
        return table.by_account or table.name in REFERENCE
    return role.kind == "analyst"


def columns_of(role: Role, table: Stored) -> tuple[str, ...]:
    """The columns that a role may read; empty = all of them."""
    hidden = () if role.sees_personal_fields else PERSONAL.get(table.name, ())
    return tuple(column for column in table.columns if column not in hidden) if hidden else ()


def views_of(role: Role) -> list[str]:
    """The views of the migrations that a role can ask: all that is below them is readable for it."""
    readable = {table.name for table in tables_of(role)}
    tables = stored_tables().keys()
    return [
        view
        for view, below in read_by_views().items()
        if view not in UNSORTED
        and (below & tables) <= readable
        and (role.kind != "alerting" or view in ALERTS)
        and (role.sees_personal_fields or not needs_personal_fields(view))
    ]


def own_views_of(role: Role) -> list[str]:
    """The views beside the migrations that a role needs."""
    if role.kind == "analyst":
        return list(_MASKS)
    return [*_MASKS, ACCOUNTS_VIEW] if role.kind == "collector" else []


def rows_of(role: Role, database: str, name: str) -> str:
    """The condition on the rows of a table or of a view of ours; empty where the role sees all of them."""
    table = stored_tables().get(_MASKS.get(name, name))
    is_of_all = role.all_companies or (table is not None and not table.by_company)
    parts = [] if is_of_all else [_within("company", role.companies)]
    if role.kind == "collector":
        mine = _mine(role)
        if name == ACCOUNTS_VIEW:
            parts.append(mine)
        elif table is not None and table.by_account:
            accounts = f"SELECT company, account_id FROM {database}.{ACCOUNTS_VIEW} WHERE {mine}"
            parts.append(f"(company, account_id) IN ({accounts})")
    return " AND ".join(parts)


def _mine(role: Role) -> str:
    either = []
    if role.collectors:
        either.append(_within("collector_id", role.collectors))
    if role.regions:
        either.append(f"hasAny(regions, [{', '.join(literal(region) for region in role.regions)}])")
    return f"({' OR '.join(either)})"


def _within(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(literal(value) for value in values)})"


def own_views(database: str, definer: str) -> dict[str, tuple[str, str]]:
    """The text and the meaning of our own views. They read with the rights of `definer`, so policies lie on them."""
    events = stored_tables()["events"].columns
    receipts = [column.name for column in _views()["receipts"].columns if column.name != "payer_reference"]
    security = f"DEFINER = {definer} SQL SECURITY DEFINER"
    shown = ", ".join(column for column in events if column not in {"payload", "details"})
    return {
        ACCOUNTS_VIEW: (
            f"""{security} AS
SELECT company, account_id, argMax(collector_id, (effective_date, recorded_at, _offset)) AS collector_id,
    groupUniqArrayArray(regions) AS regions
FROM
(
    SELECT company, account_id, collector_id, effective_date, recorded_at, _offset, [] AS regions
    FROM {database}.accounts_log
    UNION ALL
    SELECT company, account_id, NULL, toDate32('1900-01-01'), toDateTime64(0, 6, 'UTC'), 0, [toString(region)]
    FROM {database}.items_versions
    WHERE region != ''
    GROUP BY company, account_id, region
)
GROUP BY company, account_id""",
            "Who is in charge of an account now, and of which regions its documents are; row policies look here.",
        ),
        EVENTS_MASKED: (
            f"{security} AS\nSELECT {shown},\n    details AS payload\nFROM {database}.events",
            "The raw log events without texts about persons.",
        ),
        RECEIPTS_MASKED: (
            f"{security} AS\nSELECT {', '.join(receipts)}\nFROM {database}.receipts",
            "The view receipts without texts of payers.",
        ),
    }
