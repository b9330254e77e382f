"""A broker that refuses the first batch of every partition, as one does that does not lead a young partition yet.

It stands between one client and the broker. The first produce request to a partition is kept until the client sends
another one behind it, or until a while has passed in which it sends none; it is then answered as a broker answers that
has not yet taken up a partition, and everything else reaches the broker. So a client that sends a second batch before
it knows what became of the first meets a broker that takes the second and not the first.
"""

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.local.ports import LOOPBACK, free_port

_PRODUCE = 0
_NAME_A_BROKER = frozenset({3, 10})  # answers to Metadata and FindCoordinator
_NOT_LEADER_OR_FOLLOWER = 6
_ALONE_SECONDS = 2.0
_SIZE = struct.Struct(">i")


@contextmanager
def refusing_proxy(bootstrap_servers: str) -> Iterator["RefusingProxy"]:
    """The proxy, listening; its address is ``bootstrap_servers``."""
    proxy = RefusingProxy(int(bootstrap_servers.rsplit(":", 1)[1]))
    thread = threading.Thread(target=asyncio.run, args=(proxy.serve(),), daemon=True)
    thread.start()
    assert proxy.listening.wait(10)
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join(10)


class RefusingProxy:
    """``refused`` are the partitions whose first batch was refused; ``first_sent`` is set when there is one."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._port = free_port()
        self.refused: set[int] = set()
        self.first_sent = threading.Event()
        self.listening = threading.Event()

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients."""
        return f"{LOOPBACK}:{self._port}"

    async def serve(self) -> None:
        """Take connections until ``stop``."""
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, LOOPBACK, self._port)
        self.listening.set()
        await self._stopped.wait()
        server.close()

    def stop(self) -> None:
        """From another thread: end all connections."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        upstream, downstream = await asyncio.open_connection(LOOPBACK, self._broker_port)
        try:
            await asyncio.gather(connection.requests(downstream), connection.answers(upstream))
        finally:
            downstream.close()
            writer.close()

    def with_own_port(self, answer: bytes) -> bytes:
        """An answer that names the proxy where it names the broker."""
        host = LOOPBACK.encode()
        return answer.replace(host + _SIZE.pack(self._broker_port), host + _SIZE.pack(self._port))


class _Connection:
    """One connection of a client: Kafka answers in the order of the requests."""

    def __init__(self, proxy: RefusingProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._keys: list[int] = []  # what was asked of the broker and not answered yet
        self._kept: dict[int, bytes] = {}  # partition → the request that is kept

    async def requests(self, broker: asyncio.StreamWriter) -> None:
        """What the client sends."""
        while frame := await _frame(self._reader):
            key, version = struct.unpack_from(">hh", frame)
            if key == _PRODUCE:
                assert 9 <= version <= 12, f"produce requests of version {version} are cut in another way"
                partition = _partition(frame)
                if partition in self._kept:
                    self._refuse(partition)
                elif partition not in self._proxy.refused:
                    self._proxy.refused.add(partition)
                    self._kept[partition] = frame
                    self._proxy.first_sent.set()
                    asyncio.get_running_loop().call_later(_ALONE_SECONDS, self._refuse, partition)
                    continue
            self._keys.append(key)
            broker.write(_SIZE.pack(len(frame)) + frame)
        broker.close()

    async def answers(self, broker: asyncio.StreamReader) -> None:
        """What the broker answers."""
        while frame := await _frame(broker):
            if self._keys.pop(0) in _NAME_A_BROKER:
                frame = self._proxy.with_own_port(frame)
            self._writer.write(_SIZE.pack(len(frame)) + frame)

    def _refuse(self, partition: int) -> None:
        if frame := self._kept.pop(partition, None):
            answer = _refusal(frame, partition)
            self._writer.write(_SIZE.pack(len(answer)) + answer)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The next request or answer, empty at the end of the connection."""
    try:
        return await reader.readexactly(_SIZE.unpack(await reader.readexactly(_SIZE.size))[0])
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _topic(frame: bytes) -> tuple[bytes, int]:
    """The name of the one topic of a produce request, and where it ends (KIP-482 encoding, Produce 9 to 12)."""
    (client_length,) = struct.unpack_from(">h", frame, 8)
    place = 10 + max(client_length, 0) + 1  # the client's id, and no tags
    place += max(frame[place], 1)  # the transactional id, or none
    place += 2 + 4 + 1  # acks, timeout, number of topics
    end = place + frame[place]
    return frame[place + 1 : end], end


def _partition(frame: bytes) -> int:
    """librdkafka sends one partition a request."""
    _, end = _topic(frame)
    partition: int = struct.unpack_from(">i", frame, end + 1)[0]
    return partition


def _refusal(frame: bytes, partition: int) -> bytes:
    """The answer to a produce request of one partition that is led elsewhere."""
    name, _ = _topic(frame)
    one, none, no_tags = b"\x02", b"\x01", b"\x00"
    positions = struct.pack(">qqq", -1, -1, -1)
    answer = struct.pack(">ih", partition, _NOT_LEADER_OR_FOLLOWER) + positions + none + b"\x00" + no_tags
    topics = one + bytes([len(name) + 1]) + name + one + answer + no_tags
    return frame[4:8] + no_tags + topics + struct.pack(">i", 0) + no_tags
