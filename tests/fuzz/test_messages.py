"""Whatever lies in Redis: a worker and a dispatcher say so and go on."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import threading

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from farm.dispatcher import Dispatcher
from farm.ledger import JobState, Ledger, TaskState, open_ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.queue import QUEUE, RENDER_TASK, CeleryQueue
from farm.spec.task import RenderMessage, Ticket
from tests.builders import a_task
from tests.fuzz.effort import fuzz
from tests.fuzz.strange import bent, trees
from tests.support.farms.whole_farm import Farm, task_of
from tests.support.waiting import wait_for

letterbox = pytest.importorskip(
    "worker.supervisor.incoming", reason="the worker's parts are missing"
)
tasks = pytest.importorskip(
    "worker.attempt.celery_task", reason="the worker's parts are not installed"
)

BODY = RenderMessage(
    ticket=Ticket(job_id="job", index=0, attempt=1), task=a_task(job_id="job")
).model_dump(mode="json")


class Door:
    """What the worker's child keeps, with a renderer that does nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.settings = tasks.load_settings(redis_url="redis://127.0.0.1:1/0", scratch="/nowhere")
        self.throughput = self.logs = self.share = None

    def renderer_for(self, _message):
        def render(task, *, attempt, worker, lease) -> None:
            lease.confirm()

        return render


@fuzz(4)
@given(body=bent(BODY) | trees(), more=st.lists(trees(), max_size=1))
def test_a_message_is_rendered_refused_or_dropped(caplog, body, more):
    ledger = Ledger(MemoryStore())
    ledger.add_job("job", tasks=1, views=3)
    ledger.take("job", 1)
    caplog.clear()

    tasks.render_views.run.__func__(Door(ledger), body, *more)

    counts = ledger.job("job").counts
    assert counts[TaskState.RUNNING] == 0
    assert "Traceback" not in caplog.text


def rubbish() -> list[bytes | str]:
    """What may be found in a queue that others write into."""
    envelope = {
        "body": base64.b64encode(json.dumps([[BODY], {}, {}]).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": RENDER_TASK, "id": "x", "argsrepr": "", "kwargsrepr": ""},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "delivery_mode": 2,
            "delivery_tag": "tag",
            "priority": 0,
        },
    }

    def with_(**changes: object) -> str:
        return json.dumps(envelope | changes)

    def told(*args: object) -> str:
        body = base64.b64encode(json.dumps(args).encode()).decode()
        return with_(body=body)

    headers, properties = envelope["headers"], envelope["properties"]
    ours = json.dumps([[BODY], {}, {}]).encode()
    return [
        told([], {}, {}),
        told(["x"], {}, {}),
        told([{"ticket": {"job_id": "job", "index": -1, "attempt": 1}}], {}, {}),
        told([BODY, BODY, 3], {"x": 1}, {}),
        told([BODY], {}, {"callbacks": [{"task": "os.system", "args": ["true"]}]}),
        told([BODY], {}, None),
        told({"args": [BODY]}),
        with_(body=base64.b64encode(ours).decode()[:-1]),
        with_(body="no base64 at all: \u00e9"),
        with_(body=ours.decode()),
        with_(body=None),
        with_(body={"x": 1}),
        with_(body=base64.b64encode(b"{").decode()),
        with_(body=base64.b64encode(b"\xff\xfe").decode()),
        with_(body=base64.b64encode(b"[" * 100_000).decode()),
        with_(headers=headers | {"task": "os.system"}),
        with_(headers=headers | {"task": 5}),
        with_(headers=headers | {"id": None}),
        with_(headers=headers | {"argsrepr": 7}),
        with_(headers={}),
        with_(headers=None),
        with_(headers=[]),
        with_(properties={}),
        with_(properties=None),
        with_(properties=properties | {"delivery_tag": ["x"]}),
        with_(properties=properties | {"body_encoding": "rot13"}),
        with_(properties=properties | {"body_encoding": None}),
        with_(**{"content-type": "application/x-python-serialize"}),
        with_(**{"content-type": "application/x-nobody-knows"}),
        with_(**{"content-type": 5}),
        with_(**{"content-encoding": "utf-99"}),
        with_(**{"content-encoding": None}),
        with_()[:-20],
        "",
        "null",
        "5",
        '"text"',
        "[]",
        "{}",
        "[" * 100_000,
        b"\xff\xfe\x00",
        b"\x80\x04\x95",
        "x" * (1 << 20),
    ]


HARMLESS = [
    {"headers": {"expires": "yesterday", "eta": 5, "timelimit": "x", "retries": "many"}},
    {"headers": {"compression": "gzip", "stamps": 3, "stamped_headers": "x", "group": [1]}},
    {"properties": {"delivery_info": None, "priority": "first", "reply_to": 5}},
    {"more": ["x"], "redelivered": "maybe"},
]
"""Fields that are not read, whatever they hold."""


@pytest.mark.parametrize("item", [i if isinstance(i, bytes) else i.encode() for i in rubbish()])
def test_what_is_no_message_is_unfit(item):
    with pytest.raises(letterbox.UnfitError, match=r"."):
        letterbox.checked(item)


def message_of(ticket: Ticket) -> dict:
    """The farm's own message, as kombu writes it."""
    task = a_task(job_id=ticket.job_id).model_copy(update={"index": ticket.index})
    body = RenderMessage(ticket=ticket, task=task).model_dump(mode="json")
    written = json.dumps([[body], {}, {"callbacks": None, "errbacks": None}]).encode()
    return {
        "body": base64.b64encode(written).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": RENDER_TASK, "id": "x", "argsrepr": "", "kwargsrepr": ""},
        "properties": {"body_encoding": "base64", "delivery_tag": "tag"},
    }


@fuzz(20)
@given(item=bent(message_of(Ticket(job_id="job", index=0, attempt=1))) | trees())
def test_a_bent_message_is_fit_or_unfit_and_nothing_worse(item):
    with contextlib.suppress(letterbox.UnfitError):
        letterbox.checked(json.dumps(item).encode())


@pytest.mark.parametrize("more", HARMLESS)
def test_what_celery_would_stumble_over_is_not_handed_on(more):
    plain = message_of(Ticket(job_id="job", index=0, attempt=1))
    strange = {
        name: plain[name] | more[name] if isinstance(plain.get(name), dict) else more.get(name)
        for name in {**plain, **more}
        if name in more
    }

    found = letterbox.checked(json.dumps(plain | strange).encode())

    assert found == letterbox.checked(json.dumps(plain).encode())
    assert json.loads(found)["body"] == plain["body"]


@pytest.mark.slow
def test_rubbish_in_the_queue_does_not_keep_a_worker_from_its_tasks(redis_url, tmp_path):
    """Each piece is kept aside and counted; so is what is called to all workers."""
    with redis.Redis.from_url(redis_url) as client:
        for item in rubbish():
            client.lpush(f"farm:{QUEUE}", item)
        client.hset("farm:unacked", "tag", "{")
        client.zadd("farm:unacked_index", {"tag": 0})
        with Farm(redis_url, tmp_path) as farm:
            worker = farm.start_worker()
            farm.add_job(tasks=3)

            assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 3}
            for item in rubbish():
                client.publish("farm:/0.celery.pidbox", item)
            farm.add_job(tasks=2, job_id="other")
            farm.wait_state(JobState.COMPLETED, "other")
            assert worker.poll() is None
            aside = farm.ledger.aside()
        assert aside.counts["message"] >= len(rubbish())
        kept = [client.get(name) for name in aside.names if ":message:" in name]
        assert {i if isinstance(i, bytes) else i.encode() for i in rubbish()} <= set(kept)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["string", "hash"])
def test_a_queue_that_is_something_else_is_moved_aside(redis_url, tmp_path, kind):
    with redis.Redis.from_url(redis_url) as client, Farm(redis_url, tmp_path) as farm:
        worker = farm.start_worker()
        farm.add_job(tasks=1)
        farm.wait_state(JobState.COMPLETED)
        for name in (f"farm:{QUEUE}", "farm:unacked"):
            client.delete(name)
            client.set(name, "x") if kind == "string" else client.zadd(name, {"x": 1})

        farm.add_job(tasks=3, job_id="other")

        assert farm.wait_state(JobState.COMPLETED, "other") == {TaskState.DONE: 3}
        assert worker.poll() is None
        assert farm.ledger.aside().counts["key"] >= 2


@pytest.fixture
def dispatching(redis_url):
    """A dispatcher on a Redis that others write into; ends after the test."""
    ledger, queue = open_ledger(redis_url), CeleryQueue(redis_url)
    stop = threading.Event()
    dispatcher = Dispatcher(ledger, queue, task_of, lease_ttl_s=0.5)
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    with redis.Redis.from_url(redis_url) as client:
        yield ledger, client, thread
        stop.set()
        thread.join()
    queue.close()
    ledger.store.client.close()


DAMAGE = {
    "a job without its fields": lambda client: (
        client.sadd("farm:jobs", "bad"), client.hset("farm:job:bad", "x", "y")),
    "a job in no state": lambda client: (
        client.sadd("farm:jobs", "bad"),
        client.hset("farm:job:bad", mapping={
            "state": "dancing", "priority": "0", "created": "0", "tasks": "1", "views": "1",
            "views_done": "0"})),
    "a job of strange numbers": lambda client: (
        client.sadd("farm:jobs", "bad"),
        client.hset("farm:job:bad", mapping={
            "state": "queued", "priority": "high", "created": "nan", "tasks": "-1", "views": "1",
            "views_done": "0"})),
    "a job that is a list": lambda client: (
        client.sadd("farm:jobs", "bad"), client.rpush("farm:job:bad", "x")),
    "states that are none": lambda client: client.hset("farm:job:first:states", "x", "y"),
    "a worker that is no JSON": lambda client: client.set("farm:worker:w", "{"),
    "a worker of strange fields": lambda client: client.set("farm:worker:w", '{"seen_s": "x"}'),
    "a worker that is a list": lambda client: client.set("farm:worker:w", "[1]"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_in_redis_does_not_stop_the_dispatcher(dispatching, caplog, what):
    ledger, client, thread = dispatching
    if "first" in what or "states" in what:
        ledger.add_job("first", tasks=2, views=4, priority=5)
        client.delete("farm:job:first:states")
    DAMAGE[what](client)
    ledger.add_job("good", tasks=2, views=4)

    with caplog.at_level(logging.WARNING):
        thread.start()
        wait_for(lambda: ledger.job("good").counts[TaskState.QUEUED] == 2, "the good job is fed")
        words = ("damaged", "continues", "is skipped")
        wait_for(lambda: any(word in caplog.text for word in words), "the damage is told")

    assert thread.is_alive()


def test_a_message_that_names_no_task_is_dropped_with_a_line(caplog):
    ledger = Ledger(MemoryStore())

    with caplog.at_level(logging.WARNING):
        tasks.refuse({"x": 1}, ledger=ledger, worker="w", reason="no")

    assert "message dropped, it names no task: {'x': 1}" in caplog.text


def test_a_job_that_could_not_be_served_is_tried_again_later():
    ledger, now = Ledger(MemoryStore()), [0.0]
    ledger.add_job("bad", tasks=1, views=2, priority=5)
    ledger.add_job("good", tasks=1, views=2)
    broken = {"bad"}

    def take(job_id, limit, **steps):
        if job_id in broken:
            raise ValueError("there is something else under our name")
        return Ledger.take(ledger, job_id, limit, **steps)

    class Queue:
        def put(self, message, *, priority, inbox=None):
            pass

        def keys(self, inboxes=()):
            return {}

        def length(self, inbox=None):
            return 1

    ledger.take = take
    dispatcher = Dispatcher(ledger, Queue(), task_of, clock=lambda: now[0])
    dispatcher.step()
    assert ledger.job("good").counts[TaskState.QUEUED] == 1
    broken.clear()
    dispatcher.step()
    assert ledger.job("bad").counts[TaskState.QUEUED] == 0

    now[0] += 31
    dispatcher.step()

    assert ledger.job("bad").counts[TaskState.QUEUED] == 1
