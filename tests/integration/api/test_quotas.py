"""What one user may take of a farm: refused whole, with a sentence that says what to delete."""

from __future__ import annotations

import hashlib
import os
import threading
import time

import pytest

from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.waiting import wait_for

MB = 1_000_000


class Limited(ApiServer):
    """A farm with a user who has a quota."""

    def __enter__(self):
        super().__enter__()
        self.tokens["bob"], _ = self.services.tokens.create("bob", "submit")
        self.bob = self.client("bob")
        self.give(quota_bytes=10 * MB)
        return self

    def give(self, **limits):
        """Give `ann` other limits, as `farm token change` does."""
        if "ann" in self.tokens:
            self.services.tokens.change(self.info.token_id, **limits)
            return
        self.tokens["ann"], self.info = self.services.tokens.create("ann", "submit", **limits)
        self.ann = self.client("ann")

    def put(self, client, data, *, offset=0, total=None):
        sha256 = hashlib.sha256(data if isinstance(data, bytes) else b"").hexdigest()
        return self.patch(client, sha256, data, offset=offset, total=total or len(data))

    def patch(self, client, sha256, data, *, offset, total):
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(total)}
        return client.patch(f"/v1/assets/{sha256}/upload", content=data, headers=headers)

    def submit(self, client, **spec):
        return client.post("/v1/jobs", json=body(a_submission(**spec)))

    def spool(self):
        return [path.name for path in (self.folder / "spool").iterdir()]


@pytest.fixture
def farm(redis_url, tmp_path):
    with Limited(redis_url, tmp_path) as server:
        yield server


def render(farm, job_id, size):
    """Store pictures of a job, and end it."""
    farm.storage.put(f"datasets/{job_id}/chairs/images/a.png", bytes(size))
    farm.ledger.cancel(job_id)
    farm.ledger.settle(job_id)


def test_an_upload_beyond_the_quota_is_refused_before_it_comes(farm):
    assert farm.put(farm.ann, os.urandom(6 * MB)).status_code == 200
    before = farm.stored()

    told = problem(farm.put(farm.ann, os.urandom(5 * MB)), 507)

    assert told["detail"] == (
        "your quota is 10.0 MB: 6.0 MB are taken (0 B by datasets, 6.0 MB by uploads), "
        "and the file takes 5.0 MB"
    )
    assert told["remedy"] == (
        "make room: `farm tidy --recent` (uploads that none of your jobs needs); or ask the farm's "
        f"operator for more (farm token change {farm.info.token_id} --quota SIZE)"
    )
    assert farm.stored() == before
    assert farm.put(farm.ann, os.urandom(4 * MB)).status_code == 200, "to the last byte"
    assert farm.put(farm.bob, os.urandom(11 * MB)).status_code == 200, "nobody else's matter"


def test_a_quota_reached_in_the_middle_of_an_upload_leaves_nothing_half(farm):
    data, first = os.urandom(6 * MB), os.urandom(4 * MB)
    sha256 = hashlib.sha256(data).hexdigest()
    assert farm.patch(farm.ann, sha256, data[: 3 * MB], offset=0, total=6 * MB).status_code == 200
    assert farm.put(farm.ann, first).status_code == 200, "both fit"
    assert len(farm.spool()) == 1
    farm.give(quota_bytes=9 * MB)
    farm.services.tokens.cache.clear()

    told = problem(farm.patch(farm.ann, sha256, data[3 * MB :], offset=3 * MB, total=6 * MB), 507)

    assert "4.0 MB by uploads" in told["detail"]
    assert farm.spool() == []
    assert farm.ann.get(f"/v1/assets/{sha256}/upload").json()["received_bytes"] == 0
    farm.give(quota_bytes=10 * MB)
    farm.services.tokens.cache.clear()
    assert farm.put(farm.ann, data).json()["complete"], "and may be sent again"


def test_files_that_come_side_by_side_count_in_full(farm):
    """Each of them alone would fit."""
    data = [os.urandom(6 * MB) for _ in range(2)]
    hashes = [hashlib.sha256(each).hexdigest() for each in data]
    held, go = threading.Event(), threading.Event()

    def slowly():
        yield data[0][: 3 * MB]
        held.set()
        go.wait(60)
        raise Cut

    class Cut(Exception):
        pass

    def send():
        with pytest.raises(Cut):
            farm.patch(farm.client("ann"), hashes[0], slowly(), offset=0, total=6 * MB)

    sender = threading.Thread(target=send)
    sender.start()
    held.wait(60)
    wait_for(farm.spool, "the first one comes")
    told = problem(farm.patch(farm.ann, hashes[1], data[1], offset=0, total=6 * MB), 507)
    assert "what is uploaded now (2 files) takes 12.0 MB" in told["detail"]
    go.set()
    sender.join()

    wait_for(lambda: farm.spool() == [], "nothing half stays behind, of the first one neither")


def test_a_submission_is_refused_before_its_files_are_sent(farm):
    """Its pictures and its files together would be too much."""
    small = body(a_submission(tasks=1, views=1, render={"resolution": 64}))
    answer = farm.ann.post("/v1/jobs?validate_only=true", json=small)
    assert answer.status_code == 200, answer.text
    for asset in small["assets"]:
        asset["size_bytes"] = 6 * MB

    told = problem(farm.ann.post("/v1/jobs?validate_only=true", json=small), 507)

    assert "this job takes 12.0 MB" in told["detail"]
    assert problem(farm.ann.post("/v1/jobs", json=small), 422)["detail"]


def test_pictures_count_and_the_sentence_says_which_jobs_to_delete(farm):
    for data in (MODEL, HDR):
        farm.put(farm.ann, data)
    render_spec = {"resolution": 64}
    first, second = (
        farm.submit(farm.ann, seed=seed, tasks=1, render=render_spec).json()["job_id"]
        for seed in (1, 2)
    )
    render(farm, first, 3 * MB)
    render(farm, second, 6 * MB)
    theirs = farm.submit(farm.bob, seed=3, tasks=1, render=render_spec).json()["job_id"]
    render(farm, theirs, 50 * MB)

    told = problem(farm.put(farm.ann, os.urandom(2 * MB)), 507)
    assert "9.0 MB are taken (9.0 MB by datasets" in told["detail"]
    assert told["remedy"].startswith(
        f"make room: `farm delete {second}` (6.0 MB), `farm delete {first}` (3.0 MB), "
        "`farm tidy --recent`"
    )
    large = farm.submit(farm.ann, seed=4, render={"resolution": 2048})
    assert "this job takes" in problem(large, 507)["detail"]

    assert farm.ann.delete(f"/v1/jobs/{second}").status_code == 200
    assert farm.put(farm.ann, os.urandom(2 * MB)).status_code == 200


def test_what_a_running_job_will_add_counts(farm):
    for data in (MODEL, HDR):
        farm.put(farm.ann, data)
    job_id = farm.submit(farm.ann, tasks=4, views=2, render={"resolution": 64}).json()["job_id"]
    farm.storage.put(f"datasets/{job_id}/chairs/images/a.png", bytes(2 * MB))
    farm.ledger.store.add_meta(job_id, "views_done", 2)

    told = problem(farm.put(farm.ann, os.urandom(3 * MB)), 507)

    assert "8.0 MB by datasets" in told["detail"], "2 of 8 views have 2 MB"


def test_views_of_a_day(farm):
    for data in (MODEL, HDR):
        farm.put(farm.ann, data)
    farm.give(views_per_day=20)
    farm.services.tokens.cache.clear()
    small = {"render": {"resolution": 64}}
    assert farm.submit(farm.ann, tasks=6, **small).status_code == 201
    again = farm.submit(farm.ann, tasks=6, **small)
    assert again.status_code == 200, "the very same costs nothing"

    told = problem(farm.submit(farm.ann, tasks=5, **small), 403)
    assert told["detail"] == (
        "this job has 10 views; you may submit 20 a day, and have submitted 12 today"
    )
    assert told["remedy"].startswith("submit it tomorrow (UTC: in ")
    too_large = problem(farm.submit(farm.ann, tasks=11, **small), 403)
    assert too_large["detail"] == "this job has 22 views; you may submit 20 a day"
    assert too_large["remedy"].startswith("make it smaller, or ask the farm's operator")
    assert len(farm.ledger.jobs()) == 1

    assert farm.submit(farm.ann, tasks=4, **small).status_code == 201
    tomorrow = time.time() + 86_400
    farm.services.holdings.now_s = lambda: tomorrow
    assert farm.submit(farm.ann, tasks=5, **small).status_code == 201


def test_deleting_a_job_does_not_give_its_views_back(farm):
    for data in (MODEL, HDR):
        farm.put(farm.ann, data)
    farm.give(views_per_day=20)
    farm.services.tokens.cache.clear()
    job_id = farm.submit(farm.ann, tasks=10, render={"resolution": 64}).json()["job_id"]
    render(farm, job_id, 1)
    assert farm.ann.delete(f"/v1/jobs/{job_id}").status_code == 200

    problem(farm.submit(farm.ann, tasks=10, render={"resolution": 64}), 403)


def test_the_farms_own_limits_are_for_users_without_others(redis_url, tmp_path):
    with Limited(redis_url, tmp_path, quota_bytes=2 * MB, views_per_day=3) as farm:
        admin = farm.client("admin")
        problem(farm.put(farm.bob, os.urandom(3 * MB)), 507)
        assert farm.put(farm.ann, os.urandom(3 * MB)).status_code == 200, "the token says 10 MB"
        for data in (MODEL, HDR):
            farm.put(farm.bob, data)
        problem(farm.submit(farm.bob, render={"resolution": 64}), 403)
        assert farm.put(admin, os.urandom(3 * MB)).status_code == 200, "admins have none"
        assert farm.submit(admin, render={"resolution": 64}).status_code == 201


def test_recent_uploads_are_given_up_by_whoever_asks_for_it(farm):
    farm.put(farm.ann, b"mine")
    farm.put(farm.bob, b"his")

    assert farm.ann.delete("/v1/assets/unused").json()["files"] == 0
    assert farm.ann.delete("/v1/assets/unused?recent=true&dry_run=true").json()["files"] == 1
    assert farm.ann.delete("/v1/assets/unused?recent=true").json()["size_bytes"] == 4

    assert farm.services.holdings.uploads("ann") == {}
    assert len(farm.services.holdings.uploads("bob")) == 1
    assert len(list(farm.storage.keys("assets"))) == 1


def test_tidying_gives_up_what_none_of_ones_jobs_needs(redis_url, tmp_path):
    with Limited(redis_url, tmp_path, asset_grace_s=0) as farm:
        for data in (MODEL, HDR, b"mine alone", b"both have it"):
            farm.put(farm.ann, data)
        farm.services.holdings.add("bob", hashlib.sha256(b"both have it").hexdigest(), 12)
        assert farm.submit(farm.bob, tasks=1).status_code == 201
        blobs = set(farm.storage.keys("assets"))

        would = farm.ann.delete("/v1/assets/unused?dry_run=true").json()
        assert (would["dry_run"], would["files"]) == (True, 4)
        assert set(farm.services.holdings.uploads("ann")) != set()
        done = farm.ann.delete("/v1/assets/unused").json()

        assert done == would | {"dry_run": False}
        assert farm.services.holdings.uploads("ann") == {}
        gone = blobs - set(farm.storage.keys("assets"))
        (sha256,) = [key.split("/")[2] for key in gone]
        assert sha256 == hashlib.sha256(b"mine alone").hexdigest(), "a job and bob need the rest"
        assert farm.bob.delete("/v1/assets/unused").json()["files"] == 1


def test_new_uploads_are_not_tidied_away(farm):
    farm.put(farm.ann, b"for a job that is about to come")

    assert farm.ann.delete("/v1/assets/unused").json()["files"] == 0
    assert farm.client("admin").delete("/v1/assets/unused").json()["files"] == 0


@pytest.fixture
def private(redis_url, tmp_path):
    with Limited(redis_url, tmp_path, shared=False) as server:
        yield server


def test_a_private_farm_does_not_tell_what_others_have_uploaded(private):
    """Or anybody who knows a hash could render what it stands for."""
    shas = [private.put(private.ann, data).json()["sha256"] for data in (MODEL, HDR)]

    assert private.ann.post("/v1/assets/missing", json={"sha256s": shas}).json()["sha256s"] == []
    assert private.bob.post("/v1/assets/missing", json={"sha256s": shas}).json()["sha256s"] == shas
    assert not private.bob.get(f"/v1/assets/{shas[0]}/upload").json()["complete"]
    listed = {
        name: [one["sha256"] for one in private.client(name).get("/v1/assets").json()["items"]]
        for name in ("ann", "bob", "admin")
    }
    assert listed == {"ann": sorted(shas), "bob": [], "admin": sorted(shas)}
    told = problem(private.submit(private.bob, tasks=1), 422)
    assert "chair.blend is not in the library" in told["detail"]

    assert private.put(private.bob, MODEL).json()["complete"]
    assert private.put(private.bob, HDR).json()["complete"]
    assert private.submit(private.bob, tasks=1).status_code == 201
    assert private.put(private.bob, b"x" * 7, total=7).json()["complete"]


def test_two_of_a_private_farm_send_the_same_file_side_by_side(private):
    data = os.urandom(2 * MB)
    sha256 = hashlib.sha256(data).hexdigest()
    for client in (private.ann, private.bob):
        half = private.patch(client, sha256, data[:MB], offset=0, total=2 * MB)
        assert half.json()["received_bytes"] == MB
    wrong = private.patch(private.bob, sha256, bytes(MB), offset=MB, total=2 * MB)
    assert wrong.status_code == 422
    right = private.patch(private.ann, sha256, data[MB:], offset=MB, total=2 * MB)

    assert right.json()["complete"]
    assert private.bob.get(f"/v1/assets/{sha256}/upload").json()["received_bytes"] == 0
