"""Jobs of a running API with datasets that were written, not rendered."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import redis

from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body


def emptied(redis_url: str) -> None:
    """Forget the jobs of other files of tests, which may be the same requests."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()


def a_job_with(api: ApiServer, folder: Path, *, name: str, seed: int, **spec: Any) -> str:
    """Submit a job whose one dataset is what lies in a folder; return its id."""
    for data in (MODEL, HDR):
        api.upload(data)
    recipe = {"mode": "augmented", "pitch": 10, "yaw_per_pitch": 10}
    sent = body(a_submission(recipe=recipe, seed=seed, **spec)) | {"name": name}
    answer = api.client("admin").post("/v1/jobs", json=sent)
    assert answer.is_success, answer.text
    job_id = str(answer.json()["job_id"])
    job = api.services.book.load(job_id)
    shutil.copytree(folder, api.root / job.prefix / (job.spec.dataset_name or ""))
    return job_id
