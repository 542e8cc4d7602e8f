"""A ledger that is lost while a farm works, and the jobs that come back from storage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from farm.job_store import JobStore
from farm.ledger import JobState, TaskState, open_ledger
from farm.queue import CeleryQueue
from farm.serve.service import DispatcherService
from farm.spec.recipes.sod import SodGrid
from farm.storage import FolderStorage
from tests.builders import a_job
from tests.support.waiting import wait_for


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def job(storage):
    job = a_job(recipe=SodGrid(yaw=6, pitch=1), views_per_task=3)
    JobStore(storage).save(job)
    return job


def recover(redis_url: str, storage: FolderStorage, *flags: str):
    command = [sys.executable, "-m", "farm", "recover", "--storage", str(storage.root), *flags]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"FARM_REDIS_URL": redis_url},
    )


def test_the_command_restores_what_redis_has_lost_and_does_so_once(redis_url, storage, job):
    first, second = recover(redis_url, storage, "--json"), recover(redis_url, storage)

    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    assert (found["job_id"], found["restored"], found["tasks"]) == (job.job_id, True, 2)
    assert second.stdout.split()[:2] == [job.job_id, "known"]
    assert "0 restored, 1 known" in second.stderr
    ledger = open_ledger(redis_url)
    assert ledger.job(job.job_id).counts[TaskState.PENDING] == 2
    ledger.store.client.close()


def test_a_dispatcher_notices_a_ledger_that_is_emptied_under_it(redis_url, storage, job):
    ledger, queue, stop = open_ledger(redis_url), CeleryQueue(redis_url), threading.Event()
    service = DispatcherService(ledger, queue, storage, lease_ttl_s=1.0)
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: ledger.job(job.job_id), "the job is there")
        (before,) = wait_for(lambda: [t for t in ledger.queued(job.job_id) if not t.ticket.index],
                             "its tasks are queued")  # fmt: skip
        ledger.store.client.flushall()
        wait_for(lambda: ledger.job(job.job_id), "the job is there again")
        (after,) = wait_for(lambda: [t for t in ledger.queued(job.job_id) if not t.ticket.index],
                            "its tasks are queued again")  # fmt: skip
    finally:
        stop.set()
        thread.join()
        queue.close()
        ledger.store.client.close()

    assert after.ticket.attempt > before.ticket.attempt
    assert ledger_state(redis_url, job.job_id) is JobState.QUEUED


def ledger_state(redis_url: str, job_id: str) -> JobState:
    ledger = open_ledger(redis_url)
    try:
        return ledger.job(job_id).state
    finally:
        ledger.store.client.close()
