"""Processes that put samples into shared memory, or look at one, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from farm.stream.memory import SampleReader, SampleWriter
from farm.stream.sample import Sample
from farm.stream.wire import pack


def started(what: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one of the functions of this module as a process of its own."""
    words = [sys.executable, "-m", "tests.support.memory_processes", what, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."})


def heard(process: subprocess.Popen[bytes]) -> str:
    """Return what a process says next."""
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def put(folder: str, number: str, count: str) -> None:
    """Put samples of changing sizes and say what and where each is."""
    writer = SampleWriter(Path(folder))
    for at in range(int(count)):
        value, side = at % 251, 16 + 16 * (at % 5)
        image = np.full((side, side), value, np.uint8)
        print(
            value, writer.put(f"job-{number}-{at}", pack(Sample("s", {"image": image}))), flush=True
        )
    print("done", flush=True)


def hold(folder: str, file: str) -> None:
    """Look at a sample for ever."""
    data = SampleReader(Path(folder)).open(file)
    print("holds", flush=True)
    time.sleep(600)
    assert data


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
