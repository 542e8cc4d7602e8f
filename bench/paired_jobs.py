"""Whole jobs by several ways, measured in turn: what benchmarks of whole commands share.

A way is a function of a job and an empty folder, which starts processes and waits for them. One
that is called `ours` is compared to the others, round by round.
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.checkouts import adopt_orphans, reap_orphans
from farm.spec.record import read_record

J = TypeVar("J")
Way = Callable[[J, Path], None]


@dataclass(frozen=True)
class Result:
    """What one run took."""

    wall_s: float
    cpu_s: float
    sampling: float = 0.0
    """Of the wall time, Cycles' sampling; known of ours alone."""


class Rounds:
    """The numbers of rounds, for each case anew: one, and as many more as fit in time."""

    def __init__(self, most: int, *, until_s: float = math.inf) -> None:
        """Plan them.

        Args:
            most: That many, where time is left.
            until_s: When they are to be over, by `time.monotonic`: a round is begun where the
                longest one before it would end in time.
        """
        self._most = most
        self._until_s = until_s

    def __iter__(self) -> Iterator[int]:
        longest_s = 0.0
        for number in range(self._most):
            began_s = time.monotonic()
            if number and began_s + longest_s > self._until_s:
                return
            yield number
            longest_s = max(longest_s, time.monotonic() - began_s)


def compare(
    job: J, ways: Mapping[str, Way[J]], rounds: Rounds, wanted: Sequence[str]
) -> dict[str, list[Result]]:
    """Run the ways in turn; each round begins with another."""
    found: dict[str, list[Result]] = {way: [] for way in wanted}
    for number in rounds:
        first = number % len(wanted)
        for way in (*wanted[first:], *wanted[:first]):
            found[way].append(measure(ways[way], job))
            print(f"  {way:10} {found[way][-1]}  load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return found


def measure(way: Way[J], job: J) -> Result:
    """Run a job one way, from the command to the last file."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        began, used = time.time(), cpu_s()
        way(job, folder)
        used = cpu_s() - used
        wall_s = max(path.stat().st_mtime for path in files_of(folder)) - began
        sampled = sum(
            record.timings.sample_s
            for lines in folder.glob("renders/*/views.jsonl")
            for record in map(read_record, lines.read_bytes().splitlines())
        )
    return Result(wall_s=wall_s, cpu_s=used, sampling=sampled / wall_s)


def cpu_s() -> float:
    """Return the CPU time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def files_of(folder: Path) -> list[Path]:
    """Return all files that were written."""
    return [path for path in folder.rglob("*") if path.is_file()]


def run(command: list[str], **environment: str) -> None:
    """Run a command quietly, and show all of what it says where it fails."""
    adopt_orphans()
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    reap_orphans()
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{command[:3]} ended with {done.returncode}")


def report(title: str, found: dict[str, list[Result]], *, total: int, one: str) -> None:
    """Print medians, and the ratios round by round.

    Args:
        title: What was measured.
        found: The results of each way.
        total: Pictures of the whole job.
        one: What one of them is called: `view`.
    """
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"\n{title}; {load}")
    for way, results in found.items():
        wall_s = statistics.median(result.wall_s for result in results)
        used_s = statistics.median(result.cpu_s for result in results)
        print(
            f"  {way:14} {total / wall_s:6.2f} {one}s/s, {wall_s:7.1f} s, "
            f"{used_s / total:6.2f} s of CPU per {one}"
        )
    for way in found:
        if way != "ours" and "ours" in found:
            print(f"  ours against {way}: {ratios(found, way)}")
    if "ours" in found:
        shares = sorted(result.sampling for result in found["ours"])
        print(f"  Cycles samples in {statistics.median(shares):.0%} of our wall time")


def ratios(found: dict[str, list[Result]], way: str) -> str:
    """Return how many times as fast we are, by the clock and by CPU time."""
    words = []
    for name, of in (("wall", "wall_s"), ("CPU", "cpu_s")):
        pairs = zip(found[way], found["ours"], strict=True)
        each = sorted(getattr(their, of) / getattr(our, of) for their, our in pairs)
        words.append(f"{name} {statistics.median(each):.2f} x ({each[0]:.2f} to {each[-1]:.2f})")
    return ", ".join(words)
