from __future__ import annotations

import json

import pytest
import redis

from farm.errors import UnreachableError
from farm.local.processes.redis_server import free_port
from farm.queue import INBOX_TTL_S, RENDER_TASK, CeleryQueue, inbox_of
from farm.spec.task import RenderMessage, Ticket
from tests.builders import a_task


def a_message(index: int) -> RenderMessage:
    ticket = Ticket(job_id="job", index=index, attempt=1)
    return RenderMessage(ticket=ticket, task=a_task(index))


@pytest.fixture
def queue(redis_url):
    queue = CeleryQueue(redis_url)
    yield queue
    queue.close()


def test_what_is_put_waits_in_the_queue(queue):
    assert queue.length() == 0
    for index in range(3):
        queue.put(a_message(index), priority=index - 1)
    assert queue.length() == 3


def test_a_message_is_json_and_says_in_a_line_what_it_is(queue):
    message = a_message(0)
    queue.put(message, priority=0)

    with queue.app.connection_for_read() as connection:
        channel = connection.default_channel
        raw = channel.basic_get("render", no_ack=True)
    (body,), _, _ = json.loads(raw.body)
    assert RenderMessage.model_validate(body) == message
    assert raw.headers["task"] == RENDER_TASK
    assert raw.headers["argsrepr"] == "vase · studio · views 0..2"


def test_an_urgent_job_goes_first(queue):
    for index, priority in enumerate((-1, 0, 1)):
        queue.put(a_message(index), priority=priority)

    with queue.app.connection_for_read() as connection:
        raw = connection.default_channel.basic_get("render", no_ack=True)
    assert json.loads(raw.body)[0][0]["ticket"]["index"] == 2


def test_what_lies_in_an_inbox_is_for_one_worker_and_goes_when_that_is_gone(queue, redis_url):
    inbox = inbox_of("w@host#1")
    queue.put(a_message(0), priority=0, inbox=inbox)
    queue.put(a_message(1), priority=0)

    assert (queue.length(inbox), queue.length(), queue.length(inbox_of("v@host#2"))) == (1, 1, 0)
    with redis.Redis.from_url(redis_url) as client:
        (key,) = list(client.scan_iter("farm:inbox.*"))
        assert key.decode() in queue.keys([inbox])
        assert 0 < client.ttl(key) <= INBOX_TTL_S


def test_a_message_without_a_key_is_as_workers_of_before_know_it(queue):
    assert "affinity" not in a_message(0).model_dump(mode="json")["task"]
    keyed = RenderMessage(ticket=a_message(0).ticket, task=a_task(0, affinity="scene"))
    assert RenderMessage.model_validate(keyed.model_dump(mode="json")) == keyed


@pytest.mark.parametrize("verb", ["put", "length"])
def test_a_queue_that_is_away_says_so(verb):
    queue = CeleryQueue(f"redis://127.0.0.1:{free_port()}/0")

    with pytest.raises(UnreachableError):
        queue.put(a_message(0), priority=0) if verb == "put" else queue.length()
    queue.close()
