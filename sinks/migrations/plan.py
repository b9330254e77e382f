"""What a run of the migrations would do; decided before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from sinks.errors import SinkProblem
from sinks.migrations.ddl import Migration
from sinks.migrations.engines import Engines

Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class PlannedStep:
    """One migration and the way it goes. `loses_data` = rows are gone afterwards."""

    migration: Migration
    direction: Direction
    statements: Sequence[str]
    loses_data: bool


@dataclass(frozen=True)
class Plan:
    """Steps in order; empty when the database is where it should be."""

    steps: Sequence[PlannedStep]

    @property
    def losing(self) -> Sequence[PlannedStep]:
        """The steps after which rows are gone."""
        return [step for step in self.steps if step.loses_data]


def checksum(migration: Migration) -> str:
    """The fingerprint of a migration: of its statements for a single server, so that a cluster has the same."""
    engines = Engines()
    text = "\n;\n".join([*migration.forward(engines), *migration.backward(engines)])
    return sha256(text.encode()).hexdigest()[:16]


def make_plan(migrations: Sequence[Migration], applied: Mapping[int, str], to: int | None, engines: Engines) -> Plan:
    """From what is applied (number → checksum) to migration `to`; None = the last one, 0 = none at all.

    Raises SinkProblem when an applied migration is not known or not the same any more, or when there is no such number.
    """
    known = {migration.number: migration for migration in migrations}
    for number, recorded in sorted(applied.items()):
        if number not in known:
            raise SinkProblem(
                f"the database has migration {number}, which this version of the program does not know",
                "Install the version that applied it, or a newer one",
            )
        if recorded != checksum(known[number]):
            raise SinkProblem(
                f"migration {number} ({known[number].title}) was changed after it was applied",
                "Restore its text and write the change as a new migration",
            )
    target = max(known) if to is None else to
    if target != 0 and target not in known:
        raise SinkProblem(f"there is no migration {target}", f"Numbers go from 0 (empty) to {max(known)}")
    forward = [known[number] for number in sorted(known) if number <= target and number not in applied]
    backward = [known[number] for number in sorted(applied, reverse=True) if number > target]
    return Plan(
        [
            *(
                PlannedStep(
                    migration,
                    "backward",
                    migration.backward(engines),
                    any(s.loses_data_backward for s in migration.steps),
                )
                for migration in backward
            ),
            *(
                PlannedStep(
                    migration, "forward", migration.forward(engines), any(s.loses_data_forward for s in migration.steps)
                )
                for migration in forward
            ),
        ]
    )
