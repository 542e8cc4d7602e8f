"""A private farm for streams, as its owner sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from farm.errors import FarmError
from farm.local.stream_process import Answer, Order
from farm.spec.job import Job

END_S = 15.0


@dataclass(frozen=True)
class StreamAddress:
    """Where a stream of a private farm is: for all processes of the training."""

    job_id: str
    redis_url: str
    samples: Path | None
    bound_bytes: int
    farm_pid: int
    words_file: Path
    """Holds why the farm ended by itself, if it did."""


class StreamFarm:
    """Starts a farm and ends it: when it is closed, or forgotten, or with this process."""

    def __init__(self, devices: Sequence[str]) -> None:
        """Start it; it comes up while this process does other things.

        Args:
            devices: One for each worker.
        """
        number, name = tempfile.mkstemp(prefix="farm-words-")
        os.close(number)
        self.words_file = Path(name)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "farm.local.stream_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is for us to pass on
        )
        self.answer: Answer | None = None
        self._end = weakref.finalize(self, end, self.process, self.words_file, os.getpid())
        order = Order(devices=tuple(devices), words_file=name)
        self._write(order.model_dump_json())

    def add(self, job: Job) -> StreamAddress:
        """Begin a stream; return where it is.

        Raises:
            FarmError: The farm did not come up.
        """
        self._write(job.model_dump_json())
        if self.answer is None:
            self.answer = Answer.model_validate_json(self._read())
        self._read()  # that it has begun
        return StreamAddress(
            job_id=job.job_id,
            redis_url=self.answer.redis_url,
            samples=Path(self.answer.samples) if self.answer.samples else None,
            bound_bytes=self.answer.bound_bytes,
            farm_pid=self.process.pid,
            words_file=self.words_file,
        )

    def close(self) -> None:
        """End it, with all that it started."""
        self._end()

    def _read(self) -> bytes:
        """Wait for a line of the farm.

        Raises:
            FarmError: It has ended.
        """
        assert self.process.stdout is not None
        if line := self.process.stdout.readline():
            return line
        self.process.wait()
        raise FarmError(self.words_file.read_text(encoding="utf-8") or FAILED)

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it says why
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()


FAILED = "the private farm did not start; run `farm doctor`"


def end(process: subprocess.Popen[bytes], words_file: Path, owner: int) -> None:
    """End a farm, unless this is a process that was forked from its owner."""
    if os.getpid() != owner:
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    with suppress(ProcessLookupError):
        process.terminate()  # a forked process may still hold the pipe
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    words_file.unlink(missing_ok=True)
