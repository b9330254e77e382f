"""What a run found, as a table with ratios and as JSON."""

from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Result:
    """One number. `micros` is the CPU time of the measured process an event, where one process is measured."""

    name: str
    value: float
    unit: str
    micros: float | None


def table(results: list[Result], baselines: tuple[str, ...]) -> Table:
    """All results; events a second also as a multiple of the baselines."""
    shown = Table(title="Measured in one run", title_justify="left")
    shown.add_column("what")
    for heading in ("value", "unit", "CPU us/event", *(f"x {name}" for name in baselines)):
        shown.add_column(heading, justify="right")
    of = {name: next((one.value for one in results if one.name.startswith(name)), 0.0) for name in baselines}
    for one in results:
        ratios = [f"{one.value / of[name]:,.2f}" if of[name] and one.unit == "events/s" else "" for name in baselines]
        micros = "" if one.micros is None else f"{one.micros:,.1f}"
        digits = 0 if one.value >= 100 else 2
        shown.add_row(one.name, f"{one.value:,.{digits}f}", one.unit, micros, *ratios)
    return shown
