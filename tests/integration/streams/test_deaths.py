"""Trainer, worker, server, Redis, dispatcher: whatever dies, no sample is lost, none doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from farm.errors import FarmError
from farm.local.processes.redis_server import PrivateRedis
from tests.integration.streams.conftest import StreamingFarm
from tests.support.waiting import wait_for

VIEWS = 24
TRAIN = """
import sys
from farm.stream import Stream
for view in Stream(sys.argv[1], queue=6, lease_s=1.0, timeout_s=120):
    print(view.number, flush=True)
"""
BY_HAND = """
import sys, threading
from farm.stream import Stream
stream = Stream(sys.argv[1], queue=6, lease_s=1.0, by_hand=True, timeout_s=120)
views = iter(stream)
used = [next(views) for _ in range(5)]
stream.ack(view.id for view in used[:3])
print(*(view.number for view in used[:3]), flush=True)
threading.Event().wait()
"""


def test_a_trainer_that_was_killed_comes_back(farm):
    farm.start_worker()
    with farm.stream(views=VIEWS, per_task=2) as stream:
        address = f"farm:{stream.job_id}"
        first = subprocess.Popen(
            [sys.executable, "-c", TRAIN, address],
            stdout=subprocess.PIPE,
            text=True,
        )
        with first:
            used = [int(first.stdout.readline()) for _ in range(5)]
            first.kill()
            used += [int(line) for line in first.stdout]
        after = [view.number for view in stream]

    counts = Counter(used + after)
    assert set(counts) == set(range(VIEWS))
    twice = [number for number, times in counts.items() if times > 1]
    # The one that was in use when it died is given again, and those whose acknowledgement was
    # still on its way: never more than the trainer had not been asked past.
    assert set(twice) <= set(used[-6:])
    assert max(counts.values()) <= 2


def test_acknowledged_by_hand_nothing_is_lost_and_nothing_is_doubled(farm):
    """The trainer says itself what it has used; it is killed with five samples in its hands."""
    farm.start_worker()
    with farm.stream(views=VIEWS, per_task=2, queue=6) as stream:
        address = f"farm:{stream.job_id}"
        first = subprocess.Popen(
            [sys.executable, "-c", BY_HAND, address], stdout=subprocess.PIPE, text=True
        )
        with first:
            used = [int(number) for number in first.stdout.readline().split()]
            first.kill()
        after = [view.number for view in stream]

    assert len(used) == 3
    assert sorted(used + after) == list(range(VIEWS))


def test_a_worker_that_was_killed_loses_nothing(farm):
    farm.tell("hold-view-5")
    farm.start_worker()
    with farm.stream(views=VIEWS, per_task=4) as stream:
        views = iter(stream)
        numbers = [next(views).number for _ in range(5)]
        os.killpg(farm.workers[0].pid, signal.SIGKILL)
        farm.workers[0].wait()
        farm.free("hold-view-5")
        farm.start_worker()
        numbers += [view.number for view in views]

    assert sorted(numbers) == list(range(VIEWS))
    assert set(farm.made().values()) == {1}, "what was made was not made again"


def test_a_server_that_restarts_loses_nothing(farm):
    farm.start_worker()
    with farm.stream(views=VIEWS, per_task=2) as stream:
        views = iter(stream)
        numbers = [next(views).number for _ in range(5)]
        farm.api.restart()
        numbers += [view.number for view in views]

    assert sorted(numbers) == list(range(VIEWS))


def test_redis_that_was_killed_loses_nothing(tmp_path, monkeypatch):
    with PrivateRedis(tmp_path / "redis") as redis:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.delenv("FARM_TOKEN", raising=False)
        monkeypatch.delenv("FARM_URL", raising=False)
        with StreamingFarm(redis.url, tmp_path) as farm:
            farm.log_in()
            farm.start_worker()
            with farm.stream(views=VIEWS, per_task=2) as stream:
                views = iter(stream)
                numbers = [next(views).number for _ in range(5)]
                redis.process.kill()
                redis.process.wait()
                redis.revive()
                numbers += [view.number for view in views]

    assert sorted(numbers) == list(range(VIEWS))


def test_a_dispatcher_that_restarts_loses_nothing(farm):
    farm.start_worker()
    with farm.stream(views=VIEWS, per_task=2) as stream:
        views = iter(stream)
        numbers = [next(views).number for _ in range(5)]
        farm.ended.set()
        farm.thread.join()
        farm.serve()
        farm.thread.start()
        numbers += [view.number for view in views]

    assert sorted(numbers) == list(range(VIEWS))


def test_a_slow_reader_never_lets_redis_grow_past_its_bound(farm):
    """Samples of a hundred kilobytes, a bound of one megabyte, a queue for many more."""
    farm.start_worker(STREAM_PIXELS="200")
    with farm.stream(views=VIEWS, per_task=2, queue=100, encoding="arrays") as stream:
        views = iter(stream)
        numbers = [next(views).number]
        wait_for(lambda: farm.api.streams.size_bytes() > 700_000, "samples wait for the reader")
        sizes = []
        for view in views:
            numbers.append(view.number)
            sizes.append(farm.api.streams.size_bytes())

    assert sorted(numbers) == list(range(VIEWS))
    assert max(sizes) <= 1 << 20


def test_two_streams_do_not_stop_each_other(farm):
    """One that nobody reads any more holds its samples; the other continues."""
    farm.start_worker()
    with farm.stream(views=8, name="idle") as idle, farm.stream(views=8, name="busy") as busy:
        left = iter(idle)
        next(left)
        wait_for(lambda: idle.state().lent + idle.state().ready >= 4, "the other's samples wait")

        assert len(list(busy)) == 8
        left.close()


def test_threads_end_with_their_stream(farm):
    farm.start_worker()
    before = set(threading.enumerate())
    with farm.stream(views=8) as stream:
        for _view in stream:
            break

    assert {each.name for each in set(threading.enumerate()) - before} <= {"AnyIO worker thread"}


def test_a_stream_that_was_lost_with_its_redis_says_so(farm):
    farm.tell("hold-view-3")
    farm.start_worker()
    with farm.stream(views=VIEWS, per_task=4) as stream:
        views = iter(stream)
        next(views)
        farm.ledger.store.client.flushall()
        with pytest.raises(FarmError, match=r"does not know it|does not exist|was cancelled"):
            list(views)
        farm.free("hold-view-3")
        restored = wait_for(lambda: farm.ledger.job(stream.job_id), "the job is restored")
        wait_for(lambda: farm.ledger.job(stream.job_id).over, "it is given up")

    assert restored.tasks > 0
    assert farm.ledger.job(stream.job_id).state == "cancelled"
