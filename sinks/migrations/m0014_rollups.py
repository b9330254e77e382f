"""Migration 14: rollups of days, and what was reported at a close, which is kept for ever.

Rollups are written by `arrears rollup`, one day of one company after the other, out of the as-of views. A day that is
written again replaces itself, so neither a repeated run nor a replay of the log can double it.
"""

from sinks.migrations.ddl import Column, Migration, Table, View
from sinks.migrations.m0010_key_figures import _KEY_FIGURES
from sinks.migrations.money import DECIMAL
from sinks.migrations.text import columns

_ACCOUNT = """
company     : LowCardinality(String) | Code of the legal entity.
account_id  : String                 | Customer account.
currency    : LowCardinality(String) | ISO 4217 code; currencies are never added up.
"""
_BALANCES = f"""
not_due     : {DECIMAL} | Open and not past due.
buckets     : Array(Tuple(name String, amount {DECIMAL})) | Past due, by the company's own buckets, youngest first.
overdue     : {DECIMAL} | Sum of all buckets past due.
unapplied   : {DECIMAL} | Money received and not applied; positive.
on_account  : {DECIMAL} | Money deliberately parked; positive.
credits     : {DECIMAL} | Open credit memos; positive.
disputed    : {DECIMAL} | Part of not_due and overdue that was contested.
total       : {DECIMAL} | Balance of the account.
"""
AGING_COLUMNS = tuple(column.name for column in columns(_ACCOUNT + _BALANCES))
_FIGURES = tuple(column for column in _KEY_FIGURES.columns if column.name not in {"company", "currency"})
FIGURE_COLUMNS = ("company", "currency", *(column.name for column in _FIGURES))
_COMPUTED = "computed_at : DateTime64(6, 'UTC') | When the day was written last; the latest counts.\n"
_DAY = "as_of       : Date32 | The company's local date that the row is of.\n"
_KNOWN = "known_as_of : DateTime64(6, 'UTC') | Postings up to this instant are in it.\n"
_PERIOD = """
from_date   : Date32                 | First day of the window.
to_date     : Date32                 | Last day of the window.
"""
_FIGURE_KEY = """
company     : LowCardinality(String) | Code of the legal entity.
currency    : LowCardinality(String) | ISO 4217 code; currencies are never added up.
"""


def _view(table: Table, name: str, comment: str, day: str = "as_of") -> View:
    """What was written last for each day of a company: an account that had a row before may have none by now."""
    shown = [column for column in table.columns if column.name != "computed_at"]
    names = ", ".join(f"`{column.name}`" for column in shown)
    plain = [Column(column.name, column.type, column.comment) for column in shown]
    return View(
        name,
        comment,
        plain,
        f"""
SELECT {names}
FROM {table.name} FINAL
WHERE (company, {day}, computed_at) IN (
    SELECT company, {day}, max(computed_at) FROM {table.name} GROUP BY company, {day}
)
""",
    )


_AGING_DAYS = Table(
    name="aging_daily_versions",
    comment="Aging of every account at the end of a local day, once for each time the day was written. Analysts read "
    "aging_daily.",
    columns=columns(_DAY + _KNOWN + _ACCOUNT + _BALANCES + _COMPUTED),
    order_by="(company, as_of, account_id, currency)",
    kind="ReplacingMergeTree",
    version="computed_at",
    partition_by="toYear(as_of)",
)

_FIGURE_DAYS = Table(
    name="key_figures_daily_versions",
    comment="Key figures of a window that ends with a local day, once for each time the day was written. Analysts read "
    "key_figures_daily.",
    columns=(*columns(_PERIOD + _FIGURE_KEY), *_FIGURES, *columns(_COMPUTED)),
    order_by="(company, currency, to_date, from_date)",
    kind="ReplacingMergeTree",
    version="computed_at",
    partition_by="toYear(to_date)",
)

_ACTIVITY = Table(
    name="activity_hourly_versions",
    comment="Events by hour, person and kind, once for each time the day was written. Analysts read activity_hourly.",
    columns=columns(
        """
company     : LowCardinality(String) | Code of the legal entity.
local_date  : Date32                 | The company's local date.
hour        : DateTime('UTC')        | Hour, UTC.
actor_id    : String                 | Who did it; empty when not known.
actor_role  : LowCardinality(String) | Role in which it was done.
event_type  : LowCardinality(String) | What happened.
source      : LowCardinality(String) | Where it came from.
events      : UInt64                 | Events, each counted once however often it was sent.
"""
        + _COMPUTED
    ),
    order_by="(company, local_date, hour, actor_id, event_type, source, actor_role)",
    kind="ReplacingMergeTree",
    version="computed_at",
    partition_by="toYear(local_date)",
)

_CLOSES = Table(
    name="closes_versions",
    comment="Periods that were closed: what was known then is what was reported. Analysts read closes.",
    columns=columns(
        """
company     : LowCardinality(String) | Code of the legal entity.
"""
        + _PERIOD
        + _KNOWN
        + """
closed_by   : String                 | Who closed it.
accounts    : UInt64                 | Rows of aging_as_reported that belong to it.
closed_at   : DateTime64(6, 'UTC')   | When it was closed.
"""
    ),
    order_by="(company, to_date)",
    kind="ReplacingMergeTree",
    version="closed_at",
)

_AGING_REPORTED = Table(
    name="aging_as_reported_versions",
    comment="Aging as it was reported at a close; never deleted. Analysts read aging_as_reported.",
    columns=columns(_DAY + _KNOWN + _ACCOUNT + _BALANCES + _COMPUTED),
    order_by="(company, as_of, account_id, currency)",
    kind="ReplacingMergeTree",
    version="computed_at",
)

_FIGURES_REPORTED = Table(
    name="key_figures_as_reported_versions",
    comment="Key figures as they were reported at a close; never deleted. Analysts read key_figures_as_reported.",
    columns=(*columns(_PERIOD + _KNOWN + _FIGURE_KEY), *_FIGURES, *columns(_COMPUTED)),
    order_by="(company, currency, to_date, from_date)",
    kind="ReplacingMergeTree",
    version="computed_at",
)

_RESTATED = View(
    name="restatements",
    comment="What was reported at a close and is known otherwise today: postings that came late, by account.",
    columns=columns(f"""
company     : LowCardinality(String) | Code of the legal entity.
as_of       : Date32                 | Last day of the closed period.
account_id  : String                 | Customer account.
currency    : LowCardinality(String) | ISO 4217 code.
reported    : {DECIMAL} | Balance as reported.
late        : {DECIMAL} | Postings for days of the period that came after the close.
restated    : {DECIMAL} | Balance as known now.
entries     : UInt64                 | Number of these postings.
"""),
    select="""
SELECT company, as_of, account_id, currency,
    sum(was) AS reported, sum(change) AS late, sum(was) + sum(change) AS restated, sum(counted) AS entries
FROM
(
    SELECT company, as_of, account_id, currency, total AS was, toDecimal128(0, 4) AS change, 0 AS counted
    FROM aging_as_reported_versions FINAL
    UNION ALL
    SELECT entry.company, closed.to_date, entry.account_id, entry.currency, toDecimal128(0, 4), entry.delta, 1
    FROM ledger_entries AS entry
    INNER JOIN (SELECT * FROM closes_versions FINAL) AS closed ON closed.company = entry.company
    WHERE entry.effective_date <= closed.to_date AND entry.recorded_at > closed.known_as_of
)
GROUP BY company, as_of, account_id, currency
HAVING entries > 0
""",
)

MIGRATION = Migration(
    14,
    "rollups",
    (
        _AGING_DAYS,
        _FIGURE_DAYS,
        _ACTIVITY,
        _CLOSES,
        _AGING_REPORTED,
        _FIGURES_REPORTED,
        _view(
            _AGING_DAYS, "aging_daily", "Aging of every account at the end of each local day, as known when written."
        ),
        _view(_FIGURE_DAYS, "key_figures_daily", "Key figures of the 90 days that end with each local day.", "to_date"),
        _view(_ACTIVITY, "activity_hourly", "Events by hour, person and kind, each event once.", "local_date"),
        View(
            name="closes",
            comment="Periods that were closed.",
            columns=[Column(column.name, column.type, column.comment) for column in _CLOSES.columns],
            select="SELECT * FROM closes_versions FINAL",
        ),
        _view(_AGING_REPORTED, "aging_as_reported", "Aging as it was reported at each close."),
        _view(
            _FIGURES_REPORTED, "key_figures_as_reported", "Key figures as they were reported at each close.", "to_date"
        ),
        _RESTATED,
    ),
)
