"""News of jobs: each event has an id, and who comes back with it is told what they missed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from farm.api.job_feed import Moment
from farm.api.routes.events import PICTURES_PER_S, pause_s, pictures_at_once
from farm.glimpses import CHANNEL, KEPT, Glimpse
from farm.ledger import JobState
from farm.local.processes.redis_server import PrivateRedis
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.galleries import emptied
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        for data in (MODEL, HDR):
            server.upload(data)
        yield server


def submit(api, seed):
    sent = body(a_submission(seed=seed))
    return api.client("admin").post("/v1/jobs", json=sent).json()["job_id"]


class Listener:
    """Hears events one after the other."""

    def __init__(self, api, headers=None, **asked):
        self.opened = api.client("admin").stream(
            "GET", "/v1/events", params=asked, headers=headers or {}
        )

    def __enter__(self) -> Iterator[dict]:
        answer = self.opened.__enter__()
        assert answer.headers["x-accel-buffering"] == "no"
        return self.events(answer.iter_lines())

    def __exit__(self, *_):
        self.opened.__exit__(None, None, None)

    def events(self, lines):
        found = {}
        for line in lines:
            if not line and "data" in found:
                yield found | {"data": json.loads(found["data"])}
            if not line:
                found = {}
            else:
                name, _, value = line.partition(": ")
                found[name] = value


def wait_seen(api, *jobs):
    """Wait until the server has looked at jobs, and has numbered that look."""
    feed = api.services.job_feed

    def numbered():
        looks = [feed.changed_at.get(job) for job in jobs]
        return all(look is not None and look <= feed.moment.version for look in looks)

    wait_for(numbered, "they are seen")


def told_until(events, wanted):
    """Return what was heard of which jobs until something is told."""
    heard = []
    for event in events:
        heard.append(event)
        if event["event"] == "job" and wanted(event["data"]):
            return heard
    raise AssertionError("the stream has ended")


@pytest.mark.parametrize("of_one_job", [False, True], ids=["all jobs", "one job"])
def test_who_listens_while_redis_goes_is_sent_away(tmp_path, monkeypatch, caplog, of_one_job):
    monkeypatch.setattr("farm.api.routes.events.HEARTBEAT_S", 0.05)
    with PrivateRedis(tmp_path / "redis") as redis, ApiServer(redis.url, tmp_path) as api:
        for data in (MODEL, HDR):
            api.upload(data)
        job = submit(api, seed=3)
        with Listener(api, **({"job": job} if of_one_job else {})) as events:
            assert next(events)["data"]["job_id"] == job
            redis.stop()
            list(events)  # ends

    assert "a listener is sent away" in caplog.text
    assert not [each for each in caplog.records if each.exc_info]


def test_who_comes_back_hears_once_of_each_job_that_changed(api):
    ended, changed, same = (submit(api, seed) for seed in (41, 42, 43))
    wait_seen(api, ended, changed, same)
    with Listener(api) as events:
        before = told_until(events, lambda job: job["job_id"] == ended)
        ids = {event["id"] for event in before}
        assert len(ids) == 1

    api.ledger.cancel(ended)
    api.ledger.set_priority(changed, 7)

    def looked_at():
        (of_ended, _), (of_changed, _) = map(api.services.job_feed.seen.get, (ended, changed))
        return of_ended.state is not JobState.QUEUED and of_changed.priority == 7

    wait_for(looked_at, "both changes are seen")
    latest = submit(api, 44)
    wait_seen(api, latest)

    with Listener(api, headers={"Last-Event-ID": before[-1]["id"]}) as events:
        heard = told_until(events, lambda job: job["job_id"] == latest)
    known = [event["data"]["job_id"] for event in heard]
    assert sorted(known) == sorted({ended, changed, latest})
    [of_ended] = [event["data"] for event in heard if event["data"]["job_id"] == ended]
    assert of_ended["state"] in ("cancelled", "cancelling")


def test_a_page_that_opens_anew_says_where_it_was_in_its_address(api):
    one, other = submit(api, 51), submit(api, 52)
    wait_seen(api, one, other)
    since = str(api.services.job_feed.moment)
    api.ledger.set_priority(other, 9)
    wait_for(lambda: str(api.services.job_feed.moment) != since, "it was looked at")

    with Listener(api, since=since) as events:
        [event] = told_until(events, lambda job: True)
    assert (event["data"]["job_id"], event["data"]["priority"]) == (other, 9)


def test_after_a_restart_of_the_server_all_is_told_again(api):
    job = submit(api, 61)
    api.ledger.cancel(job)
    wait_seen(api, job)

    with Listener(api, headers={"Last-Event-ID": str(Moment("0" * 8, 3))}) as events:
        assert told_until(events, lambda told: told["job_id"] == job)


@pytest.mark.parametrize("words", ["", "x", "zz-1", "00000000-" + "9" * 40, "00000000-1x"])
def test_an_id_that_is_none_is_as_good_as_none(api, words):
    job = submit(api, 71)

    with Listener(api, headers={"Last-Event-ID": words}) as events:
        assert told_until(events, lambda told: told["job_id"] == job)


def test_pictures_come_with_the_news_of_their_job(api):
    job, other = submit(api, 81), submit(api, 82)
    ears = api.glimpses.client.pubsub_numsub
    wait_for(lambda: ears(CHANNEL)[0][1], "the server listens for pictures")
    with Listener(api, job=job, pictures=True) as events:
        told_until(events, lambda told: True)
        for place, each in enumerate((other, job)):
            shown = Glimpse(view=f"v{place}", title="t", caption="c")
            api.glimpses.show(each, shown, b"RIFF")
        event = next(each for each in events if each["event"] == "pictures")

    assert [each["view"] for each in event["data"]] == ["v1"]
    assert api.client("read").get(f"/v1/jobs/{job}/newest").json() == event["data"]


def test_whoever_does_not_ask_for_pictures_hears_of_none(api):
    job = submit(api, 91)
    with Listener(api, job=job) as events:
        told_until(events, lambda told: True)
        api.glimpses.show(job, Glimpse(view="v", title="t", caption="c"), b"RIFF")
        api.ledger.set_priority(job, 3)
        assert next(events)["event"] == "job"


class Crowd:
    def __init__(self, count):
        self.subscribers = range(count)


@pytest.mark.parametrize("pages", [1, 10, 200, 5000])
def test_many_pages_ask_for_no_more_pictures_than_few(pages):
    feed = Crowd(pages)

    each_per_s = pictures_at_once(feed) / pause_s(feed)
    assert pages * each_per_s <= PICTURES_PER_S * 1.01
    assert 1 <= pictures_at_once(feed) <= KEPT
