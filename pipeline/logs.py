"""Log lines on stderr: for people, or one JSON object a line for machines.

All code logs through the standard library, with facts in ``extra={...}``; they become keys of the line.
"""

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["console", "json"]
# They speak about every connection at level info.
QUIET = ("aiohttp.access", "aiohttp.server", "faust", "mode", "asyncio")
# They warn of what they raise as well, and whoever catches it says it in fewer words.
SILENT = ("urllib3", "clickhouse_connect")


def configure_logging(log_format: LogFormat, level: str, stream: TextIO | None = None) -> None:
    """Send everything of this level and above to ``stream`` (stderr); calling again replaces what was set."""
    output = stream or sys.stderr
    handler = logging.StreamHandler(output)
    handler.setFormatter(_formatter(log_format, colours=output.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)


def _formatter(log_format: LogFormat, *, colours: bool) -> logging.Formatter:
    facts: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_leftovers,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if log_format == "json":
        render += [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ]
    else:
        render += [_short_name, structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0)]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=facts, processors=render)


def _without_leftovers(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Drop what another handler's formatter has left in the record: it is no fact of the line."""
    line.pop("message", None)
    line.pop("asctime", None)
    return line


def _short_name(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Our own modules by their last name: people know them, and lines stay short."""
    name = str(line.get("logger", ""))
    if name.startswith(("pipeline.", "sinks.", "sources.", "topics.", "jobs.", "avro.")):
        line["logger"] = name.rpartition(".")[2]
    return line
