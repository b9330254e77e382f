"""What must hold before a worker starts: the broker answers, and the topics are as the catalogue says."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from pipeline.errors import Problem
from topics import Topic

ANSWER_SECONDS_MAX = 15.0


def admin_client(client_config: Mapping[str, Any]) -> AdminClient:
    """A client for questions about topics and groups. Raises ``Problem`` for options that librdkafka refuses."""
    try:
        return AdminClient(dict(client_config))
    except KafkaException as error:
        raise Problem(f"the Kafka settings are refused: {error.args[0].str()}", "Look at section kafka") from error


def broker_problem(client_config: Mapping[str, Any], error: KafkaException | TimeoutError) -> Problem:
    """What to tell of a broker that did not answer, or not as asked."""
    kafka_error = error.args[0] if error.args else None
    words = kafka_error.str() if isinstance(kafka_error, KafkaError) else "no answer in time"
    return Problem(
        f"the broker at {client_config.get('bootstrap.servers')} does not answer: {words.rpartition('Local: ')[2]}",
        "Start it (`arrears up` starts one on this machine), or set kafka.bootstrap_servers and its login",
    )


def check_topics(
    admin: AdminClient, client_config: Mapping[str, Any], topics: Iterable[Topic], seconds: float = ANSWER_SECONDS_MAX
) -> None:
    """Raise ``Problem`` when the broker does not answer in time, or a topic is missing or differently cut."""
    try:
        found = admin.list_topics(timeout=seconds).topics
    except KafkaException as error:
        raise broker_problem(client_config, error) from error
    missing = []
    for topic in topics:
        if topic.name not in found:
            missing.append(topic.name)
        elif (partitions := len(found[topic.name].partitions)) != topic.partitions:
            raise Problem(
                f"the topic {topic.name} has {partitions} partitions instead of {topic.partitions}",
                "Keys would lie elsewhere than producers put them; see `arrears topics plan`",
            )
    if missing:
        raise Problem(f"topics are missing: {', '.join(sorted(missing))}", "Run `arrears topics apply`")
