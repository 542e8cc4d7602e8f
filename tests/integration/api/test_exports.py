"""Datasets in a list, and in other tools' formats: made by the server, one at a time."""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile

import pytest

from farm.api.datasets.export_process import ARCHIVE
from farm.api.datasets.exports import Exports
from farm.api.routes.exports import size_of
from farm.serve.closing import Closer
from farm.storage import open_storage
from tests.integration.api.test_pages import browser, csrf_in
from tests.integration.api.test_shelf import library_job, say
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.galleries import emptied
from tests.support.farms.rendered import render
from tests.support.waiting import wait_for

EVIL = "<script>alert(1)</script> chairs"


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        for data in (MODEL, HDR):
            server.upload(data)
        yield server


def rendered(api, *, seed, name="chairs", tasks=1):
    sent = body(a_submission(seed=seed)) | {"name": name}
    answer = api.client("submit").post("/v1/jobs", json=sent)
    assert answer.is_success, answer.text
    job = answer.json()["job_id"]
    for index in range(tasks):
        render(api, job, index)
    return job


@pytest.fixture(scope="module")
def job(api):
    return rendered(api, seed=21, name=EVIL)


def ask(api, job, role="submit", **options):
    return api.client(role).post(f"/v1/datasets/{job}/exports", json=options)


def ended(api, job, export_id, role="submit"):
    """Return an export once it is over."""
    place = f"/v1/datasets/{job}/exports/{export_id}"
    over = ("done", "failed")
    return wait_for(
        lambda: (told := api.client(role).get(place).json())["state"] in over and told,
        "the export is over",
        timeout_s=120,
    )


# The list


def test_datasets_are_told_with_what_they_hold(api, job):
    [found] = api.client("read").get("/v1/datasets", params={"find": "CHAIRS sod"}).json()["items"]

    assert found["job_id"] == job
    assert (found["views"], found["owner"], found["recipe"]) == (2, "a submiter", "sod")
    assert found["licences"] == [{"title": None, "assets": 2}]
    assert found["sentence"].startswith("2 views of 1 model, 1 HDRI · ")
    assert api.client("read").get("/v1/datasets", params={"find": "zebra"}).json()["items"] == []


# Exports


def test_a_dataset_is_exported_and_its_archive_resumes(api, job):
    begun = ask(api, job, format="coco")
    assert begun.status_code == 202, begun.text
    told = ended(api, job, begun.json()["export_id"])

    assert told["state"] == "done", told
    assert told["sentence"].startswith("Ready: 2 views as coco, ")
    place = f"/v1/datasets/{job}/exports/{told['export_id']}/archive"
    whole = api.client("submit").get(place)
    assert len(whole.content) == told["size_bytes"]
    assert "chairs-coco.tar" in whole.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(whole.content)) as tar:
        names = tar.getnames()
        [annotations] = [name for name in names if name.endswith(".json") and "annotations" in name]
        assert len(json.load(tar.extractfile(annotations))["images"]) == 2
    assert any(name.endswith("ATTRIBUTION.md") for name in names)
    assert not any(".farm-export" in name for name in names)
    rest = api.client("submit").get(place, headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])


def test_what_is_finished_outlives_the_server_and_is_removed(api, job):
    told = ended(api, job, ask(api, job, format="yolo").json()["export_id"])
    assert told["state"] == "done", told

    later = Exports(api.storage, api.services.exports.folder, api.services.settings)
    later.tidy()
    assert [each.export_id for each in later.of("a submiter", job)] == [told["export_id"]]

    place = f"/v1/datasets/{job}/exports/{told['export_id']}"
    assert api.client("submit").delete(place).status_code == 204
    assert api.client("submit").get(place).status_code == 404
    assert list(api.services.exports.folder.iterdir()) == []


def test_an_archive_that_was_removed_from_the_disk_is_told_and_may_be_asked_for_again(api, job):
    told = ended(api, job, ask(api, job, format="yolo").json()["export_id"])
    place = f"/v1/datasets/{job}/exports/{told['export_id']}"
    (api.services.exports.folder / told["export_id"] / ARCHIVE).unlink()

    answer = api.client("submit").get(f"{place}/archive")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("the archive of export ")
    assert api.client("submit").get(f"/v1/datasets/{job}/exports").json() == []
    assert ended(api, job, ask(api, job, format="yolo").json()["export_id"])["state"] == "done"


def test_an_export_that_ends_amid_a_line_has_failed(api, job, tmp_path, monkeypatch):
    ends = tmp_path / "ends"
    ends.write_text('#!/bin/sh\necho \'{"of": 2, "done": 1}\'\nprintf \'{"of": 2, "do\'\n')
    ends.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(ends))

    told = ended(api, job, ask(api, job, format="yolo").json()["export_id"])
    assert (told["state"], told["views_done"]) == ("failed", 1)
    assert told["fault"] == "it ended without a word; the API's log says more"


@pytest.mark.parametrize(
    "place", ["datasets/{}/preview", "datasets/{}/views", "datasets/{}/archive",
              "jobs/{}/picture", "jobs/{}/tasks/bitmap"]
)  # fmt: skip
def test_browsers_take_files_for_nothing_else(api, job, place):
    answer = api.client("read").get(f"/v1/{place.format(job)}")

    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_export_is_kept_for_a_day(api, job):
    told = ended(api, job, ask(api, job, format="yolo").json()["export_id"])
    now_s = told["expires_s"]

    later = Exports(
        api.storage, api.services.exports.folder, api.services.settings, lambda: now_s + 1
    )
    later.tidy()
    assert later.of("a submiter") == []
    assert not (api.services.exports.folder / told["export_id"]).exists()


def test_each_user_has_one_export_at_a_time_and_others_do_not_see_it(api, job):
    api.services.exports._turns.acquire()
    api.services.exports._turns.acquire()  # as if two others were running
    try:
        mine = ask(api, job, format="coco").json()
        assert (mine["state"], mine["sentence"]) == ("waiting", "Waits for other exports to end.")
        again = ask(api, job, format="yolo")
        assert again.status_code == 409
        assert "to coco is not finished" in again.json()["detail"]
        place = f"/v1/datasets/{job}/exports/{mine['export_id']}"
        assert api.client("admin").get(place).status_code == 404
        unready = api.client("submit").get(f"{place}/archive")
        assert unready.status_code == 409
        assert api.client("submit").delete(place).status_code == 204
    finally:
        for _ in range(2):
            api.services.exports._turns.release()


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        pytest.param({"format": "cocoa"}, 422, "did you mean 'coco'?", id="no such format"),
        pytest.param({"format": "coco", "depth": 1}, 422, "depth", id="no such option"),
        pytest.param({}, 422, "format", id="no format"),
    ],
)
def test_a_request_that_cannot_be_met_is_a_sentence(api, job, options, status, told):
    answer = ask(api, job, **options)

    assert answer.status_code == status
    assert told in answer.json()["detail"]


def test_a_format_that_cannot_hold_the_dataset_says_so(api, job):
    told = ended(api, job, ask(api, job, format="davis").json()["export_id"])

    assert told["state"] == "failed"
    assert "is a picture on its own, and davis holds sequences" in told["fault"]
    assert str(api.root) not in told["fault"]


def test_what_is_too_large_is_refused_with_what_to_do_instead(api, job, monkeypatch):
    monkeypatch.setattr(api.services.exports, "most_bytes", 10)

    answer = ask(api, job, format="coco")
    assert answer.status_code == 413
    assert f"farm download {job} && farm dataset export" in answer.json()["remedy"]


def test_older_exports_make_room(api, job, monkeypatch):
    first = ended(api, job, ask(api, job, role="admin", format="yolo").json()["export_id"], "admin")
    assert first["state"] == "done"
    size_bytes = size_of(api.services, api.ledger.job(job))
    monkeypatch.setattr(api.services.exports, "most_bytes", 2 * size_bytes)

    assert ended(api, job, ask(api, job, format="yolo").json()["export_id"])["state"] == "done"
    assert api.client("admin").get(f"/v1/datasets/{job}/exports").json() == []


def test_who_may_only_look_exports_nothing(api, job):
    answer = ask(api, job, role="read", format="coco")
    assert answer.status_code == 403

    client = browser(api, "read")
    page = client.get(f"/datasets/{job}")
    assert "data-export-form" not in page.text
    sent = {"format": "coco", "csrf": csrf_in(page)}
    assert client.post(f"/datasets/{job}/exports", data=sent).status_code == 403


def test_a_dataset_of_others_may_be_exported_where_they_share(api):
    job = rendered(api, seed=23)
    api.tokens["bob"], _ = api.services.tokens.create("bob", "submit")

    begun = ask(api, job, role="bob", format="yolo")
    assert begun.status_code == 202
    assert ended(api, job, begun.json()["export_id"], "bob")["state"] == "done"
    assert api.client("bob").delete(f"/v1/jobs/{job}").status_code == 403


def test_a_dataset_that_is_hidden_cannot_be_exported(redis_server, tmp_path):
    with ApiServer(redis_server.url, tmp_path, shared=False) as hidden:
        for data in (MODEL, HDR):
            hidden.upload(data)
        job = rendered(hidden, seed=24)
        hidden.tokens["bob"], _ = hidden.services.tokens.create("bob", "submit")
        assert ask(hidden, job, role="bob", format="coco").status_code == 404
        page = browser(hidden)
        page.post("/login", data={"token": hidden.tokens["bob"]})
        assert page.get(f"/datasets/{job}").status_code == 404


# The pages


def test_a_dataset_has_a_page_and_is_exported_without_scripts(api, job):
    client = browser(api, "submit")
    assert f"/datasets/{job}" in client.get("/datasets?find=chairs").text
    page = client.get(f"/datasets/{job}")
    assert "<script>alert" not in page.text
    assert "2 views of 1 model, 1 HDRI" in page.text
    assert f"farm download {job}" in page.text
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=", page.text)

    answer = client.post(f"/datasets/{job}/exports", data={"format": "coco", "csrf": csrf_in(page)})
    assert answer.headers["location"] == f"/datasets/{job}#export"
    [mine] = api.services.exports.of("a submiter", job)
    told = ended(api, job, mine.export_id)
    assert "Ready: 2 views as coco" in client.get(f"/datasets/{job}").text
    place = f"/datasets/{job}/exports/{told['export_id']}/remove"
    assert client.post(place, data={"csrf": csrf_in(page)}).status_code == 303
    assert "data-export-remove" not in client.get(f"/datasets/{job}").text


def test_a_form_from_elsewhere_exports_nothing(api, job):
    answer = browser(api, "submit").post(f"/datasets/{job}/exports", data={"format": "coco"})

    assert answer.status_code == 403
    assert "does not come from a page of this farm" in answer.text


# Storage


def test_a_finished_job_in_a_bucket_is_shown_named_and_exported(redis_server, tmp_path, s3_place):
    with ApiServer(redis_server.url, tmp_path, storage=open_storage(s3_place)) as api:
        job, (cup, sky) = library_job(api, seed=81)
        for index in range(api.ledger.job(job).tasks):
            render(api, job, index)
        assert api.ledger.settle(job)
        Closer(api.ledger, api.storage, api.services.book).finish(job)
        assert not list(api.storage.keys(f"datasets/{job}/.records"))

        client = api.client("submit")
        for asset in (cup, sky):
            answer = client.get(f"/v1/assets/{asset.sha256}/picture")
            assert answer.headers["content-type"] == "image/webp"
        assert say(api, cup.sha256, noun="goblet", confirmed=True).is_success
        [found] = client.get("/v1/datasets", params={"find": job}).json()["items"]
        assert found["size_bytes"] > 0
        told = ended(api, job, ask(api, job, format="yolo").json()["export_id"])
        assert told["state"] == "done", told
        assert told["views"] == 8
