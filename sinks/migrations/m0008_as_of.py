"""Migration 8: the questions about any two dates, as parameterized views (SEMANTICS 1.2, 1.4, 2.1, 2.5, 2.7).

`as_of` is the date a balance is asked for, `known_as_of` the instant up to which postings were known. No view asks for
today: the same question has the same answer tomorrow.
"""

from sinks.migrations.balances import LINE, known_to, lines, opening_used
from sinks.migrations.ddl import Migration, Table, View
from sinks.migrations.m0002_events import DEFAULT_FLOORS, DEFAULT_NAMES
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_SAME_DATES = "(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')})"
_DAYS_PAST_DUE = "(toInt32({as_of:Date32}) - toInt32(due_date))"

# The buckets of all companies in one look instead of a join: a join would keep a filter on the account from reaching the
# table. First those of a company without settings; the table is looked at, since the view `companies` reads much more of the
# settings, and takes longer to plan than to run.
BUCKETS = f"""(
        SELECT (groupArray(name), arrayPushFront(groupArray(own.1), {DEFAULT_FLOORS}), arrayPushFront(groupArray(own.2), {DEFAULT_NAMES}))
        FROM
        (
            SELECT toString(company) AS name, argMax((bucket_floors, bucket_names), recorded_at) AS own
            FROM companies_versions
            GROUP BY name
        )
    ) AS own_buckets"""
BUCKET_FLOORS = "own_buckets.2[1 + indexOf(own_buckets.1, company)]"
BUCKET_NAMES = "own_buckets.3[1 + indexOf(own_buckets.1, company)]"


def bucket_number(days: str) -> str:
    """An expression: 0 = not due, else the number of the bucket that so many days past due are in."""
    return f"arrayCount(floor -> floor < {days}, {BUCKET_FLOORS})"


_PARAMETERS = "Parameters: as_of (a date) and known_as_of (an instant, UTC)."

_OPENINGS = Table(
    name="openings",
    comment="Sums of old postings from which as-of answers start, so that they need not be made each time. Written by "
    "arrears rollup; one that does not fit the ledger any more is not used.",
    columns=columns("""
opening_id      : String               | The opening.
effective_month : UInt16               | Postings of effective months before this one are in it: months from year 0.
recorded_month  : UInt16               | Postings recorded before this month are in it: months from year 0, UTC.
written_at      : DateTime64(6, 'UTC') | When it was written.
"""),
    order_by="(effective_month, recorded_month, opening_id)",
)
_OPENING_ITEMS = Table(
    name="opening_items",
    comment="Lines that were not zero in an opening. Analysts read the as-of views, which start from them.",
    columns=columns("""
opening_id    : String                 | The opening.
company       : LowCardinality(String) | Code of the legal entity.
account_id    : String                 | Customer account.
currency      : LowCardinality(String) | ISO 4217 code.
item_type     : LowCardinality(String) | invoice, debit_memo, credit_memo or payment.
item_id       : String                 | Number of the document, or id of the receipt.
instalment    : Int32                  | Number of the instalment; 0 = the whole document.
balance_class : LowCardinality(String) | invoice = owed; unapplied, on_account and credit reduce the balance.
region        : LowCardinality(String) | Region of the document or receipt; the same in all its postings.
due_date      : Date32                 | Due date; of cash and credits their own date.
minor         : Int64                  | Sum of the postings. In minor units.
entries       : UInt64                 | Of a line 0. A row for each account, currency and class, which is no line,
                                       | says from how many postings the opening was made,
items         : UInt64                 | and how many lines they came to; of a line 0.
"""),
    order_by="(opening_id, company, account_id, currency, item_type, item_id)",
    partition_by="opening_id",
)

# Every line that was open, in minor units. The view needs `opening_used` with the same dates.
OPEN_LINES = f"""
    SELECT {LINE}, max(line_region) AS region, sum(delta_minor) AS minor
    FROM
    ({lines(f"{LINE}, region AS line_region")}
    )
    GROUP BY {LINE}
    HAVING minor != 0"""

_OPEN_ITEMS = View(
    name="open_items_as_of",
    comment="Every line that was open: one per document, instalment, class and due date. " + _PARAMETERS,
    columns=columns(f"""
company       : LowCardinality(String) | Code of the legal entity.
account_id    : String                 | Customer account.
currency      : LowCardinality(String) | ISO 4217 code.
item_type     : LowCardinality(String) | invoice, debit_memo, credit_memo or payment.
item_id       : String                 | Number of the document, or id of the receipt.
instalment    : Int32                  | Number of the instalment; 0 = the whole document.
balance_class : LowCardinality(String) | invoice = owed; unapplied, on_account and credit reduce the balance.
region        : LowCardinality(String) | Region of the document or receipt; empty when it has none.
due_date      : Date32                 | Due date that was valid then; of cash and credits their own date.
days_past_due : Int32                  | Calendar days from the due date to as_of; 0 or less is not due.
bucket        : String                 | Aging bucket by the company's own limits; empty for cash and credits.
open          : {DECIMAL}         | What was open; negative for cash and credits.
"""),
    select=f"""
WITH
    {BUCKETS},{opening_used()}
SELECT company, account_id, currency, item_type, item_id, instalment, balance_class, region, due_date,
    {_DAYS_PAST_DUE} AS days_past_due,
    multiIf(
        balance_class != 'invoice', '', days_past_due <= 0, 'not_due', {BUCKET_NAMES}[{bucket_number("days_past_due")}]
    ) AS bucket,
    {decimal("minor")} AS open
FROM
({OPEN_LINES}
)
""",
)

_IS_DISPUTED = """balance_class = 'invoice' AND (company, account_id, currency, item_type, item_id) IN (
            SELECT company, account_id, currency, document_type, document_id FROM dispute_entries_log
        )"""

# Per document: what is contested, by its dated changes, and never more than what is open (SEMANTICS 2.7). Only lines of
# documents that were ever disputed are read from the ledger, by its sorting key. The view needs `opening_used`.
DISPUTED_DOCUMENTS = f"""
    SELECT company, account_id, currency, document_type, document_id,
        max(document_region) AS region,
        sum(ledger_minor) AS open_minor,
        greatest(0, least(sum(dispute_minor), open_minor)) AS disputed_minor
    FROM
    (
        SELECT company, account_id, currency, document_type, document_id, '' AS document_region,
            delta_minor AS dispute_minor, 0 AS ledger_minor
        FROM dispute_entries_log
        WHERE {known_to()}
        UNION ALL
        SELECT company, account_id, currency, item_type, item_id, toString(region), 0, delta_minor
        FROM
        ({lines("company, account_id, currency, item_type, item_id, region", where=_IS_DISPUTED)}
        )
    )
    GROUP BY company, account_id, currency, document_type, document_id
    HAVING disputed_minor != 0"""

_DISPUTED = View(
    name="disputed_as_of",
    comment="Every document with a contested amount: the sum of its disputes, at most what was open. " + _PARAMETERS,
    columns=columns(f"""
company       : LowCardinality(String) | Code of the legal entity.
account_id    : String                 | Customer account.
currency      : LowCardinality(String) | ISO 4217 code.
document_type : LowCardinality(String) | invoice or debit_memo.
document_id   : String                 | Number of the document.
region        : LowCardinality(String) | Region of the document; empty when it has none.
open          : {DECIMAL}         | What was open of it.
disputed      : {DECIMAL}         | What of that was contested.
collectible   : {DECIMAL}         | The rest: open - disputed.
"""),
    select=f"""
WITH{opening_used()}
SELECT company, account_id, currency, document_type, document_id, region,
    {decimal("open_minor")} AS open,
    {decimal("disputed_minor")} AS disputed,
    {decimal("open_minor - disputed_minor")} AS collectible
FROM
({DISPUTED_DOCUMENTS}
)
""",
)


# Every dispute names its document, so only lines of these need to be told apart.
_DOCUMENT = "if(item_id IN (SELECT document_id FROM dispute_entries_log), concat(item_type, ' ', item_id), '')"
# What an amount counts as, in one number: that of its bucket, or one of these. An unknown class is in the total only.
_UNAPPLIED, _ON_ACCOUNT, _CREDIT, _DISPUTED_PART, _UNKNOWN = range(1001, 1006)
_CLASSES = (
    f"['unapplied', 'on_account', 'credit', 'disputed'], [{_UNAPPLIED}, {_ON_ACCOUNT}, {_CREDIT}, {_DISPUTED_PART}]"
)


def _aging(place: str, sums: str) -> str:
    """The frame of both aging views: an account's ledger lines and disputed amounts side by side, added up.

    `place` numbers the bucket of a ledger line, 0 = not due; `sums` are the columns made of the amounts by number, with
    `overdue` among them. `total` is added up without a look at buckets or kinds of credit, so the gap compares two sums that
    are made independently. What is contested of a document is never more than what is open of it (SEMANTICS 2.7).

    Every expression is analysed several times before a row is read, so there are few of them: amounts become decimals once,
    and are added up by number once (docs/adr/0067).
    """
    return f"""
WITH
    {BUCKETS},{opening_used()},
    sumMap(map(number, amount)) AS amounts,
    sumMapIf(map(document, amount), document != '' AND number < {_UNAPPLIED}) AS open_of,
    sumMapIf(map(document, amount), number = {_DISPUTED_PART}) AS contested_of
SELECT company, account_id, currency,
    amounts[0] AS not_due,
{sums},
    -amounts[{_UNAPPLIED}] AS unapplied,
    -amounts[{_ON_ACCOUNT}] AS on_account,
    -amounts[{_CREDIT}] AS credits,
    arraySum(name -> greatest(0, least(contested_of[name], open_of[name])), mapKeys(contested_of)) AS disputed,
    sumIf(amount, number != {_DISPUTED_PART}) AS total,
    not_due + overdue - unapplied - on_account - credits - total AS reconciliation_gap
FROM
(
    SELECT company, account_id, currency, {_DOCUMENT} AS document,
        if(balance_class = 'invoice', {place}, transform(balance_class, {_CLASSES}, {_UNKNOWN})) AS number,
        {decimal("sum(delta_minor)")} AS amount
    FROM
    ({lines("company, account_id, currency, balance_class, due_date, item_type, item_id")}
    UNION ALL
    SELECT company, account_id, currency, toLowCardinality('disputed'), effective_date, document_type, document_id,
        delta_minor
    FROM dispute_entries_log
    WHERE {known_to()}
    )
    GROUP BY company, account_id, currency, number, document
    HAVING amount != 0
)
GROUP BY company, account_id, currency
HAVING countIf(number != {_DISPUTED_PART}) > 0
"""


_ACCOUNT = """
company            : LowCardinality(String) | Code of the legal entity.
account_id         : String                 | Customer account.
currency           : LowCardinality(String) | ISO 4217 code; currencies are never added up."""
_CREDITS = f"""
overdue            : {DECIMAL}         | Sum of all buckets past due.
unapplied          : {DECIMAL}         | Money received and not applied; positive.
on_account         : {DECIMAL}         | Money deliberately parked; positive.
credits            : {DECIMAL}         | Open credit memos; positive.
disputed           : {DECIMAL}         | Part of not_due and overdue that was contested.
total              : {DECIMAL}         | Sum of all postings: the balance of the account.
reconciliation_gap : {DECIMAL}         | not_due + overdue - unapplied - on_account - credits - total: 0."""
_NOT_DUE = f"""
not_due            : {DECIMAL}         | Open and not past due; what falls due that day is not due."""

_BUCKET_SUMS = f"""    CAST(
        arrayZip({BUCKET_NAMES} AS names, arrayMap(place -> amounts[place], arrayEnumerate(names)) AS past_due),
        'Array(Tuple(name String, amount {DECIMAL}))'
    ) AS buckets,
    arraySum(past_due) AS overdue"""

_AGING = View(
    name="aging_as_of",
    comment="Aging of every account and currency by the buckets of its company; credits stand beside the buckets. "
    + _PARAMETERS,
    columns=columns(f"""{_ACCOUNT}{_NOT_DUE}
buckets            : Array(Tuple(name String, amount {DECIMAL}))
                                            | Past due, by the company's own buckets, youngest first.{_CREDITS}
"""),
    select=_aging(bucket_number(_DAYS_PAST_DUE), _BUCKET_SUMS),
)

# The default buckets as columns.
_WIDE = ("days_1_30", "days_31_60", "days_61_90", "days_91_120", "days_121_up")
_WIDE_NUMBER = f"multiIf({_DAYS_PAST_DUE} <= 0, 0, {_DAYS_PAST_DUE} > 120, 5, 1 + intDiv({_DAYS_PAST_DUE} - 1, 30))"
_WIDE_COLUMNS = "".join(
    f"\n{column:<18} : {DECIMAL}         | {column.replace('_', ' ').capitalize()} past due." for column in _WIDE
)

_AGING_WIDE = View(
    name="aging_as_of_wide",
    comment="The same with one column per bucket, 30 days each, for every company whatever its own buckets. "
    + _PARAMETERS,
    columns=columns(f"{_ACCOUNT}{_NOT_DUE}{_WIDE_COLUMNS}{_CREDITS}"),
    select=_aging(
        _WIDE_NUMBER,
        "".join(f"    amounts[{number}] AS {column},\n" for number, column in enumerate(_WIDE, start=1))
        + f"    {' + '.join(_WIDE)} AS overdue",
    ),
)

_AGING_BUCKETS = View(
    name="aging_buckets_as_of",
    comment="The same with one row per account, currency and bucket, not_due first; for charts and pivots. "
    + _PARAMETERS,
    columns=columns(f"""{_ACCOUNT}
bucket_number      : UInt8                  | 0 = not_due, then from the youngest to the oldest.
bucket             : String                 | Name of the bucket, as the company calls it.
amount             : {DECIMAL}         | What was open in it.
"""),
    select=f"""
SELECT company, account_id, currency, bucket_number, part.1 AS bucket, part.2 AS amount
FROM
(
    SELECT company, account_id, currency, arrayPushFront(buckets, ('not_due', not_due)) AS all_buckets
    FROM aging_as_of{_SAME_DATES}
)
ARRAY JOIN all_buckets AS part, range(length(all_buckets)) AS bucket_number
""",
)

MIGRATION = Migration(
    8,
    "as-of views",
    (
        _OPENINGS,
        _OPENING_ITEMS,
        _OPEN_ITEMS,
        _DISPUTED,
        _AGING,
        _AGING_WIDE,
        _AGING_BUCKETS,
    ),
)
