"""The verbs of tasks and workers: the transitions and their rules, wherever they are kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from farm.errors import DamagedLedgerError
from farm.ledger.charges import charged
from farm.ledger.damage import known_codes, number
from farm.ledger.jobs import RENUMBERED, Jobs
from farm.ledger.model import (
    CANCELLED_JOB,
    CODES,
    FED_JOB,
    STATES,
    FailedAttempt,
    Gauges,
    HeldTask,
    JobState,
    JobStatus,
    TaskRecord,
    TaskState,
    TaskStory,
    Work,
    WorkerStatus,
    node_of,
)
from farm.ledger.nodes import Nodes
from farm.ledger.policy import TURNED_AWAY_S, policy_of
from farm.ledger.reading import (
    CAUSE,
    find_fresh,
    held_task,
    read_chunks,
    read_tasks,
    read_worker,
)
from farm.ledger.steps import LOOK_AHEAD, WaitsFor, fail_waiting, look, states_of
from farm.ledger.stores.store import AttemptOutcome, Glance, Meta, Store, TaskMove, Transition
from farm.ledger.suspicion import kept_from
from farm.spec.task import Ticket

log = logging.getLogger(__name__)

WORK_TTL_S = 86400.0
"""Seconds that the words of a dead worker on its work are kept: they tell what it held."""
LOOK_PAST = 64
"""Most tasks that must wait that are skipped in the search for those that need not."""

CLAIM = (TaskState.QUEUED, TaskState.RUNNING)
UNQUEUE = (TaskState.QUEUED, TaskState.PENDING)
STOP = (TaskState.RUNNING, TaskState.PENDING)
COMPLETE = (TaskState.RUNNING, TaskState.DONE)


class Ledger(Jobs):
    """Who may do what with which task. Only the newest ticket of a task is worth anything.

    Every verb may be called twice and by anybody; what no longer applies changes nothing.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.nodes = Nodes(store, self.sparing)
        self.drains = self.nodes.drains

    # Tasks

    def renumber(self) -> int:
        """Withdraw the tickets that nobody has claimed, once after each start of Redis.

        Redis may have forgotten its last second, and with it tickets that it had given out and
        claims of others. Until this is called no ticket of before is claimed, and after it none is
        numbered as one that was forgotten. Returns how many were withdrawn.
        """
        epoch, count = self.epoch(), 0
        for job in self.jobs():
            with self.sparing():
                count += self._renumber(job.job_id, epoch)
        return count

    def _renumber(self, job_id: str, epoch: str) -> int:
        meta = self.store.meta(job_id)
        if meta is None or meta.get("epoch", epoch) == epoch:
            return 0
        attempts = number(job_id, meta, "attempts") + RENUMBERED + int(self.now_s()) % RENUMBERED
        self.store.set_meta(job_id, "attempts", attempts)
        count = sum(self.release(task.ticket) for task in self.queued(job_id))
        self.store.set_meta(job_id, "epoch", epoch)
        return count

    def take(self, job_id: str, limit: int, *, waits_for: WaitsFor | None = None) -> list[Ticket]:
        """T: pending > queued. Give out up to `limit` tickets: returned tasks, then by index.

        Args:
            job_id: The job.
            limit: How many tickets at most.
            waits_for: Says what a task waits for, where any task of the job waits for another.
                Then the order is by index; what waits is skipped, and what waits for a task
                that has ended without success fails.
        """
        meta = self.store.meta(job_id)
        if meta is None or limit < 1:
            return []
        if waits_for is not None:
            ready = self._ready(job_id, meta, limit, waits_for)
            return self._give_out(job_id, meta, ready)[0]
        indices, held = self._returned(job_id, limit)
        before = number(job_id, meta, "cursor")  # every pending task below it was given back
        skip = {*indices, *held}
        fresh, cursor = find_fresh(
            self.store, job_id, cursor=before, limit=limit - len(indices), skip=skip
        )
        wanted = indices + fresh
        tickets, given = self._give_out(job_id, meta, wanted)
        if cursor > before and (given or not wanted):
            self.store.set_meta(job_id, "cursor", cursor)
        return tickets

    def ready(self, job_id: str, *, waits_for: WaitsFor | None = None) -> dict[int, set[str]]:
        """Return the first tasks that could be given out, and the nodes on which each failed."""
        meta = self.store.meta(job_id)
        if meta is None:
            return {}
        found = self._ready(job_id, meta, LOOK_AHEAD, waits_for or (lambda index: None))
        records = self.store.records(job_id, found)
        return {index: kept_from(records[index]) if index in records else set() for index in found}

    def take_these(self, job_id: str, indices: Sequence[int]) -> list[Ticket]:
        """T: pending > queued. Give out tickets of these tasks, where they are pending."""
        meta = self.store.meta(job_id)
        return self._give_out(job_id, meta, list(indices))[0] if meta and indices else []

    def withdraw(self, ticket: Ticket) -> bool:
        """T: queued > pending. Take back a ticket that nobody has claimed."""
        return self._move(ticket, UNQUEUE, {})

    def unclaimed(self, tickets: Collection[Ticket]) -> set[Ticket]:
        """Return those of some tickets that are the newest of their tasks, and not claimed."""
        found: set[Ticket] = set()
        for job_id in {ticket.job_id for ticket in tickets}:
            with self.sparing():
                found |= self._unclaimed(
                    job_id, [each for each in tickets if each.job_id == job_id]
                )
        return found

    def _unclaimed(self, job_id: str, tickets: list[Ticket]) -> set[Ticket]:
        indices = [ticket.index for ticket in tickets]
        states = states_of(self.store, job_id, indices)
        records = self.store.records(job_id, indices)
        return {
            ticket
            for ticket in tickets
            if states[ticket.index] is TaskState.QUEUED
            and records.get(ticket.index, TaskRecord()).attempt == ticket.attempt
        }

    def claim(self, ticket: Ticket, worker: str) -> bool:
        """T: queued > running, J: queued > running. True if `worker` now holds the attempt.

        False also where it is to be left to other workers; it is given out again a little later.
        """
        meta = self.store.meta(ticket.job_id)
        epoch = self.epoch()
        if meta is None or meta.get("epoch", epoch) != epoch:  # `renumber` gives it out again
            return False
        now_s = self.now_s()
        ripple = {JobState.QUEUED: JobState.RUNNING}
        if self.nodes.refuses(self._record(ticket), worker):
            waits = {"not_before_s": now_s + TURNED_AWAY_S}
        elif self._move(
            ticket, CLAIM, {"worker": worker, "since_s": now_s}, job_states=FED_JOB, ripple=ripple
        ):
            return True
        else:
            waits = {}  # the job is paused
        if self._holds(ticket, worker):  # our first call arrived, its answer did not
            return True
        self._move(ticket, UNQUEUE, waits)
        return False

    def confirm(self, ticket: Ticket) -> bool:
        """Return whether this attempt is still the one that should continue."""
        seen = self.store.glance(ticket.job_id, ticket.index)
        return seen is not None and seen.job_state not in CANCELLED_JOB and is_of(ticket, seen)

    def progress(self, ticket: Ticket, views_done: int) -> bool:
        """Note how many views of a running attempt are done; False if it is no longer ours."""
        return self.store.progress(ticket.job_id, ticket.index, ticket.attempt, views_done)

    def complete(self, ticket: Ticket) -> bool:
        """T: running > done. False, and counted as dropped, if somebody else holds the task."""
        outcome = self._outcome(ticket, self._record(ticket).worker)
        if self._move(ticket, COMPLETE, None, outcome=outcome):
            return True
        if self.store.meta(ticket.job_id) is not None:
            self.store.add_meta(ticket.job_id, "dropped", 1)
        return False

    def fail(self, ticket: Ticket, cause: str, sentence: str) -> TaskState | None:
        """T: running > pending, failed or set aside, by cause and count; None if not held."""
        policy, now_s = policy_of(cause), self.now_s()
        while True:
            record = self._record(ticket)
            failure = FailedAttempt(
                attempt=ticket.attempt,
                cause=cause,
                sentence=sentence,
                worker=record.worker,
                time_s=now_s,
                charge="free" if policy.cap is None else "counts",
            )
            target, after = charged(record, failure, policy)
            order = Transition(
                [
                    TaskMove(
                        ticket.index, TaskState.RUNNING, ticket.attempt, target, after, record.edits
                    )
                ],
                hold_until_s=now_s + policy.hold_s if policy.hold_s else 0.0,
                counter=f"{CAUSE}{cause}",
                outcome=self._outcome(ticket, record.worker, cause) if policy.node else None,
            )
            if self.store.shift(ticket.job_id, order)[0]:
                return target
            if self._record(ticket).edits == record.edits:
                return None

    def release(self, ticket: Ticket) -> bool:
        """T: running > pending, queued > pending. Hand a task back, free of charge."""
        return any(self._move(ticket, arrow, {}) for arrow in (STOP, UNQUEUE))

    def running(self, job_id: str) -> list[HeldTask]:
        """Return the attempts that workers hold."""
        views = self.store.running(job_id)
        records = self.store.records(job_id, list(views))
        return [
            held_task(job_id, index, record, views_done=views[index])
            for index, record in records.items()
        ]

    def queued(self, job_id: str) -> list[HeldTask]:
        """Return the tickets that nobody has claimed yet."""
        records = self.store.records(job_id)
        return [
            held_task(job_id, index, records[index], views_done=0)
            for index, state in self._states(job_id, records)
            if state is TaskState.QUEUED
        ]

    def failures(self, job_id: str) -> list[TaskStory]:
        """Return the tasks that failed at least once and are not done, with what happened."""
        told = {i: record for i, record in self.store.records(job_id).items() if record.story}
        return [
            TaskStory(job_id=job_id, index=index, state=state, attempts=told[index].story)
            for index, state in self._states(job_id, told)
        ]

    def codes(self, job_id: str) -> Iterator[str]:
        """Yield the state of each task of a job as a letter, see `model.CODES`, in pieces."""
        return (codes for _, codes in read_chunks(self.store, job_id, start=0))

    def tasks(
        self,
        job: JobStatus,
        states: Collection[TaskState],
        *,
        start: int,
        limit: int,
        stop: int | None = None,
    ) -> list[TaskStory]:
        """Return the first `limit` tasks from `start` on, up to `stop`, that are in `states`."""
        return read_tasks(self.store, job, frozenset(states), start=start, limit=limit, stop=stop)

    # Workers

    def heartbeat(
        self,
        worker: str,
        info: dict[str, str],
        ttl_s: float,
        *,
        up_s: float | None = None,
        gauges: Gauges | None = None,
    ) -> None:
        """Keep what `worker` holds for another `ttl_s` seconds, with what it says of itself."""
        said: dict[str, Any] = {"info": info, "seen_s": self.now_s(), "up_s": up_s}
        if gauges is not None:
            said["gauges"] = gauges.model_dump()
        self.store.beat(worker, json.dumps(said), ttl_s)

    def farewell(self, worker: str) -> None:
        """Give back all that `worker` holds, free of charge, and end its heartbeat."""
        for ticket in self.held_by(worker):
            with self.sparing():
                self.release(ticket)
        self.store.still(worker)

    def workers(self) -> list[WorkerStatus]:
        """Return the workers that live."""
        return self._read_workers(self.store.beating())

    def lost_workers(self) -> list[WorkerStatus]:
        """Return the workers that were lost within the last day, as they were heard of last."""
        return self._read_workers(self.store.vanished())

    def _read_workers(self, told: Mapping[str, str]) -> list[WorkerStatus]:
        found = sorted(told.items())
        works = self.store.told_work([name for name, _ in found])
        conducts = self.nodes.conducts() if found else {}
        drains = self.drains.all() if found else {}
        workers = []
        for (name, said), work in zip(found, works, strict=True):
            node = node_of(name)
            quarantine = conducts[node].quarantine if node in conducts else None
            shut = quarantine if quarantine and not quarantine.over else None
            with self.sparing():
                workers.append(read_worker(name, said, work, shut, drains.get(node)))
        return workers

    def tell_work(self, worker: str, work: Work) -> None:
        """Note what `worker` does, for people to see; nothing is decided by it."""
        told = work.model_copy(update={"told_s": self.now_s()})
        self.store.tell_work(worker, told.model_dump_json(), WORK_TTL_S)

    def lease(self, name: str, holder: str, ttl_s: float) -> str:
        """Take or renew the lease of something, such as a device; return who holds it now."""
        return self.store.lease(name, holder, ttl_s)

    def unlease(self, name: str, holder: str) -> None:
        """Give a lease back; nothing happens unless `holder` holds it."""
        self.store.unlease(name, holder)

    def in_hand(self) -> dict[str, list[Ticket]]:
        """Return the attempts that each worker holds."""
        found: dict[str, list[Ticket]] = {}
        for task in self._all_running():
            found.setdefault(task.worker, []).append(task.ticket)
        return found

    def held_by(self, worker: str) -> list[Ticket]:
        """Return the attempts that `worker` holds."""
        return [task.ticket for task in self._all_running() if task.worker == worker]

    def reap(self) -> list[Ticket]:
        """Take back, as lost, what workers hold whose heartbeat has stopped."""
        running = list(self._all_running())
        living = self.store.beating() if running else {}
        lost = []
        for task in running:
            if task.worker not in living:
                with self.sparing():
                    sentence = f"worker {task.worker} was lost"
                    if self.fail(task.ticket, "lost", sentence) is not None:
                        lost.append(task.ticket)
        return lost

    # What the verbs above are made of

    def _move(
        self,
        ticket: Ticket,
        arrow: tuple[TaskState, TaskState],
        changes: Mapping[str, Any] | None,
        **order: Any,
    ) -> bool:
        """Move a task and change its record; None: keep none."""
        source, target = arrow
        while True:
            seen = None if changes is None else self._record(ticket)
            after = None if seen is None else seen.model_copy(update=changes)
            edits = None if seen is None else seen.edits
            move = TaskMove(ticket.index, source, ticket.attempt, target, after, edits)
            if self.store.shift(ticket.job_id, Transition([move], **order))[0]:
                return True
            if edits is None or self._record(ticket).edits == edits:
                return False

    def _outcome(self, ticket: Ticket, worker: str, cause: str | None = None) -> AttemptOutcome:
        node, now_s = node_of(worker), self.now_s()
        return AttemptOutcome(node, ticket.job_id, ticket.index, ticket.attempt, now_s, cause)

    def _returned(self, job_id: str, limit: int) -> tuple[list[int], list[int]]:
        """Return tasks that were given back: up to `limit` of them, and those that must wait."""
        now_s = self.now_s()
        found = self.store.returned(job_id, limit + LOOK_PAST)
        held = [
            index
            for index, record in self.store.records(job_id, found).items()
            if record.not_before_s > now_s
        ]
        return [index for index in found if index not in held][:limit], held

    def _ready(self, job_id: str, meta: Meta, limit: int, waits_for: WaitsFor) -> list[int]:
        """Return the first tasks that wait for nothing any more, and end what waits in vain.

        It is looked from the first pending task on, and at another place that moves on from call to
        call, so that no crowd that waits hides what is ready.
        """
        cursor, ahead = (number(job_id, meta, name) for name in ("cursor", "ahead"))
        start = min([cursor, *self.store.returned(job_id, 1)])
        near = look(self.store, job_id, start, waits_for)
        if start == cursor and near.first > cursor:
            self.store.set_meta(job_id, "cursor", near.first)
        looks, ready = [near], self._unheld(job_id, near.ready, limit)
        if near.more and len(ready) < limit:
            far = look(self.store, job_id, max(ahead, near.then), waits_for)
            found = self._unheld(job_id, far.ready, limit)
            then = far.then if far.more else 0
            if len(ready) + len(found) <= limit and then != ahead:  # else its rest comes next time
                self.store.set_meta(job_id, "ahead", then)
            looks, ready = [near, far], ready + found
        for each in looks:
            for waited, indices in each.lost.items():
                fail_waiting(self.store, job_id, waited, indices)
        return ready[:limit]

    def _unheld(self, job_id: str, indices: list[int], limit: int) -> list[int]:
        """Return the first of `indices` that are not kept for another worker for a while."""
        looked_at, now_s = indices[: limit + LOOK_PAST], self.now_s()
        records = self.store.records(job_id, looked_at)
        held = {at for at, record in records.items() if record.not_before_s > now_s}
        return [at for at in looked_at if at not in held]

    def _give_out(self, job_id: str, meta: Meta, indices: list[int]) -> tuple[list[Ticket], bool]:
        """Queue tasks; return the tickets of those that were pending, and whether any was."""
        attempts = number(job_id, meta, "attempts")
        moves = self._moves_to_queue(job_id, indices, attempts=attempts)
        taken = self.store.shift(job_id, Transition(moves, FED_JOB)) if moves else []
        tickets = [
            Ticket(job_id=job_id, index=move.index, attempt=move.record.attempt)
            for move, ok in zip(moves, taken, strict=True)
            if ok and move.record
        ]
        return tickets, any(taken)

    def _moves_to_queue(self, job_id: str, indices: list[int], *, attempts: int) -> list[TaskMove]:
        records = self.store.records(job_id, indices)
        now_s = self.now_s()
        moves = []
        for index in indices:
            record = records.get(index, TaskRecord())
            number = max(record.attempt, attempts) + 1
            queued = record.model_copy(update={"attempt": number, "worker": "", "since_s": now_s})
            source, target = TaskState.PENDING, TaskState.QUEUED
            moves.append(TaskMove(index, source, record.attempt, target, queued, record.edits))
        return moves

    def _record(self, ticket: Ticket) -> TaskRecord:
        records = self.store.records(ticket.job_id, [ticket.index])
        return records.get(ticket.index, TaskRecord())

    def _holds(self, ticket: Ticket, worker: str) -> bool:
        seen = self.store.glance(ticket.job_id, ticket.index)
        return seen is not None and is_of(ticket, seen) and seen.record.worker == worker

    def _states(self, job_id: str, indices: Collection[int]) -> list[tuple[int, TaskState]]:
        if not indices:
            return []
        first, last = min(indices), max(indices)
        codes = known_codes(job_id, self.store.states(job_id, first, last - first + 1))
        if len(codes) != last - first + 1:
            raise DamagedLedgerError("job", job_id, f"its task {last} has no state")
        return [(index, STATES[codes[index - first]]) for index in sorted(indices)]

    def _all_running(self) -> Iterator[HeldTask]:
        for job in self.jobs():
            held: list[HeldTask] = []
            if job.counts[TaskState.RUNNING]:
                with self.sparing():
                    held = self.running(job.job_id)
            yield from held


def is_of(ticket: Ticket, seen: Glance) -> bool:
    """Say whether a task runs, as the attempt of a ticket."""
    return seen.code == CODES[TaskState.RUNNING] and seen.record.attempt == ticket.attempt
