"""Real workers that share a host with GPUs; the driver and the renderer are stand-ins."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from farm.ledger import JobState, TaskState
from farm.ledger.stores.redis_store import LEASE_PREFIX
from farm.ledger.waiting import held_back
from tests.support.farms.whole_farm import kill
from tests.support.waiting import wait_for

DRIVER = {"PYTHONPATH": str(Path(__file__).parents[1] / "fake_driver"), "FARM_DEVICE": "auto"}


def devices(farm):
    return sorted(status.info["device"] for status in farm.ledger.workers())


def visible(farm):
    return sorted(path.read_text() for path in (farm.storage / "visible").iterdir())


def test_workers_that_start_together_get_different_gpus(farm):
    for _ in range(3):
        farm.start_worker(**DRIVER, FAKE_GPUS="L40S,L40S,A10")
    wait_for(lambda: len(farm.ledger.workers()) == 3, "three workers", story=farm.words)
    farm.tell("hold-0", "hold-1", "hold-2")
    farm.add_job(tasks=3)
    for index in range(3):
        farm.wait_started(index)

    assert devices(farm) == ["optix:0", "optix:1", "optix:2"]
    assert visible(farm) == [f"optix:{n} GPU-{n:04d}-fake" for n in range(3)]
    for index in range(3):
        farm.free(f"hold-{index}")
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 3}


def test_a_worker_without_a_free_gpu_ends_and_says_who_holds_it(farm):
    first = farm.start_worker(**DRIVER, FAKE_GPUS="L40S")
    wait_for(lambda: farm.ledger.workers(), "a worker", story=farm.words)

    late = farm.start_worker(**DRIVER, FAKE_GPUS="L40S")

    assert late.wait(120) == 3
    (said,) = [line for line in farm.words().splitlines() if line.startswith("error: ")]
    assert said.startswith("error: no GPU is free: GPU-0000-fake (L40S) is held by worker w0, ")
    assert f"process {first.pid} on " in said
    assert first.poll() is None


def test_the_gpu_of_a_killed_worker_goes_to_the_next(farm):
    first = farm.start_worker(**DRIVER, FAKE_GPUS="L40S")
    most_ms = 1000 * farm.lease_ttl_s
    lives_ms = partial(farm.ledger.store.client.pttl, f"{LEASE_PREFIX}device:GPU-0000-fake")
    wait_for(lambda: 0 < lives_ms() <= most_ms, "its heart beats: a start is given more time")
    kill(first.pid)

    farm.start_worker(**DRIVER, FAKE_GPUS="L40S")
    wait_for(lambda: farm.ledger.workers(), "another worker", story=farm.words)
    wait_for(lambda: devices(farm) == ["optix:0"], "it has the GPU")


def test_a_gpu_worker_without_a_gpu_does_not_start(farm):
    worker = farm.start_worker("--require-gpu", **DRIVER, FAKE_GPUS="none")

    assert worker.wait(120) == 3
    assert "error: no GPU is visible, and FARM_REQUIRE_GPU is set" in farm.words()


def test_a_worker_without_a_driver_renders_on_the_cpu_and_sees_no_gpu(farm):
    farm.start_worker(**DRIVER, FAKE_GPUS="none")
    farm.add_job(tasks=1)

    farm.wait_state(JobState.COMPLETED)
    assert visible(farm) == ["cpu "]


def test_a_worker_whose_gpu_has_no_kernel_warms_up_and_takes_no_task_meanwhile(farm, tmp_path):
    farm.tell("hold-open")
    place = {"FARM_KERNEL_CACHE": str(tmp_path / "kernels")}
    farm.start_worker(**DRIVER, **place, FAKE_GPUS="H100")
    farm.add_job(tasks=1)

    def warming():
        return [status.is_warming for status in farm.ledger.workers()]

    wait_for(lambda: warming() == [True], "it says that it is warming", story=farm.words)
    job = farm.ledger.job("job")
    told = held_back(farm.ledger, job)
    assert told.startswith("1 worker takes no tasks: w0")
    assert told.endswith("warming: its driver compiles kernels")
    assert job.counts[TaskState.RUNNING] == 0
    farm.free("hold-open")

    farm.wait_state(JobState.COMPLETED)
    wait_for(lambda: warming() == [False], "it is warm")
    assert "ready after" in farm.words()


@pytest.fixture
def warm(tmp_path):
    """Return what runs `farm worker --warm-kernels`, with a renderer that only notes its start."""
    storage = tmp_path / "storage"
    storage.mkdir()

    def run(*options, gpus):
        command = [sys.executable, "-m", "farm", "worker", "--warm-kernels", *options]
        environment = os.environ | {
            "PYTHONPATH": f"{Path(__file__).parents[2]}{os.pathsep}{DRIVER['PYTHONPATH']}",
            "FAKE_GPUS": gpus,
            "FARM_KERNEL_CACHE": str(tmp_path / "kernels"),
            "FARM_STORAGE": str(storage),
            "FARM_RENDERER": "tests.support.farms.stand_in:open_stand_in",
        }
        environment.pop("FARM_DEVICE", None)
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    run.opened = lambda: sorted(path.read_text() for path in (storage / "visible").iterdir())
    return run


def told(process):
    out, errors = process.communicate(timeout=120)
    return process.returncode, out + errors


def test_kernels_are_compiled_once_for_each_kind_of_gpu_of_a_host(warm):
    both = [warm(gpus="H100,A10,H100") for _ in range(2)]

    answers = [told(each) for each in both]

    assert [code for code, _ in answers] == [0, 0]
    words = "".join(said for _, said in answers)
    assert words.count("ready after") == 2  # an H100 and an A10
    assert words.count("compiled before") == 4
    assert warm.opened() == ["optix:0 GPU-0000-fake", "optix:1 GPU-0001-fake"]


def test_a_machine_without_a_gpu_has_nothing_to_compile(warm):
    assert told(warm(gpus="none")) == (
        0,
        "this machine has no GPU that is visible here: nothing to compile\n",
    )
    assert told(warm("--require-gpu", gpus="none"))[0] == 3


@pytest.mark.parametrize(
    ("options", "gpus", "words"),
    [
        pytest.param((), "K80", "Blender has no kernel for this GPU", id="too old"),
        pytest.param(("--device", "cuda:2"), "H100", "the driver lists H100", id="not there"),
        pytest.param((), "broken", "the NVIDIA driver does not answer", id="driver"),
    ],
)
def test_what_cannot_be_compiled_for_is_a_sentence(warm, options, gpus, words):
    code, said = told(warm(*options, gpus=gpus))

    assert code == 3
    assert said.startswith("error: ")
    assert words in said
    assert "Traceback" not in said
