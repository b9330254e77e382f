"""Migration 19: a risk score of every account, which is the sum of its parts and says which."""

from sinks.migrations.ddl import Migration, View
from sinks.migrations.text import columns

_DATES = "(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')})"

# Each part has a most, so that none drowns the others; together they make 100 at most. Points are decimals, so that halves
# are rounded up.
_PARTS = {
    "pays_late": ("ifNull(behaviour.days_late_mean, 0)", 30, "a point a day late on average"),
    "overdue_share": (
        "if(aging.owed > 0, toDecimal256(aging.overdue * 25, 20) / aging.owed, toDecimal256(0, 20))",
        25,
        "25 when all is overdue",
    ),
    "oldest_overdue": ("toDecimal64(aging.oldest, 6) / 6", 15, "a point for 6 days, 15 at most"),
    "broken_promises": ("10 * promises.broken", 20, "10 for each of the last 365 days, 20 at most"),
    "getting_later": ("ifNull(behaviour.trend, 0)", 10, "a point for each day later than before"),
}
_LISTED = ",\n        ".join(
    f"('{name}', toInt32(least({most}, greatest(0, round({points})))))" for name, (points, most, _) in _PARTS.items()
)
_MEANT = "; ".join(f"{name} = {meaning}" for name, (_, _, meaning) in _PARTS.items())

_RISK = View(
    name="risk_score",
    comment="How likely an account is to give trouble, from 0 to 100, and why: the sum of points for how it pays, what is overdue "
    "and promises it broke. Parameters: as_of and known_as_of.",
    columns=columns(f"""
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account.
currency   : LowCardinality(String) | ISO 4217 code.
score      : Int32                  | Sum of the points of all parts.
parts      : Array(String)          | Rules that gave points as rule=points, most first: {_MEANT}.
"""),
    select=f"""
SELECT company, account_id, currency,
    toInt32(arraySum(part -> part.2, all_parts)) AS score,
    arrayMap(
        part -> concat(part.1, '=', toString(part.2)),
        arraySort(part -> (-part.2, part.1), arrayFilter(part -> part.2 > 0, all_parts))
    ) AS parts
FROM
(
    SELECT aging.company AS company, aging.account_id AS account_id, aging.currency AS currency,
    [
        {_LISTED}
    ] AS all_parts
    FROM
    (
        SELECT company, account_id, currency, sum(open) AS owed, sumIf(open, days_past_due > 0) AS overdue,
            max(days_past_due) AS oldest
        FROM open_items_as_of{_DATES}
        WHERE balance_class = 'invoice'
        GROUP BY company, account_id, currency
    ) AS aging
    LEFT JOIN payment_behaviour{_DATES} AS behaviour USING (company, account_id, currency)
    LEFT JOIN
    (
        SELECT company, account_id, currency, countIf(state = 'broken') AS broken
        FROM
        (
            SELECT company, account_id, currency, promise_id,
                argMax((toString(status), deadline), _offset) AS last, last.1 AS state
            FROM promises_log
            WHERE recorded_at <= {{known_as_of:DateTime64(6, 'UTC')}}
            GROUP BY company, account_id, currency, promise_id
        )
        WHERE last.2 > addDays({{as_of:Date32}}, -365) AND last.2 <= {{as_of:Date32}}
        GROUP BY company, account_id, currency
    ) AS promises USING (company, account_id, currency)
)
""",
)

MIGRATION = Migration(19, "risk", (_RISK,))
