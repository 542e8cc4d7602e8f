"""A laptop and a farm: the client and the commands against the real API and real workers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from farm.client import Client
from farm.client import upload as upload_module
from farm.client.home import Home
from farm.errors import LoginError, NotFoundError, RequestRefusedError, SpecError, TransferError
from farm.library import hash_file
from tests.integration.api.test_jobs import ServedFarm
from tests.support.waiting import wait_for


@pytest.fixture
def farm(redis_url, tmp_path):
    with ServedFarm(redis_url, tmp_path) as running:
        yield running


@pytest.fixture
def assets(tmp_path):
    """A model with its materials and texture, and an HDR environment."""
    folder = tmp_path / "assets"
    (folder / "tex").mkdir(parents=True)
    (folder / "chair.obj").write_text("mtllib chair.mtl\nv 0 0 0\n")
    (folder / "chair.mtl").write_text("newmtl wood\nmap_Kd tex/wood.png\n")
    (folder / "tex/wood.png").write_bytes(os.urandom(5000))
    (folder / "sky.hdr").write_bytes(b"#?RADIANCE\n")
    return folder


@pytest.fixture
def spec(assets):
    return {
        "models": str(assets), "hdrs": str(assets), "dataset_name": "chairs",
        "recipe": {"yaw": 4, "pitch": 2}, "views_per_task": 2, "render": {"resolution": 64},
    }  # fmt: skip


@pytest.fixture
def client(farm, tmp_path):
    token = farm.api.tokens["admin"]
    with Client(farm.api.url, token, home=Home(tmp_path / "c", tmp_path / "d")) as client:
        yield client


class Laptop:
    """Somebody's own machine: a home, and the command."""

    def __init__(self, farm, folder, role="admin"):
        self.folder = folder / "laptop"
        self.folder.mkdir()
        self.environment = os.environ | {
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "HOME": str(self.folder),
            "COLUMNS": "200",
        }
        login = self.farm("login", farm.api.url, text=farm.api.tokens[role])
        assert login.returncode == 0, login.stderr

    def farm(self, *args, text="", **environment):
        return subprocess.run(
            [sys.executable, "-m", "farm", *map(str, args)],
            cwd=self.folder,
            env=self.environment | {"PYTHONPATH": str(Path.cwd())} | environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def data(self, *args):
        done = self.farm(*args, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def test_from_a_spec_on_a_laptop_to_a_dataset_on_it(farm, assets, tmp_path):
    laptop = Laptop(farm, tmp_path)
    farm.tell("hold-1")
    flags = ["--models", assets, "--hdrs", assets, "--dataset-name", "chairs", "--yaw", 4,
             "--pitch", 2, "--views-per-task", 2, "--resolution", 64]  # fmt: skip
    plan = laptop.data("submit", *flags, "--dry-run")
    assert (plan["views"], plan["tasks"], plan["upload_files"], plan["workers"]) == (8, 4, 4, 0)
    job = laptop.data("submit", *flags, "--yes", "--priority", 5)
    assert (job["name"], job["state"], job["priority"]) == ("chairs", "queued", 5)

    waiting = laptop.farm("status", "last")
    assert "no worker is alive" in waiting.stdout
    assert laptop.data("workers") == []
    farm.start_worker()
    watch = subprocess.Popen(
        [sys.executable, "-m", "farm", "watch", "chairs", "--json"],
        env=laptop.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    farm.wait_started(1)
    first = watch.stdout.readline()  # it watches before the job may end
    farm.free("hold-1")
    lines = [json.loads(line) for line in (first, *watch.stdout)]
    assert watch.wait(timeout=120) == 0
    watch.stdout.close()
    assert lines[0]["state"] in ("queued", "running")
    assert lines[-1]["state"] == "completed"
    assert lines[-1]["views_done"] == 8
    assert not lines[-1]["finishing"]

    fetched = laptop.data("download", job["job_id"][:5])
    assert fetched["failures"] == []
    folder = laptop.folder / "chairs"
    assert (folder / "chairs/dataset.json").is_file()
    assert len(list(folder.rglob("*.png"))) == 16
    records = [
        json.loads(line) for line in (folder / "chairs/views.jsonl").read_text().splitlines()
    ]
    for file in (file for record in records for file in record["files"].values()):
        assert hash_file(folder / "chairs" / file["path"]) == file["sha256"]
    assert laptop.data("download", "last")["fetched"] == 0

    again = laptop.farm("submit", *flags)
    assert again.returncode == 0
    assert f"chairs ({job['job_id'][:6]}) is already there, complete: 8 of 8 views" in again.stderr
    assert "upload    0 of 4 files" in laptop.farm("submit", *flags, "--dry-run").stderr


def test_a_job_has_a_name_which_its_owner_may_change(farm, client, spec, tmp_path):
    job = client.submit(spec, name="first try")

    assert client.job("first try").job_id == job.job_id
    assert client.submit(spec).name == "first try"
    assert client.submit(spec, name="second try").job_id == job.job_id
    assert [found.name for found in client.jobs()] == ["second try"]
    assert farm.api.services.book.control(job.job_id).name == "second try"
    other = Client(farm.api.url, farm.api.tokens["submit"], home=Home(tmp_path / "e", tmp_path))
    with other:
        assert other.submit(spec, name="mine").name == "second try"
    with pytest.raises(SpecError, match="name: 'last' stands for"):
        client.submit(spec, name="last")


def test_a_retry_says_how_many_tasks_are_tried_again(farm, client, spec):
    farm.tell("fail-2")
    farm.start_worker()
    client.submit(spec, wait=True)
    farm.free("fail-2")

    assert client.retry("last").retried == 1
    assert client.wait("last").retried is None
    assert client.retry("last").retried == 0


def test_steering_a_job_to_its_deletion(farm, client, spec):
    job = client.submit(spec)

    assert client.pause("last").state == "paused"
    assert "farm resume" in client.job("chairs").waits_for
    assert client.resume("last").state in ("queued", "running")
    assert client.prioritise("last", -7).priority == -7
    with pytest.raises(RequestRefusedError, match=r"farm cancel"):
        client.delete("last", dry_run=False)
    assert client.cancel("last").state in ("cancelling", "cancelled")
    assert client.wait("last").state == "cancelled"
    assert client.delete("last").dry_run
    assert not client.delete("last", dry_run=False).dry_run
    with pytest.raises(NotFoundError):
        client.job(job.job_id)


def test_what_failed_is_told_and_tried_again(farm, client, spec, tmp_path):
    farm.tell("fail-2")
    farm.start_worker()
    job = client.submit(spec, wait=True)

    assert (job.state, job.counts["failed"], job.counts["done"]) == ("completed", 1, 3)
    assert "there is nothing to render" in job.failures[0]
    (task,) = client.tasks(job.job_id, state="failed")
    assert task.index == 2
    farm.free("fail-2")
    client.retry(job.job_id)
    assert client.wait(job.job_id).counts["done"] == 4
    summary = client.download(job.job_id, tmp_path / "out")
    assert summary.failures == []
    assert len(list((tmp_path / "out").rglob("*.png"))) == 16


def test_a_job_ends_well_without_what_is_left_out(farm, client, spec, tmp_path):
    farm.tell("fail-2")
    farm.start_worker()
    job = client.submit(spec, wait=True)
    laptop = Laptop(farm, tmp_path)
    assert laptop.farm("wait", job.job_id).returncode == 1
    [group] = client.troubles("last")
    reader = farm.api.client("read")

    def all_told():
        numbers = reader.get(f"/v1/jobs/{job.job_id}/numbers").json()
        return numbers if [worker["views"] for worker in numbers["workers"]] == [6] else None

    numbers = wait_for(all_told, "a real worker tells, once each task has ended")
    assert numbers["causes"] == {group.cause: 1}
    assert numbers["workers"][0]["seconds"] > 0
    assert numbers["views_lost"] == 2

    told = laptop.farm("leave-out", job.job_id, "--cause", group.cause)
    assert told.stderr == "1 task is left out\n"
    assert laptop.farm("wait", job.job_id).returncode == 0
    told = laptop.farm("retry", job.job_id, "--task", "2", "--elsewhere", "--json")
    assert told.returncode == 2, "there is one worker alone"
    assert "there is no other worker" in told.stderr
    assert laptop.farm("retry", job.job_id, "--asset", "sofa.obj").returncode == 2
    farm.free("fail-2")
    told = laptop.farm("retry", job.job_id, "--asset", "chair.obj", "--json")
    assert json.loads(told.stdout)["indices"] == [2]
    assert client.wait(job.job_id).counts["done"] == 4


@pytest.mark.parametrize("picked", [(), ("--task", "1", "--cause", "asset"), ("--task", "-1")])
def test_a_command_that_does_not_say_which_tasks_says_so(farm, tmp_path, picked):
    told = Laptop(farm, tmp_path).farm("leave-out", "last", *picked)

    assert told.returncode == 2
    assert "--task" in told.stderr


def test_a_read_token_looks_and_cannot_submit(farm, spec, tmp_path):
    home = Home(tmp_path / "c", tmp_path / "d")
    with Client(farm.api.url, farm.api.tokens["read"], home=home) as reader:
        assert list(reader.jobs()) == []
        with pytest.raises(RequestRefusedError, match="needs a token with the role submit"):
            reader.submit(spec)

    assert list(farm.api.storage.keys("jobs")) == []


def test_a_wrong_token_and_a_revoked_one_are_said(farm, tmp_path):
    home = Home(tmp_path / "c", tmp_path / "d")
    with (
        Client(farm.api.url, "vf_nonsense", home=home) as client,
        pytest.raises(LoginError, match="does not let you in: the token is wrong"),
    ):
        client.whoami()


def test_bytes_that_changed_after_hashing_are_not_kept(farm, client, spec, assets):
    from farm.spec.load import parse_spec

    order = client.prepare(parse_spec(spec), base=assets)
    (assets / "tex/wood.png").write_bytes(os.urandom(5000))

    with pytest.raises(TransferError, match=r"wood\.png: the bytes have the hash"):
        client.upload(order, client.missing(order))
    assert len(client.missing(order)) >= 1


def test_only_opened_folders_may_be_submitted_without_an_upload(farm, client, spec):
    with pytest.raises(RequestRefusedError, match="FARM_SHARED_STORAGE"):
        client.submit(spec, on_shared_storage=True)


class Cutter:
    """A proxy on the loopback interface that cuts each connection after so many bytes."""

    def __init__(self, port: int, cuts: list[int], *, upwards: bool) -> None:
        self.port = port
        self.cuts = cuts
        self.upwards = upwards
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve)
        self.others: list[threading.Thread] = []
        self.sockets: list[socket.socket] = []
        self.passed = 0

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        end(self.server)
        self.thread.join()
        for each in self.sockets:
            end(each)
        for other in self.others:
            other.join()

    def _serve(self) -> None:
        while True:
            try:
                near, _address = self.server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            self.sockets += (near, far)
            for source, target, counted in (
                (near, far, self.upwards),
                (far, near, not self.upwards),
            ):
                thread = threading.Thread(target=self._pass, args=(source, target, counted))
                thread.start()
                self.others.append(thread)

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        left = None
        with contextlib.suppress(OSError):
            while data := source.recv(16_384):
                if counted:
                    self.passed += len(data)
                    if left is None and len(data) >= 4096 and self.cuts:
                        left = self.cuts.pop(0)
                    left = None if left is None else left - len(data)
                if left is not None and left < 0:
                    break
                target.sendall(data)
        end(source)
        end(target)


def end(each: socket.socket) -> None:
    """Close a socket, and wake whoever waits at it."""
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@pytest.fixture
def through(farm, tmp_path):
    """Return a client behind a cutter."""
    clients = []

    def make(cutter):
        token = farm.api.tokens["admin"]
        client = Client(cutter.url, token, home=Home(tmp_path / "c", tmp_path / "d"))
        client.connection.first_wait_s = 0.01
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def test_an_upload_goes_on_where_the_connection_was_cut(farm, through, spec, assets, monkeypatch):
    monkeypatch.setattr(upload_module, "CHUNK_BYTES", 1 << 20)
    data = os.urandom(6_000_000)
    (assets / "tex/wood.png").write_bytes(data)
    with Cutter(farm.api.port, [700_000, 1_500_000, 100_000], upwards=True) as cutter:
        client = through(cutter)
        job = client.submit(spec)
        assert cutter.cuts == []

    assert cutter.passed < len(data) + 3_500_000, "what had arrived was not sent again"
    assert farm.show(job.job_id)["state"] == "queued"
    assert farm.api.services.library.has(hash_file(assets / "tex/wood.png"))


def test_a_download_goes_on_where_the_connection_was_cut(farm, through, client, spec, tmp_path):
    farm.start_worker()
    job = client.submit(spec, wait=True)
    big = os.urandom(3_000_000)
    record = farm.storage / f"datasets/{job.job_id}/chairs/views.jsonl"
    lines = record.read_text().splitlines()
    first = json.loads(lines[0])
    picture = farm.storage / f"datasets/{job.job_id}/chairs" / first["files"]["rgb"]["path"]
    picture.write_bytes(big)
    first["files"]["rgb"] |= {"sha256": hash_file(picture), "size_bytes": len(big)}
    record.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")

    with Cutter(farm.api.port, [500_000, 900_000], upwards=False) as cutter:
        summary = through(cutter).download(job.job_id, tmp_path / "out", threads=1)
        assert cutter.cuts == []

    assert summary.failures == []
    assert cutter.passed < len(big) * 1.5
    assert (tmp_path / "out/chairs" / first["files"]["rgb"]["path"]).read_bytes() == big


def test_a_picture_that_rots_on_the_farm_is_found_out(farm, client, spec, tmp_path):
    farm.start_worker()
    job = client.submit(spec, wait=True)
    picture = next((farm.storage / f"datasets/{job.job_id}").rglob("*.png"))
    picture.write_bytes(b"x" * picture.stat().st_size)

    summary = client.download(job.job_id, tmp_path / "out")

    (sentence,) = summary.failures
    assert picture.name in sentence
    assert "different size or SHA-256" in sentence
    assert len(list((tmp_path / "out").rglob("*.png"))) == 15
