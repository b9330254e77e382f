"""The topic catalogue: every topic with its key, partitions, retention and records; plan and apply."""

from topics.broker import BrokerError, Change, Plan, apply, plan
from topics.catalogue import ACCOUNT_PARTITIONS, EVENTS, RECORD_BYTES_MAX, Topic, catalogue
from topics.keys import murmur2, partition_key, partition_of
from topics.producing import PRODUCER_OPTIONS
from topics.subjects import subjects

__all__ = [
    "ACCOUNT_PARTITIONS",
    "EVENTS",
    "PRODUCER_OPTIONS",
    "RECORD_BYTES_MAX",
    "BrokerError",
    "Change",
    "Plan",
    "Topic",
    "apply",
    "catalogue",
    "murmur2",
    "partition_key",
    "partition_of",
    "plan",
    "subjects",
]
