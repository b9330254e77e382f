"""Migration 17: forecasts of cash, written by `arrears forecast`, and how good earlier ones turned out to be."""

from sinks.migrations.ddl import Column, Migration, Table, View
from sinks.migrations.money import DECIMAL
from sinks.migrations.text import columns

_FORECASTS = Table(
    name="invoice_forecasts_versions",
    comment="Chances of every open invoice, once for each time a forecast was made. Analysts read invoice_forecasts.",
    columns=columns(f"""
company       : LowCardinality(String) | Code of the legal entity.
as_of         : Date32                 | Date of the forecast; what was known of later days is not in it.
known_as_of   : DateTime64(6, 'UTC')   | What was known then was used, to fit and to ask.
account_id    : String                 | Customer account.
currency      : LowCardinality(String) | ISO 4217 code; currencies are never added up.
item_type     : LowCardinality(String) | invoice or debit_memo.
item_id       : String                 | Number of the document.
instalment    : Int32                  | Number of the instalment; 0 = the whole document.
due_date      : Date32                 | Due date that was valid then.
open          : {DECIMAL}         | What was open.
days_past_due : Int32                  | Days from the due date to as_of.
expected_on   : Date32                 | Day by which it is paid with a chance of one half.
chance_late   : Float64                | Chance that it is paid after its due date; 1 when it is overdue.
chances       : Array(Float64)         | Chance of being paid by the end of week 1, 2, 3, … after as_of.
expected      : Array({DECIMAL})  | Cash expected in week 1, 2, 3, …; a promise counts in the week of its date.
promised      : {DECIMAL}         | Part of open that is promised.
learned_from  : UInt64                 | Invoices of the account that the chances were learned from.
computed_at   : DateTime64(6, 'UTC')   | When it was written; the latest of a date counts.
"""),
    order_by="(company, as_of, account_id, currency, item_type, item_id, instalment)",
    kind="ReplacingMergeTree",
    version="computed_at",
    partition_by="toYear(as_of)",
)

_BACKTESTS = Table(
    name="forecast_backtests_versions",
    comment="What earlier forecasts would have said and what came. Analysts read forecast_backtests.",
    columns=columns(f"""
company        : LowCardinality(String) | Code of the legal entity.
as_of          : Date32                 | Date of the forecast, made with what was known on it.
currency       : LowCardinality(String) | ISO 4217 code.
week           : UInt8                  | Week after as_of, from 1.
week_begins    : Date32                 | Its first day.
expected       : {DECIMAL}         | By the model.
by_due_date    : {DECIMAL}         | By the due dates: overdue invoices in week 1.
by_average     : {DECIMAL}         | By the due dates and the account's average delay.
actual         : {DECIMAL}         | What came for the invoices that were open at as_of, by value date.
computed_at    : DateTime64(6, 'UTC')   | When it was written.
"""),
    order_by="(company, as_of, currency, week)",
    kind="ReplacingMergeTree",
    version="computed_at",
)


def _plain(table: Table) -> list[Column]:
    return [Column(column.name, column.type, column.comment) for column in table.columns]


_LATEST = """
WHERE (company, as_of, computed_at) IN (
    SELECT company, as_of, max(computed_at) FROM {table} GROUP BY company, as_of
)"""

_CASH = View(
    name="cash_forecast",
    comment="Cash expected by week, from the forecast of a date: what was open times the chance of being paid that week, and "
    "promises times how well promises are kept. Parameter: as_of, a date for which a forecast was made.",
    columns=columns(f"""
company     : LowCardinality(String) | Code of the legal entity.
currency    : LowCardinality(String) | ISO 4217 code; currencies are never added up.
week        : UInt32                 | Week after as_of, from 1.
week_begins : Date32                 | Its first day.
expected    : {DECIMAL}         | Cash expected in it.
open        : {DECIMAL}         | What was open at as_of, the same in every row.
"""),
    select="""
SELECT company, currency, toUInt32(number) AS week, addDays({as_of:Date32}, toInt32(number) * 7 - 6) AS week_begins,
    sum(cash) AS expected, sum(balance) AS open
FROM
(
    SELECT company, currency, open AS balance, expected AS weeks FROM invoice_forecasts WHERE as_of = {as_of:Date32}
)
ARRAY JOIN weeks AS cash, arrayEnumerate(weeks) AS number
GROUP BY company, currency, number
""",
)

MIGRATION = Migration(
    17,
    "forecasts",
    (
        _FORECASTS,
        _BACKTESTS,
        View(
            name="invoice_forecasts",
            comment="When every open invoice is expected to be paid, by the date of the forecast.",
            columns=_plain(_FORECASTS),
            select=f"SELECT * FROM {_FORECASTS.name} FINAL{_LATEST.format(table=_FORECASTS.name)}",
        ),
        View(
            name="forecast_backtests",
            comment="What earlier forecasts would have said, beside two baselines and what came.",
            columns=_plain(_BACKTESTS),
            select=f"SELECT * FROM {_BACKTESTS.name} FINAL",
        ),
        _CASH,
    ),
)
