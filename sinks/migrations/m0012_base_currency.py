"""Migration 12: base-currency values, and the rates that are missing for them (SEMANTICS 1.6).

The rate of a date is the latest set for it or for a day before; a company's own comes before another's, and an inverse is
used where only that was set. No rate is made up: NULL, and a row in `missing_rates` that says what to do.
"""

from sinks.migrations.ddl import Migration, View
from sinks.migrations.money import DECIMAL, units
from sinks.migrations.text import columns

_DATES = "(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')})"
_RATE = "Nullable(Decimal(76, 30))"

# Both directions of every rate known, as (currency, base) → units of base for one unit of currency.
_RATES = """
    SELECT company, base_currency AS currency, quote_currency AS base,
        toDecimal256(rate, 30) AS rate, rate_date, _offset
    FROM exchange_rate_history
    WHERE rate_date <= {as_of:Date32} AND recorded_at <= {known_as_of:DateTime64(6, 'UTC')}
    UNION ALL
    SELECT company, quote_currency, base_currency, toDecimal256(1, 30) / toDecimal256(rate, 18), rate_date, _offset
    FROM exchange_rate_history
    WHERE rate_date <= {as_of:Date32} AND recorded_at <= {known_as_of:DateTime64(6, 'UTC')}"""

_RATES_AS_OF = View(
    name="rates_as_of",
    comment="The rate from every currency in which a company has postings to its base currency; NULL where none is known. "
    "Parameters: as_of and known_as_of.",
    columns=columns(f"""
company       : LowCardinality(String) | Code of the legal entity.
currency      : LowCardinality(String) | ISO 4217 code of the postings.
base_currency : String                 | The company's base currency.
rate          : {_RATE} | Units of base_currency for one unit of currency; 1 for the base currency itself.
rate_date     : Nullable(Date32)       | Day for which the rate was set.
"""),
    select=f"""
SELECT needed.company AS company, needed.currency AS currency, needed.base_currency AS base_currency,
    multiIf(
        needed.currency = needed.base_currency, CAST(toDecimal256(1, 30) AS {_RATE}),
        countIf(known.rate > 0) = 0, NULL,
        CAST(argMax(known.rate, (known.company = needed.company, known.rate_date, known._offset)) AS {_RATE})
    ) AS rate,
    if(countIf(known.rate > 0) = 0, NULL, CAST(argMax(
        known.rate_date, (known.company = needed.company, known.rate_date, known._offset)) AS Nullable(Date32)
    )) AS rate_date
FROM
(
    SELECT ledger.company AS company, ledger.currency AS currency,
        if(companies.base_currency = '', 'USD', companies.base_currency) AS base_currency
    FROM (SELECT DISTINCT company, currency FROM ledger_entries_log) AS ledger
    LEFT JOIN companies ON companies.company = ledger.company
) AS needed
LEFT JOIN ({_RATES}
) AS known ON known.currency = needed.currency AND known.base = needed.base_currency
GROUP BY needed.company, needed.currency, needed.base_currency
""",
)

_UNITS = units("base_currency")


def _in_base(amount: str) -> str:
    """The amount at the rate, rounded half up to the decimals of the base currency."""
    product = f"multiplyDecimal(toDecimal256({amount}, 4), assumeNotNull(rate), 20)"
    rounded = ", ".join(f"{_UNITS} = {10**places}, round({product}, {places})" for places in (0, 3, 4))
    return f"if(rate IS NULL, NULL, CAST(multiIf({rounded}, round({product}, 2)) AS Nullable({DECIMAL})))"


_AGING = View(
    name="aging_in_base_currency",
    comment="Balances of every account and currency, and the same in the company's base currency at the rate of the day; "
    "NULL where no rate is known. Parameters: as_of and known_as_of.",
    columns=columns(f"""
company       : LowCardinality(String) | Code of the legal entity.
account_id    : String                 | Customer account.
currency      : LowCardinality(String) | ISO 4217 code of the postings.
total         : {DECIMAL}         | Balance, in currency.
overdue       : {DECIMAL}         | Part of it past due, in currency.
base_currency : String                 | The company's base currency.
rate          : {_RATE} | Units of base_currency for one unit of currency.
rate_date     : Nullable(Date32)       | Day for which the rate was set.
base_total    : Nullable({DECIMAL}) | total in base currency, rounded half up.
base_overdue  : Nullable({DECIMAL}) | overdue in base currency, rounded half up.
"""),
    select=f"""
SELECT aging.company AS company, account_id, aging.currency AS currency, total, overdue, base_currency, rate, rate_date,
    {_in_base("total")} AS base_total,
    {_in_base("overdue")} AS base_overdue
FROM aging_as_of{_DATES} AS aging
INNER JOIN rates_as_of{_DATES} AS rates ON rates.company = aging.company AND rates.currency = aging.currency
""",
)

_MISSING = View(
    name="missing_rates",
    comment="Currencies with a balance that cannot be told in the base currency because no rate is known: set one with "
    "ExchangeRateSet. Parameters: as_of and known_as_of.",
    columns=columns(f"""
company       : LowCardinality(String) | Code of the legal entity.
currency      : LowCardinality(String) | ISO 4217 code without a rate.
base_currency : String                 | Currency that the rate is needed in.
accounts      : UInt64                 | Accounts with a balance in it.
total         : {DECIMAL}         | Their balances, in currency.
since         : Date32                 | Day of the first posting in it.
"""),
    select=f"""
SELECT aging.company AS company, aging.currency AS currency, aging.base_currency AS base_currency,
    count() AS accounts, sum(aging.total) AS total, any(first.day) AS since
FROM aging_in_base_currency{_DATES} AS aging
INNER JOIN
(
    SELECT company, currency, min(effective_date) AS day FROM ledger_entries_log GROUP BY company, currency
) AS first ON first.company = aging.company AND first.currency = aging.currency
WHERE aging.rate IS NULL AND aging.total != 0
GROUP BY company, currency, base_currency
""",
)

MIGRATION = Migration(12, "base currency", (_RATES_AS_OF, _AGING, _MISSING))
