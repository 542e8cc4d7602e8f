"""Redis refuses to work for a while, as after a failover: workers wait, and go on by themselves."""

from __future__ import annotations

import pytest
import redis

from farm.dispatcher import Dispatcher
from farm.errors import UnreachableError
from farm.ledger import JobState, TaskState, open_ledger
from farm.queue import QUEUE
from tests.support.farms.whole_farm import Farm
from tests.support.waiting import wait_for

NOWHERE = ("127.0.0.1", 1)
"""Where no Redis is."""


def test_a_worker_outlives_a_redis_that_is_a_replica_for_a_while(redis_url, tmp_path):
    with redis.Redis.from_url(redis_url) as client, Farm(redis_url, tmp_path) as farm:
        worker = farm.start_worker()
        farm.add_job(tasks=1)
        farm.wait_state(JobState.COMPLETED)
        try:
            client.replicaof(*NOWHERE)  # whoever waits for a message is sent away, too
            wait_for(lambda: "read only replica" in farm.words(), "it is refused", story=farm.words)
            wait_for(lambda: not farm.dispatcher.reachable, "the dispatcher waits")
        finally:
            client.replicaof("NO", "ONE")

        farm.add_job(tasks=3, job_id="other")

        assert farm.wait_state(JobState.COMPLETED, "other") == {TaskState.DONE: 3}
        assert worker.poll() is None


def test_a_worker_outlives_a_queue_that_holds_something_else(redis_url, tmp_path, monkeypatch):
    monkeypatch.setattr(Dispatcher, "_tidy", lambda _: None)  # it would move that away
    with redis.Redis.from_url(redis_url) as client:
        client.set(f"farm:{QUEUE}", "x")
        with Farm(redis_url, tmp_path) as farm:
            worker = farm.start_worker()
            wait_for(lambda: "ResponseError" in farm.words(), "it is refused", story=farm.words)
            client.delete(f"farm:{QUEUE}")

            farm.add_job(tasks=3)

            assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 3}
            assert worker.poll() is None


@pytest.fixture
def without_memory(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 1)
        yield
        client.config_set("maxmemory", before)


@pytest.mark.usefixtures("without_memory")
def test_what_redis_lacks_is_told_by_all_kinds_of_commands(redis_url):
    ledger = open_ledger(redis_url)

    for ask in (ledger.epoch, lambda: ledger.add_job("job", tasks=1, views=1)):
        with pytest.raises(UnreachableError, match=r"no memory left \(maxmemory\)"):
            ask()
    ledger.store.client.close()
