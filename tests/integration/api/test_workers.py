"""Workers by the API and on their page: what is told of them, who may drain them."""

from __future__ import annotations

import html
import re

import httpx
import imagecodecs
import numpy as np
import pytest

from farm.glimpses import Glimpse
from farm.ledger import Gauges, Work
from farm.ledger.model import Conduct, Quarantine
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.waiting import wait_for

EVIL = '<script>alert("x")</script>'
MEASURED = Gauges(
    temperature_c=61.4, power_w=231.5, memory_used_bytes=6 << 30, memory_total_bytes=48 << 30
)


@pytest.fixture
def api(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path) as server:
        yield server


@pytest.fixture
def private(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path, shared=False) as server:
        yield server


def beat(api, worker="gpu0@rack-3#1", *, ttl_s=600.0, up_s=3600.0, **facts):
    name, _, host = worker.partition("#")[0].partition("@")
    info = {"name": name, "host": host, "device": "optix:0", "hardware": "L40S"}
    api.ledger.heartbeat(worker, info, ttl_s, up_s=up_s, **facts)


def submit(api, **spec):
    for data in (MODEL, HDR):
        api.upload(data)
    answer = api.client("submit").post("/v1/jobs", json=body(a_submission(**spec)))
    assert answer.status_code == 201, answer.text
    return answer.json()["job_id"]


def hold(api, job, index=0, worker="gpu0@rack-3#1", title="vase · studio"):
    [ticket] = api.ledger.take_these(job, [index])
    assert api.ledger.claim(ticket, worker)
    work = Work(task=f"{job}/{index}", title=title, views_per_s=1.5, sampling_share=0.91)
    api.ledger.tell_work(worker, work)
    return ticket


def drain(client, name, verb="drain"):
    return client.post(f"/v1/workers/{name}/{verb}")


def shut_out(api, node):
    now_s = api.ledger.now_s()
    shut = Quarantine(sentence="3 tasks failed", since_s=now_s, try_from_s=now_s + 60)
    note = Conduct(quarantine=shut).model_dump_json(exclude_defaults=True)
    assert api.ledger.store.swap_conduct(node, "", note)


def browser(api, role):
    client = httpx.Client(base_url=api.url, headers={"accept": "text/html"}, timeout=60)
    api.clients.append(client)
    client.post("/login", data={"token": api.tokens[role], "next": "/"})
    return client


def csrf_in(page):
    return re.search(r'data-csrf="([0-9a-f]+)"', page.text)[1]


# What is told


def test_all_that_a_worker_says_of_itself_is_told(api):
    beat(api, gauges=MEASURED)
    job = submit(api)
    hold(api, job)

    (told,) = api.client("read").get("/v1/workers").json()
    assert (told["state"], told["task"], told["title"]) == ("renders", f"{job}/0", "vase · studio")
    assert (told["node"], told["hardware"], told["up_s"]) == ("gpu0@rack-3", "L40S", 3600.0)
    assert (told["views_per_s"], told["sampling_share"]) == (1.5, 0.91)
    assert (told["temperature_c"], told["power_w"]) == (61.4, 231.5)
    assert told["gpu_memory_used_bytes"] == 6 << 30
    assert (told["drained"], told["picture"]) == (None, None)


def test_the_newest_picture_of_a_worker_is_found(api):
    beat(api)
    job = submit(api)
    webp = imagecodecs.webp_encode(np.zeros((8, 8, 3), np.uint8))
    shown = Glimpse(view="v", title="t", caption="c")
    for worker in ("gpu0@rack-3#1", "gpu9@rack-3#1"):
        api.glimpses.show(job, shown, webp, worker=worker)

    client = api.client("read")
    (told,) = client.get("/v1/workers").json()
    assert told["picture"] == f"/v1/jobs/{job}/newest/1"
    assert client.get(told["picture"]).content == webp


def test_who_was_lost_is_told_with_what_it_held(api):
    beat(api, "gpu7@rack-9#1", ttl_s=0.05)
    beat(api, "gpu8@rack-9#1", ttl_s=0.05)
    beat(api, "gpu8@rack-9#2")
    api.ledger.tell_work("gpu7@rack-9#1", Work(task="0123456789ab/3", title="lamp · forest"))
    client = api.client("read")
    wait_for(lambda: len(client.get("/v1/workers/lost").json()) == 2, "both are lost")

    found = {one["worker"]: one for one in client.get("/v1/workers/lost").json()}
    gone, back = found["gpu7@rack-9#1"], found["gpu8@rack-9#1"]
    assert (gone["task"], gone["title"], gone["is_back"]) == (
        "0123456789ab/3",
        "lamp · forest",
        False,
    )
    assert (back["task"], back["is_back"]) == (None, True)
    page = browser(api, "read").get("/workers").text
    assert "lamp · forest" in page
    assert "it was started again" in page


def test_what_workers_do_for_others_is_nobodys_business(private):
    job = submit(private)
    beat(private)
    hold(private, job)
    beat(private, "gpu7@rack-9#1", ttl_s=0.05)
    private.ledger.tell_work("gpu7@rack-9#1", Work(task=f"{job}/1", title="lamp · forest"))
    shown = Glimpse(view="v", title="t", caption="c")
    private.glimpses.show(job, shown, b"RIFF", worker="gpu0@rack-3#1")
    wait_for(lambda: private.ledger.lost_workers(), "it is lost")
    secret, _ = private.services.tokens.create("bob", "submit")
    private.tokens["bob"] = secret

    for role, known in (("bob", False), ("submit", True), ("admin", True)):
        client = private.client(role)
        [live], [lost] = client.get("/v1/workers").json(), client.get("/v1/workers/lost").json()
        assert (live["title"] == "vase · studio") is known
        assert (live["picture"] is not None) is known
        assert (lost["title"] == "lamp · forest") is known
        assert (job in str((live, lost))) is known
        text = browser(private, role).get("/workers").text
        assert ("vase · studio" in text) is ("lamp · forest" in text) is known


def test_metrics_tell_of_each_worker_and_count_the_drained(api):
    beat(api, gauges=MEASURED)
    beat(api, "cpu@rack-4#1")
    api.ledger.tell_work("gpu0@rack-3#1", Work(task="j/0", sampling_share=0.5))
    api.ledger.drains.drain("cpu@rack-4", by="ann")

    text = httpx.get(f"{api.url}/metrics", timeout=120).text
    assert "farm_workers_drained 1.0" in text
    assert 'farm_worker_gpu_temperature_celsius{worker="gpu0@rack-3"} 61.4' in text
    assert 'farm_worker_gpu_power_watts{worker="gpu0@rack-3"} 231.5' in text
    assert 'farm_worker_sampling_ratio{worker="gpu0@rack-3"} 0.5' in text
    assert 'worker="cpu@rack-4"' not in text


def test_two_workers_of_one_name_are_one_line_of_a_metric(api):
    """Prometheus refuses all metrics where one is told twice."""
    beat(api, "gpu0@rack-3#1", gauges=MEASURED)
    beat(api, "gpu0@rack-3#2", gauges=MEASURED)

    text = httpx.get(f"{api.url}/metrics", timeout=120).text
    assert text.count('farm_worker_gpu_power_watts{worker="gpu0@rack-3"}') == 1


# Draining


def test_an_admin_drains_a_worker_which_finishes_what_it_holds(api):
    beat(api)
    job = submit(api)
    ticket = hold(api, job)
    admin = api.client("admin")

    answer = drain(admin, "gpu0%40rack-3").json()
    assert answer["drained"]
    assert answer["tasks"] == [f"{job}/0"]
    assert answer["sentence"] == f"gpu0@rack-3 takes no more tasks; it finishes {job}/0"
    (told,) = admin.get("/v1/workers").json()
    assert told["state"] == "draining"
    assert told["drained"].startswith("drained by a adminer since 20")
    assert api.ledger.complete(ticket)
    assert admin.get("/v1/workers").json()[0]["state"] == "drained"
    assert "1 drained" in browser(api, "read").get("/").text
    assert admin.get("/v1/status").json()["drained"][0].startswith("gpu0: drained by a adminer")
    waits = admin.get(f"/v1/jobs/{job}").json()["waits_for"]
    assert waits.startswith("1 worker takes no tasks: gpu0: drained by a adminer since")

    again = drain(admin, "gpu0", "undrain").json()
    assert again["sentence"] == "gpu0@rack-3 takes tasks again"
    assert drain(admin, "gpu0", "undrain").json()["sentence"] == "gpu0@rack-3 was not drained"
    api.ledger.tell_work("gpu0@rack-3#1", Work())
    assert admin.get("/v1/workers").json()[0]["state"] == "idle"


def test_a_drain_outlives_the_api(api):
    beat(api)
    drain(api.client("admin"), "gpu0")
    api.restart()

    (told,) = api.client("read").get("/v1/workers").json()
    assert told["state"] == "drained"


@pytest.mark.parametrize("role", ["read", "submit", "script"])
@pytest.mark.parametrize("verb", ["drain", "undrain"])
def test_only_admins_drain(api, role, verb):
    beat(api)

    answer = drain(api.client(role), "gpu0", verb)
    assert answer.status_code == 403
    assert "needs a token with the role" in answer.json()["detail"]
    assert api.ledger.drains.all() == {}


@pytest.mark.parametrize("name", ["gpu0@rack-3#1", "gpu0@rack-3", "rack-3"])
def test_a_worker_is_known_by_each_of_its_names(api, name):
    beat(api)
    beat(api, "gpu0@rack-4#1")

    answer = drain(api.client("admin"), name.replace("#", "%23"))
    assert answer.json()["node"] == "gpu0@rack-3"


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("gpu0", 409, "'gpu0' is the name of 2 workers: gpu0@rack-3, gpu0@rack-4"),
        ("rack-3", 409, "'rack-3' is the name of 2 workers: gpu0@rack-3, gpu1@rack-3"),
        ("gpu9", 404, "worker 'gpu9' does not exist"),
        ("a%2Fb", 404, "worker 'a/b' does not exist"),
    ],
)
def test_a_name_that_does_not_mean_one_worker_drains_none(api, name, status, detail):
    for worker in ("gpu0@rack-3#1", "gpu1@rack-3#1", "gpu0@rack-4#1"):
        beat(api, worker)

    told = problem(drain(api.client("admin"), name), status)
    assert told["detail"] == detail
    assert told["remedy"]
    assert api.ledger.drains.all() == {}


def test_a_worker_that_is_away_is_drained_and_undrained(api):
    beat(api, ttl_s=0.05)
    wait_for(lambda: api.ledger.lost_workers(), "it is lost")

    assert drain(api.client("admin"), "gpu0").json()["drained"]
    api.ledger.farewell("gpu0@rack-3#1")
    assert drain(api.client("admin"), "gpu0", "undrain").json()["sentence"].endswith("again")


def test_a_drained_worker_is_none_to_retry_tasks_on(api):
    beat(api)
    beat(api, "gpu1@rack-3#1")
    job = submit(api)
    ticket = hold(api, job)
    api.ledger.fail(ticket, "asset", "it cannot be read")
    client, sent = api.client("admin"), {"indices": [0], "elsewhere": True}
    drain(client, "gpu1")

    told = problem(client.post(f"/v1/jobs/{job}/tasks/retry", json=sent), 409)
    assert "there is no other worker" in told["detail"]
    drain(client, "gpu1", "undrain")
    assert client.post(f"/v1/jobs/{job}/tasks/retry", json=sent).is_success


def test_a_worker_of_an_earlier_release_is_not_said_to_be_drained(api):
    api.ledger.store.beat("old@h#1", '{"info": {"name": "old"}, "seen_s": 1.0}', 600)

    told = problem(drain(api.client("admin"), "old"), 409)
    assert "earlier release" in told["detail"]
    assert api.ledger.drains.all() == {}


# The page


def test_the_page_shows_what_is_known_and_no_more(api):
    job = submit(api)
    beat(api, gauges=MEASURED)
    hold(api, job, title=EVIL)
    beat(api, f"{EVIL}@rack-4#1")
    shut_out(api, f"{EVIL}@rack-4")

    text = browser(api, "read").get("/workers").text
    for words in ("61 °C", "232 W", "6.4 GB of 51.5 GB", "91 %", "1 h 0 min", "3 tasks failed"):
        assert words in text
    assert f'href="/jobs/{job}"' in text
    assert text.count(html.escape(EVIL, quote=False).replace('"', "&#34;")) >= 2
    assert "<script>alert" not in text
    glance = browser(api, "read").get("/").text
    assert 'href="/workers?state=quarantine"' in glance
    assert "<script>alert" not in glance


def test_who_only_looks_sees_no_buttons_and_cannot_press_them(api):
    beat(api)
    for role in ("read", "submit"):
        client = browser(api, role)
        page = client.get("/workers")
        assert "/drain" not in page.text
        sent = {"csrf": csrf_in(page)}
        assert client.post("/workers/gpu0%40rack-3/drain", data=sent).status_code == 403
    assert api.ledger.drains.all() == {}


def test_an_admin_presses_and_a_form_from_elsewhere_does_not(api):
    beat(api)
    client = browser(api, "admin")
    page = client.get("/workers?state=idle")
    place = html.unescape(re.search(r'action="(/workers/[^"]*/drain)"', page.text)[1])
    back = html.unescape(re.search(r'name="next" value="([^"]*)"', page.text)[1])

    assert client.post(place, data={"csrf": "0" * 32}).status_code == 403
    assert api.ledger.drains.all() == {}
    answer = client.post(place, data={"csrf": csrf_in(page), "next": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/workers?state=idle")
    assert api.ledger.drains.all()["gpu0@rack-3"].by == "a adminer"
    undrain = place.replace("/drain", "/undrain")
    sent = {"csrf": csrf_in(page), "next": "//elsewhere.example"}
    assert client.post(undrain, data=sent).headers["location"] == "/"
    assert api.ledger.drains.all() == {}


def test_a_thousand_workers_are_shown_in_parts_and_found(api):
    for number in range(1000):
        beat(api, f"gpu{number % 8}@node-{number // 8}#1")
    client = browser(api, "read")

    page, glance = client.get("/workers").text, client.get("/workers/glance").text
    assert "1,000 workers: 1,000 are idle" in page
    assert page.count("data-key=") == 60
    assert 'href="/workers?at=2"' in page
    assert client.get("/workers?at=17").text.count("data-key=") == 40
    assert client.get("/workers?q=NODE-77").text.count("data-key=") == 8
    assert "No worker is here that fits" in client.get("/workers?state=drained").text
    assert glance.count("<span") == 1001
    assert len(glance) < 150_000
