"""The ledger and its ledger say the same, whatever happens in whatever order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from farm.ledger import Ledger, TaskState
from farm.ledger.model import CODES
from farm.ledger.policy import CAUSES
from farm.ledger.stores.memory_store import MemoryStore
from farm.ledger.stores.redis_store import RedisStore, connect
from farm.spec.task import Ticket
from tests.fuzz.effort import fuzz

TASKS = 4
WORKERS = ("a", "b")


class InOneTime:
    """A store whose clock stands still until a test turns it, for the other one as well."""

    at_s = 0.0

    def now_s(self) -> float:
        return InOneTime.at_s


class InMemory(InOneTime, MemoryStore):
    pass


class InRedis(InOneTime, RedisStore):
    pass


class RedisAsMemory(RuleBasedStateMachine):
    """Does to both whatever is done; any ticket, also one of the past or from nowhere."""

    client: Any
    indices = st.integers(0, TASKS)  # the last is no task
    ages = st.sampled_from([0, 0, 0, 1])

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        InOneTime.at_s = 1e9
        self.ledgers = [Ledger(InMemory()), Ledger(InRedis(self.client))]
        self.both("add_job", "job", tasks=TASKS, views=99, done=(1,), views_done=3, kept={2: 1})

    def both(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        ours, theirs = (getattr(ledger, verb)(*args, **kwargs) for ledger in self.ledgers)
        assert ours == theirs
        return ours

    def ticket(self, index: int, age: int) -> Ticket:
        """A ticket of a task: its newest, or an older one."""
        records = self.ledgers[0].store.records("job", [index])
        newest = records[index].attempt if index in records else 0
        return Ticket(job_id="job", index=index, attempt=max(newest - age, 0))

    @rule(seconds=st.sampled_from([1, 5, 40, 1000]))
    def time_passes(self, seconds):
        InOneTime.at_s += seconds

    @rule(limit=st.integers(0, 3))
    def take(self, limit):
        self.both("take", "job", limit)

    @rule(wanted=st.lists(indices, max_size=3, unique=True))
    def take_these(self, wanted):
        assert self.both("ready", "job").keys() <= set(range(TASKS))
        self.both("take_these", "job", wanted)

    @rule(index=indices, age=ages)
    def withdraw(self, index, age):
        ticket = self.ticket(index, age)
        unclaimed = self.both("unclaimed", [ticket])
        assert self.both("withdraw", ticket) is (unclaimed == {ticket})

    @rule(worker=st.sampled_from(WORKERS), views=st.integers(0, 3))
    def start(self, worker, views):
        for ticket in self.both("take", "job", 1):
            self.both("claim", ticket, worker)
            self.both("progress", ticket, views)

    @rule(index=indices, age=ages, worker=st.sampled_from(WORKERS))
    def claim(self, index, age, worker):
        self.both("claim", self.ticket(index, age), worker)

    @rule(index=indices, age=ages, verb=st.sampled_from(["complete", "release", "confirm"]))
    def end(self, index, age, verb):
        self.both(verb, self.ticket(index, age))

    @rule(index=indices, age=ages, cause=st.sampled_from(sorted(CAUSES)))
    def fail(self, index, age, cause):
        self.both("fail", self.ticket(index, age), cause, "why")

    @rule(index=indices, age=ages, views=st.integers(0, 5))
    def progress(self, index, age, views):
        self.both("progress", self.ticket(index, age), views)

    @rule(verb=st.sampled_from(["pause", "resume", "resume", "retry", "settle"]))
    def job(self, verb):
        self.both(verb, "job")

    @rule(indices=st.sets(indices, max_size=3), elsewhere=st.booleans())
    def retry_these(self, indices, elsewhere):
        self.both("retry_these", "job", indices, elsewhere=elsewhere)

    @rule(indices=st.sets(indices, max_size=2))
    def leave_out(self, indices):
        self.both("leave_out", "job", indices)

    @rule(start=st.integers(0, TASKS), limit=st.integers(1, 3))
    def look(self, start, limit):
        job = self.ledgers[0].job("job")
        if job:
            states = (TaskState.PENDING, TaskState.FAILED, TaskState.CANCELLED)
            found = [ledger.tasks(job, states, start=start, limit=limit) for ledger in self.ledgers]
            seen = [[(task.index, task.state, len(task.attempts)) for task in one] for one in found]
            assert seen[0] == seen[1]

    @rule(surely=st.integers(0, 9))
    def forget(self, surely):
        if surely == 0 and self.both("forget", "job"):
            self.both("add_job", "job", tasks=TASKS, views=99, done=(1,), views_done=3)

    @rule(surely=st.integers(0, 9))
    def cancel(self, surely):
        if surely == 0:  # little happens after it
            self.both("cancel", "job")

    @rule(worker=st.sampled_from(WORKERS))
    def heartbeat(self, worker):
        for ledger in self.ledgers:
            ledger.heartbeat(worker, {}, ttl_s=1000)

    @rule(worker=st.sampled_from(WORKERS))
    def farewell(self, worker):
        for ledger in self.ledgers:
            ledger.farewell(worker)

    @rule()
    def reap(self):
        ours, theirs = (ledger.reap() for ledger in self.ledgers)
        assert sorted(ours, key=str) == sorted(theirs, key=str)

    @rule(worker=st.sampled_from(WORKERS))
    def fail_in_a_row(self, worker):
        """What brings a node into quarantine."""
        for ticket in self.both("take", "job", 3):
            self.both("claim", ticket, worker)
            self.both("fail", ticket, "render", "why")

    @rule(verb=st.sampled_from(["judge", "passed", "failed"]), worker=st.sampled_from(WORKERS))
    def nodes(self, verb, worker):
        given = {"judge": (), "passed": (worker,), "failed": (worker, "black")}[verb]
        ours, theirs = (getattr(ledger.nodes, verb)(*given) for ledger in self.ledgers)
        assert ours == theirs

    @invariant()
    def they_note_the_same(self):
        ours, theirs = (
            {node: without_times(conduct) for node, conduct in ledger.nodes.conducts().items()}
            for ledger in self.ledgers
        )
        assert ours == theirs
        assert self.ledgers[0].store.kept("job") == self.ledgers[1].store.kept("job")

    @invariant()
    def they_say_the_same(self):
        timeless = {"created_s", "held_until_s"}
        ours, theirs = (ledger.job("job").model_dump(exclude=timeless) for ledger in self.ledgers)
        assert ours == theirs
        ours, theirs = (
            [
                (s.index, s.state, [(a.cause, a.charge) for a in s.attempts])
                for s in ledger.failures("job")
            ]
            for ledger in self.ledgers
        )
        assert ours == theirs

    @invariant()
    def counters_tell_the_truth(self):
        for ledger in self.ledgers:
            job = ledger.job("job")
            meta = ledger.store.meta("job")
            states = ledger.store.states("job", 0, TASKS)
            assert {code: int(meta.get(code, 0)) for code in CODES.values()} == {
                code: states.count(code) for code in CODES.values()
            }
            assert sum(job.counts.values()) == TASKS
            assert job.views_done >= 3
            assert len(ledger.running("job")) == job.counts[TaskState.RUNNING]
            assert set(ledger.store.returned("job", TASKS)) <= {
                index for index, code in enumerate(states) if code == "p"
            }


def without_times(conduct: Any) -> Any:
    """What is noted of a node, but not when: the ledgers have two clocks."""

    def scrub(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: 0 if k.endswith("_s") else scrub(v) for k, v in value.items()}
        return [scrub(each) for each in value] if isinstance(value, list | tuple) else value

    plain = conduct.model_dump(mode="json")
    return scrub(plain | {"done": sorted(plain["done"])})


@pytest.mark.slow
def test_the_twins_never_disagree(redis_url):
    client = connect(redis_url)

    class OnThisRedis(RedisAsMemory):
        pass

    OnThisRedis.client = client
    effort = settings(fuzz(2.5), stateful_step_count=40)
    run_state_machine_as_test(OnThisRedis, settings=effort)
    client.close()
