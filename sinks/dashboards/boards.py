"""All boards over ClickHouse, in the order of docs/dashboards.md."""

from sinks.dashboards.balances import AGING, PROMISES, UNAPPLIED
from sinks.dashboards.work import COLLECTORS, EXCEPTIONS, FORECAST, INTAKE

BOARDS = (AGING, PROMISES, UNAPPLIED, EXCEPTIONS, COLLECTORS, FORECAST, INTAKE)
