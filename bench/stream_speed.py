"""Samples a second from two producers into a training, against blendtorch's transport.

    .venv-torch/bin/python -m pip install pyzmq
    .venv-torch/bin/python -m bench.stream_speed [--samples 800] [--rounds 7] [--memory 100000]

`make test-torch` makes that environment. The producers have their arrays ready, 640x480 RGBA and
eight points, so that nothing but the way is measured. The ways take turns, each with fresh
processes; a rate is that after the first batch. Baseline: blendtorch's sockets and loop through
PyTorch's `DataLoader`, four workers, batches of eight. Besides, `--memory` sends many small samples
through the ring and tells the memory of both ends after a tenth of them and in the end.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from bench.blendtorch_way import RemoteIterableDataset
from bench.stream_ways import TIMEOUT_S, RingMessages, TcpMessages, own_memory_kb
from farm.stream.batches import Batches, Collator
from farm.stream.ring import Reader, StreamEnded, end_ring, make_ring
from farm.stream.tensors import Tensors

BATCH, WORKERS, PRODUCERS, SLOTS = 8, 4, 2, 20
SLOT_BYTES = 2 << 20
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
        "ring, DataLoader": ring_loader,
        "ring, batches": ring_batches,
        "TCP, DataLoader": tcp_loader,
        "TCP, batches": tcp_batches,
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


def ring_loader(samples: int) -> float:
    """Measure the ring through PyTorch's loader."""
    with ring() as folder:
        return rate(loader(RingMessages(folder), samples), samples)


def ring_batches(samples: int) -> float:
    """Measure the ring into batches."""
    with ring() as folder, Reader(folder) as reader:
        batches = Batches(reader, Collator(BATCH, memory=Tensors()), timeout_s=TIMEOUT_S)
        return rate((batch.fields for batch in batches), samples)


def tcp_loader(samples: int) -> float:
    """Measure frames over TCP through PyTorch's loader."""
    ports = free_ports()
    with running("tcp", ports):
        return rate(loader(TcpMessages(ports), samples), samples)


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

    def __init__(self, messages: RingMessages | TcpMessages, count: int) -> None:
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


def loader(messages: RingMessages | TcpMessages, samples: int) -> DataLoader[Any]:
    """Return PyTorch's loader of a stream."""
    return DataLoader(Tensored(messages, whole(samples)), batch_size=BATCH, num_workers=WORKERS)


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
def ring(*more: object) -> Iterator[Path]:
    """Make a ring that two producers fill."""
    folder = Path(tempfile.mkdtemp(prefix="farm-bench-", dir="/dev/shm"))
    try:
        make_ring(folder, slots=SLOTS, slot_bytes=SLOT_BYTES)
        with running("ring", [folder] * PRODUCERS, *more):
            yield folder
    finally:
        shutil.rmtree(folder)


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
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def free_ports() -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(PRODUCERS)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def tell_memory(samples: int) -> None:
    """Send many small samples and print the memory of all that take part."""
    folder = Path(tempfile.mkdtemp(prefix="farm-bench-", dir="/dev/shm"))
    try:
        for count in (samples // 10, samples):
            make_ring(folder, slots=SLOTS, slot_bytes=SLOT_BYTES)
            with running("ring", [folder] * PRODUCERS, count // PRODUCERS, 16) as processes:
                taken, own = consume(folder, count)
                theirs = [(process.stdout or sys.stdin).readline().strip() for process in processes]
            empty(folder)
            print(
                f"{taken:,} samples: {own:,} kB in the training, {', '.join(theirs)} in producers"
            )
    finally:
        shutil.rmtree(folder)


def empty(folder: Path) -> None:
    """Remove what is in a folder."""
    for file in folder.iterdir():
        file.unlink()


def consume(folder: Path, count: int) -> tuple[int, int]:
    """Take samples in batches; return how many, and the memory of this process."""
    taken = 0
    with Reader(folder) as reader, contextlib.suppress(StreamEnded):
        for batch in Batches(reader, Collator(BATCH, memory=Tensors()), timeout_s=TIMEOUT_S):
            taken += len(batch.ids)
            if taken >= count:
                end_ring(folder)
    return taken, own_memory_kb()


if __name__ == "__main__":
    main()
