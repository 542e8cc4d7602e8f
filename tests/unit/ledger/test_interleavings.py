"""Several workers, doubled and late messages, deaths, and a user who changes his mind: what must
always be true stays true, and in the end every job ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.model import CODES
from farm.ledger.policy import CAUSES, SUSPICIOUS
from farm.ledger.stores.memory_store import MemoryStore
from farm.ledger.stores.redis_store import RedisStore, connect
from farm.spec.task import Ticket
from tests.fuzz.effort import fuzz

TASKS, VIEWS = 6, 3
WORKERS = ("a", "b", "c")
JOB = "job"
OVER = {TaskState.DONE, TaskState.FAILED, TaskState.SET_ASIDE}
ENDS = {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}


class Ahead:
    """A store whose clock a test sets forward."""

    ahead_s = 0.0

    def now_s(self) -> float:
        return super().now_s() + self.ahead_s


class AheadInMemory(Ahead, MemoryStore):
    pass


class AheadInRedis(Ahead, RedisStore):
    pass


class Farm(RuleBasedStateMachine):
    """A ledger in the middle; beside it, what an honest observer has seen."""

    workers = st.sampled_from(WORKERS)
    places = st.integers(0, 50)
    steps = False

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(self.make_store())
        self.ledger.add_job(JOB, tasks=TASKS, views=TASKS * VIEWS)
        self.withdrawn: set[Ticket] = set()
        self.messages: list[Ticket] = []  # never removed: any of them may come again
        self.holders: dict[Ticket, set[str]] = {}
        self.views: dict[Ticket, int] = {}
        self.ended: dict[Ticket, str] = {}
        self.done: dict[int, Ticket] = {}
        self.dropped = 0
        self.charged: dict[int, list[int]] = {index: [] for index in range(TASKS)}
        self.refunded: set[tuple[int, int]] = set()
        self.kept: dict[int, int] = dict.fromkeys(range(TASKS), 0)
        self.was_cancelled = False
        self.living: set[str] = set()

    def make_store(self) -> Any:
        return AheadInMemory()

    def held(self, place: int) -> tuple[Ticket, str] | None:
        """Some ticket that a worker believes to hold: rightly, or no longer."""
        found = [(ticket, name) for ticket, names in self.holders.items() for name in sorted(names)]
        right = [each for each in found if each[0] not in self.ended]
        found = right if right and place % 3 else found
        return found[place % len(found)] if found else None

    def state(self, index: int) -> TaskState:
        code = self.ledger.store.states(JOB, index, 1)
        return next(state for state, known in CODES.items() if known == code)

    # The dispatcher

    def take(self, limit: int) -> list[Ticket]:
        return self.ledger.take(JOB, limit)

    @rule(limit=st.integers(1, TASKS))
    def feed(self, limit: int) -> None:
        self.send(self.take(limit))

    @rule(indices=st.sets(st.integers(0, TASKS), max_size=3))
    def feed_these(self, indices: set[int]) -> None:
        self.send(self.ledger.take_these(JOB, sorted(indices)))

    @rule(place=places)
    def withdraw(self, place: int) -> None:
        ticket = self.messages[place % len(self.messages)] if self.messages else None
        if ticket and self.ledger.withdraw(ticket):
            assert ticket not in self.holders, "what a worker has begun is not taken back"
            self.withdrawn.add(ticket)

    def send(self, tickets: list[Ticket]) -> None:
        for ticket in tickets:
            assert ticket not in self.messages, "no ticket is given out twice"
            earlier = [each.attempt for each in self.messages if each.index == ticket.index]
            assert ticket.attempt > max(earlier, default=0), "tickets are numbered upwards"
            assert ticket.index not in self.done, "what is done is not given out"
            self.messages.append(ticket)

    @rule()
    def reap(self) -> None:
        for ticket in self.ledger.reap():
            assert not self.holders[ticket] & self.living, "nobody alive loses a task"
            self.end(ticket, "lost")
            self.charged[ticket.index].append(ticket.attempt)
        assert {task.worker for task in self.ledger.running(JOB)} <= self.living

    @rule()
    def settle(self) -> None:
        cancelling = self.ledger.job(JOB).state is JobState.CANCELLING
        if self.ledger.settle(JOB):
            states = {self.state(index) for index in range(TASKS)}
            assert TaskState.RUNNING not in states
            assert cancelling or states <= OVER | {TaskState.LEFT_OUT}

    @rule()
    def judge(self) -> None:
        self.ledger.nodes.judge()
        self.see_refunds()

    @rule(seconds=st.sampled_from([3.0, 150.0]))
    def time_passes(self, seconds: float) -> None:
        self.ledger.store.ahead_s += seconds

    @rule(worker=workers, passes=st.booleans())
    def warm_up(self, worker: str, *, passes: bool) -> None:
        if passes:
            self.ledger.nodes.passed(worker)
            assert self.ledger.nodes.quarantine(worker) is None
        else:
            self.ledger.nodes.failed(worker, "black")
        self.see_refunds()

    @rule(worker=workers, cause=st.sampled_from(["render", "killed", "device"]))
    def break_down(self, worker: str, cause: str) -> None:
        """Fail at one task after the other, where others may have done some; then be judged."""
        tickets = self.take(SUSPICIOUS)
        self.messages += tickets
        for ticket in tickets:
            self.try_to_claim(worker, ticket)
            if self.holders.get(ticket) == {worker} and ticket not in self.ended:
                assert self.ledger.fail(ticket, cause, "why")
                self.end(ticket, cause)
                self.charged[ticket.index].append(ticket.attempt)
        self.judge()

    @rule(worker=workers)
    def work(self, worker: str) -> None:
        self.claim_newest(worker)
        mine = [ticket for ticket, names in self.holders.items() if worker in names]
        for ticket in [ticket for ticket in mine if ticket not in self.ended][:1]:
            assert self.ledger.complete(ticket)
            self.done[ticket.index] = ticket
            self.end(ticket, "done")

    def see_refunds(self) -> None:
        """Only what a node in quarantine did is given back, and once."""
        for story in self.ledger.failures(JOB):
            for each in story.attempts:
                place = (story.index, each.attempt)
                if each.charge == "refunded" and place not in self.refunded:
                    assert CAUSES[each.cause].node
                    assert self.ledger.nodes.conducts()[each.worker].quarantine is not None
                    self.refunded.add(place)
                    self.charged[story.index].remove(each.attempt)

    # The workers

    @rule(worker=workers)
    def beat(self, worker: str) -> None:
        self.ledger.heartbeat(worker, {}, ttl_s=1000)
        self.living.add(worker)

    @rule(worker=workers)
    def die(self, worker: str) -> None:
        self.ledger.store.still(worker)  # what it held stays behind, until it is reaped
        self.living.discard(worker)

    @rule(place=places)
    def die_with_a_task(self, place: int) -> None:
        if found := self.held(place):
            self.die(found[1])
            self.reap()

    @rule(worker=workers)
    def stop_well(self, worker: str) -> None:
        before = self.ledger.held_by(worker)
        self.ledger.farewell(worker)
        self.living.discard(worker)
        for ticket in before:
            self.end(ticket, "released")
        assert self.ledger.held_by(worker) == []

    @rule(worker=workers, place=places)
    def claim(self, worker: str, place: int) -> None:
        if self.messages:
            self.try_to_claim(worker, self.messages[place % len(self.messages)])

    @rule(worker=workers)
    def claim_newest(self, worker: str) -> None:
        """What mostly happens: the message comes once and in time."""
        self.feed(1)
        if self.messages:
            self.try_to_claim(worker, self.messages[-1])

    def try_to_claim(self, worker: str, ticket: Ticket) -> None:
        self.beat(worker)
        held = worker in self.holders.get(ticket, ())
        if not self.ledger.claim(ticket, worker):
            return
        assert ticket not in self.withdrawn, "what was taken back is not begun"
        assert held or not self.ledger.nodes.quarantine(worker), "who is shut out gets nothing"
        holders = self.holders.setdefault(ticket, set())
        holders.add(worker)
        if not held:
            self.views[ticket] = self.kept[ticket.index]
            self.kept[ticket.index] = 0
        assert holders == {worker}, "one attempt has one holder"
        assert ticket not in self.ended, "an attempt that ended does not begin again"
        assert ticket.attempt == max(t.attempt for t in self.messages if t.index == ticket.index)

    @rule(place=places, views=st.integers(0, VIEWS))
    def progress(self, place: int, views: int) -> None:
        if (found := self.held(place)) and self.ledger.progress(found[0], views):
            assert found[0] not in self.ended
            self.views[found[0]] = views

    @rule(place=places)
    def complete(self, place: int) -> None:
        if not (found := self.held(place)):
            return
        ticket, _ = found
        if not self.ledger.complete(ticket):
            self.dropped += 1
            return
        assert ticket.index not in self.done, "a task is counted once"
        self.done[ticket.index] = ticket
        self.end(ticket, "done")

    @rule(place=places, cause=st.sampled_from(sorted(CAUSES.keys() - {"needs"})))
    def fail(self, place: int, cause: str) -> None:
        if not (found := self.held(place)):
            return
        ticket, policy = found[0], CAUSES[cause]
        target = self.ledger.fail(ticket, cause, "why")
        if target is None:
            return
        self.end(ticket, cause)
        if policy.cap is not None:
            self.charged[ticket.index].append(ticket.attempt)
        assert target in (TaskState.PENDING, policy.then)
        if policy.cap is None:
            assert target is TaskState.PENDING, "what is not the task's fault is free"
        if target is not TaskState.PENDING:
            assert len(self.charged[ticket.index]) >= policy.cap

    @rule(place=places)
    def release(self, place: int) -> None:
        if (found := self.held(place)) and self.ledger.release(found[0]):
            self.end(found[0], "released")

    def end(self, ticket: Ticket, how: str) -> None:
        assert ticket not in self.ended, "an attempt ends once"
        self.ended[ticket] = how
        if how != "done":
            self.kept[ticket.index] = self.views[ticket]

    # The user

    @rule(verb=st.sampled_from(["pause", "resume", "resume"]))
    def steer(self, verb: str) -> None:
        getattr(self.ledger, verb)(JOB)

    @rule(place=places)
    def kill_the_renderer(self, place: int) -> None:
        """The cause that sets tasks aside."""
        self.fail(place, "killed")

    @rule()
    def retry(self) -> None:
        again = [i for i in range(TASKS) if self.state(i) in OVER - {TaskState.DONE}]
        if self.ledger.retry(JOB):
            for index in again:
                self.charged[index] = []

    @rule(indices=st.sets(st.integers(0, TASKS - 1), max_size=2))
    def leave_out(self, indices: set[int]) -> None:
        running = {task.ticket.index: task.ticket for task in self.ledger.running(JOB)}
        for index in self.ledger.leave_out(JOB, indices, steps=self.steps):
            assert index not in self.done, "what is done is not left out"
            if index in running:
                self.end(running[index], "left out")
        self.see_refunds()

    @rule(indices=st.sets(st.integers(0, TASKS - 1), max_size=2), elsewhere=st.booleans())
    def retry_these(self, indices: set[int], *, elsewhere: bool) -> None:
        verb = self.ledger.retry_these
        for index in verb(JOB, indices, elsewhere=elsewhere, steps=self.steps):
            self.charged[index] = []
        self.see_refunds()

    @rule(surely=st.integers(0, 19))
    def cancel(self, surely: int) -> None:
        if surely == 0:  # little happens after it
            self.was_cancelled |= self.ledger.cancel(JOB)

    # What must always be true

    @invariant()
    def counters_tell_the_truth(self) -> None:
        self.ledger.check(JOB)  # all that is kept of it agrees
        meta = self.ledger.store.meta(JOB)
        states = self.ledger.store.states(JOB, 0, TASKS)
        assert len(states) == TASKS
        for code in CODES.values():
            assert int(meta.get(code, 0)) == states.count(code)
        assert int(meta.get("dropped", 0)) == self.dropped
        running = {task.ticket: task.views_done for task in self.ledger.running(JOB)}
        known = sum(self.views[ticket] for ticket in self.done.values()) + sum(running.values())
        assert self.ledger.job(JOB).views_done == known + sum(self.kept.values())
        assert self.ledger.store.kept(JOB) == {at: many for at, many in self.kept.items() if many}

    @invariant()
    def no_task_ends_by_what_a_bad_node_did(self) -> None:
        for index in range(TASKS):
            if self.state(index) in OVER - {TaskState.DONE}:
                assert self.charged[index]

    @invariant()
    def what_runs_is_held_by_one_who_claimed_it(self) -> None:
        for task in self.ledger.running(JOB):
            assert self.holders[task.ticket] == {task.worker}
            assert task.ticket not in self.ended
        for index, ticket in self.done.items():
            assert self.state(index) is TaskState.DONE
            assert self.ended[ticket] == "done"

    @invariant()
    def a_cancelled_job_stays_so(self) -> None:
        if self.was_cancelled:
            assert self.ledger.job(JOB).state in (JobState.CANCELLING, JobState.CANCELLED)

    def teardown(self) -> None:
        """One worker that does its work brings any job to its end, whatever came before."""
        for worker in WORKERS:
            self.ledger.farewell(worker)
        self.ledger.reap()
        self.ledger.nodes.judge()
        self.ledger.resume(JOB)
        self.ledger.store.ahead_s += 1000
        for _ in range(2 * TASKS):
            self.ledger.heartbeat("z", {}, ttl_s=1000)
            lost = [task.ticket for task in self.ledger.queued(JOB)]
            for ticket in [*lost, *self.take(TASKS)]:
                if self.ledger.claim(ticket, "z"):
                    assert self.ledger.complete(ticket)
            self.ledger.settle(JOB)
        job = self.ledger.job(JOB)
        assert job.state in ENDS
        assert job.counts[TaskState.RUNNING] == 0
        assert job.state is JobState.CANCELLED or job.active_tasks == 0
        assert self.ledger.held_by("z") == []


class FarmOfSteps(Farm):
    """The first two tasks make what the others need."""

    makers = 2
    steps = True

    def waits_for(self, index: int) -> int | None:
        return None if index < self.makers else index % self.makers

    def take(self, limit: int) -> list[Ticket]:
        tickets = self.ledger.take(JOB, limit, waits_for=self.waits_for)
        for ticket in tickets:
            waited = self.waits_for(ticket.index)
            made = waited is None or self.state(waited) is TaskState.DONE
            assert made, "what is needed is made first"
        self.see_who_waited_in_vain()
        return tickets

    def see_who_waited_in_vain(self) -> None:
        for story in self.ledger.failures(JOB):
            last = story.attempts[-1]
            if last.cause == "needs" and story.state is TaskState.FAILED:
                assert self.state(story.index % self.makers) in OVER - {TaskState.DONE}
                self.charged[story.index] = [last.attempt]

    def see_refunds(self) -> None:
        """What failed since a bad node failed goes on, too."""
        super().see_refunds()
        for story in self.ledger.failures(JOB):
            last = story.attempts[-1]
            if last.cause == "needs" and last.charge == "free":
                self.charged[story.index] = []


def check(machine: type[Farm], *, share: float) -> None:
    effort = settings(fuzz(share), stateful_step_count=60)
    run_state_machine_as_test(machine, settings=effort)


@pytest.mark.slow
def test_no_interleaving_breaks_what_must_always_be_true_in_memory():
    check(Farm, share=5)


@pytest.mark.slow
def test_no_interleaving_breaks_the_order_of_steps_in_memory():
    check(FarmOfSteps, share=2)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Farm, FarmOfSteps])
def test_no_interleaving_breaks_what_must_always_be_true_in_redis(redis_url, machine):
    client = connect(redis_url)

    class OnRedis(machine):
        def make_store(self) -> Any:
            client.flushall()
            return AheadInRedis(client)

    check(OnRedis, share=1.5)
    client.close()
