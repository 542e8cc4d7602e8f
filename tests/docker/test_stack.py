"""The stack of docker-compose.yml, used from outside as a laptop uses it."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from tests.docker.stack import FAKE_GPUS, WORKERS, docker, inspect
from tests.support.datasets import views_that_are_whole
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(1800)

SERVICES = ("redis", "api", "dispatcher", "flower", "worker-cpu")
LONG = ["--resolution", "128", "--samples", "64", "--yaw", "4", "--pitch", "2"]
LONG += ["--views-per-task", "4"]
LONG_VIEWS = 2 * 2 * 4 * 2


@pytest.fixture(scope="module")
def job(stack, assets, tmp_path_factory):
    """A job that lost one of its two workers in the middle, watched to its end, and its files."""
    started = time.monotonic()
    asked = ["--models", assets.models, "--hdrs", assets.hdrs, *LONG]
    job_id = json.loads(stack.farm("submit", *asked, "--yes", "--json"))["job_id"]
    watching = stack.start("watch", job_id)

    def held():
        busy = [one for one in json.loads(stack.farm("workers", "--json")) if one["task"]]
        now = json.loads(stack.farm("status", job_id, "--json"))
        assert now["state"] in ("queued", "running"), "over before a worker could be killed"
        return busy[0]["host"] if busy and now["views_done"] else None

    with watching:
        try:
            host = wait_for(held, "a worker is in the middle of a task", timeout_s=120)
            docker("kill", host)
            words, _ = watching.communicate(timeout=600)
        finally:
            watching.kill()
    stack.measured["job, a worker killed"] = f"{time.monotonic() - started:.1f} s"
    assert watching.returncode == 0, words

    folder = tmp_path_factory.mktemp("downloads") / "here"
    started = time.monotonic()
    stack.farm("download", job_id, "--output", folder)
    stack.measured["download"] = f"{time.monotonic() - started:.1f} s"
    return job_id, folder


def test_every_service_says_that_it_is_healthy(stack):
    for service in SERVICES:
        containers = stack.containers(service)
        assert len(containers) == (WORKERS if service == "worker-cpu" else 1)
        for container in containers:
            assert inspect(container)["State"]["Health"]["Status"] == "healthy", service


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_locked_in(stack, service):
    """Not root, no capabilities, a root file system that nobody can change."""
    container = stack.containers(service)[0]
    found = inspect(container)

    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in found["HostConfig"]["SecurityOpt"]
    assert found["HostConfig"]["Memory"] > 0
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["HostConfig"]["LogConfig"]["Config"]["max-size"]
    assert docker("exec", container, "id", "-u").strip() != "0"
    changed = subprocess.run(
        ["docker", "exec", container, "touch", "/usr/bin/changed"], capture_output=True, check=False
    )
    assert changed.returncode != 0
    assert "Read-only" in changed.stderr.decode()


def test_only_the_api_and_flower_are_published_and_redis_is_not(stack):
    def published(service):
        ports = inspect(stack.containers(service)[0])["NetworkSettings"]["Ports"] or {}
        return {port: [one["HostIp"] for one in there] for port, there in ports.items() if there}

    assert published("redis") == {}
    assert published("dispatcher") == {}
    assert published("worker-cpu") == {}
    assert published("flower") == {"5555/tcp": ["127.0.0.1"]}
    assert set(published("api")) == {"8000/tcp"}


@pytest.mark.parametrize("service", ["api", "dispatcher", "worker-cpu"])
def test_the_doctor_finds_nothing_wrong_inside(stack, service):
    told = stack.compose("exec", "-T", service, "farm", "doctor", "--json")

    found = [json.loads(line) for line in told.splitlines()]

    assert [one for one in found if one["verdict"] == "problem"] == []
    assert {"redis", "storage", "clock"} <= {one["check"] for one in found}


def test_renderers_have_their_walls_under_docker_s_own_rules(stack):
    asked = ["farm", "doctor", "--only", "sandbox", "--json"]
    (line,) = stack.compose("exec", "-T", "worker-cpu", *asked).splitlines()

    assert json.loads(line)["verdict"] == "ok", line


def test_no_password_is_told_to_the_process_list(stack):
    secrets = [
        line.split("=", 1)[1]
        for line in (stack.folder / "env").read_text().splitlines()
        if line.startswith(("FARM_REDIS_PASSWORD", "FARM_FLOWER_AUTH"))
    ]
    for container in stack.containers():
        processes = docker("top", container, "-eo", "pid,args")
        assert not [secret for secret in secrets if secret in processes]


def test_a_job_survives_the_death_of_a_worker_and_comes_back_whole(stack, job):
    job_id, folder = job
    status = json.loads(stack.farm("status", job_id, "--json"))

    assert status["state"] == "completed"
    assert status["views_done"] == LONG_VIEWS
    assert views_that_are_whole(folder) == LONG_VIEWS


def test_flower_shows_tasks_as_people_call_them_and_only_with_the_password(stack, job):
    job_id, _ = job

    def told():
        status, text = stack.ask(stack.flower_port, "/api/tasks?limit=1000", stack.flower_login)
        assert status == 200
        mine = [task for name, task in json.loads(text).items() if name.startswith(job_id)]
        done = [task for task in mine if task["state"] == "SUCCESS"]
        return done if len(done) >= LONG_VIEWS // 4 else None

    for task in wait_for(told, "Flower has seen the tasks"):
        assert task["name"] == "farm.render"
        assert " · views " in task["args"]
        assert task["worker"].startswith("cpu@")
    assert stack.ask(stack.flower_port, "/api/tasks")[0] == 401
    assert stack.ask(stack.flower_port, "/")[0] == 401
    assert stack.ask(stack.flower_port, "/metrics")[0] == 401


def test_metrics_are_there_to_be_scraped(stack, job):
    _, ours = stack.ask(stack.api_port, "/metrics")
    _, flowers = stack.ask(stack.flower_port, "/metrics", stack.flower_login)

    values = dict(line.rsplit(" ", 1) for line in ours.splitlines() if line[0] != "#")
    assert values["farm_redis_up"] == "1.0"
    assert values["farm_tasks_unfinished"] == "0.0"
    assert float(values["farm_views_done"]) >= LONG_VIEWS
    assert 'flower_task_runtime_seconds_bucket{le="1800.0"' in flowers


def test_a_stranger_is_refused(stack):
    assert stack.ask(stack.api_port, "/v1/jobs")[0] == 401
    assert stack.ask(stack.api_port, "/health")[0] == 200


def test_scaled_gpu_workers_take_different_gpus_and_one_too_many_says_who_holds_them(stack):
    scale = f"worker={len(FAKE_GPUS) + 1}"
    stack.compose("up", "--detach", "--no-build", "--scale", scale, "worker", profile="gpu")
    try:

        def on_gpus():
            found = json.loads(stack.farm("workers", "--json"))
            devices = sorted(one["device"] for one in found if one["device"] != "cpu")
            return devices if len(devices) == len(FAKE_GPUS) else None

        devices = wait_for(on_gpus, "as many workers as GPUs", timeout_s=120)
        assert [device.split()[0] for device in devices] == ["optix:0", "optix:1"]

        def refusal():
            told = stack.compose("logs", "--no-color", "worker", profile="gpu")
            return [line for line in told.splitlines() if "error: " in line and "held" in line]

        (line, *_) = wait_for(refusal, "the third worker gives up", timeout_s=120)
        assert line.count("is held by") == len(FAKE_GPUS), line
        warmed = stack.compose("logs", "--no-color", "warm-kernels", profile="gpu")
        assert "ready after" in warmed
        assert "kept in /cache/kernels" in warmed
    finally:
        # Not `stop`: it may wait a minute for a container that Docker is just starting again.
        both = ("worker", "warm-kernels")
        there = stack.compose("ps", "--all", "--quiet", *both, profile="gpu").split()
        docker("rm", "--force", *there)


def test_jobs_survive_a_restart_of_redis(stack, job):
    """Last, since it disturbs the others: what Redis held comes back from its own file."""
    job_id, _ = job
    stack.compose("restart", "--timeout", "10", "redis")

    def living():
        return json.loads(stack.farm("workers", "--json"))

    assert wait_for(living, "workers are there again", timeout_s=90)
    assert json.loads(stack.farm("status", job_id, "--json"))["state"] == "completed"
