"""Under which subjects of a schema registry the records are registered: TopicRecordNameStrategy."""

from collections.abc import Mapping

from avro.schemas import full_name, read_current
from topics.catalogue import Topic


def subjects(topics: Mapping[str, Topic]) -> dict[str, tuple[str, ...]]:
    """Record name → `<topic>-<full name>` for each topic that carries it."""
    names = {name: full_name(schema) for name, schema in read_current().items()}
    found: dict[str, tuple[str, ...]] = {}
    for topic in topics.values():
        for record in topic.records:
            found[record] = (*found.get(record, ()), f"{topic.name}-{names[record]}")
    return found
