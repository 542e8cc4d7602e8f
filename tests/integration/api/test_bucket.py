"""The same API where the farm's storage is a bucket."""

from __future__ import annotations

import io
import tarfile

import pytest

from farm import expand
from farm.ledger import JobState
from farm.serve.closing import Closer
from farm.storage import open_storage
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.painter import paint


@pytest.fixture
def api(redis_url, tmp_path, s3_place):
    with ApiServer(redis_url, tmp_path, storage=open_storage(s3_place)) as server:
        yield server


def render(api, job_id):
    """Do what workers do with all tasks of a job."""
    job = api.services.book.load(job_id)
    for ticket in api.ledger.take(job_id, 100):
        task = expand.render_task(job, ticket.index)
        api.ledger.claim(ticket, "w")
        paint(task, api.storage)
        api.ledger.complete(ticket)


def test_a_job_from_its_submission_to_its_deletion(api):
    reader, admin = api.client("read"), api.client("admin")
    api.upload(MODEL)
    api.upload(HDR)
    sent = body(a_submission(tasks=2, dataset_name="chairs"))
    job_id = api.client("submit").post("/v1/jobs", json=sent).json()["job_id"]
    render(api, job_id)
    assert api.ledger.settle(job_id) is JobState.COMPLETED
    Closer(api.ledger, api.storage, api.services.book).finish(job_id)

    files = reader.get(f"/v1/datasets/{job_id}/files").json()["items"]
    assert len(files) == 2 * 2 * 2 + 4
    for file in files:
        url = f"/v1/datasets/{job_id}/files/{file['path']}"
        assert len(reader.get(url).content) == file["size_bytes"]
        assert len(reader.get(url, headers={"Range": "bytes=2-5"}).content) == 4
    assert reader.get(f"/v1/datasets/{job_id}/preview").headers["content-type"] == "image/jpeg"
    archive = reader.get(f"/v1/datasets/{job_id}/archive").content
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert {f"{job_id}/{file['path']}" for file in files} == set(tar.getnames())
    assert reader.get("/v1/assets").json()["items"][0]["size_bytes"] in (len(MODEL), len(HDR))
    assert api.client(None).get("/health").status_code == 200

    assert admin.delete(f"/v1/jobs/{job_id}").json()["files"] > len(files)
    assert {key.split("/")[0] for key in api.storage.keys("")} == {"assets", "auth", "owners"}
