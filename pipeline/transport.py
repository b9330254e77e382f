"""A Faust transport over librdkafka: the group, the assignment and the fetching of ``pipeline.poller`` as Faust's own.

Faust ships two drivers. The one over aiokafka reads uncommitted records unless Faust's own transactions are on, knows
no compression codec but gzip without further packages, and decodes under the interpreter's lock; the one over
confluent-kafka never serves a rebalance while flow is stopped. Measurements and details: docs/adr/0021.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

import faust
from faust.transport import base
from faust.transport.consumer import Consumer
from faust.types import TP, ConsumerMessage

from pipeline.batches import Batch
from pipeline.poller import Poller, PollerOptions
from pipeline.ports import Payload

logger = logging.getLogger(__name__)

# How long the group waits for this worker to let a partition go; running batches are given less (partitions.py).
REBALANCE_SECONDS_MAX = 60.0


class _NoReadOffsets(dict[TP, int | None]):
    """Faust drops what is behind the last offset it read, and fills gaps in the offsets one by one.

    Both are wrong here: a partition is read again after a restore, a batch's offset is its last record's, and what
    was applied is known from the store. So Faust is told that it has read nothing yet.
    """

    def __getitem__(self, key: TP) -> int | None:
        return None

    def __setitem__(self, key: TP, value: int | None) -> None:
        """Forget it."""

    def update(self, *others: Payload, **named: Payload) -> None:
        """Forget them."""


class GroupConsumer(Consumer):
    """Faust's consumer, with a ``Poller`` behind it.

    A partition flows when Faust wants it and ``open_partition`` was called for it, that is, when its state is
    restored. ``position_of`` tells how far the store of a partition is.
    """

    logger = logger

    def __init__(self, transport: "LibrdkafkaTransport", *arguments: Payload, **options: Payload) -> None:
        super().__init__(transport, *arguments, **options)
        self._read_offset = _NoReadOffsets()
        self._topic = transport.options.topic
        self._open: set[int] = set()
        self._assigned: frozenset[int] = frozenset()
        self._available = asyncio.Event()
        self._main_loop: asyncio.AbstractEventLoop | None = None
        self.position_of: Callable[[int], int | None] = lambda _: None
        self.on_out_of_range: Callable[[int], None] = lambda _: None
        self.on_failure: Callable[[BaseException], None] = lambda _: None
        self.poller = Poller(transport.options, self._rebalanced, self._signal, self._poller_failed, self._out_of_range)

    # The worker's side

    def open_partition(self, partition: int, position: int) -> None:
        """Let a partition flow from a position on: its state is restored."""
        self.poller.seek(partition, position)
        self._open.add(partition)
        self._tell()

    def shut_partition(self, partition: int) -> None:
        """Stop fetching a partition; its state is not (or no more) there."""
        self._open.discard(partition)
        self._tell()

    def rewind(self, partition: int, position: int) -> None:
        """Read on from a position."""
        self.poller.seek(partition, position)

    def end_offset(self, partition: int) -> int | None:
        """One past the last record of the partition, None while it is not known."""
        return self.poller.end_offset(partition)

    def settled_position(self, partition: int, position: int) -> int:
        """``position``, or the end behind it when only control records follow."""
        return self.poller.settled_position(partition, position)

    def _tell(self) -> None:
        flowing = frozenset(tp.partition for tp in self._active_partitions) if self.flow_active else frozenset()
        self.poller.want(flowing & self._open)

    # The poller's side, in its thread

    def _rebalanced(self, revoked: frozenset[int], assigned: frozenset[int], *, lost: bool) -> None:
        """Let Faust go through a whole rebalance, whichever half of it the group has announced.

        A cooperative rebalance may revoke and assign nothing afterwards; Faust would wait for the second half.
        """
        if self._main_loop is None or self._main_loop.is_closed():
            return
        done = asyncio.run_coroutine_threadsafe(self._rebalance(revoked, assigned, lost=lost), self._main_loop)
        try:
            done.result(REBALANCE_SECONDS_MAX)
        except TimeoutError:
            logger.warning(
                "a rebalance took more than %.0f s and goes on without this worker's word", REBALANCE_SECONDS_MAX
            )

    async def _rebalance(self, revoked: frozenset[int], assigned: frozenset[int], *, lost: bool) -> None:
        if not revoked and not assigned and self.app.consumer_generation_id:
            return
        logger.info(
            "partitions changed",
            extra={"revoked": sorted(revoked), "assigned": sorted(assigned), "lost": lost},
        )
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(self._places(revoked))
        self._assigned = (self._assigned - revoked) | assigned
        self.app.consumer_generation_id += 1
        await self.on_partitions_assigned(self._places(self._assigned), self.app.consumer_generation_id)

    def _signal(self) -> None:
        if self._main_loop is not None and not self._main_loop.is_closed():
            self._main_loop.call_soon_threadsafe(self._available.set)

    def _poller_failed(self, error: BaseException) -> None:
        if self._main_loop is not None and not self._main_loop.is_closed():
            self._main_loop.call_soon_threadsafe(self.on_failure, error)

    def _out_of_range(self, partition: int) -> None:
        if self._main_loop is not None and not self._main_loop.is_closed():
            self._main_loop.call_soon_threadsafe(self.on_out_of_range, partition)

    # Faust's side

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group, the first time Faust asks; the topic is always the same one."""
        if self._main_loop is None:
            self._main_loop = asyncio.get_running_loop()
            self.poller.start()

    async def on_stop(self) -> None:
        """Commit a last time and leave the group."""
        await super().on_stop()
        if self._main_loop is not None:
            await self._main_loop.run_in_executor(None, self.poller.stop)

    def stop_flow(self) -> None:
        """Fetch nothing until ``resume_flow``."""
        super().stop_flow()
        self._tell()

    def resume_flow(self) -> None:
        """Fetch what is wanted."""
        super().resume_flow()
        self._tell()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Want these partitions, too."""
        super().resume_partitions(tps)
        self._tell()

    async def _getmany(self, active_partitions: AbstractSet[TP] | None, timeout: float) -> Mapping[TP, Payload]:
        self._tell()
        fetched = self.poller.take()
        if not fetched:
            try:
                await asyncio.wait_for(self._available.wait(), timeout)
            except TimeoutError:
                return {}
            fetched = self.poller.take()
        self._available.clear()
        return {TP(self._topic, partition): batch for partition, batch in fetched.items()}

    def _to_message(self, tp: TP, record: Payload) -> ConsumerMessage:
        batch: Batch = record
        kind, milliseconds = batch.records[-1].timestamp()
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            batch.end - 1,
            milliseconds / 1000,
            kind,
            [],
            None,
            batch,  # type: ignore[arg-type]  # a batch travels where Faust expects bytes; BatchSchema takes it out
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full stream makes the conductor wait, and the poller holds its fetch meanwhile.

        Faust would pause the partition, and pausing throws away what librdkafka has prefetched.
        """

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing; see ``on_buffer_full``."""

    def _new_offset(self, tp: TP) -> int | None:
        """The position behind the last acknowledged batch; batches of a partition are acknowledged in order."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return last + 1

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Nothing: the worker tells the group what the stores have committed, every second, until the group has it.

        Faust would say it once, and a commit that meets a rebalance is refused.
        """
        return True

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to what the stores have committed. Faust asks for it after a rebalance, which empties its buffers."""
        for partition in self._assigned & self._open:
            position = self.position_of(partition)
            if position is not None:
                self.poller.seek(partition, position)
        return {}

    def assignment(self) -> set[TP]:
        """The partitions that are ours."""
        return self._places(self._assigned)

    def highwater(self, tp: TP) -> int:
        """One past the last record of the partition; 0 while it is not known."""
        return self.poller.end_offset(tp.partition) or 0

    def close(self) -> None:
        """Nothing to close in a hurry; ``on_stop`` leaves the group."""

    def topic_partitions(self, topic: str) -> int | None:
        """Not known here."""
        return None

    async def create_topic(self, topic: str, partitions: int, replication: int, **options: Payload) -> None:
        """Topics are made by ``arrears topics apply``."""

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def _seek(self, partition: TP, offset: int) -> None:
        self.poller.seek(partition.partition, offset)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to positions."""
        for tp, offset in partitions.items():
            self.poller.seek(tp.partition, offset)

    async def position(self, tp: TP) -> int | None:
        """What is applied."""
        return self.position_of(tp.partition)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Of Faust's tables, which are not used."""
        return {}

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Of Faust's tables, which are not used."""
        return {}

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Of Faust's tables, which are not used."""
        return partition

    def _places(self, partitions: Iterable[int]) -> set[TP]:
        return {TP(self._topic, partition) for partition in partitions}


class LibrdkafkaTransport(base.Transport):
    """The transport of one worker."""

    Consumer = GroupConsumer
    driver_version = "arrears over confluent-kafka"

    def __init__(self, options: PollerOptions, app: faust.App) -> None:
        super().__init__([], app)
        self.options = options
