"""`docs/topics.md` from the catalogue: `python -m topics.document docs/topics.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from topics.catalogue import EVENTS, Topic, catalogue

_HEAD = """\
# Topics

<!-- Made from topics/catalogue.py by `python -m topics.document docs/topics.md`; edit that, not this page. -->

`arrears topics plan` shows how the broker differs from this page, `arrears topics apply` closes the difference.
Neither deletes anything. With `kafka.topic_prefix` in the settings every name gets that prefix. The fields of the
records are in [events.md](events.md).

- **Key.** The fields whose values, joined by `|`, are the record's key. An account's events have the key
  `company|account_id`; where there is no account the part behind the bar is empty.
- **Partition.** Every producer must use the partitioner `murmur2_random`, which is Java's default and not librdkafka's.
  Output topics marked *as the event* write a record into the partition of the same number as the event that caused it,
  so that all of an account lies in one partition number throughout.
- **Headers.** Every record has `event_type` (the record name) and `company`, so that a consumer can skip it unread.
- **Kept.** Time counts from the arrival of a record (LogAppendTime), not from the time it tells of: what is imported
  late is kept as long as the rest. *latest* = compacted, the latest record of every key is kept for ever.

"""

_COPIES = (
    "With three copies and more, `min.insync.replicas=2` comes to each. New topics get as many copies as there are "
    "brokers, at most three, unless `kafka.replication_factor` says otherwise."
)
_LIMIT = 4


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.rstrip("\n")
    yield ""
    yield "| topic | records | key | partitions | partition by | kept | purpose |"
    yield "|---|---|---|---|---|---|---|"
    for topic in catalogue().values():
        cells = (f"`{topic.name}`", _records(topic), _key(topic), str(topic.partitions), _cut(topic), _kept(topic))
        yield f"| {' | '.join(cells)} | {topic.purpose} |"
    yield from ("", "## Settings", "", "What `arrears topics apply` sets, beside the number of partitions.", "")
    yield "| topic | settings |"
    yield "|---|---|"
    for topic in catalogue().values():
        settings = ", ".join(f"`{key}={value}`" for key, value in topic.config().items())
        yield f"| `{topic.name}` | {settings} |"
    yield ""
    yield _COPIES


def _records(topic: Topic) -> str:
    if not topic.records:
        return "not Avro"
    if len(topic.records) > _LIMIT:
        return "every event but ExchangeRateSet"
    return ", ".join(topic.records)


def _key(topic: Topic) -> str:
    key = topic.key.replace("|", "\\|")
    return f"`{key}`" if "|" in topic.key else key


def _cut(topic: Topic) -> str:
    return "as the event" if topic.cut_like_events and topic.name != EVENTS else "key"


def _kept(topic: Topic) -> str:
    return "latest" if topic.cleanup_policy == "compact" else topic.kept


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
