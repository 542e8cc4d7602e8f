"""The loop that feeds the queue, takes back lost tasks, judges nodes and finishes jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from farm.errors import DamagedLedgerError, SetupError, StorageError, UnreachableError
from farm.ledger import JobState, JobStatus, Ledger, TaskState
from farm.ledger.steps import WaitsFor
from farm.queue import TaskQueue
from farm.spec.task import RenderMessage, RenderTask, Ticket

log = logging.getLogger(__name__)

WINDOW = 4
"""Messages that wait for each worker: enough for its next seconds, no more."""
POLL_S = 0.25
REPUBLISH_S = 5.0
"""A ticket is sent again when the queue is empty and nobody has claimed it for so long."""

CHECK_S = 60.0
"""So often all that is kept of a job is looked at as a whole."""
MOST_RESTORES = 3
"""A job that is damaged more often is left aside: somebody else writes there."""
LEFT_ALONE_S = 30.0
"""So long a job that cannot be served keeps no other from being served."""


class Dispatcher:
    """Moves tasks between the ledger and the queue; any number may run, one is enough.

    It keeps nothing that it needs: the ledger alone says what there is to do.
    """

    def __init__(  # noqa: PLR0913 - what it moves between, and its few knobs by name
        self,
        ledger: Ledger,
        queue: TaskQueue,
        task_of: Callable[[str, int], RenderTask],
        *,
        steps_of: Callable[[str], WaitsFor | None] = lambda job_id: None,
        lease_ttl_s: float = 10.0,
        on_over: Callable[[str], None] = lambda job_id: None,
        on_aside: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = ledger
        self.queue = queue
        self.task_of = task_of
        self.steps_of = steps_of
        self.lease_ttl_s = lease_ttl_s
        self.on_over = on_over
        self.on_aside = on_aside
        """Called when a job was moved aside, which the storage may know how to restore."""
        self.clock = clock
        self.epoch: str | None = None
        self.reachable = True
        self.last_step_s = clock()
        self.reap_from_s = 0.0
        self.sent_s: dict[Ticket, float] = {}
        self.damaged: dict[str, float] = {}
        self.stumbled: set[str] = set()
        self.checked_s: dict[str, float] = {}
        self.aside: Counter[str] = Counter()
        ledger.sparing.on_damage = self._move_aside
        self._be_patient()

    def run(self, stop: threading.Event, until: Callable[[], bool] = lambda: False) -> None:
        """Step until `stop` is set or `until` is true."""
        while not stop.is_set() and not until():
            self.step()
            stop.wait(POLL_S)

    def step(self) -> bool:
        """Do all that there is to do now; False while Redis is away."""
        try:
            for verb in (self._tidy, self._notice_gaps, self._reap, self._judge):
                with self._going_on(verb.__name__):
                    verb()
            jobs = [job for job in self.ledger.jobs() if not job.over]
            for serve in (self._check, self._feed, self._republish, self._finish):
                with self._going_on(serve.__name__):
                    now_s = self.clock()
                    serve([job for job in jobs if self.damaged.get(job.job_id, now_s) <= now_s])
        except UnreachableError as error:
            if self.reachable:
                log.warning("%s; the dispatcher waits for it", error)
            self.reachable = False
            self._be_patient()
            return False
        if not self.reachable:
            log.warning("Redis is back")
        self.reachable = True
        return True

    @contextmanager
    def _going_on(self, where: str, *, job_id: str | None = None) -> Iterator[None]:
        """Say what is wrong and go on: what is damaged in Redis must not stop what is not.

        A job that cannot be served is left alone for a while.
        """
        try:
            yield
        except (UnreachableError, SetupError):
            raise
        except DamagedLedgerError as error:
            self._move_aside(error)
        except Exception as error:  # the door of everything that serves
            if job_id is not None:
                self.damaged[job_id] = self.clock() + LEFT_ALONE_S
                log.exception("a job cannot be served and is left alone for now job=%s", job_id)
            elif (told := f"{where}: {error!r}") not in self.stumbled:
                self.stumbled.add(told)
                log.exception("the dispatcher stumbled and goes on where=%s", where)

    def _move_aside(self, error: DamagedLedgerError) -> None:
        """Keep what is damaged under another name; a job begins anew with what storage has."""
        log.error("moved aside: %s", error)
        self.ledger.store.move_aside(error.kind, error.name)
        if error.kind == "job":
            self.aside[error.name] += 1
            if self.aside[error.name] <= MOST_RESTORES:
                self.on_aside()

    def _tidy(self) -> None:
        for name in self.ledger.store.keep_kinds(self.queue.keys()):
            log.error("moved aside: %r, which the queue needs, was something else", name)

    def _check(self, jobs: list[JobStatus]) -> None:
        now_s = self.clock()
        known = {job.job_id for job in jobs}
        self.checked_s = {name: at for name, at in self.checked_s.items() if name in known}
        for job in jobs:
            if now_s - self.checked_s.get(job.job_id, -CHECK_S) >= CHECK_S:
                self.checked_s[job.job_id] = now_s
                with self._going_on("check", job_id=job.job_id):
                    self.ledger.check(job.job_id)

    def _notice_gaps(self) -> None:
        """Give workers time to show up again after a pause of ours or of Redis."""
        now_s, epoch = self.clock(), self.ledger.epoch()
        if epoch != self.epoch and (withdrawn := self.ledger.renumber()):
            log.warning("Redis was started anew; %d tickets are given out again", withdrawn)
        if epoch != self.epoch or now_s - self.last_step_s > self.lease_ttl_s / 2:
            self._be_patient()
        self.epoch, self.last_step_s = epoch, now_s

    def _be_patient(self) -> None:
        self.reap_from_s = self.clock() + 2 * self.lease_ttl_s

    def _reap(self) -> None:
        if self.clock() < self.reap_from_s:
            return
        for ticket in self.ledger.reap():
            log.warning(
                "task lost with its worker job=%s index=%d attempt=%d",
                ticket.job_id,
                ticket.index,
                ticket.attempt,
            )

    def _judge(self) -> None:
        for node, sentence in self.ledger.nodes.judge():
            log.warning("worker in quarantine worker=%s: %s", node, sentence)

    def _feed(self, jobs: list[JobStatus]) -> None:
        """Fill the window of each job, in order: an urgent job never waits for the others'."""
        takers = [worker for worker in self.ledger.workers() if not worker.quarantine]
        room = WINDOW * max(len(takers), 1)
        now_s = self.ledger.now_s()
        for job in jobs:
            room -= job.counts[TaskState.QUEUED]
            if room < 1:
                return
            if job.state in (JobState.QUEUED, JobState.RUNNING) and job.held_until_s <= now_s:
                with self._going_on("feed", job_id=job.job_id):
                    steps = self._steps_of(job.job_id)
                    tickets = self.ledger.take(job.job_id, room, waits_for=steps)
                    room -= len(tickets)
                    for ticket in tickets:
                        self._send(ticket, job.priority)

    def _steps_of(self, job_id: str) -> WaitsFor | None:
        try:
            return self.steps_of(job_id)
        except StorageError:  # whoever makes its tasks meets the same, and says so
            return None

    def _republish(self, jobs: list[JobStatus]) -> None:
        """Send again what was lost on the way; a double is refused at its claim."""
        waiting = [job for job in jobs if job.counts[TaskState.QUEUED]]
        if not waiting or self.queue.length():
            return
        now_s = self.ledger.now_s()
        queued: dict[Ticket, tuple[float, int]] = {}
        for job in waiting:
            with self._going_on("republish", job_id=job.job_id):
                for task in self.ledger.queued(job.job_id):
                    queued[task.ticket] = task.since_s, job.priority
        self.sent_s = {ticket: sent for ticket, sent in self.sent_s.items() if ticket in queued}
        for ticket, (since_s, priority) in queued.items():
            if now_s - self.sent_s.get(ticket, since_s) > REPUBLISH_S:
                self._send(ticket, priority)
                self.sent_s[ticket] = now_s

    def _send(self, ticket: Ticket, priority: int) -> None:
        try:
            task = self.task_of(ticket.job_id, ticket.index)
        except StorageError as error:  # the job waits, its owner can read for what
            log.warning("task cannot be made job=%s: %s", ticket.job_id, error)
            self.ledger.claim(ticket, "dispatcher")
            self.ledger.fail(ticket, error.cause, str(error))
            return
        self.queue.put(RenderMessage(ticket=ticket, task=task), priority=priority)

    def _finish(self, jobs: list[JobStatus]) -> None:
        for job in jobs:
            with self._going_on("finish", job_id=job.job_id):
                if state := self.ledger.settle(job.job_id):
                    log.info("job %s job=%s", state.value, job.job_id)
                    self.on_over(job.job_id)
