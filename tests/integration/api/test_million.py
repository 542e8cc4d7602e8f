"""A million tasks are one spec and one byte each: submitted, looked at, steered, cancelled."""

from __future__ import annotations

import threading

import pytest

from farm.dispatcher import WINDOW
from farm.serve.service import DispatcherService
from tests.support.farms.api_server import ApiServer, body
from tests.support.farms.million import FakedAssets, a_million_tasks
from tests.support.waiting import wait_for

MOST_REDIS_BYTES = 16_000_000


@pytest.fixture
def api(redis_url, tmp_path):
    storage = FakedAssets(tmp_path / "storage")
    with ApiServer(redis_url, tmp_path, storage=storage, check_room=False) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["augmented", "grid"])
def test_a_job_of_a_million_tasks(api, mode):
    recipe = {"mode": "grid", "yaw": 20, "pitch": 10} if mode == "grid" else {}
    sent = body(a_million_tasks(**({"recipe": recipe} if recipe else {})))
    client = api.client("submit")
    redis = api.ledger.store.client
    before = redis.info("memory")["used_memory"]

    answer = client.post("/v1/jobs", json=sent)
    assert answer.status_code == 201
    job = answer.json()
    assert (job["tasks"], job["views"]) == (1_000_000, 10_000_000)

    service = DispatcherService(api.ledger, api.queue, api.storage, lease_ttl_s=5)
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    url = f"/v1/jobs/{job['job_id']}"
    try:
        wait_for(lambda: client.get(url).json()["counts"]["queued"] == WINDOW, "it is fed")
        wait_for(lambda: api.queue.length() == WINDOW, "the queue has no more than it needs")
        grown = redis.info("memory")["used_memory"] - before
        print(f"{mode}: Redis grew by {grown / 1e6:.2f} MB")
        assert grown < MOST_REDIS_BYTES
        last = client.get(f"{url}/tasks", params={"cursor": "999999"}).json()
        assert [task["task_id"] for task in last["items"]] == ["model00999-sky00049-0019"]
        assert client.get(f"{url}/tasks", params={"state": "failed"}).json()["items"] == []

        assert client.post(f"{url}/cancel").json()["counts"]["cancelled"] == 1_000_000
        wait_for(lambda: client.get(url).json()["state"] == "cancelled", "it is over")
        wait_for(lambda: api.services.book.end(job["job_id"]), "nothing is left", timeout_s=240)
    finally:
        stop.set()
        thread.join()
    assert api.client("admin").delete(url).status_code == 200
    most = before + MOST_REDIS_BYTES / 8
    wait_for(lambda: redis.info("memory")["used_memory"] < most, "Redis has freed its memory")
