"""Tasks of one key go to the worker that holds it: a whole farm in memory, with its own clock."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.dispatcher import POLL_S, Dispatcher
from farm.errors import UnreachableError
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.stores.memory_store import MemoryStore
from farm.queue import PRIORITIES, celery_priority
from farm.spec.task import RenderMessage, Ticket
from tests.builders import a_task
from tests.fuzz.effort import fuzz

LOOK_S = POLL_S
LEASE_S = 2.0


@dataclass
class Boxes:
    """A queue for all, and an inbox for each worker."""

    messages: dict[str | None, list[tuple[int, RenderMessage]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    away: bool = False

    def put(self, message: RenderMessage, *, priority: int, inbox: str | None = None) -> None:
        if self.away:
            raise UnreachableError("the queue is away")
        self.messages[inbox].append((celery_priority(priority), message))

    def keys(self, inboxes: Iterable[str] = ()) -> dict[str, str]:
        return {}

    def length(self, inbox: str | None = None) -> int:
        return len(self.messages[inbox])

    def fetch(self, *boxes: str | None) -> Ticket | None:
        for step in PRIORITIES:
            for box in boxes:
                if found := [each for each in self.messages[box] if each[0] == step]:
                    self.messages[box].remove(found[0])
                    return found[0][1].ticket
        return None


@dataclass
class Worker:
    """Renders one task at a time; what it loads last it keeps."""

    name: str
    inbox: str | None
    task_s: Callable[[], float]
    held: Ticket | None = None
    until_s: float = 0.0
    keys: list[str | None] = field(default_factory=list)
    """Of its tasks, in order."""
    jobs: list[str] = field(default_factory=list)
    idle_s: float | None = None

    @property
    def loads(self) -> int:
        return sum(1 for _ in itertools.groupby(self.keys))


class Farm:
    """Everything but processes."""

    def __init__(self, key_of: Callable[[int], str | None]) -> None:
        self.now_s = 1000.0
        self.key_of = key_of
        self.ledger = Ledger(MemoryStore(clock=lambda: self.now_s))
        self.queue = Boxes()
        self.workers: dict[str, Worker] = {}
        self.plain: set[str] = set()
        """Jobs without keys."""
        self.restart()

    def restart(self) -> None:
        """Begin with a dispatcher that remembers nothing."""
        self.dispatcher = Dispatcher(
            self.ledger,
            self.queue,
            lambda job_id, index: a_task(index, job_id=job_id),
            affinity_of=lambda job_id: None if job_id in self.plain else self.key_of,
            lease_ttl_s=LEASE_S,
            clock=lambda: self.now_s,
        )

    def hire(self, name: str, *, task_s: Callable[[], float] = lambda: 1.0, old: bool = False):
        worker = Worker(f"{name}@host#1", None if old else f"inbox.{name}", task_s)
        self.workers[worker.name] = worker
        self.beat()
        return worker

    def add(self, tasks: int, job_id: str = "job", **facts) -> None:
        self.now_s += 0.001
        self.ledger.add_job(job_id, tasks=tasks, views=tasks, **facts)

    def beat(self) -> None:
        for worker in self.workers.values():
            info = {"inbox": worker.inbox} if worker.inbox else {}
            self.ledger.heartbeat(worker.name, info, LEASE_S)

    def look(self) -> None:
        """Let the dispatcher look once, and every worker do what is due."""
        self.now_s += LOOK_S
        self.beat()
        self.dispatcher.step()
        for worker in self.workers.values():
            self.work(worker)

    def work(self, worker: Worker) -> None:
        if worker.held and worker.until_s <= self.now_s:
            self.ledger.complete(worker.held)
            worker.held = None
        while not worker.held and (ticket := self.fetch(worker)):
            if self.ledger.claim(ticket, worker.name):
                worker.held, worker.until_s = ticket, self.now_s + worker.task_s()
                worker.keys.append(self.key_of(ticket.index))
                worker.jobs.append(ticket.job_id)
        if worker.held:
            worker.idle_s = None
        elif worker.idle_s is None:
            worker.idle_s = self.now_s

    def fetch(self, worker: Worker) -> Ticket | None:
        boxes = (worker.inbox, None) if worker.inbox else (None,)
        return self.queue.fetch(*boxes)

    def run(self, job_id: str = "job", *, after_look: Callable[[], None] = lambda: None) -> None:
        for _ in range(10_000):
            self.look()
            after_look()
            if self.ledger.job(job_id).over:
                return
        raise AssertionError(self.ledger.job(job_id))

    def assert_done(self, tasks: int, job_id: str = "job") -> None:
        job = self.ledger.job(job_id)
        assert job.state is JobState.COMPLETED
        assert job.counts[TaskState.DONE] == tasks
        assert job.dropped == 0


def by_blocks(size: int) -> Callable[[int], str]:
    return lambda index: f"scene {index // size}"


def by_turns(keys: int) -> Callable[[int], str]:
    return lambda index: f"scene {index % keys}"


@pytest.mark.parametrize("key_of", [by_blocks(8), by_turns(3)], ids=["blocks", "turns"])
@fuzz()
@given(durations=st.lists(st.floats(0.1, 9.0), min_size=24, max_size=24))
def test_three_scenes_on_two_workers_are_loaded_five_times_at_most(key_of, durations):
    """By chance it would be some 16 of 24."""
    farm, left = Farm(key_of), iter(durations)
    workers = [farm.hire(name, task_s=lambda: next(left)) for name in "ab"]
    farm.add(tasks=24)
    farm.run()

    farm.assert_done(24)
    assert sum(worker.loads for worker in workers) <= 3 + len(workers)


def test_workers_begin_with_different_scenes():
    farm = Farm(by_blocks(8))
    workers = [farm.hire(name) for name in "abc"]
    farm.add(tasks=24)
    farm.run()

    assert [worker.keys for worker in workers] == [[f"scene {n}"] * 8 for n in range(3)]


def test_a_worker_keeps_its_scene_although_others_come_first():
    farm = Farm(by_turns(2))
    first = farm.hire("a")
    farm.add(tasks=10)
    farm.run()

    assert first.keys == ["scene 0"] * 5 + ["scene 1"] * 5


def test_all_share_one_scene_where_there_is_no_other():
    farm = Farm(lambda index: "scene")
    workers = [farm.hire(name) for name in "abcd"]
    farm.add(tasks=40)
    farm.run()

    assert [len(worker.keys) for worker in workers] == [10] * 4


@fuzz()
@given(
    keys=st.integers(1, 6),
    tasks=st.integers(1, 60),
    speeds=st.lists(st.sampled_from([0.1, 0.5, 1.0, 3.0, 20.0]), min_size=1, max_size=5),
)
def test_no_worker_waits_while_tasks_do(keys, tasks, speeds):
    farm = Farm(by_turns(keys))
    workers = [
        farm.hire(str(at), task_s=lambda speed=speed: speed) for at, speed in enumerate(speeds)
    ]
    farm.add(tasks=tasks)

    def nobody_waits() -> None:
        job = farm.ledger.job("job")
        for worker in workers:
            waits = worker.idle_s is not None and farm.now_s - worker.idle_s > 2 * LOOK_S
            open_tasks = job.counts[TaskState.PENDING] + job.counts[TaskState.QUEUED]
            if waits and open_tasks:  # then each lies in front of somebody without work, too
                idle = [each for each in workers if each.idle_s is not None]
                assert len(farm.dispatcher.inboxes.placed) == open_tasks <= len(idle)

    farm.run(after_look=nobody_waits)
    farm.assert_done(tasks)


def test_what_lies_in_the_inbox_of_a_dead_worker_is_given_to_others():
    farm = Farm(by_turns(2))
    dead = farm.hire("a", task_s=lambda: 1e9)
    farm.add(tasks=12)
    for _ in range(3):
        farm.look()
    assert farm.queue.length(dead.inbox) > 0

    del farm.workers[dead.name]
    farm.hire("b")
    farm.run()
    assert farm.ledger.job("job").counts[TaskState.DONE] == 12


def test_what_lies_in_the_inbox_of_a_worker_in_quarantine_is_given_to_others():
    farm = Farm(by_turns(2))
    bad, good = farm.hire("a", task_s=lambda: 1e9), farm.hire("b")
    farm.add(tasks=12)
    for _ in range(3):
        farm.look()
    shut = '{"quarantine":{"sentence":"bad","since_s":1.0,"try_from_s":1e12}}'
    farm.ledger.store.swap_conduct("a@host", "", shut)
    for _ in range(100):
        farm.look()

    job = farm.ledger.job("job")
    assert (job.counts[TaskState.DONE], job.counts[TaskState.RUNNING]) == (11, 1)
    assert len(good.keys) == 11
    assert len(bad.keys) == 1


def test_a_slow_worker_keeps_no_task_from_one_without_work():
    farm = Farm(by_turns(1))
    slow = farm.hire("a", task_s=lambda: 1e6)
    farm.add(tasks=4)
    for _ in range(3):
        farm.look()
    quick = farm.hire("b")
    for _ in range(60):
        farm.look()

    assert len(slow.keys) == 1
    assert len(quick.keys) == 3


def test_a_task_that_failed_on_the_holder_of_its_scene_goes_to_another_worker():
    farm = Farm(by_turns(1))
    first, second = farm.hire("a"), farm.hire("b")
    farm.add(tasks=1)
    farm.look()
    holder = first if first.held else second
    other = second if holder is first else first
    farm.ledger.fail(holder.held, "render", "Cycles refused")
    holder.held = None
    farm.run()

    assert len(other.keys) == 1


def test_a_worker_of_before_gets_its_tasks_with_all_others():
    farm = Farm(by_turns(3))
    old, new = farm.hire("old", old=True), farm.hire("new")
    farm.add(tasks=24)
    farm.run()

    farm.assert_done(24)
    assert len(old.keys) >= 8
    assert new.loads <= 4


def test_workers_of_before_alone_do_as_ever():
    farm = Farm(by_turns(3))
    old = farm.hire("old", old=True)
    farm.add(tasks=6)
    farm.run()

    assert old.keys == [f"scene {index % 3}" for index in range(6)]


def test_jobs_without_keys_fill_no_inbox():
    farm = Farm(by_turns(3))
    worker = farm.hire("a")
    farm.plain = {"job"}
    farm.add(tasks=6)
    farm.look()

    assert farm.dispatcher.inboxes.placed == {}
    assert farm.queue.length(worker.inbox) == 0
    assert worker.held


@pytest.mark.parametrize("priority", [0, 1])
@pytest.mark.parametrize("plain", [set(), {"first"}, {"second"}])
def test_a_job_before_another_goes_first_with_keys_or_without(plain, priority):
    farm = Farm(by_turns(3))
    workers = [farm.hire(name) for name in "ab"]
    farm.plain = plain
    if priority:
        farm.add(tasks=40, job_id="second")
    farm.add(tasks=8, job_id="first", priority=priority)
    if not priority:
        farm.add(tasks=40, job_id="second")
    farm.run("second")

    for worker in workers:
        assert worker.jobs == sorted(worker.jobs)
    assert sum(worker.jobs.count("first") for worker in workers) == 8


@pytest.mark.parametrize("stop", [Ledger.pause, Ledger.cancel])
def test_nothing_in_an_inbox_is_begun_once_its_job_is_stopped(stop):
    farm = Farm(by_turns(2))
    worker = farm.hire("a", task_s=lambda: 3.0)
    farm.add(tasks=12)
    for _ in range(3):
        farm.look()
    stop(farm.ledger, "job")
    for _ in range(40):
        farm.look()

    assert len(worker.keys) == 1
    assert farm.ledger.job("job").active_tasks == 0


def test_a_new_dispatcher_sees_who_holds_what():
    farm = Farm(by_turns(2))
    workers = [farm.hire(name, task_s=lambda: 2.0) for name in "ab"]
    farm.add(tasks=40)
    for _ in range(12):
        farm.look()
    farm.restart()
    farm.run()

    farm.assert_done(40)
    assert [worker.loads for worker in workers] == [1, 1]


@fuzz()
@given(
    keys=st.integers(1, 4),
    tasks=st.integers(1, 40),
    faults=st.dictionaries(
        st.integers(1, 60), st.sampled_from(["kill", "lose", "restart", "away", "double"])
    ),
)
def test_whatever_is_lost_every_task_is_done_once(keys, tasks, faults):
    farm = Farm(by_turns(keys))
    looks, names = itertools.count(), map(str, itertools.count())
    for _ in range(3):
        farm.hire(next(names))
    farm.add(tasks=tasks)

    def break_something() -> None:
        fault = faults.get(next(looks))
        farm.queue.away = fault == "away"
        match fault:
            case "kill":
                del farm.workers[next(iter(farm.workers))]
                farm.hire(next(names))
            case "lose":
                farm.queue.messages.clear()
            case "restart":
                farm.restart()
            case "double":
                for box in farm.queue.messages.values():
                    box += box

    farm.run(after_look=break_something)
    farm.assert_done(tasks)
