"""The Faust app of the worker: group, assignment, agent and lifecycle; nothing else of Faust is switched on.

No tables, no web server, no leader topic, no producer of Faust's: state and outputs go through the transactional
producer of each partition (DESIGN §3).
"""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias, cast

import faust
from faust.app.base import BootStrategy

from pipeline.batches import Batch, BatchScheduler, BatchSchema
from pipeline.poller import PollerOptions
from pipeline.transport import GroupConsumer, LibrdkafkaTransport

# In items, and an item is a batch: a handful, or a slow fold fills the memory.
STREAM_BUFFER_BATCHES = 4

Acknowledge = Callable[[], None]
# What Faust sends with a signal: the app, then a set of TP.
Places: TypeAlias = Any
Deliver = Callable[[Batch, Acknowledge], Awaitable[None]]
Change = Callable[[AbstractSet[int]], Awaitable[None]]


class _Boot(BootStrategy):
    """Starts the consumer, the agents and the conductor."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class WorkerApp(faust.App):
    """A Faust app whose transport is the worker's own."""

    BootStrategy = _Boot

    def __init__(self, poller_options: PollerOptions) -> None:
        self._poller_options = poller_options
        self.receivers: tuple[object, ...] = ()
        super().__init__(
            poller_options.group_id,
            broker="kafka://librdkafka",  # not connected to: the transport has its own addresses
            ConsumerScheduler=BatchScheduler,
            stream_buffer_maxsize=STREAM_BUFFER_BATCHES,
            stream_wait_empty=False,
            broker_session_timeout=poller_options.session_timeout_seconds,
            broker_heartbeat_interval=poller_options.heartbeat_interval_seconds,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            stream_recovery_delay=0.0,
        )

    def _new_transport(self) -> LibrdkafkaTransport:
        return LibrdkafkaTransport(self._poller_options, self)

    def _create_directories(self) -> None:
        """There is nothing to keep on disk."""

    @property
    def group_consumer(self) -> GroupConsumer:
        """The consumer, as what it is."""
        consumer = self.consumer
        if not isinstance(consumer, GroupConsumer):
            raise TypeError(f"the transport made a {type(consumer).__name__}")
        return consumer


def make_app(options: PollerOptions, deliver: Deliver, assigned: Change, revoked: Change) -> WorkerApp:
    """Step 1: the app with its one agent.

    ``deliver`` gets every batch in order of its partition and may wait: that is the back-pressure. It calls the second
    argument once the batch is committed (step 6). ``revoked`` is awaited before the group goes on (step 7).
    """
    app = WorkerApp(options)
    topic = app.topic(options.topic, schema=BatchSchema(), internal=False)

    @app.agent(topic, concurrency=1, name="fold")
    async def fold(stream: faust.StreamT[Batch]) -> None:
        async for event in cast("faust.Stream[Batch]", stream).noack().events():
            await deliver(event.value, event.ack)

    @app.on_partitions_assigned.connect
    async def on_assigned(*arguments: Places, **_: Places) -> None:
        await assigned({place.partition for place in arguments[1]})

    @app.on_partitions_revoked.connect
    async def on_revoked(*arguments: Places, **_: Places) -> None:
        await revoked({place.partition for place in arguments[1]})

    # The signals hold their receivers weakly.
    app.receivers = (on_assigned, on_revoked)
    return app
