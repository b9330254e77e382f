"""Scenarios: executable specifications in YAML, run on the pure jobs (SCENARIOS §2)."""

from pipeline.scenarios.format import Scenario, ScenarioError, load
from pipeline.scenarios.runner import Failure, run

__all__ = ["Failure", "Scenario", "ScenarioError", "load", "run"]
