"""Grafana dashboards over the views of ClickHouse; `python -m sinks.dashboards` writes them (docs/dashboards.md)."""

from sinks.dashboards.boards import BOARDS
from sinks.dashboards.panels import DATASOURCE, Board, Panel, dashboard

__all__ = ["BOARDS", "DATASOURCE", "Board", "Panel", "dashboard"]
