"""Tables of any SQL database become events: rows are polled by a watermark that grows with every change."""

from sources.sql.config import PollConfig, load_poll_config
from sources.sql.database import Database, DatabaseUnavailableError
from sources.sql.poller import Poller, Round
from sources.sql.position import KafkaPositions, MemoryPositions, PollPosition, Positions, PositionsUnavailableError

__all__ = [
    "Database",
    "DatabaseUnavailableError",
    "KafkaPositions",
    "MemoryPositions",
    "PollConfig",
    "PollPosition",
    "Poller",
    "Positions",
    "PositionsUnavailableError",
    "Round",
    "load_poll_config",
]
