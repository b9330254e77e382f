"""The topic catalogue: what every topic carries, how it is cut and how long it keeps (DESIGN §2)."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Literal

import msgspec

from avro.schemas import read_current

CleanupPolicy = Literal["delete", "compact"]
TimestampType = Literal["LogAppendTime", "CreateTime"]

EVENTS = "ar.events"
ACCOUNT_PARTITIONS = 12
"""Partitions of all topics that are cut like the event topic. Adding some later moves keys, so there are enough."""

_ALERT_PARTITIONS = 3
# The largest record of any topic, above Kafka's default of 1 MB: a notice names every invoice that it is for, and an
# account may have more than fifty thousand.
RECORD_BYTES_MAX = 8 * 1024 * 1024
_KEPT = timedelta(days=400)  # SEMANTICS 1.8: a reversal may come 13 months later
_ACCOUNT_KEY = "company|account_id"


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic.

    `key` is what the record key is made of; `retention` None = for ever (the latest record of each key, when the policy
    is compact). `records` are the record names it carries; empty = not Avro. `cut_like_events` = records lie in the
    partition of the same number as the events they come from, so its partitions can only change with the event topic's.
    """

    name: str
    key: str
    partitions: int
    cleanup_policy: CleanupPolicy
    retention: timedelta | None
    timestamp_type: TimestampType
    records: tuple[str, ...]
    purpose: str
    cut_like_events: bool = False
    options: tuple[tuple[str, str], ...] = ()

    def with_prefix(self, prefix: str) -> "Topic":
        """The same topic of another system on the same broker."""
        return msgspec.structs.replace(self, name=prefix + self.name)

    @property
    def kept(self) -> str:
        """The retention in words."""
        if self.retention is not None:
            return f"{self.retention.days} days"
        return "the latest of each key" if self.cleanup_policy == "compact" else "for ever"

    def config(self) -> dict[str, str]:
        """Kafka's settings of the topic, as the broker names and writes them."""
        kept = -1 if self.retention is None else self.retention // timedelta(milliseconds=1)
        return {
            "cleanup.policy": self.cleanup_policy,
            "message.timestamp.type": self.timestamp_type,
            "retention.ms": str(kept),
            "max.message.bytes": str(RECORD_BYTES_MAX),
            **dict(self.options),
        }


def catalogue(prefix: str = "") -> Mapping[str, Topic]:
    """All topics by their catalogue name. A prefix is put before the topics' own names, not before the keys."""
    topics = _catalogue()
    if not prefix:
        return topics
    return MappingProxyType({name: topic.with_prefix(prefix) for name, topic in topics.items()})


@cache
def _catalogue() -> Mapping[str, Topic]:
    # Names only: the catalogue must not settle where this process takes its schema ids from.
    known = read_current()
    on_reference = {"ExchangeRateSet"}
    events = tuple(
        name for name, schema in known.items() if schema["namespace"] == "arrears.events" and name not in on_reference
    )
    topics = [
        Topic(
            name=EVENTS,
            key=_ACCOUNT_KEY,
            partitions=ACCOUNT_PARTITIONS,
            cleanup_policy="delete",
            retention=_KEPT,
            # Backfilled events carry old times; retention must count from their arrival.
            timestamp_type="LogAppendTime",
            records=events,
            purpose="Everything that happened, in one order per account. Sources write it, workers read it.",
            cut_like_events=True,
        ),
        _compacted("ar.reference", "company|base_currency|quote_currency|rate_date", "ExchangeRateSet", 1,
                   "Rates of exchange, which concern no account."),
        _account_log("ar.ledger", "LedgerEntry", "Dated changes of balances: the truth behind every as-of question."),
        _account_state("ar.items", "company|document_type|document_id", "Item", "Current state of every document."),
        _account_state("ar.receipts", "company|payment_id", "Receipt", "Current state of every receipt."),
        _account_state("ar.balances", "company|account_id|currency", "AccountAging",
                       "Live aging totals of every account and currency."),
        _account_log("ar.aging", "AgingTransition", "Items that change bucket, at local midnight or by a posting."),
        _account_log("ar.disputes", "DisputeEntry", "Dated changes of contested amounts."),
        _account_state("ar.cases.disputes", "company|dispute_id", "DisputeCase", "Current state of every dispute."),
        _account_state("ar.cases.exceptions", "company|exception_id", "ExceptionCase",
                       "Current state of every exception."),
        _account_state("ar.promises", "company|promise_id", "Promise", "Current state of every promise to pay."),
        _account_log("ar.actions", "Action", "Advice of each day: notices due, worklist rows, recommended holds."),
        _account_log("ar.accounts", "Account", "Master data of accounts as it changes."),
        _account_log("ar.rejected", "RejectedEvent", "Events that a business rule refused, and why."),
        _account_log("ar.failed", "FailedEvent",
                     "Records that could not be processed, with their original bytes, to look at and to replay.",
                     key="key of the failed record"),
        _alerts("ar.alerts.promises", "Promises broken, partially kept, or waiting for cash to be applied."),
        _alerts("ar.alerts.cash", "Unapplied and unidentified cash that is too old, and cash to apply before dunning."),
        _alerts("ar.alerts.exceptions", "Exceptions and disputes that nobody reviewed or resolved in time."),
        _alerts("ar.alerts.credit", "Credit limits crossed."),
        _proofs("ar.audit", "topic|partition", "AuditAnchor", "Anchors of the hash chains over the raw log."),
        _proofs("ar.audit.deletions", "company", "DataDeleted",
                "What was deleted or erased on purpose, by whom and why; never whose."),
        Topic(
            name="ar.state",
            key="entity key of the jobs, or the applied offset",
            partitions=ACCOUNT_PARTITIONS,
            cleanup_policy="compact",
            retention=None,
            timestamp_type="CreateTime",
            records=(),
            purpose="State of the workers, from which a partition is restored. Not Avro; of no use to others.",
            cut_like_events=True,
            # A restart reads the topic whole: compact soon and in small pieces, so that there is little to read.
            options=(("min.cleanable.dirty.ratio", "0.2"), ("segment.bytes", "67108864")),
        ),
    ]  # fmt: skip
    return MappingProxyType({topic.name: topic for topic in topics})


def _account_log(name: str, record: str, purpose: str, *, key: str = _ACCOUNT_KEY) -> Topic:
    return Topic(
        name=name,
        key=key,
        partitions=ACCOUNT_PARTITIONS,
        cleanup_policy="delete",
        retention=_KEPT,
        timestamp_type="LogAppendTime",
        records=(record,),
        purpose=purpose,
        cut_like_events=True,
    )


def _account_state(name: str, key: str, record: str, purpose: str) -> Topic:
    topic = _compacted(name, key, record, ACCOUNT_PARTITIONS, purpose)
    return msgspec.structs.replace(topic, cut_like_events=True)


def _compacted(name: str, key: str, record: str, partitions: int, purpose: str) -> Topic:
    return Topic(
        name=name,
        key=key,
        partitions=partitions,
        cleanup_policy="compact",
        retention=None,
        timestamp_type="CreateTime",
        records=(record,),
        purpose=purpose,
    )


def _alerts(name: str, purpose: str) -> Topic:
    return Topic(
        name=name,
        key=_ACCOUNT_KEY,
        partitions=_ALERT_PARTITIONS,
        cleanup_policy="delete",
        retention=_KEPT,
        timestamp_type="LogAppendTime",
        records=("Alert",),
        purpose=purpose,
    )


def _proofs(name: str, key: str, record: str, purpose: str) -> Topic:
    """Kept for ever: proofs outlive what they prove."""
    return Topic(
        name=name,
        key=key,
        partitions=1,
        cleanup_policy="delete",
        retention=None,
        timestamp_type="LogAppendTime",
        records=(record,),
        purpose=purpose,
    )
