"""How long a job of a million tasks takes to submit, to look at while it runs, and to cancel.

    python -m bench.api_million

The whole server on this machine: a private Redis, the API on uvicorn, the dispatcher, and one
thread that claims and completes tasks as fast as it gets them. Baseline: a job of one task.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from farm.ledger import Ledger
from farm.local.processes.redis_server import PrivateRedis
from farm.serve.service import DispatcherService
from farm.spec.wire import Submission
from tests.support.farms.api_server import ApiServer
from tests.support.farms.million import FakedAssets, a_million_tasks

LOOKS = 100
SUBMISSIONS = 5


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        with (
            PrivateRedis(folder / "redis") as redis,
            ApiServer(redis.url, folder, storage=FakedAssets(folder / "storage")) as api,
        ):
            print(f"{'':24}{'one task':>12}{'a million':>12}")
            small, large = measure(api, one_task()), measure(api, a_million_tasks)
            for what, seconds in large.items():
                unit = 1 if what.endswith("MB") else 1000
                print(f"{what:24}{small[what] * unit:12.2f}{seconds * unit:12.2f}")


def one_task() -> Callable[..., Submission]:
    """Return what makes a submission of one model, one HDRI, one batch."""

    def make(**spec: Any) -> Submission:
        whole = a_million_tasks(views_per_task=1000, **spec)
        return whole.model_copy(update={"assets": (whole.assets[0], whole.assets[-1])})

    return make


def measure(api: ApiServer, make: Callable[..., Submission]) -> dict[str, float]:
    """Return medians, seconds, of what a user waits for; and megabytes in Redis."""
    client, redis = api.client("admin"), api.ledger.store.client  # type: ignore[attr-defined]
    bodies = [make(seed=seed).model_dump_json().encode() for seed in range(SUBMISSIONS)]
    before = redis.info("memory")["used_memory"]
    times = [timed(partial(submit, client, body)) for body in bodies]
    grown = (redis.info("memory")["used_memory"] - before) / SUBMISSIONS / 1e6
    jobs = [job["job_id"] for job in client.get("/v1/jobs").json()["items"]][:SUBMISSIONS]
    service = DispatcherService(api.ledger, api.queue, api.storage, lease_ttl_s=10)
    stop = threading.Event()
    threads = [
        threading.Thread(target=service.run, args=(stop,)),
        threading.Thread(target=work, args=(api.ledger, jobs, stop)),
    ]
    for thread in threads:
        thread.start()
    looks = [timed(lambda: client.get(f"/v1/jobs/{jobs[0]}")) for _ in range(LOOKS)]
    lists = [timed(lambda: client.get("/v1/jobs")) for _ in range(LOOKS // 5)]
    failed = [
        timed(lambda: client.get(f"/v1/jobs/{jobs[0]}/tasks?state=failed")) for _ in range(10)
    ]
    cancels = [timed(partial(client.post, f"/v1/jobs/{job}/cancel")) for job in jobs]
    stop.set()
    for thread in threads:
        thread.join()
    return {
        "submit, ms": statistics.median(times),
        "submit, slowest, ms": max(times),
        "status, ms": statistics.median(looks),
        "status, slowest, ms": max(looks),
        "list of jobs, ms": statistics.median(lists),
        "failed tasks, ms": statistics.median(failed),
        "cancel, ms": statistics.median(cancels),
        "cancel, slowest, ms": max(cancels),
        "Redis per job, MB": grown,
    }


def submit(client: httpx.Client, body: bytes) -> None:
    """Send a submission."""
    answer = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text


def work(ledger: Ledger, jobs: list[str], stop: threading.Event) -> None:
    """Complete what is given out, so that the jobs are on the move."""
    ledger.heartbeat("bench", {"device": "none"}, ttl_s=600)
    while not stop.wait(0.01):
        for job_id in jobs:
            for task in ledger.queued(job_id):
                if ledger.claim(task.ticket, "bench"):
                    ledger.progress(task.ticket, 10)
                    ledger.complete(task.ticket)


def timed(verb: Callable[[], object]) -> float:
    """Return how long `verb` takes, seconds."""
    started = time.monotonic()
    verb()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
