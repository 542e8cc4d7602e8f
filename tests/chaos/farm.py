"""A farm that things go wrong with, and what is seen of it while they do."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from farm import expand
from farm.errors import UnreachableError
from farm.job_store import JobStore, end_of, prefix_of
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.model import CODES
from farm.ledger.stores.redis_store import LEASE_PREFIX, WORKER_PREFIX, RedisStore
from farm.queue import CeleryQueue
from farm.spec.job import Job
from farm.storage import FolderStorage
from tests.chaos.audit import Evidence, Violation, audit, processes_with
from tests.chaos.faults import steps_of
from tests.chaos.injection import Injection, note_recovery
from tests.chaos.journal import Reader
from tests.chaos.parts import Net, Part, Place, RedisPart, dispatcher_part, worker_part
from tests.chaos.schedule import WORKER, Fault

LOOK_S = 0.05
MOST_RETRIES = 20
END_S = 240.0
"""A farm that is left alone must be done with what is left after so long."""


class ChaosFarm:
    """Redis, a dispatcher and workers, started again when they end; one thread looks after all."""

    def __init__(
        self, folder: Path, net: Net, *, workers: int, lease_ttl_s: float, **settings: str
    ) -> None:
        self.folder = folder
        self.net = net
        self.lease_ttl_s = lease_ttl_s
        self.marker = f"CHAOS_RUN={secrets.token_hex(8)}"
        self.storage = FolderStorage(folder / "storage")
        self.storage.root.mkdir()
        self.reader = Reader(folder / "journal")
        self.redis = RedisPart(folder / "redis", net)
        self.ledger = Ledger(RedisStore(self.redis.client))
        self.book = JobStore(self.storage)
        self.jobs: list[Job] = []
        self.injections: list[Injection] = []
        self.dropped: Counter[str] = Counter()
        self.retried = 0
        self.supply: Callable[[int], Job] | None = None
        """Makes the next job, so that the work does not end before the faults do."""
        self.low_tasks = 150
        """With fewer tasks left the next job is submitted."""
        self.looked_s = 0.0
        self.ending = False
        self.places: dict[str, Place] = {}
        self.settings = settings
        self.workers = [
            self._part(worker_part(n, {}, folder / f"w{n}.log")) for n in range(workers)
        ]
        self.dispatcher = self._part(dispatcher_part({}, folder / "dispatcher.log"))
        self.parts = [*self.workers, self.dispatcher]

    def __enter__(self) -> ChaosFarm:
        self.redis.start()
        for part in self.parts:
            part.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending = True
        for part in self.parts:
            part.kill()
        self.redis.kill()
        for line in processes_with(self.marker):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)
        self.redis.client.close()
        self.reader.file.close()
        self.net.close()

    def submit(self, job: Job) -> Job:
        """Do what the API does: write a job to the storage, then to the ledger."""
        job = job.model_copy(update={"prefix": prefix_of(job.job_id)})
        size = expand.count(job)
        self.jobs.append(job)
        self.book.save(job)
        with contextlib.suppress(UnreachableError):  # the dispatcher finds it on the storage
            self.ledger.add_job(job.job_id, tasks=size.tasks, views=size.views)
        return job

    # Faults

    def inject(self, fault: Fault) -> Injection:
        """Let a fault begin, after those that hit the same part are over."""
        new = Injection(fault, iter(()), time.monotonic(), {})
        self.wait_for(lambda: not self.busy(new.target), f"{new.target} has its faults behind it")
        victims = self._victims(fault)
        with contextlib.suppress(AssertionError):  # an idle one would show nothing
            self.wait_for(lambda: self._caught(victims), "it holds a task", 5.0)
        self._read()
        new.begun_s = time.monotonic()
        new.held = self._held_by(victims)
        new.hit = bool(new.held)
        if victims and not new.hit:
            new.recovered_s = new.begun_s
        new.steps = steps_of(fault, self)
        self.injections.append(new)
        self._go_on(new)
        if not fault.kind.startswith("freeze"):
            self._let_go(victims)
        elif fault.kind == "freeze child":
            victims[0].signal(signal.SIGCONT, [victims[0].pid])
        return new

    def wait_for(
        self, condition: Callable[[], object], what: str, timeout_s: float = END_S
    ) -> None:
        """Look after everything until something is true."""
        pause, end = threading.Event(), time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {what}\n{self.words()}"
            self.look()
            pause.wait(LOOK_S)

    def look(self) -> None:
        """Do what is due: go on with faults, start again what ended, note what was seen."""
        for injection in self.injections:
            if injection.over_s is None and self._is_due(injection):
                self._go_on(injection)
        for part in self.parts:
            if not part.alive and not self.ending:
                part.start()
        self._read()
        self._look_at_held()
        if time.monotonic() - self.looked_s > 1.0:
            self.looked_s = time.monotonic()
            self._look_at_jobs()

    def _part(self, part: Part) -> Part:
        place = self.places[part.name] = self.net.place()
        name, _, token = self.marker.partition("=")
        part.net = place.net
        part.environment = {
            **os.environ,
            name: token,
            "CHAOS_JOURNAL": str(self.folder / "journal"),
            "FARM_REDIS_URL": self.redis.url(place.redis_address),
            "FARM_STORAGE": str(self.storage.root),
            "FARM_SCRATCH": str(self.folder / "scratch"),
            "FARM_DEVICE": "cpu",
            "FARM_LEASE_TTL_S": str(self.lease_ttl_s),
            "FARM_RENDERER": "tests.chaos.renderer:open_chaos",
            **self.settings,
        }
        return part

    def busy(self, target: str) -> bool:
        mine = {target, "workers"} if target.startswith("w") else {target}
        return any(
            each.over_s is None
            and (each.target in mine or (target == "workers" and each.target.startswith("w")))
            for each in self.injections
        )

    def _read(self) -> None:
        for event in self.reader.read():
            for injection in self.injections:
                note_recovery(injection, event)

    def _victims(self, fault: Fault) -> list[Part]:
        if fault.kind == "rolling restart":
            return self.workers
        return [self.workers[fault.worker]] if fault.kind in WORKER else []

    def _held_by(self, parts: list[Part]) -> dict[tuple[str, int], int]:
        return {task: at for part in parts for task, at in self.reader.held(part.name).items()}

    def _caught(self, victims: list[Part]) -> bool:
        """Stop the victims for a moment, and for longer if they all hold something."""
        for part in victims:
            part.signal(signal.SIGSTOP, part.family())
        self._read()
        if all(self.reader.held(part.name) for part in victims):
            return True
        self._let_go(victims)
        return False

    def _let_go(self, victims: list[Part]) -> None:
        for part in victims:
            part.signal(signal.SIGCONT, part.family())

    def _is_due(self, injection: Injection) -> bool:
        due = injection.due
        return due() if callable(due) else time.monotonic() >= due

    def _go_on(self, injection: Injection) -> None:
        try:
            after = next(injection.steps)
        except StopIteration:
            injection.over_s = time.monotonic()
            return
        injection.due = after if callable(after) else time.monotonic() + after

    def _look_at_held(self) -> None:
        """Note when what a victim held is done, as the ledger says."""
        waiting = [i for i in self.injections if i.held and i.recovered_s is None]
        if not waiting or self.busy("redis"):
            return
        with contextlib.suppress(UnreachableError):
            for each in waiting:
                each.held = {task: at for task, at in each.held.items() if not self._is_done(task)}
                if not each.held:
                    each.recovered_s = time.monotonic()

    def _is_done(self, task: tuple[str, int]) -> bool:
        job_id, index = task
        return self.ledger.store.states(job_id, index, 1) == CODES[TaskState.DONE]

    def _look_at_jobs(self) -> None:
        if self.busy("redis"):
            return
        with contextlib.suppress(UnreachableError):
            found = self.ledger.jobs()
            left = sum(status.tasks - status.counts[TaskState.DONE] for status in found)
            if self.supply is not None and found and left < self.low_tasks:
                self.submit(self.supply(len(self.jobs)))
            for status in found:
                self.dropped[status.job_id] = max(self.dropped[status.job_id], status.dropped)
                lost = status.counts[TaskState.FAILED] + status.counts[TaskState.SET_ASIDE]
                if lost and self.retried < MOST_RETRIES:  # by bad luck one was hit three times
                    self.retried += self.ledger.retry(status.job_id)  # as its owner would

    # The end

    def finish(self) -> list[Violation]:
        """Wait until all jobs are done, stop everything in order, and audit what is left."""
        self.supply = None
        self.wait_for(lambda: all(i.over_s for i in self.injections), "the faults are over")
        problems = self._try(lambda: self.wait_for(self._all_closed, "all jobs are closed"))
        problems += self._try(
            lambda: self.wait_for(lambda: not self._queue_length(), "empty queue")
        )
        self.look()
        self.ending = True
        for part in self.parts:
            problems += self._try(part.terminate)
        with contextlib.suppress(AssertionError):
            self.wait_for(lambda: not self._leases(), "no lease", self.lease_ttl_s + 60)
        length, leases = self._queue_length(), self._leases()
        held = audit(Evidence(self.storage, self.ledger, self.jobs, length, leases))
        self.redis.terminate()
        with contextlib.suppress(AssertionError):
            self.wait_for(lambda: not processes_with(self.marker), "no process", 60)
        left = processes_with(self.marker)
        gone = Violation(
            "no_process_left", "No process of the run is left.", tuple(left), len(left)
        )
        ended = [Violation("ends_by_itself", "A farm that is left alone comes to its end.", (p,), 1)
                 for p in problems]  # fmt: skip
        return ended + held + ([gone] if left else [])

    def _all_closed(self) -> bool:
        with contextlib.suppress(UnreachableError):
            return all(self._closed(job) for job in self.jobs)
        return False

    def _closed(self, job: Job) -> bool:
        status = self.ledger.job(job.job_id)
        return (
            status is not None
            and status.state is JobState.COMPLETED
            and self.book.end(job.job_id) == end_of(status)
        )

    def _queue_length(self) -> int:
        queue = CeleryQueue(self.redis.url(self.net.redis_address))
        try:
            return queue.length()
        finally:
            queue.close()

    def _leases(self) -> list[str]:
        return [
            name
            for prefix in (WORKER_PREFIX, LEASE_PREFIX)
            for name in self.redis.client.scan_iter(match=prefix + "*")
        ]

    def _try(self, verb: Callable[[], object]) -> list[str]:
        try:
            verb()
        except AssertionError as error:
            return [str(error)[-3000:]]
        return []

    # What is told

    def words(self) -> str:
        """Return what a person needs when the farm does not go on."""
        with contextlib.suppress(UnreachableError):
            lines = [str(status) for status in self.ledger.jobs() if not status.over]
            held = [
                str(task)
                for job in self.jobs
                for task in (*self.ledger.running(job.job_id), *self.ledger.queued(job.job_id))
            ]
            return "\n".join([*lines, *held[:10]])
        return "Redis is away"
