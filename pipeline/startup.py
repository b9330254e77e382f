"""What must hold before a worker starts: the broker answers, and the topics are as the catalogue says."""

import socket
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from pipeline.errors import Problem
from topics import Topic

ANSWER_SECONDS_MAX = 15.0
CONNECT_SECONDS_MAX = 5.0


def reach_broker(client_config: Mapping[str, Any]) -> None:
    """Raise ``Problem`` when none of the broker's addresses takes a connection, with the operating system's reason.

    librdkafka would try again until its time is up, and then say only that it was in vain.
    """
    reason = ""
    for address in str(client_config.get("bootstrap.servers", "")).split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS_MAX).close()
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return
    raise _no_answer(client_config, reason)


def _no_answer(client_config: Mapping[str, Any], reason: str) -> Problem:
    return Problem(
        f"the broker at {client_config.get('bootstrap.servers')} does not answer: {reason}",
        "Start it (`arrears up` starts one on this machine), or set kafka.bootstrap_servers and its login",
    )


def admin_client(client_config: Mapping[str, Any]) -> AdminClient:
    """A client for questions about topics and groups.

    Raises ``Problem`` for a broker that takes no connection, and for options that librdkafka refuses.
    """
    reach_broker(client_config)
    try:
        return AdminClient(dict(client_config))
    except KafkaException as error:
        raise Problem(f"the Kafka settings are refused: {error.args[0].str()}", "Look at section kafka") from error


def broker_problem(client_config: Mapping[str, Any], error: KafkaException | TimeoutError) -> Problem:
    """What to tell of a broker that did not answer, or not as asked."""
    kafka_error = error.args[0] if error.args else None
    words = kafka_error.str() if isinstance(kafka_error, KafkaError) else "no answer in time"
    return _no_answer(client_config, words.rpartition("Local: ")[2])


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
