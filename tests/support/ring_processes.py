"""Processes that put samples into a ring and take them out, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from farm.stream.ring import Reader, StreamEnded, Writer
from farm.stream.sample import Sample

LONG_S = 120.0


def started(what: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one of the functions of this module as a process of its own."""
    words = [sys.executable, "-m", "tests.support.ring_processes", what, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."})


def heard(process: subprocess.Popen[bytes]) -> str:
    """Return what a process says next."""
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def sample(name: str, side: int = 16) -> Sample:
    """Return a sample whose every pixel tells which one it is."""
    value = int(name.split("-")[-1]) % 251
    return Sample(name, {"image": np.full((side, side), value, np.uint8), "number": value})


def put(folder: Path, first: str, count: str) -> None:
    """Put samples, then say so and stay."""
    with Writer(folder) as writer:
        for number in range(int(first), int(first) + int(count)):
            writer.put(sample(f"s-{number}"), timeout_s=LONG_S)
        say("done")
        stay()


def reserve(folder: Path) -> None:
    """Begin to put a sample and never finish it."""
    writer = Writer(folder)
    writer._reserve(b"x" * 16)
    say("reserved")
    stay()


def take(folder: Path, count: str) -> None:
    """Take samples, say which, and never acknowledge them."""
    reader = Reader(folder)
    leases = reader.take(int(count), timeout_s=LONG_S)
    say(" ".join(lease.sample().id for lease in leases))
    stay()


def use(folder: Path, log: Path) -> None:
    """Note each sample before and after it is acknowledged, until the stream ends."""
    with Reader(folder) as reader, log.open("a", buffering=1) as file:
        try:
            while True:
                for lease in reader.take(2, timeout_s=LONG_S):
                    found = lease.sample()
                    assert (
                        found.fields["image"].tolist() == sample(found.id).fields["image"].tolist()
                    )
                    file.write(f"used {found.id} {os.getpid()}\n")
                    if lease.acknowledge():
                        file.write(f"over {found.id} {os.getpid()}\n")
        except StreamEnded:
            say("ended")


def say(text: str) -> None:
    print(text, flush=True)


def stay() -> None:
    """Wait for the end, however it comes."""
    time.sleep(600)


if __name__ == "__main__":
    globals()[sys.argv[1]](*(Path(each) if "/" in each else each for each in sys.argv[2:]))
