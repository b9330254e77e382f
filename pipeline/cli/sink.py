"""`arrears sink`: one process that writes all topics into ClickHouse."""

import logging
import os
import signal

import typer

from avro import contracts
from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_problems
from pipeline.cli.registry import use_registry
from pipeline.health import Health, serve_health
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from sinks.lane import Limits
from sinks.service import Sink, SinkOptions
from topics import catalogue

app = typer.Typer()
logger = logging.getLogger(__name__)


@app.command()
def sink(context: typer.Context) -> None:
    """Write all topics into ClickHouse, each record exactly once, until SIGTERM.

    Start several and they share the partitions. A first SIGTERM or Ctrl-C lets running inserts end; a second one ends
    the process at once, which loses nothing either.
    """
    settings = load_settings(context)
    use_registry(settings)
    reach_broker(settings.kafka.client_config())
    health = Health()
    running = Sink(sink_options(settings), contracts(), health.heartbeat, health.set_ready)
    asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        if asked:
            os._exit(130)
        asked = True
        running.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with serve_health(health, settings.service.host, settings.service.port), clickhouse_problems():
        running.run()


def sink_options(settings: Settings) -> SinkOptions:
    """The sink's options out of the settings."""
    section = settings.sink
    return SinkOptions(
        client_config=settings.kafka.client_config(),
        producer_config=settings.kafka.producer_config(),
        group_id=settings.kafka.topic_prefix + section.group_id,
        catalogue=catalogue(settings.kafka.topic_prefix),
        address=clickhouse_address(settings),
        limits=Limits(
            rows_max=section.rows_max,
            bytes_max=section.bytes_max,
            age_seconds_min=section.age_seconds_min,
            age_seconds_max=section.age_seconds_max,
        ),
    )
