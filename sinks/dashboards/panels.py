"""Panels and boards of Grafana as data. Every query is SQL over the views of docs/clickhouse.md."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

DATASOURCE = {"type": "grafana-clickhouse-datasource", "uid": "clickhouse"}
COLUMNS = 24

# Read by the plugin (macros) and by Grafana (variables), see docs/dashboards.md.
COMPANY = "company = ${company:singlequote}"
CURRENCY = "currency = ${currency:singlequote}"
WHOSE = f"{COMPANY} AND {CURRENCY}"
AS_OF = "as_of = toDate32($__toTime)"
WINDOW = "from_date = toDate32($__fromTime), to_date = toDate32($__toTime)"
KNOWN = "known_as_of = '2299-12-31 23:59:59'"

Kind = Literal["stat", "table", "barchart", "timeseries", "piechart"]
_WIDTHS: dict[Kind, tuple[int, int]] = {
    "stat": (4, 4),
    "table": (12, 9),
    "barchart": (12, 9),
    "timeseries": (12, 9),
    "piechart": (6, 9),
}


class Panel(NamedTuple):
    """One question: its title, what the answer means, and its SQL. A time series has its time first."""

    kind: Kind
    title: str
    description: str
    sql: str
    unit: str = "none"
    width: int = 0


class Board(NamedTuple):
    """A dashboard. `days` is how far it looks back at first."""

    uid: str
    title: str
    description: str
    panels: Sequence[Panel]
    days: int = 90
    by_currency: bool = True


def dashboard(board: Board) -> dict[str, Any]:
    """The board as Grafana's provisioning reads it."""
    return {
        "uid": f"arrears-{board.uid}",
        "title": f"arrears: {board.title}",
        "description": board.description,
        "tags": ["arrears", "receivables"],
        "timezone": "utc",
        "schemaVersion": 41,
        "version": 1,
        "refresh": "5m",
        "time": {"from": f"now-{board.days}d", "to": "now"},
        "links": [
            {
                "type": "dashboards",
                "title": "arrears",
                "tags": ["arrears"],
                "asDropdown": True,
                "keepTime": True,
                "includeVars": True,
            }
        ],
        "templating": {"list": _variables(board)},
        "panels": list(_placed(board.panels)),
    }


def _variables(board: Board) -> list[dict[str, Any]]:
    company = _variable("company", "Company", "SELECT company FROM companies ORDER BY company")
    currency = _variable(
        "currency", "Currency", f"SELECT DISTINCT currency FROM account_aging WHERE {COMPANY} ORDER BY currency"
    )
    return [company, currency] if board.by_currency else [company]


def _variable(name: str, label: str, sql: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": sql,
        "definition": sql,
        # Amounts of two currencies, or of two companies, are never added up: one value at a time.
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "sort": 0,
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    left = top = height = 0
    for number, panel in enumerate(panels, start=1):
        width, panel_height = _WIDTHS[panel.kind]
        width = panel.width or width
        if left + width > COLUMNS:
            left, top, height = 0, top + height, 0
        placed.append(_panel(number, panel, {"x": left, "y": top, "w": width, "h": panel_height}))
        left, height = left + width, max(height, panel_height)
    return placed


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    is_series = panel.kind == "timeseries"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": _options(panel.kind),
        "targets": [
            {
                "refId": "A",
                "datasource": DATASOURCE,
                "editorType": "sql",
                "queryType": "timeseries" if is_series else "table",
                # The plugin's numbers: 0 = time series, 1 = table.
                "format": 0 if is_series else 1,
                "rawSql": panel.sql.strip(),
            }
        ],
    }


def _options(kind: Kind) -> dict[str, Any]:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False}, "graphMode": "none"}
    if kind == "piechart":
        return {"reduceOptions": {"values": True, "calcs": ["lastNotNull"], "fields": ""}}
    return {}
