"""A disk that is full: the farm waits, says so, loses nothing and goes on when there is room."""

from __future__ import annotations

import pytest

from farm.errors import UnreachableError
from farm.ledger import JobState, Ledger, TaskState, open_ledger
from farm.ledger.shortage import shortage
from farm.local.processes.redis_server import PrivateRedis
from tests.support.farms.whole_farm import VIEWS, Farm
from tests.support.full_disks import fill, small_disk
from tests.support.waiting import wait_for


def test_a_full_storage_pauses_the_job_charges_nobody_and_leaves_nothing_half_written(
    redis_url, tmp_path
):
    with small_disk(tmp_path / "farm" / "storage", 4 << 20) as storage:
        (tmp_path / "farm" / "scratch").mkdir()
        with Farm(redis_url, tmp_path / "farm") as farm:
            filler = fill(storage)
            farm.start_worker(STAND_IN_FOLDER=str(tmp_path))
            farm.add_job(tasks=4)

            def waits_for() -> str | None:
                return shortage(farm.ledger, farm.ledger.job("job"))

            sentence = wait_for(waits_for, "the job is held back")
            assert sentence.startswith("a disk is full; make room, and the job resumes by itself")
            assert farm.ledger.job("job").state in (JobState.QUEUED, JobState.RUNNING)
            assert files_of(storage) <= {"filler"}
            (story, *_) = farm.ledger.failures("job")
            assert {attempt.cause for attempt in story.attempts} == {"disk"}

            filler.unlink()
            assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 4}
            assert len(list((storage / "vases").iterdir())) == 4 * VIEWS
            assert not [name for name in files_of(storage) if name.startswith(".partial")]


def files_of(folder) -> set[str]:
    """What is in a folder and of some size: names need no room."""
    return {path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_size}


@pytest.fixture
def cramped(tmp_path):
    """A Redis on a small disk of its own."""
    with (
        small_disk(tmp_path / "disk", 6 << 20) as disk,
        PrivateRedis(disk / "redis") as redis,
    ):
        yield redis, disk


def cannot_write(ledger: Ledger) -> str | None:
    """Why Redis takes nothing now."""
    try:
        ledger.heartbeat("probe", {"note": "x" * 20_000}, 5.0)
    except UnreachableError as error:
        return str(error)
    return None


def test_a_redis_whose_disk_is_full_is_waited_for_and_nothing_is_lost(cramped, tmp_path):
    redis, disk = cramped
    (tmp_path / "farm").mkdir()
    with Farm(redis.url, tmp_path / "farm") as farm:
        farm.tell("hold-1")
        worker = farm.start_worker()
        farm.add_job(tasks=4)
        farm.wait_started(1)
        filler = fill(disk)
        probe = open_ledger(redis.url)
        sentence = wait_for(lambda: cannot_write(probe), "Redis takes nothing any more")
        assert sentence.startswith("Redis cannot write to its disk; make room there")
        farm.free("hold-1")
        told = "cannot write to its disk"
        wait_for(lambda: told in farm.words(), "the worker says why it waits")

        filler.unlink()
        assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 4}
        assert farm.ledger.failures("job") == []
        assert worker.poll() is None, "the worker waited"
        probe.store.client.close()
