"""`farm up` and `farm down`: the whole farm on one machine, with real processes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import urllib.request

import psutil
import pytest

from farm.local.processes.ports import answers_ok
from farm.local.processes.redis_server import free_port
from farm.local.up.farm_folder import FarmFolder
from tests.e2e.conftest import farm
from tests.support.waiting import wait_for

TINY = ["--resolution", "64", "--samples", "1", "--yaw", "2", "--pitch", "1"]


@pytest.fixture(scope="module", autouse=True)
def laptop(tmp_path_factory):
    """A user of their own: no login, no cache, no farm in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("FARM_")]:
            patch.delenv(name)
        home = tmp_path_factory.mktemp("home")
        for name in ("CONFIG", "CACHE", "DATA"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        yield home


class Host:
    """One farm on this machine, on ports of its own."""

    def __init__(self, storage):
        self.site = FarmFolder(storage)
        self.port, self.flower_port = free_port(), free_port()

    def up(self, *flags):
        ports = ["--port", self.port, "--flower-port", self.flower_port]
        one = ["--device", "cpu", "--workers", "1"]
        return farm("up", "--storage", self.site.storage, *ports, *one, *flags)

    def down(self):
        return farm("down", "--storage", self.site.storage)

    def pids(self):
        """Ids of all that runs, the supervisor first, when all of it does."""

        def found():
            state = self.site.state()
            pids = [state.pid, *(part.pid for part in state.parts)] if state else [None]
            return pids if all(pid and is_running(pid) for pid in pids) else None

        return wait_for(found, "all parts run")

    def pid_of(self, name):
        """Id of a part; None while it does not run."""
        state = self.site.state()
        (pid,) = [part.pid for part in state.parts if part.name == name] if state else [None]
        return pid if pid and is_running(pid) else None


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A farm that is up; it is down in the end."""
    host = Host(tmp_path_factory.mktemp("farm"))
    result = host.up()
    assert result.returncode == 0, result.stderr
    yield host
    host.down()


def test_a_farm_says_where_it_is_and_logs_its_user_in(host):
    """The first `farm up` is all that it takes: the next command may be `farm submit`."""
    again = host.up()
    who = farm("doctor", "--json", "--only", "login")

    assert again.returncode == 0
    assert "runs" in again.stdout
    assert f"http://127.0.0.1:{host.port}" in again.stdout
    assert f"http://127.0.0.1:{host.flower_port}" in again.stdout
    assert host.site.secrets().admin_token not in again.stdout
    assert json.loads(who.stdout)["sentence"].endswith("(admin)")


def test_what_is_submitted_is_rendered_and_comes_back_whole(host, assets, tmp_path):
    job = submit(assets.models, assets.hdrs)
    waited = farm("wait", job)
    fetched = farm("download", job, "--output", tmp_path / "here")

    assert waited.returncode == 0, waited.stderr
    assert fetched.returncode == 0, fetched.stderr
    records = [
        json.loads(line)
        for file in (tmp_path / "here").rglob("views.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert len(records) == 8
    for folder in {file.parent for file in (tmp_path / "here").rglob("views.jsonl")}:
        for line in (folder / "views.jsonl").read_text().splitlines():
            for file in json.loads(line)["files"].values():
                data = (folder / file["path"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == file["sha256"]


def test_flower_tells_tasks_as_people_call_them(host, assets):
    job = submit(assets.models / "cube0001-aaaa.obj", assets.hdrs, "--seed", "7")
    assert farm("wait", job).returncode == 0

    def told():
        tasks = flower(host, "/api/tasks?limit=1000")
        mine = [task for name, task in tasks.items() if name.startswith(job)]
        return mine if mine and all(task["state"] == "SUCCESS" for task in mine) else None

    for task in wait_for(told, "Flower has seen the tasks of the job"):
        assert task["name"] == "farm.render"
        assert task["args"].startswith("cube0001-aaaa · ")
        assert task["args"].endswith(("views 0..1", "views 2..3"))
        assert task["worker"].startswith("cpu-0@")
        assert task["runtime"] > 0


@pytest.mark.parametrize("name", ["dispatcher", "api", "redis", "worker cpu-0"])
def test_a_part_that_is_killed_is_started_again(host, name):
    before = wait_for(lambda: host.pid_of(name), f"{name} runs")
    os.kill(before, signal.SIGKILL)

    wait_for(lambda: host.pid_of(name) not in (None, before), f"{name} is there again")
    wait_for(lambda: answers_ok(f"http://127.0.0.1:{host.port}/health"), "the API answers")
    wait_for(lambda: json.loads(farm("workers", "--json").stdout or "[]"), "the worker is there")


def test_jobs_outlive_the_farm(host, assets):
    job = submit(assets.models, assets.hdrs)
    family = host.pids()

    down = host.down()
    wait_for(lambda: not any(map(is_running, family)), "all of the farm is gone")
    up = host.up()
    jobs = json.loads(farm("jobs", "--json").stdout)

    assert down.returncode == 0
    assert all(f"process {pid}" in down.stdout for pid in family[1:])
    assert up.returncode == 0, up.stderr
    assert job in [found["job_id"] for found in jobs]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="only Linux ends the orphans")  # noqa: PTH112
def test_nothing_outlives_a_supervisor_that_is_killed(host):
    family = host.pids()
    os.kill(family[0], signal.SIGKILL)

    wait_for(lambda: not any(map(is_running, family)), "all of the farm is gone")

    assert "no farm runs" in host.down().stdout
    assert host.up().returncode == 0


def test_a_port_that_is_taken_is_named_with_a_way_out(tmp_path):
    host = Host(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", host.port))
        taken.listen()

        result = host.up()

    assert result.returncode == 2
    assert f":{host.port}" in result.stderr
    assert "--port" in result.stderr
    assert host.site.state() is None


def test_down_where_nothing_runs_says_so(tmp_path):
    result = Host(tmp_path).down()

    assert result.returncode == 0
    assert "no farm runs" in result.stdout


def submit(models, hdrs, *flags):
    """Submit a tiny job; return its id."""
    asked = ["--models", models, "--hdrs", hdrs, *TINY, *flags]
    result = farm("submit", *asked, "--yes", "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["job_id"]


def flower(host, path):
    login = base64.b64encode(host.site.secrets().flower_auth.encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{host.flower_port}{path}", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def is_running(pid):
    """Say whether a process runs; one that nobody has buried yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
