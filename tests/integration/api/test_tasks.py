"""Tasks that are tried again, at another worker if need be, or left out: by whom, and which."""

from __future__ import annotations

import zlib

import pytest

from farm import expand
from farm.api.tasks.remarks import forbids, remarks
from farm.glimpses import Glimpse
from farm.ledger import TaskState
from farm.spec.asset import Credit
from farm.tallies.model import STAGES, Share
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, asset, body
from tests.support.farms.galleries import emptied

OTHER, SKY = b"another model", b"a dark sky"


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        for data in (MODEL, HDR, OTHER, SKY):
            server.upload(data)
        yield server


@pytest.fixture
def job(api, request):
    """Two models under two HDRIs, two tasks each: 0 to 3 of the chair, 4 to 7 of the table."""
    seed = zlib.crc32(request.node.name.encode()) % 2**31
    sent = body(a_submission(tasks=2, models=("*.blend",), hdrs=("*.exr",), seed=seed))
    found = {"chair.blend": MODEL, "table.blend": OTHER}
    skies = {"studio.exr": HDR, "night.exr": SKY}
    sent["assets"] = [
        asset(kind, name, data).model_dump(mode="json")
        for kind, files in (("model", found), ("hdr", skies))
        for name, data in files.items()
    ]
    answer = api.client("submit").post("/v1/jobs", json=sent)
    assert answer.status_code == 201, answer.text
    job_id = answer.json()["job_id"]
    yield job_id
    api.ledger.cancel(job_id)


def fail(api, job, index, cause="asset", sentence="chair.blend: cannot be read", worker="w@a#1"):
    [ticket] = api.ledger.take_these(job, [index])
    assert api.ledger.claim(ticket, worker)
    assert api.ledger.fail(ticket, cause, sentence)


def states(api, job):
    return "".join(api.ledger.codes(job))


def post(api, job, verb, role="submit", **choice):
    return api.client(role).post(f"/v1/jobs/{job}/tasks/{verb}", json=choice)


def test_one_task_is_left_out_and_taken_back_in(api, job):
    fail(api, job, 1)

    told = post(api, job, "leave-out", indices=[1]).json()
    assert (told["tasks"], told["indices"], told["next"]) == (1, [1], None)
    assert told["sentence"] == "1 task is left out"
    assert states(api, job) == "plpppppp"
    info = api.client("read").get(f"/v1/jobs/{job}").json()
    assert "1 task left out" in info["sentence"]
    assert info["failures"] == []

    assert post(api, job, "retry", indices=[1]).json()["sentence"] == "1 task is tried again"
    assert states(api, job) == "p" * 8


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        pytest.param({"asset": "table.blend"}, "ffppllll", id="a model's, failed or not"),
        pytest.param({"asset": "night.exr"}, "ffllppll", id="an HDRI's"),
        pytest.param({"cause": "asset"}, "llpppppp", id="by cause"),
        pytest.param({"cause": "asset", "asset": "table.blend"}, "ffpppppp", id="by both"),
        pytest.param({"cause": "killed"}, "ffpppppp", id="another cause"),
    ],
)
def test_tasks_are_left_out_by_what_they_share(api, job, choice, left):
    fail(api, job, 0)
    fail(api, job, 1)

    answer = post(api, job, "leave-out", **choice)

    assert answer.status_code == 200, answer.text
    assert states(api, job) == left


def test_a_group_of_troubles_is_acted_on_as_it_is_told(api, job):
    fail(api, job, 0)
    fail(api, job, 4, sentence="table.blend: cannot be read")
    fail(api, job, 5, "render", "it is black 3")
    groups = api.client("read").get(f"/v1/jobs/{job}/tasks/troubles").json()
    told = {group["asset"]: group for group in groups if group["cause"] == "asset"}
    assert told.keys() == {"chair.blend", "table.blend"}

    table = told["table.blend"]
    post(api, job, "leave-out", group=table["group"], asset="table.blend")
    assert states(api, job) == "fppplppp"

    groups = api.client("read").get(f"/v1/jobs/{job}/tasks/troubles").json()
    last = groups[-1]
    assert (last["cause"], last["left_out"], last["given_up"]) == ("left out", 1, 0)
    post(api, job, "retry", group=last["group"], asset=last["asset"])
    assert states(api, job) == "fppppppp"
    post(api, job, "retry", cause="asset")
    assert states(api, job) == "p" * 8


def test_a_task_that_is_tried_again_anyway_can_be_left_out_with_its_group(api, job):
    fail(api, job, 2, "render", "it is black")
    assert states(api, job) == "p" * 8
    [group] = api.client("read").get(f"/v1/jobs/{job}/tasks/troubles").json()
    assert (group["given_up"], group["tasks"]) == (0, 1)

    post(api, job, "leave-out", group=group["group"])

    assert states(api, job) == "pplppppp"


def test_a_retry_elsewhere_needs_another_worker(api, job):
    fail(api, job, 0)
    api.ledger.heartbeat("w@a#1", {}, ttl_s=60)

    answer = post(api, job, "retry", indices=[0], elsewhere=True)
    assert answer.status_code == 409
    assert "there is no other worker" in answer.json()["detail"]
    assert states(api, job)[0] == "f"

    api.ledger.heartbeat("v@b#2", {}, ttl_s=60)
    try:
        told = post(api, job, "retry", indices=[0], elsewhere=True).json()
        assert told["sentence"] == "1 task is tried again at another worker"
        [ticket] = api.ledger.take_these(job, [0])
        assert not api.ledger.claim(ticket, "w@a#1")
    finally:
        for worker in ("w@a#1", "v@b#2"):
            api.ledger.farewell(worker)


def test_what_is_wrong_with_a_choice_is_said(api, job):
    both = post(api, job, "retry", indices=[0], cause="asset")
    none = post(api, job, "leave-out")
    far = post(api, job, "leave-out", indices=[2**40])
    strange = post(api, job, "leave-out", asset="sofa.blend")
    nothing = post(api, job, "retry", indices=[0])

    assert [each.status_code for each in (both, none, far, strange)] == [422, 422, 404, 404]
    assert "not by both" in both.json()["detail"]
    assert "indices, a cause, a group or an asset" in none.json()["detail"]
    assert far.json()["remedy"] == "it has 8 tasks, counted from 0"
    assert "chair.blend" in strange.json()["remedy"]
    assert nothing.json()["sentence"].startswith("nothing to do: none of these has failed")
    assert states(api, job) == "p" * 8


def test_nothing_of_a_cancelled_job_is_picked(api, job):
    api.ledger.cancel(job)

    for verb in ("retry", "leave-out"):
        answer = post(api, job, verb, indices=[0])
        assert answer.status_code == 409
        assert "cancel" in answer.json()["detail"]


def test_only_its_owner_and_admins_may_pick(api, job):
    other, _ = api.services.tokens.create("somebody else", "submit")
    api.tokens["other"] = other

    for role, status in (("read", 403), ("other", 403), ("admin", 200)):
        assert post(api, job, "leave-out", role, indices=[0]).status_code == status


def test_what_is_left_out_outlives_the_ledger(api, job):
    from farm.serve.restore import restore_job

    post(api, job, "leave-out", asset="table.blend")
    post(api, job, "retry", indices=[5])
    api.ledger.store.remove(job)

    book = api.services.book
    assert restore_job(api.ledger, api.storage, book, book.load(job))

    assert states(api, job) == "pppplpll"


def test_a_task_tells_who_holds_it(api, job):
    [ticket] = api.ledger.take_these(job, [3])
    api.ledger.claim(ticket, "w@a#1")

    told = api.client("read").get(f"/v1/jobs/{job}/tasks/3").json()

    assert (told["state"], told["worker"]) == ("running", "w@a#1")
    assert told["since_s"] > 1e9
    api.ledger.release(ticket)


def test_a_million_tasks_of_one_asset_are_left_out_without_making_any(redis_url, tmp_path):
    """A model of a thousand, with a thousand tasks; and an HDRI with twenty under each model."""
    from tests.support.farms.million import FakedAssets, a_million_tasks

    storage = FakedAssets(tmp_path / "storage")
    with ApiServer(redis_url, tmp_path, storage=storage, check_room=False) as api:
        answer = api.client("submit").post("/v1/jobs", json=body(a_million_tasks()))
        job_id = answer.json()["job_id"]
        job = api.services.book.load(job_id)
        model, sky = job.of("models")[17], job.of("hdrs")[3]

        assert post(api, job_id, "leave-out", asset=model.name).json()["tasks"] == 1000
        count, cursor = 0, 0
        while cursor is not None:
            told = post(api, job_id, "leave-out", asset=sky.name, cursor=cursor).json()
            count, cursor = count + told["tasks"], told["next"]

        assert count == 20 * 999
        assert api.ledger.job(job_id).counts[TaskState.LEFT_OUT] == 1000 + count
        last = api.client("read").get(f"/v1/jobs/{job_id}/tasks/17060").json()
        assert (last["state"], last["title"].split(" · ")[1]) == ("left out", sky.title)


# Numbers, and what is to be known


def test_a_job_is_told_in_numbers(api, job):
    fail(api, job, 0)
    fail(api, job, 1, "render", "it is black")
    api.tallies.add(
        job,
        Share(node="w@a", views=4, timed=4, stages={"sample": 6.0, "build": 2.0}, spent_s=12.0),
    )

    told = api.client("read").get(f"/v1/jobs/{job}/numbers").json()

    assert [each["name"] for each in told["stages"]] == list(STAGES)
    by_name = {each["name"]: each for each in told["stages"]}
    assert by_name["sample"]["seconds_per_view"] == pytest.approx(1.5)
    assert told["sampling_share"] == pytest.approx(0.75)
    assert told["causes"] == {"asset": 1, "render": 1}
    assert told["views_lost"] == 2
    assert told["workers"] == [{"worker": "w@a", "seconds": 12.0, "views": 4}]
    assert told["workers_s"] == 12.0
    assert len(told["line"]) <= 120
    assert told["line"][0]["views_per_s"] > 0


def test_a_job_of_which_no_worker_has_told_yet_has_numbers_too(api, job):
    told = api.client("read").get(f"/v1/jobs/{job}/numbers").json()

    assert (told["stages"], told["line"], told["workers"]) == ([], [], [])
    assert (told["sampling_share"], told["views_lost"]) == (None, 0)
    assert api.client("read").get("/v1/jobs/ffffffffffff/numbers").status_code == 404


def test_missing_textures_and_licences_that_forbid_are_told(api, job):
    api.tallies.add(job, Share(node="w@a", missing={"chair.blend": ("wood.png", "seat.png")}))
    spec = api.services.book.load(job)
    known = {"table.blend": "cc_by_nc_nd 4.0", "chair.blend": "cc_zero", "night.exr": "CC BY 4.0"}
    owned = spec.model_copy(
        update={
            "assets": tuple(
                each.model_copy(update={"credit": Credit(licence=known.get(each.name))})
                for each in spec.assets
            )
        }
    )

    told = [(each.kind, each.asset) for each in remarks(api.services, owned)]
    assert told == [("texture", "chair.blend"), ("licence", "table.blend")]
    [texture] = api.client("read").get(f"/v1/jobs/{job}/tasks/remarks").json()
    assert texture["sentence"] == "lacks 2 textures: wood.png, seat.png; there it is magenta"


@pytest.mark.parametrize(
    ("licence", "word"),
    [
        ("cc-by-nc-4.0", "commercial"),
        ("CC BY-ND 4.0", "changed versions"),
        ("Editorial use only", "editorial use alone"),
        ("Standard, NoAI", "trained"),
        ("All rights reserved", "author"),
        ("cc0-1.0", None),
        ("CC-BY-SA-4.0", None),
        ("royalty free", None),
        ("MIT", None),
    ],
)
def test_what_a_licence_forbids_is_read_from_its_words(licence, word):
    told = forbids(asset("model", "chair.blend", MODEL, credit=Credit(licence=licence)))

    assert (told is None) if word is None else (word in told)


def test_a_task_shows_its_own_picture_or_one_of_its_asset(api, job):
    url = f"/v1/jobs/{job}/tasks/{{}}/picture"
    assert api.client("read").get(url.format(0)).status_code == 404
    task = expand.render_task(api.services.book.load(job), 1)
    for view, title, data in (
        ("elsewhere", "chair · night", b"RIFF chair"),
        (task.views[0].name, task.title, b"RIFF own"),
        ("another", "table · night", b"RIFF table"),
    ):
        api.glimpses.show(job, Glimpse(view=view, title=title, caption="c"), data)

    client = api.client("read")
    assert client.get(url.format(1)).content == b"RIFF own"
    assert client.get(url.format(5)).content == b"RIFF table"
    assert client.get(url.format(99)).status_code == 404
