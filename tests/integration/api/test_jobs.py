"""A job's life as its owner sees it: API, dispatcher, Redis, real workers; a stand-in renders."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from functools import partial

import pytest
from PIL import Image

from farm.feeding.feed import StreamFeed
from farm.ledger import TaskState
from farm.serve.service import DispatcherService
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.whole_farm import Farm
from tests.support.waiting import wait_for


class ServedFarm(Farm):
    """The farm with its own dispatcher service and an API before it."""

    def __init__(self, redis_url, folder, **options):
        super().__init__(redis_url, folder, **options)
        self.api = ApiServer(redis_url, folder)
        self.serve()

    def serve(self) -> None:
        service = DispatcherService(
            self.ledger,
            self.queue,
            self.api.storage,
            lease_ttl_s=self.lease_ttl_s,
            streams=StreamFeed(self.ledger, self.api.streams),
        )
        self.dispatcher = service.dispatcher
        self.ended = threading.Event()
        self.thread = threading.Thread(target=service.run, args=(self.ended,))

    def environment(self):
        return super().environment() | {"FARM_RENDERER": "tests.support.farms.painter:open_painter"}

    def __enter__(self):
        self.api.__enter__()
        self.reader, self.submitter = self.api.client("read"), self.api.client("submit")
        self.admin = self.api.client("admin")
        self.api.upload(MODEL)
        self.api.upload(HDR)
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.api.__exit__(*error)

    def submit(self, **spec) -> str:
        answer = self.submitter.post("/v1/jobs", json=body(a_submission(**spec)))
        assert answer.status_code == 201, answer.text
        return answer.json()["job_id"]

    def show(self, job_id):
        answer = self.reader.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def turn(self, job_id, verb, status=200):
        answer = self.submitter.post(f"/v1/jobs/{job_id}/{verb}")
        assert answer.status_code == status, answer.text
        return answer.json()

    def wait_job(self, job_id, state):
        try:
            wait_for(lambda: self.show(job_id)["state"] == state, f"job {state}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.show(job_id)}\n{self.words()}") from None
        return self.show(job_id)

    def wait_finished(self, job_id):
        wait_for(lambda: self.api.services.book.end(job_id), "the datasets are finished")


@pytest.fixture
def farm(redis_url, tmp_path):
    with ServedFarm(redis_url, tmp_path) as running:
        yield running


def test_a_job_from_its_submission_to_its_download(farm):
    job_id = farm.submit(tasks=4, dataset_name="chairs")
    waiting = farm.show(job_id)
    assert (waiting["state"], waiting["tasks"], waiting["views"]) == ("queued", 4, 8)
    assert waiting["waits_for"].startswith("no worker is alive: start one")
    again = farm.submitter.post("/v1/jobs", json=body(a_submission(dataset_name="chairs")))
    assert (again.status_code, again.json()["job_id"]) == (200, job_id), "the same job is there"

    farm.start_worker()
    over = farm.wait_job(job_id, "completed")
    assert (over["name"], over["views_done"], over["counts"]["done"]) == ("chairs", 8, 4)
    assert (over["failures"], over["waits_for"], over["eta_s"]) == ([], None, None)
    (worker,) = farm.reader.get("/v1/workers").json()
    assert worker["device"] == "cpu"
    assert worker["last_seen_s"] < farm.lease_ttl_s
    farm.wait_finished(job_id)

    (dataset,) = farm.reader.get("/v1/datasets").json()["items"]
    told = {"job_id": job_id, "name": "chairs", "views": 8, "state": "completed"}
    assert dataset.items() >= told.items()
    assert (dataset["owner"], dataset["recipe"]) == (over["owner"], "sod")
    assert dataset["size_bytes"] > 0
    files = listed(farm, job_id, limit=5)
    assert {path for path in files if "/" in path and not path.endswith(".png")} == {
        f"chairs/{name}"
        for name in ("ATTRIBUTION.md", "dataset.json", "preview.jpg", "views.jsonl")
    }
    assert sum(path.endswith(".png") for path in files) == 16
    page = farm.reader.get(f"/v1/datasets/{job_id}/files").json()["items"]
    assert {file["dataset"] for file in page} == {"chairs"}
    for path, (size_bytes, sha256) in files.items():
        data = farm.reader.get(f"/v1/datasets/{job_id}/files/{path}").content
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size_bytes, sha256)
    sheet = farm.reader.get(f"/v1/datasets/{job_id}/preview")
    assert sheet.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(sheet.content)).width > 500

    archive = farm.reader.get(f"/v1/datasets/{job_id}/archive").content
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        packed = {member.name: tar.extractfile(member).read() for member in tar}
    assert {name.removeprefix(f"{job_id}/") for name in packed} >= set(files)
    summary = json.loads(packed[f"{job_id}/chairs/dataset.json"])
    assert (summary["views"], summary["name"]) == (8, "chairs")


def listed(farm, job_id, limit=1000):
    """Page through the files of a job."""
    files, query = {}, {"limit": limit}
    while True:
        page = farm.reader.get(f"/v1/datasets/{job_id}/files", params=query).json()
        assert len(page["items"]) <= limit
        for file in page["items"]:
            assert file["path"] not in files
            files[file["path"]] = (file["size_bytes"], file["sha256"])
        if page["next"] is None:
            return files
        query["cursor"] = page["next"]


def test_a_part_of_a_file_can_be_asked_for(farm):
    job_id = farm.submit(tasks=1, dataset_name="chairs")
    farm.start_worker()
    farm.wait_job(job_id, "completed")
    farm.wait_finished(job_id)
    path = next(path for path in listed(farm, job_id) if path.endswith(".png"))
    url = f"/v1/datasets/{job_id}/files/{path}"
    whole = farm.reader.get(url)

    def part(span):
        return farm.reader.get(url, headers={"Range": f"bytes={span}"})

    assert whole.headers["accept-ranges"] == "bytes"
    assert (part("3-9").status_code, part("3-9").content) == (206, whole.content[3:10])
    assert part("3-9").headers["content-range"] == f"bytes 3-9/{len(whole.content)}"
    assert part("5-").content == whole.content[5:]
    assert part("-5").content == whole.content[-5:]
    assert part(f"0-{10**9}").content == whole.content
    assert part("0-1,4-5").status_code == 200, "several ranges: the whole file"
    assert part(f"{10**9}-").status_code == 416


def test_a_running_job_shows_what_is_there_so_far(farm):
    farm.tell("hold-1")
    farm.start_worker()
    job_id = farm.submit(tasks=3, dataset_name="chairs")
    farm.wait_started(1)

    files = listed(farm, job_id, limit=1)
    assert sum(path.endswith(".png") for path in files) == 8, "of task 0 and of task 1"
    sheet = farm.reader.get(f"/v1/datasets/{job_id}/preview")
    assert sheet.headers["content-type"] == "image/jpeg"
    wait_for(
        lambda: farm.reader.get("/v1/workers").json()[0]["task"] == f"{job_id}/1",
        "the worker says what it holds",
    )
    farm.free("hold-1")
    farm.wait_job(job_id, "completed")


def test_several_datasets_share_one_sheet(farm):
    sent = body(a_submission(tasks=1))
    sent["assets"].append(
        sent["assets"][1] | {"id": "other", "name": "other.exr", "path": "other.exr"}
    )
    job_id = farm.submitter.post("/v1/jobs", json=sent).json()["job_id"]
    farm.start_worker()
    farm.wait_job(job_id, "completed")
    farm.wait_finished(job_id)

    files = listed(farm, job_id, limit=3)
    assert {path.split("/")[0] for path in files} == {"chair_studio", "chair_other"}
    sheet = farm.reader.get(f"/v1/datasets/{job_id}/preview")
    assert sheet.headers["content-type"] == "image/jpeg"


def test_a_job_is_paused_resumed_and_cancelled(farm):
    farm.tell("hold-0")
    farm.start_worker()
    job_id = farm.submit(tasks=20)
    farm.wait_started(0)

    assert farm.turn(job_id, "pause")["state"] == "paused"
    assert farm.turn(job_id, "pause")["waits_for"] == f"it is paused: farm resume {job_id}"
    control = farm.storage / "jobs" / job_id / "control.json"
    assert json.loads(control.read_text()) == {
        "priority": 0,
        "stopped": "paused",
        "owner": "a submiter",
        "name": "",
    }
    farm.free("hold-0")
    wait_for(lambda: farm.show(job_id)["counts"]["done"] == 1, "the running task ended")
    farm.tell("hold-5")
    assert farm.turn(job_id, "resume")["state"] == "running"
    assert json.loads(control.read_text())["stopped"] == ""
    farm.wait_started(5)
    refused = farm.admin.delete(f"/v1/jobs/{job_id}")
    assert (refused.status_code, refused.json()["remedy"]) == (
        409,
        f"cancel it first: farm cancel {job_id}",
    )

    assert farm.turn(job_id, "cancel")["state"] in ("cancelling", "cancelled")
    over = farm.wait_job(job_id, "cancelled")
    assert over["counts"]["cancelled"] == 15
    told = farm.turn(job_id, "resume", status=409)
    assert told["detail"] == f"job {job_id} is cancelled: you cannot resume it"


def test_a_job_says_who_submitted_it(farm):
    job_id = farm.submit(tasks=1, dataset_name="chairs")
    sent = body(a_submission(tasks=1, dataset_name="chairs"))

    assert farm.show(job_id)["owner"] == "a submiter"
    assert farm.admin.post("/v1/jobs", json=sent).json()["owner"] == "a submiter", "it was first"
    assert [job["owner"] for job in farm.reader.get("/v1/jobs").json()["items"]] == ["a submiter"]
    control = json.loads((farm.storage / "jobs" / job_id / "control.json").read_text())
    assert control["owner"] == "a submiter"
    farm.turn(job_id, "cancel")


def test_a_job_that_nobody_works_on_is_cancelled_too(farm):
    job_id = farm.submit(tasks=20)

    assert farm.turn(job_id, "cancel")["counts"]["cancelled"] == 20
    farm.wait_job(job_id, "cancelled")
    farm.wait_finished(job_id)


def test_failed_tasks_are_shown_and_tried_again(farm):
    farm.tell("fail-1")
    farm.start_worker()
    job_id = farm.submit(tasks=3, dataset_name="chairs")
    over = farm.wait_job(job_id, "completed")
    assert over["counts"]["failed"] == 1
    assert over["failures"] == ["task 1: vase.blend: there is nothing to render"]
    url = f"/v1/jobs/{job_id}/tasks"
    (failed,) = farm.reader.get(url, params={"state": "failed"}).json()["items"]
    assert (failed["index"], failed["title"], failed["views"]) == (1, "chair · studio", 2)
    assert failed["attempts"][0]["cause"] == "asset"
    assert farm.reader.get(f"{url}/1").json() == failed
    assert farm.reader.get(f"{url}/99").status_code == 404
    log = farm.reader.get(f"{url}/1/log")
    assert log.headers["content-type"].startswith("text/plain")
    assert "there is nothing to render" in log.text
    assert farm.reader.get(f"{url}/1/log", params={"attempt": 7}).status_code == 404
    farm.wait_finished(job_id)
    failures = json.loads((farm.storage / "datasets" / job_id / "chairs/dataset.json").read_text())
    assert failures["failures"] == ["vase.blend: there is nothing to render"]

    farm.free("fail-1")
    farm.turn(job_id, "retry")
    farm.wait_job(job_id, "completed")
    assert farm.show(job_id)["counts"]["done"] == 3
    wait_for(lambda: farm.api.services.book.end(job_id).done == 3, "it is finished again")
    page = farm.reader.get(url, params={"limit": 2}).json()
    rest = farm.reader.get(url, params={"limit": 2, "cursor": page["next"]}).json()
    assert [task["state"] for task in page["items"] + rest["items"]] == ["done"] * 3
    assert rest["next"] is None


def test_an_urgent_job_goes_first(farm):
    farm.tell("hold-20")  # of the slow job: it cannot be done before anybody looks
    slow, urgent = farm.submit(tasks=30), farm.submit(tasks=1, seed=1)
    changed = farm.submitter.patch(f"/v1/jobs/{urgent}", json={"priority": 5}).json()
    assert changed["priority"] == 5
    farm.start_worker()

    farm.wait_job(urgent, "completed")
    assert farm.show(slow)["counts"]["pending"] > 0
    farm.turn(slow, "cancel")


def test_jobs_are_listed_page_by_page(farm):
    ids = [farm.submit(tasks=1, seed=seed) for seed in range(5)]
    farm.turn(ids[2], "cancel")
    farm.wait_job(ids[2], "cancelled")
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = farm.reader.get("/v1/jobs", params=query).json()
        found += [job["job_id"] for job in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert found == ids[::-1], "the newest first"
    cancelled = farm.reader.get("/v1/jobs", params={"state": "cancelled"}).json()["items"]
    assert [job["job_id"] for job in cancelled] == [ids[2]]


def test_a_job_is_deleted_with_all_that_is_its_own_and_no_assets(farm):
    farm.start_worker()
    job_id, other = farm.submit(tasks=2, dataset_name="chairs"), farm.submit(tasks=1, seed=9)
    farm.wait_job(job_id, "completed")
    farm.wait_job(other, "completed")
    farm.wait_finished(job_id)
    farm.wait_finished(other)
    logs = partial(farm.storage.glob, "jobs/*/log/*.log")  # each is written after its task's end
    wait_for(lambda: len(list(logs())) == 3, "the logs of all tasks")

    def kept():
        return {
            key for key in farm.api.storage.keys("") if not key.startswith(("auth/", "status/"))
        }

    mine = {key for key in kept() if f"/{job_id}/" in key}
    rest = kept() - mine

    would = farm.admin.delete(f"/v1/jobs/{job_id}", params={"dry_run": "true"}).json()
    assert (would["dry_run"], would["files"]) == (True, len(mine))
    assert kept() == mine | rest
    done = farm.admin.delete(f"/v1/jobs/{job_id}").json()

    assert done == would | {"dry_run": False}
    assert kept() == rest
    assert farm.reader.get(f"/v1/jobs/{job_id}").status_code == 404
    assert farm.reader.get(f"/v1/datasets/{job_id}/files").status_code == 404
    assert farm.show(other)["state"] == "completed"
    assert farm.submit(tasks=2, dataset_name="chairs") == job_id, "it may be asked for again"


def test_what_ended_while_no_dispatcher_was_there_is_finished_by_the_next(farm):
    farm.start_worker()
    job_id = farm.submit(tasks=2, dataset_name="chairs")
    farm.wait_job(job_id, "completed")
    farm.wait_finished(job_id)
    farm.ended.set()
    farm.thread.join()
    views = farm.storage / "datasets" / job_id / "chairs/views.jsonl"
    before = views.read_bytes()
    views.unlink()
    (farm.storage / "datasets" / job_id / "chairs/.records").mkdir()
    (farm.storage / "datasets" / job_id / "chairs/.records/x.jsonl").write_bytes(before)
    (farm.storage / "jobs" / job_id / "end.json").unlink()

    farm.serve()
    farm.thread.start()

    farm.wait_finished(job_id)
    assert views.read_bytes() == before


def test_a_job_that_cannot_be_finished_does_not_keep_others_from_it(farm, monkeypatch):
    bad, good = farm.submit(tasks=1, dataset_name="bad"), farm.submit(tasks=1, dataset_name="good")
    (farm.storage / "datasets" / bad / "bad" / "views.jsonl").mkdir(parents=True)
    farm.start_worker()

    farm.wait_job(bad, "completed")
    farm.wait_job(good, "completed")
    farm.wait_finished(good)
    assert farm.api.services.book.end(bad) is None


def test_news_of_a_job_come_by_themselves(farm):
    farm.tell("hold-1")
    job_id = farm.submit(tasks=2)
    events, seen = threading.Event(), []

    def listen():
        with farm.api.client("read").stream("GET", "/v1/events", params={"job": job_id}) as news:
            for line in news.iter_lines():
                if line.startswith("data: "):
                    seen.append(json.loads(line.removeprefix("data: ")))
                    events.set()
                if seen and seen[-1]["state"] == "completed":
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    wait_for(events.is_set, "it is told at once how the job stands")
    farm.start_worker()
    wait_for(lambda: seen[-1]["counts"]["done"] == 1, "a task is done")
    farm.free("hold-1")
    listener.join(timeout=120)

    assert seen[0]["state"] == "queued"
    assert seen[-1]["state"] == "completed"
    wait_for(lambda: not farm.api.services.job_feed.subscribers, "nobody listens any more")


def test_unused_assets_are_removed_and_used_ones_are_not(farm):
    object.__setattr__(farm.api.services.settings, "asset_grace_s", 0.0)
    extra = farm.api.upload(b"nobody needs this")
    farm.submit(tasks=1)
    have = farm.reader.get("/v1/assets", params={"limit": 2}).json()
    assert len(have["items"]) == 2
    assert have["next"]

    would = farm.admin.delete("/v1/assets/unused", params={"dry_run": "true"}).json()
    assert (would["files"], would["names"]) == (1, [extra])
    farm.admin.delete("/v1/assets/unused")

    hashes = [hashlib.sha256(data).hexdigest() for data in (MODEL, HDR)]
    asked = {"sha256s": [*hashes, extra]}
    assert farm.submitter.post("/v1/assets/missing", json=asked).json() == {"sha256s": [extra]}


def test_metrics_count_what_there_is(farm):
    farm.start_worker()
    job_id = farm.submit(tasks=3)
    farm.wait_job(job_id, "completed")
    text = farm.api.client(None).get("/metrics").text

    assert 'farm_jobs{state="completed"} 1.0' in text
    assert f'farm_tasks{{state="{TaskState.DONE}"}} 3.0' in text
    assert 'farm_workers{device="cpu"} 1.0' in text
    assert "farm_workers_quarantined 0.0" in text
    assert "farm_views_done 6.0" in text
    assert 'farm_api_requests_total{method="POST",route="/v1/jobs",status="201"} 1.0' in text


def test_a_ledger_that_was_lost_is_restored_by_the_next_dispatcher(farm):
    farm.tell("hold-2")
    worker = farm.start_worker()
    job_id = farm.submit(tasks=4, dataset_name="chairs")
    farm.wait_started(2)
    farm.ended.set()
    farm.thread.join()
    worker.terminate()
    worker.wait(timeout=120)
    farm.ledger.store.client.flushall()
    farm.free("hold-2")
    assert farm.reader.get(f"/v1/jobs/{job_id}").status_code == 404

    farm.start_worker()
    farm.serve()
    farm.thread.start()

    wait_for(lambda: farm.reader.get(f"/v1/jobs/{job_id}").status_code == 200, "it is back")
    assert farm.wait_job(job_id, "completed")["counts"]["done"] == 4
    farm.wait_finished(job_id)
    assert not (farm.storage / "started/0.2").exists(), "what was done is not done again"
