"""`farm api` and `farm dispatcher` as the processes that containers start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from farm.local.processes.redis_server import free_port
from tests.support.farms.api_server import HDR, MODEL, a_submission, body
from tests.support.waiting import wait_for


class Processes:
    def __init__(self, redis_url, folder):
        self.log = folder / "log"
        self.environment = os.environ | {
            "FARM_REDIS_URL": redis_url,
            "FARM_STORAGE": str(folder / "storage"),
            "FARM_SPOOL": str(folder / "spool"),
        }
        self.running = []

    def start(self, *command):
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "farm", *command],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def run(self, *command):
        return subprocess.run(
            [sys.executable, "-m", "farm", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def processes(redis_url, tmp_path):
    found = Processes(redis_url, tmp_path)
    yield found
    for process in found.running:
        process.kill()
        process.wait()


def answers(url):
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def test_both_serve_until_they_are_told_to_stop(processes, redis_server):
    port = free_port()
    api = processes.start("api", "--port", str(port))
    dispatcher = processes.start("dispatcher")
    made = json.loads(processes.run("token", "create", "--name", "ann", "--json").stdout)
    assert made["role"] == "submit"
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {made['token']}"},
        timeout=120,
    )
    wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), "the API is up")
    for data, asset in zip((MODEL, HDR), a_submission().assets, strict=True):
        sha256 = asset.sha256
        headers = {"Upload-Offset": "0", "Upload-Length": str(len(data))}
        client.patch(f"/v1/assets/{sha256}/upload", content=data, headers=headers)
    job_id = client.post("/v1/jobs", json=body(a_submission())).json()["job_id"]
    wait_for(lambda: client.get(f"/v1/jobs/{job_id}").json()["counts"]["queued"], "the job is fed")

    with client.stream("GET", "/v1/events") as news:
        lines = news.iter_lines()
        assert next(lines).startswith("id: ")
        assert next(lines) == "event: job"
        for process in (api, dispatcher):
            process.send_signal(signal.SIGTERM)
        assert any(line.startswith("data: ") for line in lines), "it ends: who listens is let go"
    client.close()

    assert dispatcher.wait(timeout=120) == 0
    assert api.wait(timeout=120) in (0, -signal.SIGTERM)
    said = processes.log.read_text()
    assert "Traceback" not in said
    assert "graceful shutdown exceeded" not in said
    for secret in (redis_server.password, made["token"], made["token"].split("_", 2)[2]):
        assert secret not in said


def test_a_token_is_made_shown_and_revoked(processes):
    made = processes.run("token", "create", "--name", "bob", "--role", "admin")
    token = made.stdout.strip()
    assert token.startswith("farm_")
    assert "not shown again" in made.stderr

    listed = processes.run("token", "list").stdout
    token_id = token.split("_")[1]
    assert token_id in listed
    assert "admin" in listed
    assert token not in listed
    assert processes.run("token", "revoke", token_id).returncode == 0
    assert processes.run("token", "list").stdout == ""
    again = processes.run("token", "revoke", token_id)
    assert (again.returncode, "there is no token" in again.stderr) == (2, True)


def test_a_role_that_is_none_is_refused(processes):
    told = processes.run("token", "create", "--name", "eve", "--role", "root")

    assert told.returncode == 2
    assert "'root' is not one of read, submit, script, admin" in told.stderr


def test_a_setting_that_is_wrong_is_said_in_a_sentence(processes):
    processes.environment["FARM_MAX_ASSET_BYTES"] = "many"
    told = processes.run("api", "--port", str(free_port()))

    assert told.returncode == 2
    assert told.stderr.startswith("error: FARM_MAX_ASSET_BYTES: ")


def test_a_spool_that_cannot_be_made_is_said_in_a_sentence(processes, tmp_path):
    (tmp_path / "file").touch()
    processes.environment["FARM_SPOOL"] = str(tmp_path / "file" / "spool")
    told = processes.run("api", "--port", str(free_port()))

    assert told.returncode == 2
    assert "set FARM_SPOOL to another folder" in told.stderr.splitlines()[-1]
