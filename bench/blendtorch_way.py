"""The transport of blendtorch 0.4, as a baseline: its sockets, their options and its loop.

Its packages are not on PyPI and its Blender half imports Blender, so what moves a sample is written
here as it stands in `btb.DataPublisher` and `btt.RemoteIterableDataset`: a ZMQ PUSH socket with a
high-water mark of 10 that sends pickled dicts, and a PULL socket per loader's worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.utils.data
import zmq

QUEUE_SIZE = 10
TIMEOUT_MS = 10_000


class DataPublisher:
    """Send samples to whoever is connected; wait while nobody takes any."""

    def __init__(self, bind_address: str, btid: int) -> None:
        self.ctx = zmq.Context()
        self.sock = self.ctx.socket(zmq.PUSH)
        self.sock.setsockopt(zmq.SNDHWM, QUEUE_SIZE)
        self.sock.setsockopt(zmq.LINGER, 0)
        self.sock.setsockopt(zmq.IMMEDIATE, 1)
        self.sock.bind(bind_address)
        self.btid = btid

    def publish(self, **fields: Any) -> None:
        """Send one sample."""
        self.sock.send_pyobj({"btid": self.btid, **fields})


class RemoteIterableDataset(torch.utils.data.IterableDataset):  # type: ignore[misc]  # untyped
    """What a training iterates over, in the loader's workers."""

    def __init__(self, addresses: list[str], max_items: int) -> None:
        self.addresses = addresses
        self.max_items = max_items

    def __iter__(self) -> Iterator[Any]:
        """Yield the share of this worker."""
        ctx = zmq.Context()
        socket = ctx.socket(zmq.PULL)
        try:
            socket.setsockopt(zmq.RCVHWM, QUEUE_SIZE)
            poller = zmq.Poller()
            poller.register(socket, zmq.POLLIN)
            for address in self.addresses:
                socket.connect(address)
            info = torch.utils.data.get_worker_info()
            workers = 1 if info is None else info.num_workers
            for _item in range(self.max_items // workers):
                ready = dict(poller.poll(TIMEOUT_MS))
                assert socket in ready, "No response within timeout interval."
                item = socket.recv_pyobj()
                yield item
                del item
        finally:
            socket.close()
