"""While a farm is upgraded, versions share a ledger: what another one has written is no damage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from farm.job_store import JobControl, JobStore
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.model import TaskRecord, Work
from farm.ledger.stores.redis_store import RedisStore, connect
from farm.storage import FolderStorage

Raw = redis.Redis
NEW = {"colour": "red", "shades": [1, 2], "kind": {"deep": True}}
"""Fields of a later version."""


@pytest.fixture
def raw(redis_url) -> Iterator[Raw]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def ledger(redis_url) -> Iterator[Ledger]:
    client = connect(redis_url)
    ledger = Ledger(RedisStore(client))
    ledger.add_job("job", tasks=3, views=3)
    yield ledger
    client.close()


def change(raw: Raw, key: str, field: str, **facts: Any) -> None:
    raw.hset(key, field, json.dumps(json.loads(raw.hget(key, field)) | facts))


def record(raw: Raw, index: int) -> dict[str, Any]:
    return json.loads(raw.hget("farm:job:job:records", str(index)))


def test_a_record_of_a_newer_version_is_read_and_keeps_what_is_new(ledger, raw):
    (ticket,) = ledger.take("job", 1)
    change(raw, "farm:job:job:records", "0", **NEW)

    ledger.check("job")
    assert ledger.claim(ticket, "w@host#1")
    assert [task.ticket for task in ledger.running("job")] == [ticket]
    assert ledger.fail(ticket, "render", "Cycles refused") is TaskState.PENDING
    assert record(raw, 0).items() >= NEW.items()
    assert ledger.aside().names == ()


def test_a_failure_told_by_a_newer_version_keeps_what_is_new(ledger, raw):
    (ticket,) = ledger.take("job", 1)
    ledger.claim(ticket, "w@host#1")
    ledger.fail(ticket, "render", "Cycles refused")
    story = [each | NEW for each in record(raw, 0)["story"]]
    change(raw, "farm:job:job:records", "0", story=story)

    (again,) = ledger.take("job", 1)
    assert ledger.claim(again, "v@other#2")
    (told,) = ledger.failures("job")
    assert told.attempts[0].sentence == "Cycles refused"
    assert record(raw, 0)["story"] == story


def test_a_record_of_an_older_version_is_read(ledger, raw):
    (ticket,) = ledger.take("job", 1)
    told = {"attempt": ticket.attempt}
    assert told.keys() < TaskRecord.model_fields.keys()
    raw.hset("farm:job:job:records", "0", json.dumps(told))

    assert ledger.claim(ticket, "w@host#1")
    assert ledger.complete(ticket)


def test_a_worker_of_a_newer_version_lives_and_keeps_its_task(ledger, raw):
    (ticket,) = ledger.take("job", 1)
    ledger.claim(ticket, "w@host#1")
    said = {"info": {"name": "w"}, "seen_s": 1.0} | NEW
    raw.set("farm:worker:w@host#1", json.dumps(said), px=60_000)
    raw.set("farm:work:w@host#1", json.dumps(Work(task="job/0").model_dump() | NEW))

    (worker,) = ledger.workers()
    assert (worker.task, worker.info) == ("job/0", {"name": "w"})
    assert ledger.reap() == []
    assert ledger.aside().names == ()


def test_a_quarantine_of_a_newer_version_holds(ledger, raw):
    shut = {"sentence": "bad", "since_s": 1.0, "try_from_s": 1e12} | NEW
    raw.hset("farm:conduct", "w@host", json.dumps({"quarantine": shut} | NEW))
    (ticket,) = ledger.take("job", 1)

    assert not ledger.claim(ticket, "w@host#1")
    assert ledger.nodes.judge() == []
    ledger.nodes.failed("w@host#1", "black")
    kept = json.loads(raw.hget("farm:conduct", "w@host"))
    assert kept.items() >= NEW.items()
    assert kept["quarantine"].items() >= NEW.items()
    assert ledger.aside().names == ()


def test_what_users_said_of_a_job_to_a_newer_version_is_kept(ledger, tmp_path):
    store = JobStore(FolderStorage(tmp_path))
    ledger.set_priority("job", 7)
    store.save_control(ledger.job("job"))
    (path,) = (tmp_path / "jobs" / "job").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | NEW))

    assert store.control("job").priority == 7
    ledger.pause("job")
    store.save_control(ledger.job("job"))
    assert store.control("job").stopped == JobState.PAUSED
    assert json.loads(path.read_text()).items() >= NEW.items()
    assert isinstance(store.control("job"), JobControl)
