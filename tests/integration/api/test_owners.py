"""Two users of one farm, and its admin: what each sees, and what each may change."""

from __future__ import annotations

import hashlib
import json

import pytest

from farm.api.problems import ApiProblem
from farm.api.submission import scenes
from farm.ledger.model import Work
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, asset, body

VERBS = ("pause", "resume", "cancel", "retry")


@pytest.fixture(params=[True, False], ids=["shared", "private"])
def farm(request, redis_url, tmp_path):
    with Owned(redis_url, tmp_path, shared=request.param) as server:
        yield server


@pytest.fixture
def private(redis_url, tmp_path):
    with Owned(redis_url, tmp_path, shared=False) as server:
        yield server


class Owned(ApiServer):
    """A farm with two users, `ann` and `bob`, one of whom has a job."""

    def __enter__(self):
        super().__enter__()
        for name in ("ann", "bob"):
            self.tokens[name], _ = self.services.tokens.create(name, "submit")
        self.tokens["ann reads"], _ = self.services.tokens.create("ann", "read")
        self.ann, self.bob, self.admin = (self.client(name) for name in ("ann", "bob", "admin"))
        for client in (self.ann, self.bob):
            for data in (MODEL, HDR):
                self.send(client, data)
        self.job = self.submit(self.ann, dataset_name="chairs")
        return self

    @property
    def shared(self):
        return self.services.settings.shared

    def send(self, client, data):
        headers = {"Upload-Offset": "0", "Upload-Length": str(len(data))}
        sha256 = hashlib.sha256(data).hexdigest()
        answer = client.patch(f"/v1/assets/{sha256}/upload", content=data, headers=headers)
        assert answer.status_code == 200, answer.text
        return sha256

    def submit(self, client, **spec):
        answer = client.post("/v1/jobs", json=body(a_submission(**spec)))
        assert answer.status_code == 201, answer.text
        return answer.json()["job_id"]

    def views(self, job_id):
        """Store a picture and a record, as a worker would."""
        folder = f"datasets/{job_id}/chairs"
        self.storage.put(f"{folder}/images/a.png", b"picture")
        return f"/v1/datasets/{job_id}/files/chairs/images/a.png"


LOOKS = (
    "/v1/jobs/{}", "/v1/jobs/{}/tasks", "/v1/jobs/{}/tasks/0", "/v1/datasets/{}/files",
    "/v1/datasets/{}/files/chairs/images/a.png", "/v1/datasets/{}/views", "/v1/datasets/{}/archive",
)  # fmt: skip


def test_what_is_anothers_is_seen_as_the_farm_is_set_up(farm):
    farm.views(farm.job)
    for look in LOOKS:
        path = look.format(farm.job)
        assert farm.ann.get(path).status_code == 200
        assert farm.client("ann reads").get(path).status_code == 200
        assert farm.admin.get(path).status_code == 200
        if farm.shared:
            assert farm.bob.get(path).status_code == 200
        else:
            told = problem(farm.bob.get(path), 404)
            assert "ann" not in json.dumps(told), "not even whose it is"
    if not farm.shared:
        told = problem(farm.bob.get(f"/v1/datasets/{farm.job}/preview"), 404)
        assert told["detail"] == f"job {farm.job!r} does not exist"
        problem(farm.bob.get(f"/v1/events?job={farm.job}"), 404)
        problem(farm.bob.get(f"/v1/jobs/{farm.job}/tasks/0/log"), 404)


def test_lists_show_what_one_may_see(farm):
    theirs = farm.submit(farm.bob, dataset_name="tables", seed=5)

    def listed(client, path="/v1/jobs"):
        return {job["job_id"]: job.get("owner") for job in client.get(path).json()["items"]}

    everything = {farm.job: "ann", theirs: "bob"}
    assert listed(farm.admin) == everything
    assert listed(farm.ann) == (everything if farm.shared else {farm.job: "ann"})
    assert listed(farm.client("read")) == (everything if farm.shared else {})
    for job_id in (farm.job, theirs):
        farm.ledger.store.add_meta(job_id, "views_done", 1)
    assert set(listed(farm.bob, "/v1/datasets")) == (set(everything) if farm.shared else {theirs})


def test_pages_of_a_list_are_full_though_others_have_jobs_between(private):
    mine = [private.submit(private.bob, seed=seed) for seed in range(3)]
    for seed in range(3, 9):
        private.submit(private.ann, seed=seed)
    page = private.bob.get("/v1/jobs", params={"limit": 2}).json()
    rest = private.bob.get("/v1/jobs", params={"limit": 2, "cursor": page["next"]}).json()

    assert [job["job_id"] for job in page["items"] + rest["items"]] == mine[::-1]
    assert rest["next"] is None


def test_nobody_but_its_owner_and_admins_changes_a_job(farm):
    url = f"/v1/jobs/{farm.job}"
    requests = [("POST", f"{url}/{verb}", None) for verb in VERBS]
    requests += [("PATCH", url, {"priority": 5}), ("DELETE", url, None)]
    for method, path, sent in requests:
        told = problem(farm.bob.request(method, path, json=sent), 403 if farm.shared else 404)
        if farm.shared:
            assert told["detail"].startswith(f"job {farm.job} belongs to 'ann': only its owner")
    now = farm.admin.get(url).json()
    assert (now["state"], now["priority"]) == ("queued", 0)

    assert farm.ann.post(f"{url}/pause").json()["state"] == "paused"
    assert farm.admin.post(f"{url}/resume").json()["state"] == "running"
    assert farm.ann.patch(url, json={"priority": 5}).json()["priority"] == 5
    farm.ann.post(f"{url}/cancel")
    farm.ledger.settle(farm.job)
    assert problem(farm.client("ann reads").delete(url), 403)["detail"].startswith("this needs")
    assert farm.ann.delete(url).status_code == 200
    assert farm.ann.get(url).status_code == 404


def test_a_deleted_job_may_be_submitted_by_somebody_else(farm):
    farm.ann.post(f"/v1/jobs/{farm.job}/cancel")
    farm.ledger.settle(farm.job)
    farm.ann.delete(f"/v1/jobs/{farm.job}")

    assert farm.submit(farm.bob, dataset_name="chairs") == farm.job
    assert farm.bob.post(f"/v1/jobs/{farm.job}/cancel").status_code == 200
    problem(farm.ann.post(f"/v1/jobs/{farm.job}/retry"), 403 if farm.shared else 404)


def test_jobs_of_before_there_were_owners_are_seen_by_all_and_changed_by_admins(farm):
    control = f"jobs/{farm.job}/control.json"
    farm.storage.put(control, b'{"priority": 0, "stopped": ""}')
    farm.ledger.store.set_meta(farm.job, "owner", "")
    farm.services.book.owners.clear()

    assert farm.bob.get(f"/v1/jobs/{farm.job}").json()["owner"] == ""
    assert farm.job in [job["job_id"] for job in farm.bob.get("/v1/jobs").json()["items"]]
    for client in (farm.ann, farm.bob):
        told = problem(client.post(f"/v1/jobs/{farm.job}/cancel"), 403)
        assert "before jobs had owners" in told["detail"]
    assert farm.admin.post(f"/v1/jobs/{farm.job}/pause").status_code == 200
    assert json.loads(farm.storage.get(control))["owner"] == "", "that does not make it the admin's"


def test_the_very_job_of_another_is_there_already_or_refused(farm):
    sent = body(a_submission(dataset_name="chairs"))
    for query in ("", "?validate_only=true"):
        answer = farm.bob.post(f"/v1/jobs{query}", json=sent)
        if farm.shared:
            assert (answer.status_code, answer.json()["owner"]) == (200, "ann")
        else:
            told = problem(answer, 409)
            assert "another `seed`" in told["remedy"]
            assert "ann" not in json.dumps(told)


def test_whose_a_job_is_holds_while_redis_is_away_or_has_lost_it(private):
    path = private.views(private.job)
    private.ledger.store.client.flushall()
    private.services.book.owners.clear()
    assert private.ann.get(path).content == b"picture"
    problem(private.bob.get(path), 404)

    told = problem(
        private.bob.post("/v1/jobs", json=body(a_submission(dataset_name="chairs"))), 409
    )
    assert "this very job" in told["detail"]


def test_a_note_that_is_damaged_opens_no_door(private):
    path = private.views(private.job)
    private.storage.put(f"jobs/{private.job}/control.json", b"{")
    private.services.book.owners.clear()

    problem(private.bob.get(path), 404)
    assert private.ann.get(path).status_code == 200


def test_news_are_of_what_one_may_see(farm, monkeypatch):
    monkeypatch.setattr("farm.api.routes.events.HEARTBEAT_S", 0.05)

    def first_owners(client):
        owners = set()  # a job that the server has just seen is told twice
        with client.stream("GET", "/v1/events", timeout=60) as news:
            for line in news.iter_lines():
                if line.startswith("data: "):
                    owners.add(json.loads(line.removeprefix("data: "))["owner"])
                if line == ": alive":
                    return owners
        return None

    assert first_owners(farm.ann) == {"ann"}
    assert first_owners(farm.bob) == ({"ann"} if farm.shared else set())


def test_what_a_worker_does_for_others_is_nobodys_business(farm):
    farm.ledger.heartbeat("w@h#1", {"name": "w", "host": "h", "device": "cpu"}, ttl_s=60)
    farm.ledger.tell_work("w@h#1", Work(task=f"{farm.job}/0"))

    def task(client):
        return client.get("/v1/workers").json()[0]["task"]

    assert task(farm.ann) == task(farm.admin) == f"{farm.job}/0"
    assert task(farm.bob) == (f"{farm.job}/0" if farm.shared else "a task of others")


def test_a_scene_of_another_is_not_looked_into(private, monkeypatch):
    """What is in it would tell of it."""
    monkeypatch.setattr(scenes, "is_installed", lambda: True)
    data = b"a scene"
    private.send(private.ann, data)
    scene = (asset("scene", "room.blend", data),)
    ann, bob = (private.services.tokens.check(private.tokens[name]) for name in ("ann", "bob"))

    scenes.check_within_reach(private.services, ann, scene)
    with pytest.raises(ApiProblem, match="does not have all files yet"):
        scenes.check_within_reach(private.services, bob, scene)
