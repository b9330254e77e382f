"""What the consumer group is told of positions, and what it is asked: is this worker a member still?

The committed position is a hint for tools that look at the group (DESIGN §3 step 6). The answer to a commit is more:
a broker takes it from a member of the current generation only.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

logger = logging.getLogger(__name__)

# How long the group's coordinator may take to tell what is committed; polling stands still meanwhile.
ANSWER_SECONDS_MAX = 5.0

Note = tuple[int, str]  # a position, and what stands beside it in the group


class GroupPositions:
    """Word for the group, left from any thread and sent by the one that owns the consumer."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._lock = threading.Lock()
        self._commits: dict[int, Note] = {}
        self._confirmed: dict[int, Note] = {}
        self._questions: dict[int, Future[bool]] = {}
        self._unasked: set[int] = set()
        self._closed = False

    def commit(self, notes: Mapping[int, Note]) -> None:
        """Commit positions, each with a note, some time soon; those that the group has are not sent again.

        Nothing is said when it fails, as it does while the group rebalances: ask again.
        """
        with self._lock:
            for partition, note in notes.items():
                if self._confirmed.get(partition) != note:
                    self._commits[partition] = note

    def ask_membership(self, partition: int) -> Future[bool]:
        """Whether this consumer is (still) a member that may commit for the partition.

        Commits what is committed once more: a member that was thrown out is refused (UNKNOWN_MEMBER_ID,
        ILLEGAL_GENERATION), and so is everybody while the group rebalances.
        """
        answer: Future[bool] = Future()
        with self._lock:
            if self._closed:
                answer.set_result(False)
            else:
                self._questions[partition] = answer
                self._unasked.add(partition)
        return answer

    # In the thread that owns the consumer

    def send(self, consumer: Consumer, *, wait: bool = False) -> None:
        """Send what was left. ``wait`` for the answer when the consumer is about to leave."""
        self._look_up(consumer)
        with self._lock:
            commits, self._commits = self._commits, {}
        if not commits:
            return
        places = [
            TopicPartition(self._topic, partition, position, metadata=note)
            for partition, (position, note) in commits.items()
        ]
        try:
            if wait:
                consumer.commit(offsets=places, asynchronous=False)
            else:
                consumer.commit(offsets=places)
        except KafkaException as error:
            logger.debug("positions not committed: %s", error)
            self._answer(commits, is_member=False)

    def on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        """The broker's answer to a commit that was not waited for."""
        for place in places:
            refused = error or place.error
            if refused is None:
                self._confirmed[place.partition] = (place.offset, place.metadata or "")
            else:
                logger.debug("position of partition %s not committed: %s", place.partition, refused)
            self._answer([place.partition], is_member=refused is None)

    def forget(self, partitions: Iterable[int]) -> None:
        """The partitions are somebody else's now."""
        for partition in partitions:
            self._confirmed.pop(partition, None)
        self._answer(partitions, is_member=False)

    def close(self) -> None:
        """The consumer is gone."""
        with self._lock:
            self._closed = True
            asked = list(self._questions)
        self._answer(asked, is_member=False)

    def _look_up(self, consumer: Consumer) -> None:
        """What is committed, for the partitions whose membership was asked for, to commit it again."""
        with self._lock:
            asked, self._unasked = self._unasked, set()
        if not asked:
            return
        places = [TopicPartition(self._topic, partition) for partition in sorted(asked)]
        try:
            known = consumer.committed(places, timeout=ANSWER_SECONDS_MAX)
        except KafkaException as error:
            logger.info("the group does not answer: %s", error)
            self._answer(asked, is_member=False)
            return
        with self._lock:
            for place in known:
                self._commits.setdefault(place.partition, (max(place.offset, 0), place.metadata or ""))

    def _answer(self, partitions: Iterable[int], *, is_member: bool) -> None:
        for partition in list(partitions):
            with self._lock:
                answer = self._questions.pop(partition, None)
            if answer is not None:
                answer.set_result(is_member)
