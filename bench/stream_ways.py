"""Producers and consumers of `bench.stream_speed`: the ring, frames over TCP, blendtorch's way.

    python -m bench.stream_ways ring|tcp|blendtorch PLACE NUMBER

is a producer: it has its arrays ready and sends them as fast as they are taken.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from farm.errors import StreamError
from farm.stream.ring import Reader, Writer
from farm.stream.sample import Sample
from farm.stream.wire import PREFIX, Buffer, message_length, pack, unpack

TIMEOUT_S = 60.0
WIDTH, HEIGHT = 640, 480
CREDIT = 4
"""Samples that a consumer asks each producer for in advance."""


def fields(*, side: int | None = None) -> dict[str, Any]:
    """Return what every sample has: a picture, some points; `side`: a small picture."""
    chance = np.random.default_rng(0)
    shape = (HEIGHT, WIDTH, 4) if side is None else (side, side, 4)
    return {
        "image": chance.integers(0, 256, shape, dtype=np.uint8),
        "xy": chance.random((8, 2)),
    }


def put_into_ring(folder: str, number: str, count: str = "", side: str = "") -> None:
    """Put samples into a ring, `count` or until it ends."""
    some = fields(side=int(side) if side else None)
    some["btid"] = int(number)
    with Writer(Path(folder)) as writer:
        ready()
        with contextlib.suppress(StreamError):  # the stream has ended
            for at in itertools.islice(itertools.count(), int(count) if count else None):
                writer.put(Sample(f"{number}-{at}", some), timeout_s=TIMEOUT_S)
        if count:
            told_memory()


def serve_tcp(port: str, number: str) -> None:
    """Send a sample for each byte that a consumer sends."""
    some = fields()
    some["btid"] = int(number)
    places = itertools.count()
    with socket.create_server(("127.0.0.1", int(port))) as server:
        ready()
        while True:
            connection, _address = server.accept()
            threading.Thread(
                target=serve, args=(connection, some, places, number), daemon=True
            ).start()


def serve(
    connection: socket.socket, some: dict[str, Any], places: Iterator[int], number: str
) -> None:
    """Serve one consumer."""
    with connection, contextlib.suppress(ConnectionError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while asked := connection.recv(1024):
            for _one in asked:
                send(connection, pack(Sample(f"{number}-{next(places)}", some)))


def send(connection: socket.socket, buffers: list[Buffer]) -> None:
    """Send all of some buffers without joining them."""
    left = [memoryview(each).cast("B") for each in buffers if len(each)]
    while left:
        sent = connection.sendmsg(left)
        while left and sent >= len(left[0]):
            sent -= len(left.pop(0))
        if sent:
            left[0] = left[0][sent:]


def publish(address: str, number: str) -> None:
    """Send as blendtorch does."""
    from bench.blendtorch_way import DataPublisher

    some = fields()
    publisher = DataPublisher(address, int(number))
    ready()
    while True:
        publisher.publish(**some)


def ready() -> None:
    """Say that the arrays are there."""
    print("ready", flush=True)


def told_memory() -> None:
    """Say how much memory this process has of its own."""
    print(own_memory_kb(), flush=True)


def own_memory_kb() -> int:
    """Return the memory of this process that no file backs."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("RssAnon:")[1].split()[0])


class RingMessages:
    """What one consumer takes out of a ring."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __iter__(self) -> Iterator[Sample]:
        """Yield samples with arrays of their own."""
        with Reader(self.folder) as reader:
            while leases := reader.take(1, timeout_s=TIMEOUT_S):
                sample = leases[0].sample().copy()
                leases[0].acknowledge()
                yield sample


class TcpMessages:
    """What one consumer is sent by some producers, one after the other."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports

    def __iter__(self) -> Iterator[Sample]:
        """Yield samples with arrays of their own."""
        return (unpack(message) for message in self.messages())

    def messages(self) -> Iterator[memoryview]:
        """Yield messages, each in memory of its own."""
        with contextlib.ExitStack() as stack:
            connections = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                for port in self.ports
            ]
            for connection in connections:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(b"+" * CREDIT)
            for connection in itertools.cycle(connections):
                message = receive(connection)
                connection.sendall(b"+")
                yield message


def receive(connection: socket.socket) -> memoryview:
    """Return the next message."""
    start = bytearray(PREFIX.size)
    fill(connection, memoryview(start))
    message = memoryview(np.empty(message_length(start), np.uint8))
    message[: PREFIX.size] = start
    fill(connection, message[PREFIX.size :])
    return message


def fill(connection: socket.socket, view: memoryview) -> None:
    """Read as many bytes as there is room for."""
    while len(view):
        view = view[connection.recv_into(view, 0, socket.MSG_WAITALL) or end() :]


def end() -> int:
    """Say that a producer is gone."""
    raise ConnectionError("a producer is gone")


if __name__ == "__main__":
    producers: dict[str, Callable[..., None]] = {
        "ring": put_into_ring,
        "tcp": serve_tcp,
        "blendtorch": publish,
    }
    producers[sys.argv[1]](*sys.argv[2:])
