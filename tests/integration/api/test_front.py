"""The list of jobs: grouped and sorted by its address, with the last picture of each."""

from __future__ import annotations

import re

import imagecodecs
import numpy as np
import pytest

from farm.api.browser.job_list import AT_ONCE, JobList, listed
from farm.glimpses import Glimpse
from farm.serve.restore import restore_job
from farm.spec.wire import JobInfo
from tests.integration.api.test_pages import HTML, browser
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.galleries import emptied
from tests.support.farms.rendered import render


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        server.ledger.store.client.flushall()  # what is left of other files' farms
        for data in (MODEL, HDR):
            server.upload(data)
        yield server


def submit(api, name, *, role="submit", **spec):
    sent = body(a_submission(**spec)) | {"name": name}
    answer = api.client(role).post("/v1/jobs", json=sent)
    assert answer.is_success, answer.text
    return answer.json()["job_id"]


def rows(page):
    """Return what the table of jobs says, group titles among the names."""
    said = re.findall(r'scope="rowgroup">(.*?) <|class="name" href="[^"]*">(.*?)<', page.text)
    return [group or name.removeprefix("fruit ") for group, name in said]


def test_jobs_stand_together_by_what_they_have_in_common(api):
    first = submit(api, "fruit grape", seed=1)
    submit(api, "fruit apple", role="admin", seed=2)
    submit(api, "fruit melon", seed=3)
    api.client("submit").post(f"/v1/jobs/{first}/pause")
    client = browser(api, "read")

    found = rows(client.get("/?q=fruit&group=owner&sort=name"))
    assert found == ["a adminer", "apple", "a submiter", "grape", "melon"]
    found = rows(client.get("/?q=fruit&group=state&sort=name"))
    assert found == ["queued", "apple", "melon", "paused", "grape"]
    found = rows(client.get("/?q=fruit&group=recipe&sort=-name"))
    assert found == ["sod", "melon", "grape", "apple"]
    assert rows(client.get("/?q=sod&state=paused")) == ["grape"]
    assert rows(client.get("/?q=FRUIT+m")) == ["melon"]
    assert client.get("/?group=colour").status_code == 422


def test_a_part_of_the_list_says_how_large_its_groups_are(api):
    submit(api, "kiwis", seed=8)
    infos = api.client("read").get("/v1/jobs").json()["items"]
    one = JobInfo.model_validate(infos[0])
    many = [one.model_copy(update={"job_id": f"{n:012x}", "owner": f"u{n % 2}"}) for n in range(90)]
    part = listed(many, JobList(group="owner", at=2))

    assert (part.total, part.at, part.pages) == (90, 2, 2)
    assert [(group.title, group.total, len(group.items)) for group in part.groups] == [
        ("u1", 45, 90 - AT_ONCE)
    ]


def test_the_recipe_of_a_job_is_told_and_outlives_the_ledger(api):
    job = submit(api, "figs", seed=4)
    assert api.client("read").get(f"/v1/jobs/{job}").json()["recipe"] == "sod"
    assert api.ledger.job(job).recipe == "sod"

    api.ledger.cancel(job)
    api.ledger.settle(job)
    assert api.ledger.forget(job)
    restore_job(api.ledger, api.storage, api.services.book, api.services.book.load(job))
    assert api.ledger.job(job).recipe == "sod"


def test_a_job_of_before_tells_its_recipe_all_the_same(api):
    job = submit(api, "dates", seed=5)
    api.ledger.store.set_meta(job, "recipe", "")

    assert api.client("read").get(f"/v1/jobs/{job}").json()["recipe"] == "sod"


def test_the_last_picture_is_the_newest_and_of_long_ago_the_first_view(api):
    job = submit(api, "plums", seed=6)
    client = api.client("read")
    problem(client.get(f"/v1/jobs/{job}/picture"), 404)
    problem(client.get("/v1/jobs/000000000000/picture"), 404)

    render(api, job, 0)
    newest = imagecodecs.webp_encode(np.zeros((8, 8, 3), np.uint8))
    api.glimpses.show(job, Glimpse(view="v", title="t", caption="c"), newest)
    answer = client.get(f"/v1/jobs/{job}/picture")
    assert (answer.content, answer.headers["content-type"]) == (newest, "image/webp")
    assert f"/v1/jobs/{job}/picture?v=2" in browser(api, "read").get("/").text
    for name in (f"farm:glimpses:{job}", f"farm:glimpses:{job}:count"):  # a day later
        api.glimpses.client.delete(name)
    shown = imagecodecs.webp_decode(client.get(f"/v1/jobs/{job}/picture").content)
    assert shown.shape == (64, 64, 3)


def test_title_and_icon_say_how_the_farm_stands(api):
    client = browser(api, "read")
    assert 'href="/static/' in client.get("/", headers=HTML).text
    job = submit(api, "pears", seed=7)
    [ticket] = api.ledger.take_these(job, [1])
    api.ledger.claim(ticket, "w0")

    page = client.get("/").text
    assert "running · Viewfarm</title>" in page
    assert re.search(r'rel="icon" href="/static/[0-9a-f]+/icon-runs.svg"', page)
    api.ledger.fail(ticket, "asset", "it cannot be read")
    page = client.get("/").text
    assert re.search(r'rel="icon" href="/static/[0-9a-f]+/icon-troubled.svg"', page)
    told = api.client("read").get(f"/v1/jobs/{job}").json()
    assert told["tone"] == "troubled"


def test_who_may_not_see_a_job_sees_no_picture_of_it(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path, shared=False) as api:
        for data in (MODEL, HDR):
            api.upload(data)
        job = submit(api, "secret")
        render(api, job, 0)

        assert api.client("submit").get(f"/v1/jobs/{job}/picture").status_code == 200
        problem(api.client("read").get(f"/v1/jobs/{job}/picture"), 404)
        assert job not in browser(api, "read").get("/?group=owner").text
