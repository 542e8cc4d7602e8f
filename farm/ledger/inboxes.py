"""Which worker gets which task, where workers keep something from one task to the next.

A dispatcher remembers the tickets that it has put into the inboxes of workers, but need not: a new
one reads the running tasks from the ledger, and sends to all workers the tickets that it does not
know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from farm.ledger.ledger import Ledger
from farm.ledger.model import JobStatus, TaskState, node_of
from farm.ledger.steps import WaitsFor
from farm.spec.task import Ticket

Affinity = Callable[[int], str | None]
"""Returns a task's key, such as its scene's: a worker that has kept the scene is quicker. None: all
workers are alike."""

DEPTH = 2
"""Most tasks in an inbox: the next one, and another for the time until the dispatcher looks again.
Of a key that is new to the worker there is one at most."""


class InboxTicket(NamedTuple):
    """A ticket in the inbox of a worker."""

    ticket: Ticket
    worker: str
    key: str | None
    failed_on: frozenset[str]
    """Nodes on which the task has failed."""


class Inboxes:
    """Fills the inboxes of workers; the choice is a matter of speed alone.

    A ticket in an inbox is queued as any other. It is taken back when its worker takes no tasks any
    more, and moves to another worker that has nothing to do.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.keys: dict[str, str | None] = {}
        """Worker -> key of the task that it was given last."""
        self.placed: dict[Ticket, InboxTicket] = {}
        """The newest last."""

    def count(self, job_id: str) -> int:
        """Return how many tickets of a job lie in inboxes."""
        return sum(ticket.job_id == job_id for ticket in self.placed)

    def tidy(self, workers: Collection[str]) -> None:
        """Forget claimed tickets, and take back those of workers that take no tasks now."""
        self.keys = {worker: key for worker, key in self.keys.items() if worker in workers}
        waiting = self.ledger.unclaimed(self.placed)
        for ticket in waiting:
            if self.placed[ticket].worker not in workers:
                with self.ledger.sparing():
                    self.ledger.withdraw(ticket)
        self.placed = {
            ticket: each
            for ticket, each in self.placed.items()
            if ticket in waiting and each.worker in workers
        }

    def place(
        self,
        job: JobStatus,
        affinity: Affinity,
        workers: Collection[str],
        *,
        limit: int,
        waits_for: WaitsFor | None,
    ) -> tuple[list[InboxTicket], bool]:
        """T: pending > queued. Give out up to `limit` tickets of a job, each to a worker.

        Returns them, and whether these are all that are ready: if so, other jobs may have the rest.
        """
        if all(load >= DEPTH for load in self._loads(workers).values()):
            return [], False
        self._learn(job, affinity, workers)
        ready = self.ledger.ready(job.job_id, waits_for=waits_for)
        choice = Choice(ready, affinity, self.keys, self._loads(workers))
        chosen = choice.make(limit)
        tickets = self.ledger.take_these(job.job_id, list(chosen))
        placed = [
            InboxTicket(ticket, chosen[at], affinity(at), frozenset(ready[at]))
            for ticket in tickets
            if (at := ticket.index) in chosen
        ]
        for each in placed:
            self._note(each)
        return placed, len(ready) == len(chosen)

    def take_over(self, workers: Collection[str], busy: Collection[str]) -> Iterator[InboxTicket]:
        """T: queued > pending > queued. Give to each worker without work a task of another's."""
        loads = self._loads(workers)
        for worker in workers:
            if loads[worker] or worker in busy:
                continue
            found = [
                each
                for each in reversed(self.placed.values())
                if (each.worker in busy or loads[each.worker] > 1)
                and node_of(worker) not in each.failed_on
            ]
            if not found:
                continue
            mine = self.keys.get(worker)
            before = min(found, key=lambda each: each.key != mine)
            loads[before.worker] -= 1
            if after := self._hand_over(before, worker):
                yield after

    def _hand_over(self, before: InboxTicket, worker: str) -> InboxTicket | None:
        del self.placed[before.ticket]
        job_id, index = before.ticket.job_id, before.ticket.index
        if not self.ledger.withdraw(before.ticket):
            return None  # it was claimed just now
        for ticket in self.ledger.take_these(job_id, [index]):
            after = before._replace(ticket=ticket, worker=worker)
            self._note(after)
            return after
        return None

    def _note(self, placed: InboxTicket) -> None:
        self.placed[placed.ticket] = placed
        if placed.key is not None:
            self.keys[placed.worker] = placed.key

    def _loads(self, workers: Collection[str]) -> dict[str, int]:
        counts = Counter(each.worker for each in self.placed.values())
        return {worker: counts[worker] for worker in workers}

    def _learn(self, job: JobStatus, affinity: Affinity, workers: Collection[str]) -> None:
        """Read the keys of workers from the tasks that they render, where nothing is remembered."""
        if job.counts[TaskState.RUNNING] and not self.keys.keys() >= set(workers):
            for task in self.ledger.running(job.job_id):
                if task.worker in workers:
                    self.keys.setdefault(task.worker, affinity(task.ticket.index))


class Choice:
    """Gives ready tasks to workers, one after the other."""

    def __init__(
        self,
        ready: Mapping[int, set[str]],
        affinity: Affinity,
        keys: Mapping[str, str | None],
        loads: Mapping[str, int],
    ) -> None:
        self.failed_on = ready
        self.keys = dict(keys)
        self.loads = dict(loads)
        self.nodes = {node_of(worker) for worker in loads}
        self.waiting: dict[str | None, list[int]] = {}
        for index in ready:
            self.waiting.setdefault(affinity(index), []).append(index)
        self.chosen: dict[int, str] = {}

    def make(self, limit: int) -> dict[int, str]:
        """Return the worker of each task that is given out.

        First each worker gets a task of its own key; then those without any task get another one.
        """
        self._round(limit, load=0, keys_for=self._own)
        self._round(limit, load=0, keys_for=self._others)
        for load in range(1, DEPTH):
            self._round(limit, load=load, keys_for=self._own)
        return self.chosen

    def _round(
        self, limit: int, *, load: int, keys_for: Callable[[str], Iterable[str | None]]
    ) -> None:
        for worker in [each for each, now in self.loads.items() if now == load]:
            if len(self.chosen) < limit:
                self._give_one(worker, keys_for(worker))

    def _give_one(self, worker: str, keys: Iterable[str | None]) -> None:
        for key in keys:
            for index in self.waiting.get(key, ()):
                if self._may_try(worker, index):
                    self._give(worker, key, index)
                    return

    def _give(self, worker: str, key: str | None, index: int) -> None:
        self.chosen[index] = worker
        self.loads[worker] += 1
        self.waiting[key].remove(index)
        if key is not None:
            self.keys[worker] = key

    def _own(self, worker: str) -> list[str | None]:
        key = self.keys.get(worker)
        return [] if key is None else [key]

    def _others(self, worker: str) -> list[str | None]:
        """Return the keys that no worker has, then others, the one with most work first."""
        holders = Counter(self.keys.values())

        def rank(key: str | None) -> tuple[float, int]:
            tasks, held = self.waiting[key], holders[key] if key is not None else 0
            return -len(tasks) / (held + 1) if held else float("-inf"), tasks[0]

        return sorted((key for key, tasks in self.waiting.items() if tasks), key=rank)

    def _may_try(self, worker: str, index: int) -> bool:
        """Say whether a task has not failed on a worker's node; or it has on all."""
        failed_on = self.failed_on[index]
        return node_of(worker) not in failed_on or self.nodes <= failed_on
