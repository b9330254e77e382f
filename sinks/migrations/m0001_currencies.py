"""Migration 1: the currencies, as a view with the list in it, so that every server of a cluster has the same."""

from sinks.migrations.currency_list import CURRENCIES
from sinks.migrations.ddl import Column, Migration, View, literal

_ROWS = ",\n".join(f"    ('{code}', {decimals}, {literal(name)})" for code, decimals, name in CURRENCIES)

MIGRATION = Migration(
    1,
    "currencies",
    (
        View(
            name="currencies",
            comment="ISO 4217: every currency that amounts can be kept in.",
            columns=(
                Column("currency", "String", "ISO 4217 code."),
                Column("decimals", "UInt8", "Decimals of its minor unit: JPY 0, EUR 2, KWD 3, CLF 4."),
                Column("name", "String", "Name of the currency."),
            ),
            select=f"SELECT currency, decimals, name\nFROM values('currency String, decimals UInt8, name String',\n{_ROWS})",
        ),
    ),
)
