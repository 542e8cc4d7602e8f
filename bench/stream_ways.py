"""Producers and consumers of `bench.stream_speed`: streams, frames over TCP, blendtorch's way.

    python -m bench.stream_ways stream|tcp|farm|blendtorch PLACE NUMBER ...

is a producer: it has its arrays ready and sends them as fast as they are taken.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from farm.feeding.book import StreamBook, key
from farm.feeding.sink import Sink
from farm.stream.sample import Sample
from farm.stream.wire import PREFIX, Buffer, message_length, pack, unpack
from farm.training.view import DATASET, RECORD, SENT_ID
from tests.builders import a_record

PRODUCERS = 2
THREADS = 3
"""Of a producer, as of a worker, which encodes and hands on views on several."""
BOUND_BYTES = 256 << 20
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


def put_into_stream(  # noqa: PLR0913  the words of its command line
    redis_url: str, number: str, job_id: str, credit: str, memory: str, count: str, side: str
) -> None:
    """Hand samples to a stream, as a worker does, never more than consumers have credit for.

    Args:
        redis_url: Of the farm.
        number: Of this producer.
        job_id: The stream.
        credit: Samples that consumers have room for.
        memory: Folder in memory; `-`: samples go to Redis.
        count: Samples to hand over.
        side: Of small pictures; `-`: they are large.
    """
    book = StreamBook(redis_url, bound_bytes=BOUND_BYTES)
    sink = Sink(book, None if memory == "-" else Path(memory))
    some = fields(side=None if side == "-" else int(side))
    some |= {
        "btid": int(number),
        RECORD: a_record().model_dump_json(),
        DATASET: "",
        SENT_ID: "null",
    }
    ready()

    def put(first: int) -> None:
        for at in range(first, int(count), PRODUCERS * THREADS):
            wait_for_credit(book, job_id, int(credit))
            sink.put(job_id, at, pack(Sample(f"s-{at}", some)))

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(put, [int(number) + PRODUCERS * each for each in range(THREADS)]))
    print(own_memory_kb(), flush=True)


def wait_for_credit(book: StreamBook, job_id: str, credit: int) -> None:
    """Wait as the dispatcher does before it gives out a task."""
    while book.client.hlen(key(job_id, "live")) >= credit:
        time.sleep(0.003)


def serve_farm(redis_url: str, number: str, folder: str) -> None:
    """Serve a farm's API, say where and with which token, and stay."""
    from tests.support.farms.api_server import HDR, MODEL, ApiServer

    with ApiServer(redis_url, Path(folder)) as api:
        api.upload(MODEL)
        api.upload(HDR)
        ready()
        print(json.dumps([api.url, api.tokens["submit"]]), flush=True)
        threading.Event().wait(3600 + int(number))


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


def own_memory_kb() -> int:
    """Return the memory of this process that no file backs."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("RssAnon:")[1].split()[0])


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
        "stream": put_into_stream,
        "tcp": serve_tcp,
        "farm": serve_farm,
        "blendtorch": publish,
    }
    producers[sys.argv[1]](*sys.argv[2:])
