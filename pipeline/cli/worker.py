"""`arrears worker`: one process that takes its share of the event log."""

import asyncio
import logging
import os
import signal

import typer

from avro import contracts
from jobs import EFFECT_TYPES, EVENT_TYPES, Fold
from pipeline.cli import load_settings
from pipeline.cli.registry import use_registry
from pipeline.health import Health, serve_health
from pipeline.settings import Settings
from pipeline.worker import Jobs, Worker, WorkerOptions
from topics import catalogue

app = typer.Typer()
logger = logging.getLogger(__name__)


@app.command()
def worker(context: typer.Context) -> None:
    """Fold events into open items, aging, promises and alerts, exactly once, until SIGTERM.

    Start as many as there are cores, at most one per partition: they share the partitions and take over from one
    another. A first SIGTERM or Ctrl-C lets running batches end; a second one ends the process at once, which loses
    nothing either.
    """
    settings = load_settings(context)
    use_registry(settings)
    health = Health(settings.worker.stall_seconds_max)
    with serve_health(health, settings.service.host, settings.service.port):
        asyncio.run(_run(worker_options(settings), health))


async def _run(options: WorkerOptions, health: Health) -> None:
    jobs = Jobs(Fold, EVENT_TYPES, EFFECT_TYPES)
    running = Worker(options, jobs, contracts(), health.heartbeat, health.set_ready)
    loop = asyncio.get_running_loop()
    asked = False

    def stop() -> None:
        nonlocal asked
        if asked:
            logger.warning("stopped at once")
            os._exit(130)
        asked = True
        logger.info("stopping")
        running.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await running.run()


def worker_options(settings: Settings) -> WorkerOptions:
    """The worker's options out of the settings."""
    section = settings.worker
    return WorkerOptions(
        client_config=settings.kafka.client_config(),
        group_id=settings.kafka.topic_prefix + section.application_id,
        catalogue=catalogue(settings.kafka.topic_prefix),
        batch_records_max=section.batch_records_max,
        forward_events=section.forward_events,
        fetch_bytes_max=section.fetch_bytes_max,
        commit_timeout_seconds=section.commit_timeout_seconds,
        transaction_timeout_seconds=section.transaction_timeout_seconds,
        session_timeout_seconds=section.session_timeout_seconds,
        heartbeat_interval_seconds=section.heartbeat_interval_seconds,
        restore_timeout_seconds=section.restore_timeout_seconds,
        stall_seconds_max=section.stall_seconds_max,
        tick_interval_seconds=settings.clock.interval_seconds if settings.clock.mode == "live" else None,
    )
