"""What somebody wrote into one job's keys is that job's alone, whatever it is."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator

import pytest
import redis

from farm.dispatcher import Dispatcher
from farm.doctor import examine
from farm.errors import DamagedLedgerError
from farm.job_store import JobStore
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.stores.redis_store import RedisStore, connect
from farm.serve.closing import Closer
from farm.spec.recipes.sod import SodGrid
from farm.storage import FolderStorage
from tests.builders import a_job, a_task

Raw = redis.Redis
PARTS = ("", ":states", ":records", ":returned", ":running", ":kept")
TTL_S = 60.0


class Queue:
    """Takes messages."""

    def put(self, message, *, priority, inbox=None) -> None:
        pass

    def keys(self, inboxes=()) -> dict[str, str]:
        return {"farm:render": "list"}

    def length(self, inbox=None) -> int:
        return 0


@pytest.fixture
def raw(redis_url) -> Iterator[Raw]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def ledger(raw, redis_url) -> Iterator[Ledger]:
    """Of two jobs, `bad` and `good`; a worker that is gone held a task of each."""
    client = connect(redis_url)
    ledger = Ledger(RedisStore(client))
    for name, priority in (("bad", 5), ("good", 0)):
        ledger.add_job(name, tasks=6, views=12, priority=priority)
        for ticket in ledger.take(name, 4)[:3]:
            assert ledger.claim(ticket, "gone@host#1")
        (first, *_) = ledger.running(name)
        assert ledger.progress(first.ticket, 1)
        assert ledger.fail(first.ticket, "render", "no") is TaskState.PENDING
    yield ledger
    client.close()


@pytest.fixture
def dispatcher(ledger):
    clock = itertools.count(start=0, step=1000)
    return Dispatcher(
        ledger, Queue(), lambda job, index: a_task(index, job_id=job),
        lease_ttl_s=0.1, clock=lambda: float(next(clock)),
    )  # fmt: skip


def other_kind(part: str) -> Callable[[Raw], object]:
    def harm(raw: Raw) -> None:
        name = f"farm:job:bad{part}"
        kind = raw.type(name)
        raw.delete(name)
        raw.rpush(name, "x") if kind != b"list" else raw.set(name, "x")

    return harm


def at(name: str, verb: str, *args: object) -> Callable[[Raw], object]:
    return lambda raw: getattr(raw, verb)(f"farm:job:bad{name}", *args)


HARM = {
    **{f"another kind of {part or 'fields'}": other_kind(part) for part in PARTS},
    "fields that are lost": at("", "delete"),
    "no state": at("", "hset", "state", "dancing"),
    "no number": at("", "hset", "cursor", "x"),
    "no priority": at("", "hset", "priority", "high"),
    "no attempts": at("", "hset", "attempts", "x"),
    "fields that are no text": at("", "hset", "state", b"\xff\xfe"),
    "wrong counts": at("", "hset", "p", 100),
    "states that are lost": at(":states", "delete"),
    "states cut short": at(":states", "set", "rr"),
    "states of no meaning": at(":states", "setrange", 1, "X"),
    "states that are no text": at(":states", "setrange", 0, b"\xff"),
    "records that are lost": at(":records", "delete"),
    "a record that is none": at(":records", "hset", "1", "{"),
    "a record of strange fields": at(":records", "hset", "1", '{"attempt": "x"}'),
    "a record that is no text": at(":records", "hset", "1", b"\xff"),
    "a record of no task": at(":records", "hset", "x", "{}"),
    "a record that is a list": at(":records", "hset", "1", "[]"),
    "a running task that is lost": at(":running", "hdel", "1"),
    "running tasks that are lost": at(":running", "delete"),
    "views that are no number": at(":running", "hset", "1", "x"),
    "a running task of no number": at(":running", "hset", "x", "1"),
    "returned tasks that are lost": at(":returned", "delete"),
    "a returned task of no number": at(":returned", "zadd", {"x": -1}),
}


UNSEEN = {"fields that are lost"}
"""There is no such job then; `restore` writes it down when it is asked to look."""


@pytest.mark.parametrize("what", HARM)
def test_lost_tasks_of_other_jobs_are_taken_back(ledger, raw, what):
    HARM[what](raw)

    taken = ledger.reap()

    assert sorted(t.index for t in taken if t.job_id == "good") == [1, 2]
    ledger.farewell("gone@host#1")
    assert ledger.workers() == []
    ledger.nodes.judge()


@pytest.mark.parametrize("what", sorted(set(HARM) - UNSEEN))
def test_the_job_alone_is_moved_aside_and_begins_anew(ledger, raw, dispatcher, caplog, what):
    restored = []
    dispatcher.on_aside = lambda: restored.append(ledger.job("bad"))
    HARM[what](raw)

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert dispatcher.step()

    assert restored == [None]
    assert "the job 'bad' is damaged" in caplog.text
    assert [job.job_id for job in ledger.jobs()] == ["good"]
    assert ledger.job("good").counts[TaskState.QUEUED] == 4
    aside = ledger.aside()
    assert aside.counts == {"job": 1}
    assert any(":job:bad:" in name for name in aside.names)
    assert not [name for name in raw.keys("farm:job:bad*") if raw.exists(name)]
    assert ledger.add_job("bad", tasks=6, views=12), "it can be written down anew"
    ledger.check("bad")


def test_a_job_that_is_well_agrees_with_itself_all_its_life(ledger):
    for name in ("good", "bad"):
        ledger.check(name)
    ledger.reap()
    ledger.check("good")
    ledger.cancel("good")
    ledger.check("good")
    ledger.renumber()
    ledger.check("bad")


def test_what_is_left_of_a_job_without_fields_does_not_trouble_the_next(ledger, raw):
    raw.delete("farm:job:bad")

    assert ledger.add_job("bad", tasks=2, views=4)

    ledger.check("bad")
    assert ledger.running("bad") == []


def test_damage_again_and_again_is_not_restored_for_ever(ledger, raw, dispatcher):
    restored = []
    dispatcher.on_aside = lambda: restored.append(ledger.add_job("bad", tasks=1, views=2))
    for _ in range(6):
        raw.hset("farm:job:bad", "state", "dancing")
        dispatcher.step()

    assert len(restored) == 3


def test_a_verb_of_a_damaged_job_says_so(ledger, raw):
    raw.hset("farm:job:bad:records", "4", "{")

    with pytest.raises(DamagedLedgerError, match="the job 'bad' is damaged"):
        ledger.queued("bad")
    with pytest.raises(DamagedLedgerError):
        ledger.take("bad", 100)
    assert len(ledger.take("good", 100)) == 3


@pytest.mark.parametrize("kind", ["string", "list", "hash"])
def test_a_task_is_claimed_whatever_other_jobs_are(ledger, raw, kind):
    (ticket,) = ledger.take("good", 1)[:1]
    raw.delete("farm:job:bad")
    {"string": lambda: raw.set("farm:job:bad", b"\xff"),
     "list": lambda: raw.rpush("farm:job:bad", "x"),
     "hash": lambda: raw.hset("farm:job:bad", "x", "y")}[kind]()  # fmt: skip

    assert ledger.claim(ticket, "new@host#2")
    assert ledger.complete(ticket)


SHARED = {
    "the list of jobs": ("farm:jobs", lambda raw: raw.set("farm:jobs", "x")),
    "what is noted of nodes": ("farm:conduct", lambda raw: raw.set("farm:conduct", "x")),
    "the word of its birth": ("farm:born", lambda raw: raw.rpush("farm:born", "x")),
    "a lease": ("farm:lease:gpu", lambda raw: raw.rpush("farm:lease:gpu", "x")),
    "the queue": ("farm:render", lambda raw: raw.set("farm:render", "x")),
}


@pytest.mark.parametrize("what", SHARED)
def test_a_key_that_all_share_is_moved_aside_and_made_anew(ledger, raw, dispatcher, what):
    name, harm = SHARED[what]
    raw.delete(name)
    harm(raw)

    assert ledger.lease("gpu", "me", TTL_S) == "me"
    assert all(dispatcher.step() for _ in range(3))

    assert {job.job_id for job in ledger.jobs()} == {"bad", "good"}
    assert [task.worker for name in ("bad", "good") for task in ledger.running(name)] == []
    (ticket,) = ledger.take("good", 1)
    assert ledger.claim(ticket, "new@host#2")
    assert ledger.complete(ticket)
    aside = ledger.aside()
    assert sum(aside.counts.values()) == 1
    assert aside.names[0].endswith(name.removeprefix("farm:"))


WORKERS = {
    "no JSON": ("set", "{"),
    "strange fields": ("set", '{"info": 5}'),
    "no text": ("set", b"\xff\xfe"),
    "a list": ("set", "[1]"),
    "very deep": ("set", "[" * 100_000),
}


@pytest.mark.parametrize("what", WORKERS)
def test_a_worker_of_strange_words_hides_no_other(ledger, raw, dispatcher, what):
    ledger.heartbeat("well@host#1", {"name": "well"}, TTL_S)
    verb, value = WORKERS[what]
    getattr(raw, verb)(b"farm:worker:odd@host", value)

    assert [worker.worker for worker in ledger.workers()] == ["well@host#1"]
    assert dispatcher.step()

    assert raw.exists("farm:worker:odd@host") == 0
    assert ledger.aside().counts == {"worker": 1}


def test_names_that_are_no_text_stop_nobody(ledger, raw, dispatcher):
    ledger.heartbeat("well@host#1", {"name": "well"}, TTL_S)
    raw.set(b"farm:worker:\xff\xfe", '{"info": {}}')
    raw.sadd("farm:jobs", b"\xff")
    raw.hset(b"farm:job:\xff", "state", "queued")
    raw.hset("farm:conduct", b"\xff", b"\xfe")

    assert dispatcher.step()

    assert "well@host#1" in {worker.worker for worker in ledger.workers()}
    ledger.check("good")
    assert ledger.aside().counts["job"] == 1


def test_notes_of_a_node_that_cannot_be_read_are_kept_aside(ledger, raw, dispatcher):
    raw.hset("farm:conduct", "node@host", "{")

    assert dispatcher.step()

    (name,) = [name for name in ledger.aside().names if "node" in name]
    assert raw.get(name) == b"{"
    assert not raw.hexists("farm:conduct", "node@host")


def test_a_job_that_was_moved_aside_is_restored_from_storage(ledger, raw, tmp_path):
    """With all that is done of it; a ticket of before is worth nothing."""
    storage = FolderStorage(tmp_path)
    book = JobStore(storage)
    job = a_job(recipe=SodGrid(yaw=6, pitch=1), views_per_task=3)
    job = job.model_copy(update={"prefix": f"datasets/{job.job_id}"})
    book.save(job)
    closer = Closer(ledger, storage, book)
    closer.catch_up()
    (ticket, *_) = ledger.take(job.job_id, 1)
    assert ledger.claim(ticket, "one@host#1")
    dispatcher = Dispatcher(
        ledger, Queue(), lambda name, index: a_task(index, job_id=name), on_aside=closer.catch_up
    )
    raw.set(f"farm:job:{job.job_id}:states", "p")

    assert dispatcher.step()

    found = ledger.job(job.job_id)
    assert found.state is JobState.QUEUED
    assert found.counts[TaskState.PENDING] + found.counts[TaskState.QUEUED] == found.tasks == 2
    assert not ledger.confirm(ticket)
    ledger.check(job.job_id)


def test_the_doctor_shows_what_was_moved_aside(ledger, raw, redis_url, monkeypatch):
    monkeypatch.setenv("FARM_REDIS_URL", redis_url)
    raw.hset("farm:job:bad", "state", "dancing")
    assert all("damaged and renamed" not in finding.sentence for finding in examine(("redis",)))

    ledger.store.move_aside("job", "bad")
    ledger.store.keep_aside("message", "w0@host", b"\xff" * 10)

    (found,) = [each for each in examine(("redis",)) if "damaged and renamed" in each.sentence]
    assert found.verdict == "warning"
    assert "job 1, message 1" in found.sentence
    assert ":job:bad" in found.sentence


def test_metrics_count_what_was_moved_aside(ledger, raw):
    metrics = pytest.importorskip("farm.api.metrics", reason="the server's parts are missing")
    ledger.store.keep_aside("message", "w0@host", b"x")

    (found,) = [
        family
        for family in metrics.FarmCollector(ledger, Queue()).collect()
        if family.name == "farm_damaged"
    ]

    assert [(sample.labels, sample.value) for sample in found.samples] == [
        ({"kind": "message"}, 1.0)
    ]
