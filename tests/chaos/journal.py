"""What the renderers of a run did and when, in one file that no process can tear."""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple


class Event(NamedTuple):
    """A line of the journal."""

    what: str
    """`began`, `view` or `ended`."""
    time_s: float
    """On the clock that all processes of a machine share."""
    job_id: str
    index: int
    attempt: int
    worker: str
    view: str = ""

    @property
    def task(self) -> tuple[str, int]:
        return self.job_id, self.index


class Journal:
    """The writing end; a line is one write, so that those of many processes do not mix."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, what: str, job_id: str, index: int, attempt: int, worker: str, view: str = ""):
        line = [what, time.monotonic(), job_id, index, attempt, worker, view]
        os.write(self.file, (json.dumps(line) + "\n").encode())

    def close(self) -> None:
        os.close(self.file)


class Reader:
    """The reading end: knows who holds what, and what was rendered how often."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self.file = path.open("rb")
        self.rest = b""
        self.events: list[Event] = []
        self.rendered: Counter[tuple[str, str]] = Counter()
        """(job, view) -> how often it was rendered and recorded."""
        self.holding: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
        """Worker -> the tasks that it began and did not end, with the attempt."""

    def read(self) -> list[Event]:
        """Return the events since the last call."""
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        new = [Event(*json.loads(line)) for line in lines]
        for event in new:
            if event.what == "view":
                self.rendered[event.job_id, event.view] += 1
            elif event.what == "began":
                self.holding[event.worker] = {event.task: event.attempt}
            else:
                self.holding[event.worker].pop(event.task, None)
        self.events += new
        return new

    def held(self, name: str) -> dict[tuple[str, int], int]:
        """Return what the worker that goes by this name now holds."""
        mine = [worker for worker in self.holding if worker.startswith(f"{name}@")]
        return self.holding[mine[-1]] if mine else {}

    @property
    def views(self) -> int:
        """Views rendered so far, each as often as it was."""
        return self.rendered.total()

    @property
    def twice(self) -> int:
        """Renders beyond the first of each view."""
        return self.rendered.total() - len(self.rendered)
