"""All migrations in the order of their numbers. A new one is a new module and one line here."""

from sinks.migrations import (
    m0001_currencies,
    m0002_events,
    m0003_ledger,
    m0004_documents,
    m0005_cases,
    m0006_accounts,
    m0007_failures,
    m0008_as_of,
    m0009_histories,
    m0010_key_figures,
    m0011_statements,
    m0012_base_currency,
    m0013_work,
    m0014_rollups,
    m0017_forecasts,
    m0018_process,
)

MIGRATIONS = (
    m0001_currencies.MIGRATION,
    m0002_events.MIGRATION,
    m0003_ledger.MIGRATION,
    m0004_documents.MIGRATION,
    m0005_cases.MIGRATION,
    m0006_accounts.MIGRATION,
    m0007_failures.MIGRATION,
    m0008_as_of.MIGRATION,
    m0009_histories.MIGRATION,
    m0010_key_figures.MIGRATION,
    m0011_statements.MIGRATION,
    m0012_base_currency.MIGRATION,
    m0013_work.MIGRATION,
    m0014_rollups.MIGRATION,
    m0017_forecasts.MIGRATION,
    m0018_process.MIGRATION,
)
