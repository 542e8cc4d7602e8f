"""Samples a second from two producers into a training, against blendtorch's transport.

    .venv-torch/bin/python -m pip install pyzmq
    .venv-torch/bin/python -m bench.stream_speed [--samples 800] [--rounds 7] [--memory 100000]

`make test-torch` makes that environment. The producers have their arrays ready, 640x480 RGBA and
eight points, so that nothing but the way is measured: ours is that of views which a private farm
renders, from the worker's end of a stream to `StreamDataset`; that of a farm of which arrays are
asked for over HTTP; and the bytes of samples over a plain TCP connection. The ways take turns,
each with fresh processes; a rate is that after the first batch. Baseline: blendtorch's sockets and
loop through PyTorch's `DataLoader`, four workers, batches of eight. Besides, `--memory` sends many
small samples and tells the memory of both ends after a tenth of them and in the end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from bench.blendtorch_way import RemoteIterableDataset
from bench.stream_ways import BOUND_BYTES, PRODUCERS, TcpMessages, own_memory_kb
from farm.client.home import Home, Login
from farm.feeding.book import StreamBook
from farm.local.processes.redis_server import PrivateRedis
from farm.local.stream_farm import StreamAddress
from farm.spec.stream import StreamPlan
from farm.stream.batches import Collator
from farm.stream.tensors import Tensors
from farm.torch import StreamDataset
from farm.training.source import LocalSource
from tests.support.farms.api_server import HDR, MODEL

BATCH, WORKERS = 8, 4
QUEUES = {"loader": 16, "batches": 40}
"""Samples on their way to one consumer; blendtorch's are 40, ten at each end of a connection."""
JOB = "0123456789ab"
BASE = "blendtorch, DataLoader"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", type=int, default=0, metavar="SAMPLES")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", message="This DataLoader will create")
    if asked.memory:
        tell_memory(asked.memory)
        return
    ways: dict[str, Callable[[int], float]] = {
        BASE: blendtorch(WORKERS),
        "blendtorch, main process": blendtorch(0),
        "stream, DataLoader": stream_loader,
        "stream, batches": stream_batches,
        "farm over HTTP, DataLoader": http_loader,
        "farm over HTTP, batches": http_batches,
        "TCP frames, DataLoader": tcp_loader,
        "TCP frames, batches": tcp_batches,
    }
    rounds: list[dict[str, float]] = []
    for at in range(asked.rounds):
        rounds.append({name: way(asked.samples) for name, way in ways.items()})
        print(f"round {at + 1}: {', '.join(f'{rate:.0f}' for rate in rounds[-1].values())}")
    print(f"\nmedians of {asked.rounds} rounds; the factors are those within a round")
    for name in ways:
        rate = statistics.median(each[name] for each in rounds)
        factor = statistics.median(each[name] / each[BASE] for each in rounds)
        print(f"{name:26} {rate:8.0f} samples/s {factor:6.2f}x")


def blendtorch(workers: int) -> Callable[[int], float]:
    """Return the baseline."""

    def way(samples: int) -> float:
        addresses = [f"tcp://127.0.0.1:{port}" for port in free_ports()]
        with running("blendtorch", addresses):
            views = RemoteIterableDataset(addresses, whole(samples))
            return rate(DataLoader(views, batch_size=BATCH, num_workers=workers), samples)

    return way


def stream_loader(samples: int) -> float:
    """Measure a stream through PyTorch's loader."""
    with stream(whole(samples), queue=QUEUES["loader"], consumers=WORKERS) as (views, _producers):
        loader = DataLoader(views, batch_size=BATCH, num_workers=WORKERS)
        return rate(loader, samples)


def stream_batches(samples: int) -> float:
    """Measure a stream into batches."""
    with stream(whole(samples), queue=QUEUES["batches"]) as (views, _producers):
        return rate(views.batches(BATCH), samples)


@dataclass(frozen=True)
class ReadyPlace:
    """Where a stream runs whose samples are ready: as a private farm, without its workers."""

    address: StreamAddress
    job_id: str = JOB
    job: None = None
    encoding: str = "arrays"

    def open(self) -> LocalSource:
        """Return this process's own way to it."""
        return LocalSource(
            StreamBook(self.address.redis_url, bound_bytes=BOUND_BYTES), self.address
        )

    def sent(self) -> Self:
        """Return it as another process may have it."""
        return self

    def close(self) -> None:
        """End nothing."""


@contextlib.contextmanager
def stream(
    samples: int, *, queue: int, consumers: int = 1, side: str = "-"
) -> Iterator[tuple[StreamDataset, list[subprocess.Popen[str]]]]:
    """Begin a stream of ready samples."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farm-bench-")))
        memory = tempfile.mkdtemp(prefix="farm-bench-", dir="/dev/shm")
        stack.callback(shutil.rmtree, memory)
        redis = stack.enter_context(PrivateRedis(folder))
        book = StreamBook(redis.url, bound_bytes=BOUND_BYTES)
        book.open(JOB, StreamPlan(name="bench", length=samples), stride=1)
        more = (JOB, queue * consumers, memory, samples, side)
        producers = stack.enter_context(running("stream", [redis.url] * PRODUCERS, *more))
        address = StreamAddress(
            job_id=JOB,
            redis_url=redis.url,
            samples=Path(memory),
            bound_bytes=BOUND_BYTES,
            farm_pid=os.getpid(),
            words_file=folder / "words",
        )
        with patch("farm.training.stream.attach", return_value=ReadyPlace(address)):
            views = StreamDataset(f"farm:{JOB}", scale=False, queue=queue)
        yield stack.enter_context(views), producers


def http_loader(samples: int) -> float:
    """Measure a farm's stream of arrays through PyTorch's loader."""
    with farm_stream(whole(samples), queue=QUEUES["loader"], consumers=WORKERS) as views:
        return rate(DataLoader(views, batch_size=BATCH, num_workers=WORKERS), samples)


def http_batches(samples: int) -> float:
    """Measure a farm's stream of arrays into batches."""
    with farm_stream(whole(samples), queue=QUEUES["batches"]) as views:
        return rate(views.batches(BATCH), samples)


@contextlib.contextmanager
def farm_stream(samples: int, *, queue: int, consumers: int = 1) -> Iterator[StreamDataset]:
    """Begin a stream of ready samples on a farm: through its Redis, its API and HTTP."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farm-bench-")))
        homes = {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache")}
        stack.enter_context(patch.dict(os.environ, homes))
        redis = stack.enter_context(PrivateRedis(folder / "redis"))
        (server,) = stack.enter_context(running("farm", [redis.url], folder))
        url, token = json.loads(said(server))
        Home.of_user().save_login(Login(url, token))
        spec: dict[str, Any] = {"recipe": {"yaw": 8, "pitch": 1}, "passes": ["rgb"]}
        for role, name, data in (("models", "chair.blend", MODEL), ("hdrs", "studio.exr", HDR)):
            (folder / name).write_bytes(data)
            spec[role] = [str(folder / name)]
        views = StreamDataset(
            spec, farm=url, queue=queue, length=samples, encoding="arrays", scale=False
        )
        stack.enter_context(views)
        more = (views.stream.job_id, queue * consumers, "-", samples, "-")
        stack.enter_context(running("stream", [redis.url] * PRODUCERS, *more))
        yield views


def tcp_loader(samples: int) -> float:
    """Measure frames over TCP through PyTorch's loader."""
    ports = free_ports()
    with running("tcp", ports):
        views = Tensored(TcpMessages(ports), whole(samples))
        return rate(DataLoader(views, batch_size=BATCH, num_workers=WORKERS), samples)


def tcp_batches(samples: int) -> float:
    """Measure frames over TCP into batches."""

    def batches() -> Generator[dict[str, Any], None, None]:
        collator = Collator(BATCH, memory=Tensors())
        for message in TcpMessages(ports).messages():
            collator.add(message)
            if not collator.room:
                yield collator.finish().fields

    ports = free_ports()
    with running("tcp", ports), contextlib.closing(batches()) as some:
        return rate(some, samples)


class Tensored(IterableDataset):  # type: ignore[misc]  # torch has no types here
    """The share of one worker, as tensors."""

    def __init__(self, messages: TcpMessages, count: int) -> None:
        self.messages = messages
        self.count = count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield samples."""
        info = torch.utils.data.get_worker_info()
        share = self.count // (1 if info is None else info.num_workers)
        for _at, sample in zip(range(share), self.messages, strict=False):
            yield {
                name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
                for name, value in sample.fields.items()
            }


def whole(samples: int) -> int:
    """Return how many samples must be sent so that so many are measured."""
    return samples + 4 * BATCH * WORKERS


def rate(batches: Iterable[dict[str, Any]], samples: int) -> float:
    """Return the samples a second of batches, from the first one on."""
    taken, start = 0, 0.0
    for batch in batches:
        assert batch["image"].shape[1:] == (480, 640, 4)
        if not start:
            start = time.perf_counter()
            continue
        taken += len(batch["image"])
        if taken >= samples:
            break
    return taken / (time.perf_counter() - start)


@contextlib.contextmanager
def running(way: str, places: list[Any], *more: object) -> Iterator[list[subprocess.Popen[str]]]:
    """Run a producer for each place."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.stream_ways", way, *map(str, (place, number, *more))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, place in enumerate(places)
    ]
    try:
        for process in processes:
            assert said(process) == "ready"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def said(process: subprocess.Popen[str]) -> str:
    """Return what a producer says next."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def free_ports() -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(PRODUCERS)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def tell_memory(samples: int) -> None:
    """Send many small samples and print the memory of all that take part."""
    for count in (samples // 10, samples):
        with stream(count, queue=QUEUES["batches"], side="16") as (views, producers):
            taken = sum(len(batch["id"]) for batch in views.batches(BATCH))
            theirs = ", ".join(said(process) for process in producers)
            own = own_memory_kb()
        print(f"{taken:,} samples: {own:,} kB in the training, {theirs} kB in the producers")


if __name__ == "__main__":
    main()
