"""Change streams: Debezium's change events and outbox events in Kafka topics become events."""

from pathlib import Path

from sources.intake import SourceOptions
from sources.redaction import STANDARD, Redactor
from sources.streams.config import StreamConfig, load_stream_config
from sources.streams.debezium import Debezium
from sources.streams.follow import Follower, Reader
from sources.streams.outbox import Outbox
from sources.streams.record import StreamRecord


def stream_reader(config: StreamConfig, folder: Path, redactor: Redactor = STANDARD) -> Reader:
    """The adapter of a configuration whose mappings are named as seen from `folder`. Raises ``SourceError``."""
    options = SourceOptions(company=config.company, source=config.source, region=config.region, redactor=redactor)
    if config.kind == "outbox":
        return Outbox(config, options)
    return Debezium(config, options, folder)


__all__ = ["Follower", "Reader", "StreamConfig", "StreamRecord", "load_stream_config", "stream_reader"]
