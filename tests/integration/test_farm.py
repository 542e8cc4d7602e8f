"""Dispatcher, Redis, ledger and Celery workers together; only the renderer is a stand-in."""

from __future__ import annotations

import signal
import sys

import psutil

from farm.ledger import JobState, TaskState
from tests.support.farms.whole_farm import VIEWS, kill
from tests.support.waiting import wait_for
from worker.sandbox.rlimits import FILE_BYTES, OPEN_FILES


def test_a_job_is_rendered_to_its_end(farm):
    farm.start_worker()
    farm.add_job(tasks=20)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 20}
    job = farm.ledger.job("job")
    assert job.views_done == 20 * VIEWS
    assert job.dropped == 0
    assert len(list((farm.storage / "vases").iterdir())) == 20 * VIEWS
    logs = farm.storage / "jobs" / "job" / "log"
    wait_for(lambda: len(list(logs.glob("vase*.1.log"))) == 20, "the logs of all tasks")
    assert "task done job=job index=7" in (logs / "vase-studio-0007.1.log").read_text()
    (worker,) = farm.ledger.workers()
    assert worker.views_per_s > 0


def test_a_renderer_that_is_killed_costs_one_attempt_of_one_task(farm):
    farm.tell("hold-3")
    worker = farm.start_worker()
    farm.add_job(tasks=6)
    child = farm.wait_started(3)
    kill(child)
    farm.wait_started(3, attempt=2)
    assert farm.causes(3) == ["killed"]
    words = farm.storage / "jobs" / "job" / "log" / "vase-studio-0003.1.log"
    wait_for(words.exists, "what became of the attempt was written down")
    assert "the renderer's process died: " in words.read_text()
    farm.free("hold-3")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 6}
    assert worker.poll() is None, "the worker goes on with a new renderer"


def test_a_task_that_kills_its_renderer_three_times_is_set_aside(farm):
    farm.tell("crash-1")
    farm.start_worker()
    farm.add_job(tasks=3)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 2, TaskState.SET_ASIDE: 1}
    assert farm.causes(1) == ["killed"] * 3


def test_a_task_that_fails_by_its_own_fault_stops_nobody_else(farm):
    farm.tell("fail-0")
    farm.start_worker()
    farm.add_job(tasks=3)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 2, TaskState.FAILED: 1}
    (story,) = farm.ledger.failures("job")
    assert story.attempts[0].sentence == "vase.blend: there is nothing to render"


def test_what_a_killed_worker_held_is_rendered_by_another(farm):
    farm.tell("hold-0")
    first = farm.start_worker()
    farm.add_job(tasks=4)
    child = farm.wait_started(0)
    kill(first.pid)
    wait_for(lambda: not psutil.pid_exists(child), "the renderer went with its worker")
    farm.start_worker()
    farm.wait_started(0, attempt=2)
    assert farm.causes(0) == ["lost"]
    farm.free("hold-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 4}


def test_a_worker_that_was_frozen_past_its_lease_does_no_harm_when_it_wakes(farm):
    farm.tell("hold-0")
    frozen = farm.start_worker()
    farm.add_job(tasks=3)
    family = [psutil.Process(frozen.pid), psutil.Process(farm.wait_started(0))]
    for process in family:
        process.suspend()
    farm.start_worker()
    farm.wait_started(0, attempt=2)
    for process in family:
        process.resume()
    wait_for(lambda: "task given up job=job index=0 attempt=1" in farm.words(), "it noticed")
    farm.free("hold-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 3}
    assert farm.ledger.job("job").views_done == 3 * VIEWS


def test_the_result_of_an_attempt_given_to_somebody_else_is_dropped_and_counted(farm):
    farm.tell("hold-0")
    farm.start_worker()
    farm.add_job(tasks=1)
    farm.wait_started(0)
    (late,) = farm.ledger.running("job")
    farm.ledger.release(late.ticket)
    farm.wait_started(0, attempt=2)
    farm.free("hold-0")
    farm.wait_state(JobState.COMPLETED)

    assert not farm.ledger.complete(late.ticket)
    assert farm.ledger.job("job").dropped == 1
    assert farm.ledger.job("job").counts[TaskState.DONE] == 1


def test_a_cancelled_job_stops_at_the_next_view(farm):
    farm.tell("hold-0")
    farm.start_worker()
    farm.add_job(tasks=50)
    farm.wait_started(0)
    farm.ledger.cancel("job")

    assert farm.wait_state(JobState.CANCELLED) == {TaskState.CANCELLED: 50}


def test_a_paused_job_goes_on_where_it_was(farm):
    farm.tell("hold-2")
    farm.start_worker()
    farm.add_job(tasks=12)
    farm.wait_started(2)
    farm.ledger.pause("job")
    farm.free("hold-2")
    wait_for(lambda: farm.queue.length() == 0, "the messages were turned away")
    wait_for(lambda: farm.ledger.job("job").active_tasks == 0, "the running task ended")
    assert farm.ledger.job("job").counts[TaskState.DONE] == 3
    farm.ledger.resume("job")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 12}


def test_a_worker_that_is_asked_to_stop_hands_its_task_back_and_leaves_nothing(farm):
    farm.tell("hold-0")
    worker = farm.start_worker()
    farm.add_job(tasks=2)
    child = farm.wait_started(0)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=120) == 0
    assert not psutil.pid_exists(child)
    assert list(farm.scratch.iterdir()) == []
    assert farm.ledger.workers() == []
    assert farm.ledger.failures("job") == [], "free of charge"
    assert farm.ledger.job("job").counts[TaskState.RUNNING] == 0


def test_a_worker_that_is_asked_to_stop_while_it_starts_leaves_nothing(farm):
    worker = farm.start_worker()
    wait_for(farm.ledger.workers, "its heart beats")
    worker.terminate()

    assert worker.wait(timeout=120) == 0
    assert list(farm.scratch.iterdir()) == []
    assert farm.ledger.workers() == []


def test_a_worker_whose_renderer_does_not_listen_stops_all_the_same(farm):
    farm.tell("stuck-0")
    worker = farm.start_worker(FARM_STOP_TIMEOUT_S="0.5")
    farm.add_job(tasks=1)
    child = farm.wait_started(0)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=120) == 0
    wait_for(lambda: not psutil.pid_exists(child), "the renderer ended")
    assert list(farm.scratch.iterdir()) == []
    assert farm.ledger.failures("job") == []
    assert farm.ledger.job("job").counts[TaskState.RUNNING] == 0


def test_a_task_that_never_ends_is_set_aside(farm):
    farm.tell("stuck-1")
    farm.start_worker(FARM_TASK_TIMEOUT_S="8")  # a busy machine takes seconds to start a renderer
    farm.add_job(tasks=2)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 1, TaskState.SET_ASIDE: 1}
    assert farm.causes(1) == ["timeout"] * 3


def test_a_renderer_that_hangs_is_ended_and_its_task_tried_again(farm):
    farm.tell("hold-0")
    worker = farm.start_worker(FARM_TASK_TIMEOUT_S="8")
    farm.add_job(tasks=2)
    hung = psutil.Process(farm.wait_started(0))
    hung.suspend()
    farm.free("hold-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 2}
    assert farm.attempts(0) == 2
    assert (
        "renderer lost cause=timeout now=pending: vase · studio: not done after 8 s" in farm.words()
    )
    assert not hung.is_running() or hung.status() == psutil.STATUS_ZOMBIE
    assert worker.poll() is None


def test_a_renderer_that_takes_too_much_memory_is_killed_and_that_is_said(farm):
    farm.tell("bloat-0", "hold-0")
    farm.start_worker(FARM_MEMORY_BYTES="500000000")
    farm.add_job(tasks=2)
    farm.wait_started(0, attempt=2)
    assert farm.causes(0) == ["memory"]
    farm.free("hold-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 2}
    assert "MB of the 500 MB that it may use" in farm.words()


def test_a_renderer_whose_memory_grows_is_renewed_before_it_hurts(farm):
    farm.tell(*(f"leak-{index}" for index in range(6)))
    farm.start_worker(FARM_MEMORY_BYTES="600000000")
    farm.add_job(tasks=6)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 6}
    processes = [(farm.storage / "started" / f"{index}.1").read_text() for index in range(6)]
    assert 2 <= len(set(processes)) < 6, "after some tasks, not after each"
    assert farm.ledger.failures("job") == []
    assert "renderer lost" not in farm.words()


def test_a_renderer_cannot_take_all_of_its_machine(farm):
    farm.tell("hold-0")
    farm.start_worker()
    farm.add_job(tasks=1)
    child = psutil.Process(farm.wait_started(0))
    limits = {name: child.rlimit(getattr(psutil, name)) for name in
              ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_NPROC")}  # fmt: skip
    farm.free("hold-0")

    assert limits["RLIMIT_CORE"] == (0, 0)
    assert max(limits["RLIMIT_NOFILE"]) <= OPEN_FILES
    assert max(limits["RLIMIT_FSIZE"]) == FILE_BYTES
    assert 0 < max(limits["RLIMIT_NPROC"]) < 1 << 20
    farm.wait_state(JobState.COMPLETED)


def test_a_worker_ends_with_the_process_that_started_it_where_asked_to(farm):
    wait_in_parent = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    parent = farm.start_worker("--die-with-parent", parent=[sys.executable, "-c", wait_in_parent])
    wait_for(farm.ledger.workers, "the worker is there")
    (worker,) = psutil.Process(parent.pid).children()
    kill(parent.pid)

    wait_for(lambda: not worker.is_running(), "the worker ended")
    assert list(farm.scratch.iterdir()) == []


def test_a_worker_without_its_device_stops_loudly_and_charges_nobody(farm):
    farm.tell("no-device")
    worker = farm.start_worker()
    farm.add_job(tasks=1)

    assert worker.wait(timeout=120) == 3
    assert farm.words().splitlines()[-1] == "error: optix:7 is not there"
    assert farm.ledger.failures("job") == []


def test_a_worker_that_loses_its_device_stops_and_others_go_on(farm):
    farm.tell("lose-device-0")
    worker = farm.start_worker()
    farm.add_job(tasks=2)

    assert worker.wait(timeout=120) == 3
    assert "error: the device is lost" in farm.words().splitlines()[-1]
    farm.free("lose-device-0")
    farm.start_worker()
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 2}


def test_an_outage_of_redis_loses_no_task(farm, redis_server):
    farm.tell("hold-1")
    worker = farm.start_worker()
    farm.add_job(tasks=6)
    farm.wait_started(1)
    redis_server.stop()
    wait_for(lambda: not farm.dispatcher.reachable, "the dispatcher noticed")
    farm.free("hold-1")
    redis_server.start()

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 6}
    assert farm.ledger.failures("job") == []
    assert worker.poll() is None


def test_the_password_of_redis_is_never_logged(farm, redis_server):
    worker = farm.start_worker()
    farm.add_job(tasks=1)
    farm.wait_state(JobState.COMPLETED)
    worker.terminate()
    worker.wait(timeout=120)

    assert "task done job=job index=0 attempt=1" in farm.words()
    assert redis_server.password not in farm.words()


def test_a_worker_for_a_gpu_that_is_not_there_does_not_start(farm):
    worker = farm.start_worker("--device", "cuda:99")

    assert worker.wait(timeout=120) == 3
    assert "error: cuda:99 is not available: the driver lists" in farm.words()
    assert list(farm.scratch.iterdir()) == []


def test_a_worker_whose_password_is_wrong_says_so(farm):
    farm.redis_url = farm.redis_url.replace("redis://:", "redis://:no")
    worker = farm.start_worker()

    assert worker.wait(timeout=120) != 0
    assert "Redis refuses the password; correct FARM_REDIS_URL" in farm.words()


def test_a_renderer_that_starts_too_many_processes_is_killed_with_all_of_them(farm):
    farm.tell("fork-0")
    farm.start_worker(FARM_PROCESSES="100")
    farm.add_job(tasks=2)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 1, TaskState.SET_ASIDE: 1}
    (story,) = farm.ledger.failures("job")
    sentence = story.attempts[0].sentence
    assert "threads and processes, more than the 100 allowed (FARM_PROCESSES)" in sentence
