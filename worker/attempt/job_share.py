"""What this worker does for the job whose task it has, told now and then, all of it in the end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from farm.ledger.model import node_of
from farm.tallies.model import DoneView, Share

TELL_EVERY_S = 1.0

Add = Callable[[str, Share], None]
"""Takes a job, and what was done for it."""


class JobShare:
    """Adds up between two tellings; views end in threads beside the renderer."""

    def __init__(self, add: Add, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._add = add
        self._node = node_of(worker)
        self._clock = clock
        self._lock = threading.Lock()
        self._job_id: str | None = None
        self._told_s = 0.0
        self._forget()

    def begin(self, job_id: str) -> None:
        """Note that a task of a job has begun."""
        with self._lock:
            self._job_id, self._told_s = job_id, self._clock()
            self._forget()

    def view_done(self, done: DoneView) -> None:
        """Count a view that was rendered."""
        with self._lock:
            self._views += 1
            self._timed += bool(done.stages)
            self._stages.update(done.stages)
            if done.missing:
                self._missing[done.asset] = done.missing
            if self._clock() - self._told_s >= TELL_EVERY_S:
                self._tell()

    def end(self) -> None:
        """Note that the task has ended, however it went."""
        with self._lock:
            self._tell()
            self._job_id = None

    def _tell(self) -> None:
        if self._job_id is None:
            return
        now_s = self._clock()
        share = Share(
            node=self._node,
            views=self._views,
            timed=self._timed,
            stages=dict(self._stages),
            spent_s=now_s - self._told_s,
            missing=self._missing,
        )
        self._told_s = now_s
        self._forget()
        self._add(self._job_id, share)

    def _forget(self) -> None:
        self._views = self._timed = 0
        self._stages: Counter[str] = Counter()
        self._missing: dict[str, tuple[str, ...]] = {}
