"""Migration 20: aging by company, region, collector, group and account, with credits in each of the three modes.

SEMANTICS 2.5, 2.6, 2.10. Credits are set against debts within one account and currency (and region, where regions are
told apart), never across: a form is the sum of the reports of its accounts. `aging_as_of` is the mode `separate`.
"""

from sinks.migrations.balances import opening_used
from sinks.migrations.ddl import Column, Migration, View
from sinks.migrations.m0008_as_of import (
    _WIDE,
    BUCKET_FLOORS,
    BUCKET_NAMES,
    BUCKETS,
    DISPUTED_DOCUMENTS,
    OPEN_LINES,
    bucket_number,
)
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_AS_OF, _KNOWN = "{as_of:Date32}", "{known_as_of:DateTime64(6, 'UTC')}"
_VALID = f"effective_date <= {_AS_OF} AND recorded_at <= {_KNOWN}"
_PARAMETERS = (
    "Parameters: as_of (a date), known_as_of (an instant, UTC) and credit_mode (separate, own_date or oldest_first; empty = "
    "each company's own setting)."
)

# A condition of its own in a subquery, so that it is looked at whether or not there are rows.
_KNOWN_MODE = """(SELECT throwIf(
    {credit_mode:String} NOT IN ('', 'separate', 'own_date', 'oldest_first'),
    'credit_mode is separate, own_date or oldest_first, or empty for the setting of the company'
)) = 0"""
_MODES = "(SELECT mapFromArrays(groupArray(company), groupArray(credit_mode)) FROM companies) AS modes_of"
_MODE = (
    "multiIf({credit_mode:String} != '', {credit_mode:String}, modes_of[company] = '', 'separate', modes_of[company])"
)
# Numbers of buckets, 0 = not due: by the company's own limits, and by the default ones.
_OWN_PLACE = bucket_number("days")
_OWN_PLACES = f"length({BUCKET_FLOORS}) + 1"
_DEFAULT_PLACE = "multiIf(days <= 0, 0, days > 120, 5, 1 + intDiv(days - 1, 30))"
_DEFAULT_PLACES = "6"


def _reports(place: str, places: str, region: str = "") -> str:
    """One report per account and currency, in the mode asked for; `amounts` are those of the buckets, not_due first.

    `oldest_first` in arrays: from the oldest bucket on, `reducible` is how much could be taken from this bucket and the
    older ones, `reduced` how much is; what a bucket loses is the step between two of them.
    """
    return f"""
    SELECT company, account_id,{region} currency, mode, disputed, total,
        arrayMap(number -> by_place[toUInt8(number)], range({places})) AS plain,
        arrayCumSum(arrayReverse(arrayMap(amount -> greatest(amount, toDecimal128(0, 4)), plain))) AS reducible,
        arrayMap(amount -> least(amount, greatest(own_unapplied + own_on_account + own_credits, 0)), reducible) AS reduced,
        mode = 'oldest_first' AS is_netted,
        if(
            is_netted,
            arrayMap(
                (amount, sum, before) -> amount - (sum - before),
                plain, arrayReverse(reduced), arrayPushBack(arrayPopFront(arrayReverse(reduced)), toDecimal128(0, 4))
            ),
            plain
        ) AS amounts,
        if(is_netted, toDecimal128(0, 4), own_unapplied) AS unapplied,
        if(is_netted, toDecimal128(0, 4), own_on_account) AS on_account,
        if(is_netted, own_unapplied + own_on_account + own_credits - reduced[-1], own_credits) AS credits
    FROM
    (
        WITH {BUCKETS},{opening_used()},
            {_MODES}
        SELECT company, account_id,{region} currency, {_MODE} AS mode,
            sumMapIf(map(toUInt8({place}), amount), class = 'invoice' OR is_credit AND mode = 'own_date') AS by_place,
            -sumIf(amount, class = 'unapplied' AND mode != 'own_date') AS own_unapplied,
            -sumIf(amount, class = 'on_account' AND mode != 'own_date') AS own_on_account,
            -sumIf(amount, class = 'credit' AND mode != 'own_date') AS own_credits,
            sumIf(amount, class = 'disputed') AS disputed,
            sumIf(amount, class != 'disputed') AS total
        FROM
        (
            SELECT company, account_id, currency, region, toString(balance_class) AS class,
                class IN ('unapplied', 'on_account', 'credit') AS is_credit,
                toInt32({_AS_OF}) - toInt32(due_date) AS days, {decimal("minor")} AS amount
            FROM
            ({OPEN_LINES}
            )
            UNION ALL
            SELECT company, account_id, currency, region, 'disputed', false, 0, {decimal("disputed_minor")}
            FROM
            ({DISPUTED_DOCUMENTS}
            )
        )
        GROUP BY company, account_id,{region} currency
    )"""


def _added_up(keys: str, source: str) -> str:
    """The sum of reports by company, `keys` and currency."""
    return f"""
    SELECT company,{keys} currency, any(mode) AS mode, uniqExact(account_id) AS accounts,
        sumForEach(amounts) AS amounts,
        sum(unapplied) AS unapplied, sum(on_account) AS on_account, sum(credits) AS credits,
        sum(disputed) AS disputed, sum(total) AS total
    FROM
    ({source}
    )
    GROUP BY company,{keys} currency"""


_OWN_BUCKETS = f"""    CAST(arrayZip({BUCKET_NAMES}, arrayPopFront(amounts)) AS Array(Tuple(name String, amount {DECIMAL}))) AS buckets"""
_DEFAULT_BUCKETS = ",\n".join(f"    amounts[{number}] AS {column}" for number, column in enumerate(_WIDE, start=2))


def _form(keys: str, source: str, buckets: str = _OWN_BUCKETS) -> str:
    """What is shown of reports: `total` was added up without a look at classes, so the gap compares two sums."""
    return f"""
WITH {BUCKETS}
SELECT company,{keys} currency, mode AS credit_mode,
    amounts[1] AS not_due,
{buckets},
    arraySum(arrayPopFront(amounts)) AS overdue,
    unapplied, on_account, credits, disputed, total,
    not_due + overdue - unapplied - on_account - credits - total AS reconciliation_gap
FROM
({source}
)
WHERE {_KNOWN_MODE}
"""


def _columns(keys: str, buckets: str = "") -> tuple[Column, ...]:
    own = f"buckets | Array(Tuple(name String, amount {DECIMAL})) | Past due, by the company's own buckets, youngest first."
    lines = [line.split(" | ") for line in (buckets or own).splitlines()]
    return (
        Column("company", "LowCardinality(String)", "Code of the legal entity."),
        *columns(keys),
        Column("currency", "LowCardinality(String)", "ISO 4217 code; currencies are never added up."),
        Column("credit_mode", "String", "How credits stand here: separate, own_date or oldest_first."),
        Column("not_due", DECIMAL, "Open and not past due; what falls due that day is not due."),
        *(Column(name, type_, comment) for name, type_, comment in lines),
        Column("overdue", DECIMAL, "Sum of all buckets past due."),
        Column(
            "unapplied", DECIMAL, "Money received and not applied; positive. 0 where the mode puts it into buckets."
        ),
        Column("on_account", DECIMAL, "Money deliberately parked; positive. 0 where the mode puts it into buckets."),
        Column("credits", DECIMAL, "Open credit memos; positive. In oldest_first all credit that exceeds the debts."),
        Column("disputed", DECIMAL, "Part of what is owed that was contested, whatever the mode."),
        Column("total", DECIMAL, "Sum of all postings: the balance; the same in every mode."),
        Column("reconciliation_gap", DECIMAL, "not_due + overdue - unapplied - on_account - credits - total: 0."),
    )


_BY_ACCOUNT = View(
    name="aging_by_account",
    comment="Aging of every account and currency, with credits as a company wants them. " + _PARAMETERS,
    columns=_columns("account_id : String | Customer account."),
    select=_form(" account_id,", _reports(_OWN_PLACE, _OWN_PLACES)),
)

_BY_ACCOUNT_WIDE = View(
    name="aging_by_account_wide",
    comment="The same with one column per bucket, 30 days each, for every company whatever its own buckets. "
    + _PARAMETERS,
    columns=_columns(
        "account_id : String | Customer account.",
        "\n".join(f"{name} | {DECIMAL} | {name.replace('_', ' ').capitalize()} past due." for name in _WIDE),
    ),
    select=_form(" account_id,", _reports(_DEFAULT_PLACE, _DEFAULT_PLACES), _DEFAULT_BUCKETS),
)

_ACCOUNTS = "accounts : UInt64 | Accounts with anything open in it."

_BY_COMPANY = View(
    name="aging_by_company",
    comment="Aging of every company and currency: the sum over its accounts. " + _PARAMETERS,
    columns=_columns(_ACCOUNTS),
    select=_form(" accounts,", _added_up("", _reports(_OWN_PLACE, _OWN_PLACES))),
)

_BY_REGION = View(
    name="aging_by_region",
    comment="Aging of every region of a company and currency, by the regions of documents and receipts. A credit is set "
    "against debts of its account in its own region only. " + _PARAMETERS,
    columns=_columns(
        f"region : LowCardinality(String) | Region code; empty = the document or receipt has none.\n{_ACCOUNTS}"
    ),
    select=_form(" region, accounts,", _added_up(" region,", _reports(_OWN_PLACE, _OWN_PLACES, " region,"))),
)

_COLLECTORS = f"""
    SELECT company, account_id, nullIf(argMax(tuple(collector_id), (effective_date, recorded_at, _offset)).1, '') AS collector_id
    FROM accounts_log
    WHERE {_VALID}
    GROUP BY company, account_id"""

_BY_COLLECTOR = View(
    name="aging_by_collector",
    comment="Aging of every collector's accounts, by company and currency: who was in charge on as_of, as it was known. "
    + _PARAMETERS,
    columns=_columns(
        f"collector_id : Nullable(String) | Collector in charge of the accounts; NULL = nobody.\n{_ACCOUNTS}"
    ),
    select=_form(
        " collector_id, accounts,",
        _added_up(
            " collector_id,",
            f"""
    SELECT reports.*, charge.collector_id AS collector_id
    FROM ({_reports(_OWN_PLACE, _OWN_PLACES)}
    ) AS reports
    LEFT JOIN ({_COLLECTORS}
    ) AS charge ON charge.company = reports.company AND charge.account_id = reports.account_id""",
        ),
    ),
)

# Every account that has a parent, with all that are above it and itself. A ring of parents ends where it began; its
# account with the smallest id stands for it, so that the top groups still add up to the company.
_ABOVE = f"""
    WITH RECURSIVE
        parents AS
        (
            SELECT company, account_id AS child, argMax(tuple(parent_account_id), (effective_date, recorded_at, _offset)).1 AS last,
                assumeNotNull(last) AS parent
            FROM accounts_log
            WHERE {_VALID}
            GROUP BY company, child
            HAVING ifNull(last, '') != ''
        ),
        paths AS
        (
            SELECT company, child AS member, child AS head, [child] AS path FROM parents
            UNION ALL
            SELECT paths.company, paths.member, parents.parent, arrayPushBack(paths.path, parents.parent)
            FROM paths
            INNER JOIN parents ON parents.company = paths.company AND parents.child = paths.head
            WHERE NOT has(paths.path, parents.parent)
        )
    SELECT paths.company AS company, paths.member AS member, groupUniqArray(paths.head) AS heads,
        anyIf(parents.parent, paths.head = paths.member) AS belongs_to,
        countIf(parents.parent = paths.member) > 0 AND min(paths.head) = paths.member AS stands_for_ring
    FROM paths
    LEFT JOIN parents ON parents.company = paths.company AND parents.child = paths.head
    GROUP BY company, member"""

_IN_GROUPS = f"""
    SELECT reports.*, arrayJoin(if(empty(above.heads), [reports.account_id], above.heads)) AS head
    FROM ({_reports(_OWN_PLACE, _OWN_PLACES)}
    ) AS reports
    LEFT JOIN ({_ABOVE}
    ) AS above ON above.company = reports.company AND above.member = reports.account_id"""
_GROUPS = f"""
    SELECT groups.* EXCEPT head, groups.head AS account_id, nullIf(above.belongs_to, '') AS belongs_to,
        above.belongs_to = '' OR above.stands_for_ring AS is_top
    FROM ({_added_up(" head,", _IN_GROUPS)}
    ) AS groups
    LEFT JOIN ({_ABOVE}
    ) AS above ON above.company = groups.company AND above.member = groups.head"""

_BY_GROUP = View(
    name="aging_by_group",
    comment="Aging of every account with all accounts below it, by the structure of as_of as it was known. What lies on a "
    "parent itself is its own and counts once. Groups contain each other: add up those with is_top only. "
    + _PARAMETERS,
    columns=_columns(f"""
account_id : String           | Account at the head of the group; one without others below it is a group of its own.
belongs_to : Nullable(String) | Parent of the head; NULL = none.
is_top     : Bool             | Whether nothing is above it; these add up to the company.
{_ACCOUNTS}
"""),
    select=_form(" account_id, belongs_to, is_top, accounts,", _GROUPS),
)

MIGRATION = Migration(
    20, "forms of aging", (_BY_ACCOUNT, _BY_ACCOUNT_WIDE, _BY_COMPANY, _BY_REGION, _BY_COLLECTOR, _BY_GROUP)
)
