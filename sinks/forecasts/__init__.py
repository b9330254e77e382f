"""What forecasts read and write in ClickHouse: histories of invoices as they were known, and the forecasts."""

from sinks.forecasts.histories import InvoiceHistory, OpenPromise, invoice_histories, kept_rate, open_promises
from sinks.forecasts.written import BacktestRow, ForecastRow, write_backtest, write_forecast

__all__ = [
    "BacktestRow",
    "ForecastRow",
    "InvoiceHistory",
    "OpenPromise",
    "invoice_histories",
    "kept_rate",
    "open_promises",
    "write_backtest",
    "write_forecast",
]
