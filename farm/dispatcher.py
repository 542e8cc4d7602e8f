"""The loop that feeds the queue, takes back lost tasks, judges nodes and finishes jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from farm.errors import (
    DamagedLedgerError,
    SetupError,
    SpecError,
    StorageError,
    UnreachableError,
)
from farm.feeding.feed import StreamFeed
from farm.ledger import JobState, JobStatus, Ledger, TaskState
from farm.ledger.inboxes import Affinity, Inboxes, InboxTicket
from farm.ledger.model import FED_JOB, WorkerStatus
from farm.ledger.steps import WaitsFor
from farm.queue import TaskQueue
from farm.spec.task import RenderMessage, RenderTask, Ticket

log = logging.getLogger(__name__)

T = TypeVar("T")

WINDOW = 4
"""Messages that wait for each worker: enough for its next seconds, no more."""
POLL_S = 0.25
SHORTEST_S = 0.02
"""Pause between steps, at least."""
MOST_OF_WINDOW, LITTLE_OF_WINDOW = 0.75, 0.25
"""Shares of a window that workers go through during a pause: the next one is shorter, or longer."""
REPUBLISH_S = 5.0
"""Time without a claim after which a ticket is sent again, if the queue is empty."""

REST, LONGEST_REST_S = 9.0, 2.0
"""Pause after what looks at all workers, as a multiple of the time that it took, and at most."""
CHECK_S = 60.0
"""Interval between checks of all data of a job."""
MOST_RESTORES = 3
"""Most times that a damaged job is restored: after that, something else keeps writing there."""
LEFT_ALONE_S = 30.0
"""Time for which a job that cannot be served is skipped."""


class Dispatcher:
    """Moves tasks between the ledger and the queue; any number may run, one is enough.

    It holds no state that it needs: only the ledger knows what to do.
    """

    def __init__(  # noqa: PLR0913 - what it moves between, and its few knobs by name
        self,
        ledger: Ledger,
        queue: TaskQueue,
        task_of: Callable[[str, int], RenderTask],
        *,
        steps_of: Callable[[str], WaitsFor | None] = lambda job_id: None,
        affinity_of: Callable[[str], Affinity | None] = lambda job_id: None,
        streams: StreamFeed | None = None,
        lease_ttl_s: float = 10.0,
        on_over: Callable[[str], None] = lambda job_id: None,
        on_aside: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = ledger
        self.queue = queue
        self.task_of = task_of
        self.steps_of = steps_of
        self.affinity_of = affinity_of
        self.streams = streams
        self.lease_ttl_s = lease_ttl_s
        self.on_over = on_over
        self.on_aside = on_aside
        """Called when a damaged job was renamed; it may be possible to restore it from storage."""
        self.clock = clock
        self.inboxes = Inboxes(ledger)
        self.inbox_of: dict[str, str] = {}
        """Worker that takes tasks -> name of its inbox."""
        self.epoch: str | None = None
        self.reachable = True
        self.pause_s = POLL_S
        """Time until the next step: shorter where tasks are, so that no worker waits for one."""
        self.sent = 0
        """Messages that were put into the queue."""
        self.last_step_s = clock()
        self.reap_from_s = 0.0
        self.sent_s: dict[Ticket, float] = {}
        self.damaged: dict[str, float] = {}
        self.stumbled: set[str] = set()
        self.checked_s: dict[str, float] = {}
        self.aside: Counter[str] = Counter()
        self.rests_until_s: dict[str, float] = {}
        """Name of what is done rarely -> when it may be done again."""
        ledger.sparing.on_damage = self._move_aside
        self._be_patient()

    def run(self, stop: threading.Event, until: Callable[[], bool] = lambda: False) -> None:
        """Step until `stop` is set or `until` is true."""
        while not stop.is_set() and not until():
            self.step()
            self.rest(stop)

    def rest(self, stop: threading.Event) -> None:
        """Pause before the next step, for less long where consumers of streams wait."""
        if self.streams is None or not self.streams.names or not self.reachable:
            stop.wait(self.pause_s)
        elif not stop.wait(SHORTEST_S):
            with suppress(UnreachableError):
                self.streams.book.wait_for_news(POLL_S)

    def step(self) -> bool:
        """Do all current work; False while Redis is away."""
        try:
            for verb in (self._tidy, self._notice_gaps, self._reap, self._judge):
                with self._going_on(verb.__name__):
                    self._rarely(verb)
            jobs = [job for job in self.ledger.jobs() if not job.over]
            if self.streams is not None:
                with self._going_on("streams"):
                    self.streams.look(jobs)
            for serve in (self._check, self._feed, self._republish, self._finish):
                with self._going_on(serve.__name__):
                    now_s = self.clock()
                    serve([job for job in jobs if self.damaged.get(job.job_id, now_s) <= now_s])
        except UnreachableError as error:
            if self.reachable:
                log.warning("%s; the dispatcher waits", error)
            self.reachable = False
            self._be_patient()
            return False
        if not self.reachable:
            log.warning("Redis is back")
        self.reachable = True
        return True

    def _rarely(self, verb: Callable[[], None]) -> None:
        """Do what need not be done in each step, for a tenth of the time at most: with a thousand
        workers it would leave none to feed them.
        """
        start_s = self.clock()
        if start_s < self.rests_until_s.get(verb.__name__, start_s):
            return
        verb()
        end_s = self.clock()
        rest_s = min(REST * (end_s - start_s), LONGEST_REST_S)
        self.rests_until_s[verb.__name__] = end_s + rest_s

    @contextmanager
    def _going_on(self, where: str, *, job_id: str | None = None) -> Iterator[None]:
        """Log what is wrong and continue: damaged data in Redis must not stop the rest.

        A job that cannot be served is skipped for a while.
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
                log.exception("a job cannot be served and is skipped for now job=%s", job_id)
            elif (told := f"{where}: {error!r}") not in self.stumbled:
                self.stumbled.add(told)
                log.exception(
                    "the dispatcher met an unexpected error and continues where=%s", where
                )

    def _move_aside(self, error: DamagedLedgerError) -> None:
        """Keep damaged data under another name; a job starts again from what is on storage."""
        log.error("moved to farm:damaged: %s", error)
        self.ledger.store.move_aside(error.kind, error.name)
        if error.kind == "job":
            self.aside[error.name] += 1
            if self.aside[error.name] <= MOST_RESTORES:
                self.on_aside()

    def _tidy(self) -> None:
        for name in self.ledger.store.keep_kinds(self.queue.keys(self.inbox_of.values())):
            log.error("moved to farm:damaged: %r, which the queue needs, held something else", name)

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
        """Give workers time to reappear after a pause of the dispatcher or of Redis."""
        now_s, epoch = self.clock(), self.ledger.epoch()
        if epoch != self.epoch and (withdrawn := self.ledger.renumber()):
            log.warning("Redis was restarted; %d tickets are given out again", withdrawn)
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
                "task lost because its worker is gone job=%s index=%d attempt=%d",
                ticket.job_id,
                ticket.index,
                ticket.attempt,
            )

    def _judge(self) -> None:
        for node, sentence in self.ledger.nodes.judge():
            log.warning("worker in quarantine worker=%s: %s", node, sentence)

    def _feed(self, jobs: list[JobStatus]) -> None:
        """Fill the window of each job, in order: an urgent job never waits for the others'."""
        takers = [worker for worker in self.ledger.workers() if worker.takes_tasks]
        self._look_into_inboxes(takers)
        window = room = WINDOW * max(len(takers), 1)
        now_s, ahead, before = self.ledger.now_s(), 0, self.sent
        for job in jobs:
            queued, fed = job.counts[TaskState.QUEUED], 0
            room -= queued
            if room < 1:
                break
            if job.state in FED_JOB and job.held_until_s <= now_s:
                with self._going_on("feed", job_id=job.job_id):
                    most = self._asked_for(job, room)
                    fed = self._feed_job(job, most, len(takers), waits=ahead > 0) if most else 0
            room -= fed
            ahead += queued + fed - self.inboxes.count(job.job_id)
        self._hurry((self.sent - before) / window)
        self._share(jobs)

    def _hurry(self, share: float) -> None:
        """Let the next pause suit how much of a window workers went through during the last."""
        if share >= MOST_OF_WINDOW:
            self.pause_s = max(self.pause_s / 2, SHORTEST_S)
        elif share <= LITTLE_OF_WINDOW:
            self.pause_s = min(self.pause_s * 1.5, POLL_S)

    def _asked_for(self, job: JobStatus, room: int) -> int:
        """Return how many tickets of a job may be given out: of a stream, what consumers want."""
        if self.streams is None or not self.streams.is_stream(job.job_id):
            return room
        return min(room, self.streams.room(job))

    def _look_into_inboxes(self, takers: list[WorkerStatus]) -> None:
        found = {worker.worker: worker.info.get("inbox", "") for worker in takers}
        self.inbox_of = {worker: inbox for worker, inbox in found.items() if inbox}
        self.inboxes.tidy(self.inbox_of)

    def _feed_job(self, job: JobStatus, room: int, takers: int, *, waits: bool) -> int:
        """Give out up to `room` tickets of a job; return how much of the room is used up.

        A job that `waits` for tickets of jobs before it fills no inbox: it would overtake them.
        """
        steps = self._known(self.steps_of, job.job_id)
        affinity = self._known(self.affinity_of, job.job_id)
        if affinity is None:
            return self._send_to_all(job, room, steps)
        if not job.counts[TaskState.PENDING]:
            return 0
        if waits and self.queue.length():
            return room
        others = takers - len(self.inbox_of)
        shared = job.counts[TaskState.QUEUED] - self.inboxes.count(job.job_id)
        sent = self._send_to_all(job, min(room, WINDOW * others - shared), steps)
        if others and not self.inbox_of:
            return sent
        placed, all_given = self.inboxes.place(
            job, affinity, self.inbox_of, limit=room - sent, waits_for=steps
        )
        for each in placed:
            self._deliver(each, job.priority)
        return sent + len(placed) if all_given else room  # else no job after it is served

    def _send_to_all(self, job: JobStatus, limit: int, steps: WaitsFor | None) -> int:
        tickets = self.ledger.take(job.job_id, limit, waits_for=steps)
        for ticket in tickets:
            self._send(ticket, job.priority)
        return len(tickets)

    def _share(self, jobs: list[JobStatus]) -> None:
        """Let no worker wait while tasks are in the inboxes of others."""
        idle = self.inbox_of.keys() - {each.worker for each in self.inboxes.placed.values()}
        if not idle or not self.inboxes.placed or self.queue.length():
            return
        priorities = {job.job_id: job.priority for job in jobs}
        busy: set[str] = set()
        for job in jobs:
            if job.counts[TaskState.RUNNING]:
                with self._going_on("share", job_id=job.job_id):
                    busy |= {task.worker for task in self.ledger.running(job.job_id)}
        for each in self.inboxes.take_over(self.inbox_of, busy):
            self._deliver(each, priorities.get(each.ticket.job_id, 0))

    def _known(self, ask: Callable[[str], T | None], job_id: str) -> T | None:
        try:
            return ask(job_id)
        except (StorageError, SpecError):  # making its tasks meets the same error, and says so
            return None

    def _republish(self, jobs: list[JobStatus]) -> None:
        """Send lost messages again; a duplicate is refused at its claim."""
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
            late = now_s - self.sent_s.get(ticket, since_s) > REPUBLISH_S
            if late and not self._lies_in_inbox(ticket):
                self._send(ticket, priority)
                self.sent_s[ticket] = now_s

    def _lies_in_inbox(self, ticket: Ticket) -> bool:
        placed = self.inboxes.placed.get(ticket)
        inbox = self.inbox_of.get(placed.worker) if placed else None
        return inbox is not None and self.queue.length(inbox) > 0

    def _deliver(self, placed: InboxTicket, priority: int) -> None:
        self._send(placed.ticket, priority, inbox=self.inbox_of[placed.worker])

    def _send(self, ticket: Ticket, priority: int, *, inbox: str | None = None) -> None:
        try:
            task = self.task_of(ticket.job_id, ticket.index)
            if self.streams is not None:
                task = self.streams.dressed(task)
        except (StorageError, SpecError) as error:  # its owner can read why it waits, or failed
            log.warning("task cannot be made job=%s: %s", ticket.job_id, error)
            self.ledger.claim(ticket, "dispatcher")
            cause = error.cause if isinstance(error, StorageError) else "unknown"
            self.ledger.fail(ticket, cause, str(error))
            return
        self.queue.put(RenderMessage(ticket=ticket, task=task), priority=priority, inbox=inbox)
        self.sent += 1

    def _finish(self, jobs: list[JobStatus]) -> None:
        for job in jobs:
            with self._going_on("finish", job_id=job.job_id):
                if state := self._end_of(job):
                    log.info("job %s job=%s", state.value, job.job_id)
                    self.on_over(job.job_id)

    def _end_of(self, job: JobStatus) -> JobState | None:
        """End a job of which nothing is left to do; return its state if this did it."""
        is_stream = self.streams is not None and self.streams.is_stream(job.job_id)
        state = self.streams.finish(job) if self.streams is not None and is_stream else None
        return state or self.ledger.settle(job.job_id)
