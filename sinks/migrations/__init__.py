"""Numbered, typed, reversible migrations of the ClickHouse database, and what runs them."""

from sinks.migrations.all import MIGRATIONS
from sinks.migrations.engines import Engines
from sinks.migrations.plan import Plan, PlannedStep, checksum, make_plan
from sinks.migrations.runner import Applied, Runner

__all__ = ["MIGRATIONS", "Applied", "Engines", "Plan", "PlannedStep", "Runner", "checksum", "make_plan"]
