"""The views of what people did, and what came of it: logging coverage, collectors, operators (part of migration 13)."""

from sinks.migrations.balances import KNOWN_AS_OF
from sinks.migrations.ddl import View
from sinks.migrations.local_dates import LOCAL_DATE, TIMEZONES
from sinks.migrations.m0010_key_figures import IS_LOGGED, receipts_as_known, share
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.refusals import taken
from sinks.migrations.text import columns

_KNOWN = f"recorded_at <= {KNOWN_AS_OF}"
_FROM, _TO = "{from_date:Date32}", "{to_date:Date32}"
_DAYS = "Nullable(Decimal(38, 2))"
_RATIO = "Nullable(Decimal(38, 4))"


def events_between(names: str, until: str = _TO, known: str = "1") -> str:
    """What was taken in the end, each event once, with the company's local date on which it happened.

    Columns are named: `*` would ask for the payload, which not everybody may read. A day of any time zone lies within the
    day before to the day after it in UTC; said besides, so that only the months with such days are read.
    """
    return f"""
        SELECT company, event_id, occurred_at, {names}, {LOCAL_DATE} AS local_date
        FROM
        (
            SELECT company, event_id, occurred_at, {names}, {TIMEZONES}, _partition, _offset
            FROM events
            WHERE occurred_at >= toDateTime64(addDays({_FROM}, -1), 6, 'UTC')
                AND occurred_at < toDateTime64(addDays({until}, 2), 6, 'UTC')
                AND {known} AND {taken(known)}
        )
        WHERE local_date BETWEEN {_FROM} AND {until}
        ORDER BY _partition, _offset
        LIMIT 1 BY company, event_id"""


COVERAGE = View(
    name="logging_coverage",
    comment="Documents posted and payments received in a window, and about how many of them an activity was logged, "
    "as known at an instant. Parameters: from_date, to_date and known_as_of.",
    columns=columns(f"""
company      : LowCardinality(String) | Code of the legal entity.
kind         : String  | invoice, debit_memo, credit_memo or payment.
transactions : UInt64  | How many there were.
logged       : UInt64  | About how many of them an activity was logged.
coverage     : {_RATIO} | logged / transactions.
"""),
    select=f"""
SELECT company, kind, count() AS transactions, countIf(is_logged) AS logged, {share("logged", "transactions", 4)} AS coverage
FROM
(
    SELECT company, kind, id,
        {IS_LOGGED} AS is_logged
    FROM
    (
        SELECT DISTINCT company, toString(item_type) AS kind, item_id AS id
        FROM ledger_entries_log
        WHERE entry_type = item_type AND item_type IN ('invoice', 'debit_memo', 'credit_memo')
            AND effective_date BETWEEN {_FROM} AND {_TO} AND {_KNOWN}
        UNION DISTINCT
        SELECT company, 'payment', payment_id
        FROM ({receipts_as_known(f"value_date BETWEEN {_FROM} AND {_TO}")}
        )
    )
)
GROUP BY company, kind
""",
)

_CONTACT = "event_type = 'ContactAttempted'"
# A payment may come after the window, and so may a later contact, to which it then belongs.
_INFLUENCED = f"addDays({_TO}, {{influence_days:UInt32}})"

COLLECTORS = View(
    name="collector_performance",
    comment="What collectors did and what came of it: contacts, promises, and cash of an account within so many days after "
    "the last contact with it; it counts for who made that contact, in the window of the contact, as known "
    "at an instant. Parameters: from_date, to_date, influence_days and known_as_of.",
    columns=columns(f"""
company             : LowCardinality(String) | Code of the legal entity.
collector           : String | Who made the contacts.
currency            : LowCardinality(String) | ISO 4217 code of the cash; empty where none came.
contacts            : UInt64 | Contacts attempted, in every currency's row the same.
right_party         : UInt64 | Contacts in which the person who decides was reached.
accounts            : UInt64 | Accounts contacted.
promises            : UInt64 | Promises taken, in every currency's row the same.
payments            : UInt64 | Payments within influence_days after a contact of the window by the collector, the last before
                    | them; also those that came after the window.
cash                : {DECIMAL} | Their amounts.
"""),
    select=f"""
WITH contacts AS
(
    SELECT company, actor_id AS collector, account_id, local_date, ifNull(right_party, false) AS reached,
        occurred_at, event_type, event_id
    FROM
    ({events_between("account_id, actor_id, event_type, right_party", _INFLUENCED, known=_KNOWN)}
    )
    WHERE event_type IN ('ContactAttempted', 'PromiseMade') AND account_id != ''
),
influenced AS
(
    SELECT receipt.company AS company, receipt.currency AS currency, receipt.amount_minor AS minor, contact.last AS collector
    FROM
    (
        SELECT company, account_id, currency, amount_minor, value_date
        FROM ({receipts_as_known(f"value_date BETWEEN {_FROM} AND {_INFLUENCED}")}
        )
        WHERE status != 'reversed'
    ) AS receipt
    ASOF INNER JOIN
    (
        SELECT company, account_id, local_date AS day, argMax(collector, (occurred_at, event_id)) AS last
        FROM contacts
        WHERE {_CONTACT}
        GROUP BY company, account_id, day
    ) AS contact
        ON contact.company = receipt.company AND contact.account_id = receipt.account_id AND receipt.value_date >= contact.day
    WHERE contact.day <= {_TO} AND receipt.value_date <= addDays(contact.day, {{influence_days:UInt32}})
)
SELECT worked.company AS company, worked.collector AS collector, came.currency AS currency,
    worked.contacts AS contacts, worked.right_party AS right_party, worked.accounts AS accounts,
    worked.promises AS promises, came.payments AS payments, {decimal("came.minor", "came.currency")} AS cash
FROM
(
    SELECT company, collector, countIf({_CONTACT}) AS contacts, countIf({_CONTACT} AND reached) AS right_party,
        uniqExactIf(account_id, {_CONTACT}) AS accounts, countIf(event_type = 'PromiseMade') AS promises
    FROM contacts
    WHERE local_date <= {_TO}
    GROUP BY company, collector
) AS worked
LEFT JOIN
(
    SELECT company, collector, currency, count() AS payments, sum(minor) AS minor
    FROM influenced
    GROUP BY company, collector, currency
) AS came ON came.company = worked.company AND came.collector = worked.collector
""",
)

_OF_OPERATORS = "actor_id, actor_role, event_type, payment_id, subject_type, subject_id, action, succeeded"
OPERATORS = View(
    name="operator_productivity",
    comment="What each user did in a window of local dates: actions, active hours, and touches per payment. Systems are left "
    "out. As known at an instant. Parameters: from_date, to_date and known_as_of.",
    columns=columns(f"""
company            : LowCardinality(String) | Code of the legal entity.
actor_id           : String | The user.
actor_role         : String | Role in which the user acted last.
actions            : UInt64 | Events by the user.
active_hours       : UInt64 | Hours, by the clock of UTC, in which there was at least one.
actions_per_hour   : {_DAYS} | actions / active_hours.
payments_touched   : UInt64 | Payments that these events were about.
payment_touches    : UInt64 | Events that were about a payment.
touches_per_payment : {_DAYS} | payment_touches / payments_touched.
logins             : UInt64 | Logins.
failed             : UInt64 | Logged actions that did not succeed.
"""),
    select=f"""
SELECT company, actor_id, toString(argMax(role, occurred_at)) AS actor_role,
    count() AS actions,
    uniqExact(toStartOfHour(occurred_at)) AS active_hours,
    {share("actions", "active_hours", 2)} AS actions_per_hour,
    uniqExactIf(touched, touched != '') AS payments_touched,
    countIf(touched != '') AS payment_touches,
    {share("payment_touches", "payments_touched", 2)} AS touches_per_payment,
    countIf(action = 'login') AS logins,
    countIf(event_type = 'UserActivityLogged' AND NOT ifNull(succeeded, false)) AS failed
FROM
(
    SELECT * EXCEPT actor_role, actor_role AS role,
        multiIf(payment_id != '', payment_id, lower(subject_type) = 'payment', subject_id, '') AS touched
    FROM
    ({events_between(_OF_OPERATORS, known=_KNOWN)}
    )
)
WHERE actor_id != '' AND role != 'system'
GROUP BY company, actor_id
""",
)
