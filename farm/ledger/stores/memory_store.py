"""The ledger's place in this process: the twin of the Redis one, for tests."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from farm.errors import DamagedLedgerError
from farm.ledger.damage import Aside, contradiction, known_codes
from farm.ledger.model import CODES, JobState, TaskRecord, TaskState
from farm.ledger.stores.store import (
    MOST_JOBS,
    MOST_SUSPECTS,
    VANISHED_S,
    AttemptOutcome,
    Glance,
    TaskMove,
    Transition,
    suspect_of,
)
from farm.ledger.suspicion import read, write


@dataclass
class JobRow:
    """All that is kept of one job."""

    meta: dict[str, str]
    states: list[str]
    records: dict[int, TaskRecord] = field(default_factory=dict)
    returned: set[int] = field(default_factory=set)
    running: dict[int, int] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)

    def add(self, name: str, amount: int) -> None:
        self.meta[name] = str(int(self.meta.get(name, 0)) + amount)

    def attempt(self, index: int) -> int:
        return self.records.get(index, TaskRecord()).attempt


class MemoryStore:
    """A store that lives and dies with the process; safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        self.jobs: dict[str, JobRow] = {}
        self.hearts: dict[str, tuple[str, float]] = {}
        self.work: dict[str, str] = {}
        self.noted: dict[str, str] = {}
        self.drains: dict[str, str] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        self.damaged: list[tuple[str, str]] = []

    def row(self, job_id: str) -> JobRow:
        """Return a job's row, or an empty one."""
        return self.jobs.get(job_id) or JobRow(meta={}, states=[])

    def now_s(self) -> float:
        return self.clock()

    def epoch(self) -> str:
        return "memory"

    def create(
        self,
        job_id: str,
        meta: Mapping[str, str | int | float],
        states: str,
        kept: Mapping[int, int],
    ) -> bool:
        with self.lock:
            if job_id in self.jobs:
                return False
            text = {name: str(value) for name, value in meta.items()}
            self.jobs[job_id] = JobRow(meta=text, states=list(states), kept=dict(kept))
            return True

    def job_ids(self) -> list[str]:
        return list(self.jobs)

    def meta(self, job_id: str) -> dict[str, str] | None:
        with self.lock:
            row = self.jobs.get(job_id)
            return dict(row.meta) if row else None

    def set_meta(self, job_id: str, name: str, value: str | int) -> None:
        with self.lock:
            self.jobs[job_id].meta[name] = str(value)

    def add_meta(self, job_id: str, name: str, amount: int) -> None:
        with self.lock:
            self.jobs[job_id].add(name, amount)

    def states(self, job_id: str, start: int, count: int) -> str:
        return "".join(self.row(job_id).states[start : start + count])

    def returned(self, job_id: str, limit: int) -> list[int]:
        return sorted(self.row(job_id).returned)[:limit]

    def records(self, job_id: str, indices: Sequence[int] | None = None) -> dict[int, TaskRecord]:
        with self.lock:
            kept = self.row(job_id).records
            wanted = kept if indices is None else indices
            return {index: kept[index] for index in wanted if index in kept}

    def glance(self, job_id: str, index: int) -> Glance | None:
        with self.lock:
            row = self.jobs.get(job_id)
            if row is None:
                return None
            record = row.records.get(index, TaskRecord())
            return Glance(
                JobState(row.meta["state"]), "".join(row.states[index : index + 1]), record
            )

    def running(self, job_id: str) -> dict[int, int]:
        with self.lock:
            return dict(self.row(job_id).running)

    def kept(self, job_id: str) -> dict[int, int]:
        with self.lock:
            return dict(self.row(job_id).kept)

    def shift(self, job_id: str, order: Transition) -> list[bool]:
        with self.lock:
            row = self.jobs.get(job_id)
            if row is None or JobState(row.meta["state"]) not in order.job_states:
                return [False] * len(order.moves)
            if any(row.states[at] != CODES[state] for at, state in order.given.items()):
                return [False] * len(order.moves)
            moved = [move_task(row, move) for move in order.moves]
            if any(moved):
                state = JobState(row.meta["state"])
                row.meta["state"] = order.ripple.get(state, state)
                if order.hold_until_s:
                    row.meta["hold"] = str(order.hold_until_s)
                if order.counter:
                    row.add(order.counter, 1)
                if order.outcome:
                    text = self.noted.get(order.outcome.node, "{}")
                    self.noted[order.outcome.node] = note(text, order.outcome)
            return moved

    def turn(
        self,
        job_id: str,
        sources: Collection[JobState],
        target: JobState,
        *,
        empty: Collection[TaskState] = (),
    ) -> bool:
        with self.lock:
            row = self.jobs.get(job_id)
            if row is None or JobState(row.meta["state"]) not in sources:
                return False
            if any(int(row.meta.get(CODES[state], 0)) for state in empty):
                return False
            row.meta["state"] = target
            return True

    def remove(self, job_id: str) -> None:
        with self.lock:
            self.jobs.pop(job_id, None)

    def check(self, job_id: str) -> None:
        with self.lock:
            row = self.row(job_id)
            if not row.meta:
                return
            wrong = contradiction(
                row.meta,
                known_codes(job_id, "".join(row.states)),
                records=len(row.records),
                returned=len(row.returned),
                running=len(row.running),
            )
        if wrong:
            raise DamagedLedgerError("job", job_id, wrong)

    def move_aside(self, kind: str, name: str) -> None:
        with self.lock:
            gone = self.jobs.pop(name, None) if kind == "job" else self.hearts.pop(name, None)
            if gone is not None:
                self.damaged.append((kind, name))

    def keep_kinds(self, kinds: Mapping[str, str]) -> list[str]:
        return []

    def keep_aside(self, kind: str, name: str, text: str | bytes) -> None:
        with self.lock:
            self.damaged.append((kind, name))

    def aside(self) -> Aside:
        with self.lock:
            names = tuple(f"{kind}:{name}" for kind, name in self.damaged)
            return Aside(dict(Counter(kind for kind, _ in self.damaged)), names)

    def progress(self, job_id: str, index: int, attempt: int, views_done: int) -> bool:
        with self.lock:
            row = self.row(job_id)
            if index not in row.running or row.attempt(index) != attempt:
                return False
            row.add("views_done", views_done - row.running[index])
            row.running[index] = views_done
            return True

    def beat(self, worker: str, info: str, ttl_s: float) -> None:
        with self.lock:
            self.hearts[worker] = (info, self.clock() + ttl_s)

    def still(self, worker: str) -> None:
        with self.lock:
            self.hearts.pop(worker, None)
            self.work.pop(worker, None)

    def beating(self) -> dict[str, str]:
        with self.lock:
            now_s = self.clock()
            return {name: info for name, (info, end_s) in self.hearts.items() if now_s < end_s}

    def vanished(self) -> dict[str, str]:
        with self.lock:
            now_s = self.clock()
            return {
                name: info
                for name, (info, end_s) in self.hearts.items()
                if end_s <= now_s < end_s + VANISHED_S
            }

    def drained(self) -> dict[str, str]:
        with self.lock:
            return dict(self.drains)

    def drained_node(self, node: str) -> str:
        with self.lock:
            return self.drains.get(node, "")

    def set_drained(self, node: str, note: str) -> None:
        with self.lock:
            self.drains[node] = note
            if not note:
                del self.drains[node]

    def conducts(self) -> dict[str, str]:
        with self.lock:
            return dict(self.noted)

    def conduct(self, node: str) -> str:
        with self.lock:
            return self.noted.get(node, "")

    def swap_conduct(self, node: str, before: str, after: str) -> bool:
        with self.lock:
            if self.noted.get(node, "") != before:
                return False
            self.noted[node] = after
            if not after:
                del self.noted[node]
            return True

    def tell_work(self, worker: str, text: str, ttl_s: float) -> None:
        with self.lock:
            self.work[worker] = text

    def told_work(self, workers: Sequence[str]) -> list[str | None]:
        with self.lock:
            return [self.work.get(name) for name in workers]

    def lease(self, name: str, holder: str, ttl_s: float) -> str:
        with self.lock:
            now_s = self.clock()
            held, end_s = self.leases.get(name, (holder, 0.0))
            if held != holder and now_s < end_s:
                return held
            self.leases[name] = holder, now_s + ttl_s
            return holder

    def unlease(self, name: str, holder: str) -> None:
        with self.lock:
            if self.leases.get(name, ("", 0.0))[0] == holder:
                del self.leases[name]


def move_task(row: JobRow, move: TaskMove) -> bool:
    """Move a task if it still stands where the mover saw it, with all that is kept beside it."""
    index, source, target = move.index, move.source, move.target
    if row.states[index : index + 1] != [CODES[source]] or row.attempt(index) != move.attempt:
        return False
    if move.edits not in (None, row.records.get(index, TaskRecord()).edits):
        return False
    if source is not target:
        change_state(row, index, source, target)
    if move.record is None:
        row.records.pop(index, None)
    else:
        row.records[index] = move.record
    return True


def change_state(row: JobRow, index: int, source: TaskState, target: TaskState) -> None:
    """Move what depends on a task's state."""
    row.states[index] = CODES[target]
    row.add(CODES[source], -1)
    row.add(CODES[target], 1)
    if target is TaskState.PENDING:
        row.returned.add(index)
    else:
        row.returned.discard(index)
    if source is TaskState.RUNNING:
        views = row.running.pop(index)
        if target is not TaskState.DONE and views:
            row.kept[index] = views
    elif target is TaskState.RUNNING:
        row.running[index] = row.kept.pop(index, 0)


def note(text: str, outcome: AttemptOutcome) -> str:
    """Return what is noted of a node after one more outcome."""
    conduct, suspect = read(text), suspect_of(outcome)
    if suspect:
        change: dict[str, object] = {"suspects": (*conduct.suspects, suspect)[-MOST_SUSPECTS:]}
    else:
        done = sorted((conduct.done | {outcome.job_id: outcome.time_s}).items(), key=itemgetter(1))
        quarantine = conduct.quarantine if conduct.shut else None
        change = {"suspects": (), "done": dict(done[-MOST_JOBS:]), "quarantine": quarantine}
    return write(conduct.model_copy(update=change))
