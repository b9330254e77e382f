"""Migration 8: the questions about any two dates, as parameterized views (SEMANTICS 1.2, 1.4, 2.1, 2.5, 2.7).

`as_of` is the date a balance is asked for, `known_as_of` the instant up to which postings were known. No view asks for
today: the same question has the same answer tomorrow.
"""

from sinks.migrations.balances import LINE, known_to, lines, opening_used
from sinks.migrations.ddl import Migration, Table, View
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_SAME_DATES = "(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')})"
_DAYS_PAST_DUE = "(toInt32({as_of:Date32}) - toInt32(due_date))"

# One small map instead of a join: it is looked up once a row, and a join would keep a filter on the account from
# reaching the table. A company without settings has the default buckets.
# The settings are looked at directly: the view `companies` reads much more of them, and takes longer to plan than to run.
_LIMITS = """(
        SELECT mapFromArrays(groupArray(company), groupArray(limits)) FROM
        (
            SELECT toString(company) AS company,
                JSONExtract(argMax(companies_versions.settings, recorded_at), 'buckets', 'Array(Int32)') AS limits
            FROM companies_versions
            GROUP BY company
        )
    ) AS limits_of"""
_LIMITS_HERE = "if(empty(limits_of[company]), [30, 60, 90, 120], limits_of[company])"
_BUCKET_NUMBER = f"if({_DAYS_PAST_DUE} <= 0, 0, 1 + arrayCount(last -> last < {_DAYS_PAST_DUE}, {_LIMITS_HERE}))"
_BUCKET_NAMES = f"""arrayMap(
        (first, last) -> if(last = 0, concat(toString(first + 1), '+'), concat(toString(first + 1), '-', toString(last))),
        arrayPushFront({_LIMITS_HERE}, 0), arrayPushBack({_LIMITS_HERE}, 0)
    )"""
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
    {_LIMITS},{opening_used()}
SELECT company, account_id, currency, item_type, item_id, instalment, balance_class, region, due_date,
    {_DAYS_PAST_DUE} AS days_past_due,
    multiIf(balance_class != 'invoice', '', days_past_due <= 0, 'not_due', {_BUCKET_NAMES}[{_BUCKET_NUMBER}]) AS bucket,
    {decimal("minor")} AS open
FROM
(
    SELECT {LINE}, max(line_region) AS region, sum(delta_minor) AS minor
    FROM
    ({lines(f"{LINE}, region AS line_region")}
    )
    GROUP BY {LINE}
    HAVING minor != 0
)
""",
)

_IS_DISPUTED = """balance_class = 'invoice' AND (company, account_id, currency, item_type, item_id) IN (
            SELECT company, account_id, currency, document_type, document_id FROM dispute_entries_log
        )"""

# Per document: what is contested, by its dated changes, and never more than what is open (SEMANTICS 2.7). Only lines of
# documents that were ever disputed are read from the ledger, by its sorting key.
_DISPUTED_DOCUMENTS = f"""
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
({_DISPUTED_DOCUMENTS}
)
""",
)


# Every dispute names its document, so only lines of these need to be told apart.
_DOCUMENT = "if(item_id IN (SELECT document_id FROM dispute_entries_log), concat(item_type, ' ', item_id), '')"


def _aging(place: str, sums: str) -> str:
    """The frame of both aging views: an account's ledger lines and disputed amounts side by side, added up.

    `place` numbers the bucket of a ledger line, 0 = not due; `sums` are the columns made of it. `total` is added up
    without a look at classes or buckets, so the gap compares two sums that are made independently. What is contested of a
    document is never more than what is open of it (SEMANTICS 2.7).
    """
    return f"""
WITH
    {_LIMITS},{opening_used()},
    sumMapIf(map(toUInt8(place), minor), class = 'invoice') AS by_place,
    sumMapIf(map(document, minor), class = 'invoice' AND document != '') AS open_of,
    sumMapIf(map(document, minor), class = 'disputed') AS contested_of
SELECT company, account_id, currency,
    {decimal("sumIf(minor, class = 'invoice' AND place = 0)")} AS not_due,
{sums},
    {decimal("sumIf(minor, class = 'invoice' AND place > 0)")} AS overdue,
    {decimal("-sumIf(minor, class = 'unapplied')")} AS unapplied,
    {decimal("-sumIf(minor, class = 'on_account')")} AS on_account,
    {decimal("-sumIf(minor, class = 'credit')")} AS credits,
    {decimal("arraySum(name -> greatest(0, least(contested_of[name], open_of[name])), mapKeys(contested_of))")} AS disputed,
    {decimal("sumIf(minor, class != 'disputed')")} AS total,
    not_due + overdue - unapplied - on_account - credits - total AS reconciliation_gap
FROM
(
    SELECT company, account_id, currency, toString(balance_class) AS class, {place} AS place, {_DOCUMENT} AS document,
        sum(delta_minor) AS minor
    FROM
    ({lines("company, account_id, currency, balance_class, due_date, item_type, item_id")}
    )
    GROUP BY company, account_id, currency, class, place, document
    HAVING minor != 0
    UNION ALL
    SELECT company, account_id, currency, 'disputed', 0, concat(document_type, ' ', document_id), sum(delta_minor)
    FROM dispute_entries_log
    WHERE {known_to()}
    GROUP BY company, account_id, currency, document_type, document_id
)
GROUP BY company, account_id, currency
HAVING countIf(class != 'disputed') > 0
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

_BUCKET_SUMS = f"""    CAST(arrayMap(
        (name, number) -> (name, {decimal("by_place[toUInt8(number)]")}),
        {_BUCKET_NAMES},
        range(1, length({_LIMITS_HERE}) + 2)
    ) AS Array(Tuple(name String, amount {DECIMAL}))) AS buckets"""

_AGING = View(
    name="aging_as_of",
    comment="Aging of every account and currency by the buckets of its company; credits stand beside the buckets. "
    + _PARAMETERS,
    columns=columns(f"""{_ACCOUNT}{_NOT_DUE}
buckets            : Array(Tuple(name String, amount {DECIMAL}))
                                            | Past due, by the company's own buckets, youngest first.{_CREDITS}
"""),
    select=_aging(_BUCKET_NUMBER, _BUCKET_SUMS),
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
        ",\n".join(
            "    " + decimal(f"sumIf(minor, class = 'invoice' AND place = {number})") + f" AS {column}"
            for number, column in enumerate(_WIDE, start=1)
        ),
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
