"""A worker that is drained or in quarantine: it takes nothing; in quarantine it rests, and proves
itself before it continues."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import billiard

from farm.ledger import Ledger
from farm.queue import QUEUE

log = logging.getLogger(__name__)

PROOF_S = 2400.0
"""Longest time for a warm-up: a driver may compile its kernels first."""


class QuarantineGate:
    """Keeps a worker out of the queue as long as the ledger says so, and warms it up meanwhile."""

    def __init__(
        self,
        ledger: Ledger,
        worker: str,
        prove: Callable[[], str | None],
        *,
        queues: Sequence[str] = (QUEUE,),
    ) -> None:
        self._ledger = ledger
        self._worker = worker
        self._prove = prove
        self._queues = queues
        self._proof: WarmUp | None = None
        self._stale_renderer = False
        self.shut = False
        """Whether the worker is in quarantine, as far as it knows."""
        self.drained = False
        """Whether a person wants it to take nothing."""

    def refresh(self) -> None:
        """See how the worker stands and do what that asks for; called by the heartbeat.

        Raises:
            UnreachableError: The ledger is away; call again.
        """
        if self._proof and self._proof.ended.is_set():
            self._tell(self._proof.problem)
            self._proof = None
        quarantine = self._ledger.nodes.quarantine(self._worker)
        if quarantine and not self.shut:
            log.warning("in quarantine: %s", quarantine.sentence)
            self._stale_renderer = True
        if self.shut and not quarantine:
            log.warning("out of quarantine")
        self.shut = quarantine is not None
        self._see_drain()
        if self.drained:
            return  # whoever works on the machine wants it quiet
        rested = quarantine is not None and self._ledger.now_s() >= quarantine.try_from_s
        if rested and not self._proof and not self._ledger.held_by(self._worker):
            log.warning("warming up")
            self._proof = WarmUp(self._prove)

    def apply_to(self, consumer: Any, *, idle: bool) -> None:
        """Listen to the queues, or not; called at every turn of Celery's loop, in its thread."""
        if consumer.task_consumer is None:  # between two connections
            return
        deaf = self.shut or self.drained
        turn = consumer.cancel_task_queue if deaf else consumer.add_task_queue
        for queue in self._queues:
            if deaf == consumer.task_consumer.consuming_from(queue):
                turn(queue)
        if self._stale_renderer and idle:
            self._stale_renderer = False
            for child in billiard.active_children():  # what is wrong may be in its memory
                consumer.pool.terminate_job(child.pid, signal.SIGKILL)

    def _see_drain(self) -> None:
        drained = self._ledger.drains.of(self._worker) is not None
        if drained != self.drained:
            log.warning("drained: takes no more tasks" if drained else "takes tasks again")
        self.drained = drained

    def _tell(self, problem: str | None) -> None:
        if problem is None:
            self._ledger.nodes.passed(self._worker)
        else:
            log.warning("the warm-up failed: %s", problem)
            self._ledger.nodes.failed(self._worker, problem)


class WarmUp:
    """A warm-up that runs in a thread."""

    def __init__(self, prove: Callable[[], str | None]) -> None:
        self.ended = threading.Event()
        self.problem: str | None = "it was interrupted"
        self._prove = prove
        threading.Thread(target=self._run, name="warm-up", daemon=True).start()

    def _run(self) -> None:
        try:
            self.problem = self._prove()
        finally:
            self.ended.set()


def prove_in_child(
    scratch: Path,
    *,
    whole: bool = False,
    timeout_s: float = PROOF_S,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> str | None:
    """Open the renderer, which renders the known frame, in a fresh process; return what is wrong.

    The process ends with this one, since it listens to a pipe that nobody else holds.
    """
    theirs, ours = os.pipe()
    own = tempfile.mkdtemp(prefix="warm-up-", dir=scratch)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.attempt.warm_up", *["whole"] * whole],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ | environment | {"FARM_SCRATCH": own},
        )
        try:
            _, words = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"the warm-up did not end within {timeout_s:.0f} s"
    finally:
        os.close(ours)
        os.close(theirs)
        shutil.rmtree(own, ignore_errors=True)
    if process.returncode == 0:
        return None
    lines = words.decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.startswith("error: ")), "")
    died = f"the renderer's process died while it warmed up (exit code {process.returncode})"
    return last.removeprefix("error: ") or died
