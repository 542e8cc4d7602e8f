"""The thread of a worker's main process that tells the ledger what the renderer cannot."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from farm.errors import DeviceError, UnreachableError
from farm.ledger import Gauges, Ledger
from farm.spec.task import Ticket
from worker.device.gpu_lease import DeviceLease

log = logging.getLogger(__name__)

DEADLY_STARTS = 3
"""Deaths in a row, before a task was even claimed, that mean that the renderer cannot start."""


@dataclass(frozen=True)
class RendererDeath:
    """An attempt that took the renderer's process with it."""

    ticket: Ticket
    cause: str
    sentence: str
    task_id: str = ""


@dataclass
class Heartbeat:
    """Keeps a worker's lease alive and reports deaths, also across outages of Redis."""

    ledger: Ledger
    worker: str
    info: dict[str, str]
    ttl_s: float
    on_deadly_start: Callable[[str], None]
    """Called with a sentence when the renderer dies again and again while it starts, or when
    somebody else has taken the GPU."""
    on_orphaned: Callable[[], None] | None = None
    """Called when the process that started this one is gone; None: it may go."""
    on_death: Callable[[RendererDeath], None] | None = None
    """Called with every death that the ledger has been told."""
    on_beat: Callable[[], None] | None = None
    """Called after every beat that the ledger has heard; it may raise as the ledger does."""
    in_hand: Callable[[], Collection[Ticket]] | None = None
    """Tells what the worker has begun and not ended, whatever the ledger believes."""
    gauges: Callable[[], Gauges | None] = lambda: None
    """Tells what the driver measures of the GPU."""
    device: DeviceLease | None = None
    """The GPU that is kept as long as the heartbeat lasts."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the worker was asked to stop: nobody is to blame for what ends now."""
    deaths: queue.SimpleQueue[RendererDeath | None] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.handing_back, self.handed_back = threading.Event(), threading.Event()
        self.parent = os.getppid()
        self.begun = False
        self.born_s = time.monotonic()
        self.reachable = True
        self.deadly_starts = 0
        self.epoch: str | None = None
        self.thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat, unless it does already."""
        if self.thread.is_alive():
            return
        self.begun = True
        self._try(self._beat)
        self.thread.start()

    def report(self, death: RendererDeath) -> None:
        """Tell the ledger, as soon as it can be reached; safe in an event loop."""
        self.deaths.put(death)

    def hand_back(self, *, timeout_s: float) -> None:
        """Give back what the worker holds, whether its renderer is done or not; it has ended."""
        self.stopping.set()
        self.handing_back.set()
        self.deaths.put(None)
        self.handed_back.wait(timeout_s)

    def stop(self) -> None:
        """End the thread and sign off, also where a signal came between the first beat and it."""
        if self.ended.is_set() or not self.begun:
            return
        self.ended.set()
        self.deaths.put(None)
        if self.thread.is_alive():
            self.thread.join()
        self._try(lambda: self.ledger.farewell(self.worker))
        if self.device:
            self.device.give_back()

    def _run(self) -> None:
        unsaid: list[RendererDeath] = []
        beat_s = float("-inf")
        while not self.ended.is_set():
            unsaid += self._wait(min(self.ttl_s / 4, 1.0))
            if self.on_orphaned and os.getppid() != self.parent:
                self.on_orphaned()
                self.on_orphaned = None
            if self.handing_back.is_set() and self._try(self._release_all):
                self.handed_back.set()
            self._tell_all(unsaid)
            if time.monotonic() - beat_s >= self.ttl_s / 4 and self._try(self._beat):
                beat_s = time.monotonic()

    def _wait(self, timeout_s: float) -> list[RendererDeath]:
        try:
            death = self.deaths.get(timeout=timeout_s)
        except queue.Empty:
            return []
        return [death] if death else []

    def _beat(self) -> None:
        up_s = time.monotonic() - self.born_s
        self.ledger.heartbeat(self.worker, self.info, self.ttl_s, up_s=up_s, gauges=self.gauges())
        if self.device:
            try:
                self.device.renew()
            except DeviceError as error:  # while Redis was away
                self.on_deadly_start(str(error))
        self._disown()
        if self.on_beat:
            self.on_beat()

    def _disown(self) -> None:
        """Give back what a Redis that was restarted believes us to hold: it forgets its last
        second, and in it we may have come to the end of a task."""
        epoch = self.ledger.epoch()
        if self.in_hand and self.epoch not in (None, epoch):
            held = self.ledger.held_by(self.worker)
            mine = self.in_hand()  # read last: a task that was begun since is not in `held`
            for ticket in held:
                if ticket not in mine:
                    log.warning("task given back, Redis forgot its end: %s", ticket)
                    with self.ledger.sparing():
                        self.ledger.release(ticket)
        self.epoch = epoch

    def _release_all(self) -> None:
        for ticket in self.ledger.held_by(self.worker):
            with self.ledger.sparing():
                self.ledger.release(ticket)

    def _tell_all(self, unsaid: list[RendererDeath]) -> None:
        while unsaid and self._try(lambda: self._tell(unsaid[0])):
            unsaid.pop(0)

    def _tell(self, death: RendererDeath) -> None:
        if self.stopping.is_set():
            self.ledger.release(death.ticket)
            return
        state = self.ledger.fail(death.ticket, death.cause, death.sentence)
        log.warning("renderer lost cause=%s now=%s: %s", death.cause, state, death.sentence)
        if state and self.on_death:
            self.on_death(death)
        self.deadly_starts = 0 if state else self.deadly_starts + 1
        if state is None:
            self.ledger.release(death.ticket)
        if self.deadly_starts >= DEADLY_STARTS:
            self.on_deadly_start(f"the renderer dies while it starts: {death.sentence}")

    def _try(self, verb: Callable[[], None]) -> bool:
        try:
            with self.ledger.sparing():
                verb()
        except UnreachableError as error:
            if self.reachable:
                log.warning("%s; the worker continues and waits for it", error)
            self.reachable = False
            return False
        if not self.reachable:
            log.warning("Redis is back")
        self.reachable = True
        return True
