"""Migration 6: master data of accounts, alerts, and rates of exchange."""

from sinks.migrations.ddl import POSITION, Column, Migration, Table, View
from sinks.migrations.money import money_view
from sinks.migrations.text import columns

_ACCOUNTS = Table(
    name="accounts_log",
    comment="Master data of accounts as they changed. Analysts read the views accounts and account_history.",
    columns=(
        *POSITION,
        *columns("""
company            : LowCardinality(String)         | Code of the legal entity.
account_id         : String                         | Customer account.
name               : Nullable(String)               | Name of the customer.
parent_account_id  : Nullable(String)               | Account that this one belongs to; totals of a group add up
                                                    | its leaves.
credit_limit_minor : Nullable(Int64)                | Highest exposure allowed. In minor units.
currency           : LowCardinality(Nullable(String))
                                                    | ISO 4217 code of the credit limit.
risk_class         : LowCardinality(Nullable(String))
                                                    | Risk class as the credit department names it.
segment            : LowCardinality(Nullable(String))
                                                    | Customer segment.
collector_id       : Nullable(String)               | Collector in charge.
dunning_block      : Bool                           | True = nothing is sent to this customer.
on_hold            : Bool                           | True = a person stopped deliveries.
hold_reason        : LowCardinality(Nullable(String))
                                                    | Why deliveries are stopped.
effective_date     : Date32                         | The company's local date of the change.
recorded_at        : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
event_id           : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, effective_date, recorded_at)",
)

_ALERTS = Table(
    name="alerts_log",
    comment="Alerts as they were raised, escalated, resolved and corrected. Analysts read the views alerts and alert_history.",
    columns=(
        *POSITION,
        *columns("""
alert_id     : String                         | Deterministic id: a replay of the log gives the same alerts and no
                                              | new ones.
company      : LowCardinality(String)         | Code of the legal entity.
account_id   : String                         | Customer account; empty = unidentified cash.
kind         : LowCardinality(String)         | What is the matter.
subject      : String                         | Id of the promise, payment, exception, dispute or account; of an
                                              | instalment promise/number.
status       : LowCardinality(String)         | raised = new; escalated = still there at a further age; resolved =
                                              | no longer so; corrected = it never was so, as is now known.
severity     : LowCardinality(String)         | How urgent it is: info, low, medium or high.
amount_minor : Nullable(Int64)                | Amount in question; of a resolved alert what remains. In minor
                                              | units.
currency     : LowCardinality(Nullable(String))
                                              | ISO 4217 code of the amount.
deadline     : Nullable(DateTime64(6, 'UTC')) | Instant that passed or is about to.
supersedes   : Nullable(String)               | Id of the alert that this one corrects or follows.
message      : String                         | One sentence that says what happened and what to do.
raised_at    : DateTime64(6, 'UTC')           | Instant of the alert, by the pipeline's clock.
event_id     : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, kind, subject, raised_at)",
)

_RATES = Table(
    name="exchange_rates_versions",
    comment="Rates of exchange; the row with the highest _offset is the current one. Analysts read the view exchange_rates.",
    columns=(
        *POSITION,
        *columns("""
event_id       : String                 | Idempotency key of the event.
company        : LowCardinality(String) | Code of the legal entity.
recorded_at    : DateTime64(6, 'UTC')   | When the pipeline accepted it: the knowledge time of every as-of
                                        | question.
base_currency  : String                 | ISO 4217 code of the currency that is priced.
quote_currency : String                 | ISO 4217 code of the currency in which the price is given.
rate           : String                 | Units of quote_currency for one unit of base_currency, as a plain decimal
                                        | number greater than 0, at most 18 digits before and 18 after the point.
rate_date      : Date32                 | Day for which the rate holds.
"""),
    ),
    order_by="(company, base_currency, quote_currency, rate_date)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_EXCHANGE_RATES = View(
    name="exchange_rates",
    comment="Rates of exchange, one per company, pair of currencies and day: the one that was set last.",
    columns=(
        *columns("""
company        : LowCardinality(String) | Code of the legal entity.
base_currency  : String                 | ISO 4217 code of the currency that is priced.
quote_currency : String                 | ISO 4217 code of the currency in which the price is given.
rate_date      : Date32                 | Day for which the rate holds.
rate           : Decimal(38, 18)        | Units of quote_currency for one unit of base_currency.
recorded_at    : DateTime64(6, 'UTC')   | When the pipeline accepted it: knowledge time.
event_id       : String                 | Event that set it.
"""),
        *(Column(column.name, column.type, column.comment) for column in POSITION),
    ),
    select="""
SELECT
    company, base_currency, quote_currency, rate_date, toDecimal128(rate, 18) AS rate, recorded_at, event_id,
    _topic, _partition, _offset, _appended_at
FROM exchange_rates_versions FINAL
""",
)

MIGRATION = Migration(
    6,
    "accounts",
    (
        _ACCOUNTS,
        _ALERTS,
        _RATES,
        money_view(
            _ACCOUNTS,
            "accounts",
            "Accounts as they are now: the row that is valid from the latest date.",
            where="ORDER BY effective_date DESC, recorded_at DESC, _offset DESC\nLIMIT 1 BY company, account_id",
        ),
        money_view(_ACCOUNTS, "account_history", "All that accounts ever were; each row holds until the next one."),
        money_view(
            _ALERTS,
            "alerts",
            "Alerts as they stand now, one row each: open while its status is raised or escalated.",
            where="ORDER BY raised_at DESC, _offset DESC\nLIMIT 1 BY alert_id",
        ),
        money_view(_ALERTS, "alert_history", "Every step of every alert: raised, escalated, resolved, corrected."),
        _EXCHANGE_RATES,
    ),
)
