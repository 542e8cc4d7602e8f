"""A real server with one job that is partly rendered, and the log of what it says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.builders import a_record, a_view
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body


class Complaints(logging.Handler):
    """Keeps what a server says of its own mistakes."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(logging.Formatter().format(record))


@dataclass
class ServedJob:
    """What a test needs of the server."""

    api: ApiServer
    job_id: str
    sha256: str
    complaints: Complaints

    def is_well(self) -> None:
        """Fail where the server made a mistake, or is gone."""
        assert self.complaints.said == []
        assert self.api.thread.is_alive()
        assert self.api.client(None).get("/health").text == "redis: ok\nstorage: ok\n"


@contextmanager
def serve_a_job(redis_url: str, folder: Path) -> Iterator[ServedJob]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        with ApiServer(redis_url, folder, max_submission_bytes=200_000, max_tasks=1000) as api:
            sha256 = api.upload(MODEL)
            api.upload(HDR)
            job_id = (
                api.client("submit").post("/v1/jobs", json=body(a_submission())).json()["job_id"]
            )
            dataset = f"datasets/{job_id}/chair_studio"
            lines = []
            for number in range(3):
                record = a_record(a_view(number))
                lines.append(record.model_dump_json())
                for name, data in (("rgb", b"picture"), ("mask", b"mask")):
                    api.storage.put(f"{dataset}/{record.files[name].path}", data)
            api.storage.put(f"{dataset}/views.jsonl", "\n".join([*lines, ""]).encode())
            yield ServedJob(api, job_id, sha256, complaints)
    finally:
        logging.getLogger().removeHandler(complaints)
