from __future__ import annotations

import pytest

from farm.errors import SetupError, UnreachableError
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.ledger.stores.redis_store import RedisStore, connect
from farm.local.processes.redis_server import free_port
from tests.support.waiting import wait_for


def test_a_heart_that_is_not_renewed_stops():
    now_s = [100.0]
    ledger = Ledger(MemoryStore(clock=lambda: now_s[0]))
    ledger.heartbeat("w", {}, ttl_s=10)

    now_s[0] = 109.9
    assert len(ledger.workers()) == 1
    now_s[0] = 110.0
    assert ledger.workers() == []


def test_redis_stops_a_heart_by_itself(redis_url):
    client = connect(redis_url)
    ledger = Ledger(RedisStore(client))

    ledger.heartbeat("w", {}, ttl_s=0.05)

    wait_for(lambda: not ledger.workers(), "the heartbeat stopped")
    client.close()


def test_a_lease_that_is_not_renewed_ends():
    now_s = [100.0]
    ledger = Ledger(MemoryStore(clock=lambda: now_s[0]))
    ledger.lease("device:x", "a", 10)

    now_s[0] = 109.9
    assert ledger.lease("device:x", "b", 10) == "a"
    now_s[0] = 110.0
    assert ledger.lease("device:x", "b", 10) == "b"


def test_redis_ends_a_lease_by_itself(redis_url):
    client = connect(redis_url)
    ledger = Ledger(RedisStore(client))
    ledger.lease("device:x", "a", 0.05)

    wait_for(lambda: ledger.lease("device:x", "b", 60) == "b", "the lease ended")
    client.close()


def test_a_redis_that_is_away_is_said_in_one_sentence():
    client = connect(f"redis://:secret@127.0.0.1:{free_port()}/0")

    with pytest.raises(UnreachableError, match="Redis cannot be reached") as told:
        Ledger(RedisStore(client)).jobs()
    assert "secret" not in str(told.value)
    client.close()


def test_a_million_tasks_are_a_byte_each(redis_url):
    client = connect(redis_url)
    ledger = Ledger(RedisStore(client))

    ledger.add_job("big", tasks=1_000_000, views=1)

    assert len(ledger.take("big", 100)) == 100
    size = sum(int(client.memory_usage(name) or 0) for name in client.scan_iter("farm:job:big*"))
    assert size < 1.4e6
    client.close()


def test_a_wrong_password_is_said_at_once_and_without_the_password(redis_server):
    client = connect(f"redis://:wrong@127.0.0.1:{redis_server.port}/0")

    with pytest.raises(SetupError, match="FARM_REDIS_URL") as told:
        Ledger(RedisStore(client)).now_s()
    assert "wrong" not in str(told.value)
    client.close()
