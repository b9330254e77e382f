"""What `arrears doctor` looks at: small functions, each of which checks one precondition of one guarantee."""

from pipeline.cli.checks import clickhouse, kafka, machine
from pipeline.cli.checks.finding import Check, Finding, Status, examine

CHECKS: tuple[Check, ...] = (*machine.CHECKS, *kafka.CHECKS, *clickhouse.CHECKS)

__all__ = ["CHECKS", "Check", "Finding", "Status", "examine"]
