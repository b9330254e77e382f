"""`docs/cli.md` and `docs/metrics.md`, from the commands and the metrics: `python -m pipeline.cli.documents`."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import typer
from prometheus_client.metrics import MetricWrapperBase

import pipeline.metrics
import sinks.metrics
import sources.feed_metrics
import sources.metrics
from pipeline.cli import COMMANDS, app

if TYPE_CHECKING:
    from typer._click.core import Command, Parameter

DOCS = Path(__file__).resolve().parents[2] / "docs"

_COMMANDS_HEAD = """\
# Commands

<!-- Made from the commands by `python -m pipeline.cli.documents`; edit those, not this page. -->

`arrears COMMAND --help` says the same. These hold for every command:

- **Settings** come from the environment, then from a file ([configuration.md](configuration.md)). While `arrears up`
  runs, commands in the same directory find its addresses by themselves.
- **Exit codes.** 0: it did what was asked, and the answer is yes. 1: it could not, or the answer is no (a gap, a
  failed check, a bad row). 2: it was called wrongly.
- **Errors** are one line on standard error that says what to do. `--debug` shows the traceback.
- **Programs** read the output of `--json`; tables are for people and may change.

Options of `arrears` itself may stand before or behind the command: `--config FILE` (or `ARREARS_CONFIG`), `--debug`,
`--version`.

"""

_METRICS_HEAD = """\
# Metrics

<!-- Made from the metrics by `python -m pipeline.cli.documents`; edit those, not this page. -->

`arrears worker`, `arrears sink` and `arrears api` give them out at `/metrics` of `service.host` and `service.port`, in
the format of Prometheus, together with those of the process (`process_resident_memory_bytes`,
`process_cpu_seconds_total`, …). At the same address:

- `/healthz` answers 200 while the service's loop comes around, 503 when it has stalled for too long: restart it then.
- `/readyz` answers 200 while the service does its work: all assigned partitions are restored, the group has been
  joined; for `arrears api`, the broker can be reached. 503 during a restore is normal.

[config/prometheus-rules.yml](../config/prometheus-rules.yml) says what to be woken for,
[config/grafana/dashboards](../config/grafana/dashboards/arrears.json) shows what to look at; tests check that both name
only what stands here.

"""
_SERVICES: tuple[tuple[str, str, ModuleType], ...] = (
    ("Worker", "", pipeline.metrics),
    ("Sink", "", sinks.metrics),
    (
        "Sources",
        "Of adapters that run as a service. `arrears ingest` ends with its file and tells its numbers itself.",
        sources.metrics,
    ),
    ("Change streams and polled tables", "Of `arrears stream` and `arrears poll`.", sources.feed_metrics),
)


def commands_page() -> str:
    """``docs/cli.md``."""
    group = typer.main.get_command(app)
    context = typer.Context(group)
    lines: list[str] = []
    for name in COMMANDS:
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        lines += _section(command, f"arrears {name}", "##")
    return _COMMANDS_HEAD + "\n".join(lines)


def metrics_page() -> str:
    """``docs/metrics.md``."""
    parts = []
    for title, note, module in _SERVICES:
        lines = [f"## {title}", ""]
        lines += [note, ""] if note else []
        lines += ["| series | kind | labels | meaning |", "|---|---|---|---|"]
        lines += sorted(_metric(metric) for metric in vars(module).values() if isinstance(metric, MetricWrapperBase))
        parts.append("\n".join(lines) + "\n")
    return _METRICS_HEAD + "\n".join(parts)


def _section(command: "Command", path: str, level: str) -> Iterator[str]:
    """One command, or a group with its commands below it."""
    yield from (f"{level} {path}", "", _text(command.help), "")
    children = getattr(command, "commands", None)
    if children:
        for name, child in children.items():
            yield from _section(child, f"{path} {name}", f"{level}#")
        return
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    yield from ("```", " ".join([path, *(_usage(parameter) for parameter in shown)]), "```", "")
    if shown:
        yield from ("| | |", "|---|---|")
        yield from (f"| {_name(parameter)} | {_meaning(parameter)} |" for parameter in shown)
        yield ""


def _usage(parameter: "Parameter") -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or str(parameter.name).upper())
    written = parameter.opts[0] if _is_flag(parameter) else f"{parameter.opts[0]} {_value_name(parameter)}"
    return written if parameter.required else f"[{written}]"


def _name(parameter: "Parameter") -> str:
    if parameter.param_type_name == "argument":
        return f"`{_usage(parameter)}`"
    value = "" if _is_flag(parameter) else f" {_value_name(parameter)}"
    return f"`{parameter.opts[0]}{value}`"


def _value_name(parameter: "Parameter") -> str:
    return str(parameter.metavar or str(parameter.name).upper())


def _is_flag(parameter: "Parameter") -> bool:
    return bool(getattr(parameter, "is_flag", False))


def _meaning(parameter: "Parameter") -> str:
    words = _text(getattr(parameter, "help", "") or "").replace("|", "\\|")
    default: Any = parameter.default
    if _is_flag(parameter) or parameter.required or default is None or default == "" or "Default:" in words:
        return words
    shown = ", ".join(default) if isinstance(default, list) else default
    return f"{words} Default: {shown}."


def _text(text: str | None) -> str:
    """Help as Markdown: paragraphs stay, lines are the reader's own."""
    paragraphs = (text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _metric(metric: MetricWrapperBase) -> str:
    kind = metric._type  # noqa: SLF001  the client tells it nowhere else
    name = f"{metric._name}_total" if kind == "counter" else metric._name  # noqa: SLF001
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001
    return f"| `{name}` | {kind} | {labels} | {metric._documentation.rstrip('.')}. |"  # noqa: SLF001


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(commands_page(), encoding="utf-8")
    (DOCS / "metrics.md").write_text(metrics_page(), encoding="utf-8")
