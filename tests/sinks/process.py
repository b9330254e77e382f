"""A sink as a process of its own, for tests that kill it: `python -m tests.sinks.process '{"prefix": …}'`."""

import json
import logging
import signal
import sys
from collections.abc import Mapping
from typing import Any

from avro import contracts
from sinks.clickhouse import Address
from sinks.lane import Limits
from sinks.service import Sink, SinkOptions
from sinks.writer import Patience
from topics import catalogue


def options_of(values: Mapping[str, Any]) -> SinkOptions:
    """A sink with the patience of a test."""
    client_config = {"bootstrap.servers": values["bootstrap_servers"], "log_level": 2}
    return SinkOptions(
        client_config=client_config,
        producer_config=client_config,
        group_id=values["prefix"] + "sink",
        catalogue=catalogue(values["prefix"]),
        address=Address(values["url"], values["database"]),
        limits=Limits(
            rows_max=values.get("rows_max", 50_000),
            age_seconds_min=values.get("age_seconds_min", 0.25),
            age_seconds_max=values.get("age_seconds_max", 1.0),
        ),
        patience=Patience(retry_last=1.0, idle=values.get("idle_seconds", 1.0)),
        session_timeout_seconds=values.get("session_timeout_seconds", 6.0),
    )


def main(text: str) -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.ERROR)
    sink = Sink(options_of(json.loads(text)), contracts())
    signal.signal(signal.SIGTERM, lambda *_: sink.stop())
    sink.run()


if __name__ == "__main__":
    main(sys.argv[1])
