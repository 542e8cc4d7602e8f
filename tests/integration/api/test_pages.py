"""The pages without a browser: who sees what, who may press what, what other sites cannot."""

from __future__ import annotations

import re
import time

import httpx
import imagecodecs
import numpy as np
import pytest

from farm.api.browser import rendering
from farm.api.browser.cookies import COOKIE
from farm.job_store import prefix_of
from farm.ledger import JobState
from farm.spec.task import view_id
from tests.builders import a_record
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.galleries import emptied
from tests.support.leafing import leafed

HTML = {"accept": "text/html,application/xhtml+xml"}
EVIL = '<script>alert("x")</script> & <b>chairs</b>'


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def job(api):
    for data in (MODEL, HDR):
        api.upload(data)
    sent = body(a_submission(seed=16)) | {"name": EVIL}
    answer = api.client("submit").post("/v1/jobs", json=sent)
    assert answer.status_code == 201, answer.text
    return answer.json()["job_id"]


def browser(api, role=None):
    """Return what a browser is to the server: it keeps cookies and asks for pages."""
    client = httpx.Client(base_url=api.url, headers=HTML, timeout=60)
    api.clients.append(client)
    if role:
        answer = client.post("/login", data={"token": api.tokens[role], "next": "/workers"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/workers")
    return client


def csrf_in(page):
    return re.search(r'data-csrf="([0-9a-f]+)"', page.text)[1]


def test_whoever_has_no_token_is_asked_for_one_and_comes_back(api, job):
    answer = browser(api).get(f"/jobs/{job}?find=red")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next=/jobs/{job}%3Ffind%3Dred"
    assert 'name="token"' in browser(api).get(answer.headers["location"]).text


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example", "/\\e", "x"]
)
def test_a_login_leads_to_no_other_site(api, wanted):
    sent = {"token": api.tokens["read"], "next": wanted}

    assert browser(api).post("/login", data=sent).headers["location"] == "/"


def test_a_wrong_token_is_told_so_and_is_not_shown_again(api):
    answer = browser(api).post("/login", data={"token": "farm_000000000000_secret"})

    assert answer.status_code == 401
    assert "not known here" in answer.text
    assert "secret" not in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_scripts_and_other_sites_never_get_the_cookie(api):
    answer = browser(api).post("/login", data={"token": api.tokens["read"]})

    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said


def test_a_cookie_lasts_no_longer_than_its_token(api):
    token, _ = api.services.tokens.create("ann", "read", expires_s=time.time() + 100)

    answer = browser(api).post("/login", data={"token": token})

    age = int(re.search(r"Max-Age=(\d+)", answer.headers["set-cookie"])[1])
    assert 90 <= age <= 100


PLACES = [
    "/",
    "/new",
    "/assets",
    "/assets/words",
    "/datasets",
    "/workers",
    "/account",
    "/login",
    "/nothing/here",
]


@pytest.mark.parametrize("place", PLACES)
def test_pages_run_no_code_of_others_and_stand_in_no_frame(api, job, place):
    answer = browser(api, "read").get(place)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|https?://", answer.text)


def test_names_are_text_and_never_markup(api, job):
    client = browser(api, "admin")

    for place in ("/", f"/jobs/{job}"):
        page = client.get(place).text
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<b>chairs</b>" not in page


def test_a_reader_sees_no_buttons_and_cannot_press_them(api, job):
    client = browser(api, "read")
    page = client.get(f"/jobs/{job}")

    assert "/pause" not in page.text
    told = client.post(f"/jobs/{job}/pause", data={"csrf": csrf_in(page)})
    assert told.status_code == 403
    assert "only its owner and admins may change it" in told.text
    assert api.ledger.job(job).state is JobState.QUEUED


def test_the_owner_s_own_reading_token_changes_nothing(api, job):
    token, _ = api.services.tokens.create(api.ledger.job(job).owner, "read")
    client = browser(api)
    client.post("/login", data={"token": token})

    told = client.post(f"/jobs/{job}/pause", data={"csrf": csrf_in(client.get("/"))})
    assert told.status_code == 403
    assert "role submit" in told.text


def test_a_form_from_elsewhere_changes_nothing(api, job):
    client = browser(api, "admin")

    for sent in ({}, {"csrf": "0" * 32}):
        told = client.post(f"/jobs/{job}/cancel", data=sent)
        assert told.status_code == 403
        assert "does not come from a page of this farm" in told.text
    assert api.ledger.job(job).state is JobState.QUEUED


def test_a_cookie_alone_changes_nothing_by_the_api(api, job):
    client = browser(api, "admin")
    word = csrf_in(client.get("/"))

    told = client.post(f"/v1/jobs/{job}/pause")
    assert told.status_code == 403
    assert "does not come from a page of the farm" in told.json()["detail"]
    assert client.post(f"/v1/jobs/{job}/pause", headers={"Farm-Csrf": word}).is_success
    assert client.post(f"/v1/jobs/{job}/resume", headers={"Farm-Csrf": word}).is_success


def test_a_cookie_is_enough_to_look_by_the_api(api, job):
    assert browser(api, "read").get(f"/v1/jobs/{job}").json()["name"] == EVIL


def test_whoever_owns_a_job_steers_it(api, job):
    client = browser(api, "submit")
    word = csrf_in(client.get("/"))

    answer = client.post(f"/jobs/{job}/pause", data={"csrf": word})
    assert answer.headers["location"] == f"/jobs/{job}"
    assert api.ledger.job(job).state is JobState.PAUSED
    assert "Paused, 0 of 8 views" in client.get(f"/jobs/{job}").text
    client.post(f"/jobs/{job}/resume", data={"csrf": word})
    client.post(f"/jobs/{job}/priority", data={"csrf": word, "priority": "7"})
    assert api.ledger.job(job).priority == 7


@pytest.mark.parametrize("text", ["", "x", "--5", "²", "1.5", "101", "NaN", "9" * 5000])
def test_a_priority_that_is_no_number_is_told(api, job, text):
    client = browser(api, "submit")
    sent = {"csrf": csrf_in(client.get("/")), "priority": text}

    answer = client.post(f"/jobs/{job}/priority", data=sent, headers={"Accept": "*/*"})
    assert answer.status_code == 422
    told = f"priority: {text[:20]!r} is not a whole number from -100 to 100"
    assert answer.json()["detail"] == told


def test_the_pages_lead_to_flower_where_it_is_known(api, monkeypatch):
    unknown = browser(api, "read").get("/flower")
    assert unknown.status_code == 404
    assert "set FARM_FLOWER_URL" in unknown.text

    known = api.services.settings.model_copy(update={"flower_url": "http://127.0.0.1:5555"})
    monkeypatch.setattr(api.services, "settings", known)
    answer = browser(api, "read").get("/flower")
    assert (answer.status_code, answer.headers["location"]) == (303, "http://127.0.0.1:5555")
    assert browser(api).get("/flower").headers["location"] == "/login?next=/flower"


def test_who_logs_out_is_out(api):
    client = browser(api, "read")
    client.post("/logout", data={"csrf": csrf_in(client.get("/"))})

    assert client.get("/").status_code == 303


def test_the_list_is_found_and_sorted_by_its_address(api, job):
    client = browser(api, "read")

    assert job in client.get(f"/?q=CHAIRS&state={api.ledger.job(job).state}&sort=-name").text
    assert "No job fits." in client.get("/?q=no+such+job").text
    assert client.get("/?sort=colour").status_code == 422


def test_an_error_is_a_page_for_people_and_a_document_for_programs(api):
    client = browser(api, "read")

    page = client.get("/jobs/000000000000")
    assert page.status_code == 404
    assert "What helps" in page.text
    plain = client.get("/jobs/000000000000", headers={"accept": "application/json"})
    assert plain.json()["remedy"]


def test_a_script_has_another_address_where_any_that_it_imports_is_another(monkeypatch):
    before = rendering.static_url("job.js")
    changed = rendering.static_files() | {"live.js": b"// another release"}

    monkeypatch.setattr(rendering, "static_files", lambda: changed)
    rendering.static_version.cache_clear()
    try:
        assert rendering.static_url("job.js") != before
    finally:
        monkeypatch.undo()
        rendering.static_version.cache_clear()
    assert rendering.static_url("job.js") == before


def test_scripts_are_kept_by_browsers_under_the_hash_of_what_they_hold(api):
    page = browser(api).get("/login").text
    [place] = re.findall(r'href="(/static/[0-9a-f]{16}/farm\.css)"', page)

    answer = httpx.get(f"{api.url}{place}", timeout=120)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert httpx.get(f"{api.url}/static/0/auth.py", timeout=120).status_code == 404
    other = httpx.get(f"{api.url}/static/{'0' * 16}/farm.css", timeout=120)  # of another release
    assert other.headers["cache-control"] == "no-cache"


# The gallery


@pytest.fixture(scope="module")
def gallery(api, job):
    """Return the job, with eight views of four tasks on storage."""
    from farm import expand
    from worker.render.writers.record_book import RecordBook

    for task in expand.expand(api.services.book.load(job)):
        book = RecordBook(task, api.storage)
        for view in task.views:
            colour = np.full((64, 64, 3), 20 * view.index, np.uint8)
            files = {"rgb": imagecodecs.png_encode(colour)}
            record = a_record(view, files=files, model=task.assets[0], hdr=task.assets[1])
            for name, file in record.files.items():
                api.storage.put(f"{task.dataset}/{file.path}", files[name])
            told = {"view_id": view_id(task, view), "task_id": task.task_id}
            book.add(record.model_copy(update=told))
    return job


def test_views_are_leafed_through_page_by_page(api, gallery):
    names = [card["name"] for card in leafed(api.client("read"), gallery, limit=3)]

    assert len(names) == len(set(names)) == 8


def test_views_are_found_by_words(api, gallery):
    client = api.client("read")

    assert len(leafed(client, gallery, find="CHAIR studio")) == 8
    assert leafed(client, gallery, find="zebra") == []


def test_a_small_picture_is_of_the_file_with_that_hash(api, gallery):
    client = api.client("read")
    card = leafed(client, gallery)[3]
    file = card["pictures"]["rgb"]
    place = f"/v1/datasets/{gallery}/thumbnails/{file['sha256']}/{file['path']}"

    answer = client.get(place)
    assert answer.headers["content-type"] == "image/webp"
    assert imagecodecs.webp_decode(answer.content).shape == (64, 64, 3)
    assert client.get(place, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    other = place.replace(file["sha256"], "0" * 64)
    assert client.get(other).status_code == 404
    assert client.get(place.replace("images/", "../../auth/")).status_code in (404, 422)


def test_small_pictures_take_no_more_than_their_bound(tmp_path):
    from farm.api.datasets.thumbnails import Thumbnails, Wanted
    from farm.storage import FolderStorage, hash_of

    storage = FolderStorage(tmp_path / "storage")
    kept = Thumbnails(tmp_path / "kept", kept_bytes=2000)
    rng = np.random.default_rng(0)
    for number in range(12):
        noise = rng.integers(0, 255, (64, 64, 3), np.uint8)
        storage.put(f"{number}.png", imagecodecs.png_encode(noise))
        kept.picture(storage, f"{number}.png", Wanted(hash_of(storage, f"{number}.png"), 256))

    assert sum(each.stat().st_size for each in (tmp_path / "kept").glob("*/*")) < 2 * 2000 + 4000


def test_prefixes_of_jobs_hold_their_galleries(api, gallery):
    assert any(key.startswith(prefix_of(gallery)) for key in api.storage.keys(prefix_of(gallery)))


# What the pages ask the API for


def test_a_code_logs_a_browser_in_once(api, job):
    code = api.client("read").get("/v1/sign-in-code").json()["code"]
    client = browser(api)

    answer = client.get(f"/enter/{code}?next=/jobs/{job}")
    assert answer.headers["location"] == f"/jobs/{job}"
    assert "a reader" in client.get(f"/jobs/{job}").text
    again = browser(api).get(f"/enter/{code}")
    assert again.status_code == 401
    assert "once, for a minute" in again.text


def test_a_code_is_good_for_a_minute():
    from farm.api.browser.codes import GOOD_S, SignInCodes

    now = [0.0]
    codes = SignInCodes(clock=lambda: now[0])
    early, late = codes.give("one"), codes.give("two")
    now[0] = GOOD_S
    assert codes.take(early) == "one"
    now[0] = GOOD_S + 1
    assert codes.take(late) is None


def test_the_states_of_all_tasks_are_one_answer(api, job):
    told = api.client("read").get(f"/v1/jobs/{job}/tasks/bitmap").text

    assert len(told) == 4
    assert set(told) <= set("pqrdfsl")


def test_failures_that_are_alike_are_told_once(api):
    from tests.support.farms.api_server import a_submission as submission

    sent = body(submission(tasks=3, seed=5))
    job = api.client("submit").post("/v1/jobs", json=sent).json()["job_id"]
    for index, size in ((0, 10), (1, 2000)):
        [ticket] = api.ledger.take_these(job, [index])
        api.ledger.claim(ticket, "w0")
        api.ledger.fail(ticket, "asset", f"chair.blend: {size} bytes are bad")

    [told] = api.client("read").get(f"/v1/jobs/{job}/tasks/troubles").json()
    assert (told["cause"], told["tasks"], told["indices"]) == ("asset", 2, [0, 1])
    assert told["titles"] == ["chair · studio"]


def test_the_newest_pictures_are_told_and_shown(api, job):
    from farm.glimpses import Glimpse

    webp = imagecodecs.webp_encode(np.zeros((8, 8, 3), np.uint8))
    api.glimpses.show(job, Glimpse(view="v", title=EVIL, caption="c"), webp)
    client = api.client("read")

    [told] = client.get(f"/v1/jobs/{job}/newest").json()
    assert told["title"] == EVIL
    answer = client.get(f"/v1/jobs/{job}/newest/{told['number']}")
    assert (answer.content, answer.headers["content-type"]) == (webp, "image/webp")
    assert client.get(f"/v1/jobs/{job}/newest/{told['number'] + 1}").status_code == 404


def test_what_the_views_cover_is_counted(api, gallery):
    told = api.client("read").get(f"/v1/datasets/{gallery}/coverage").json()

    assert told["looked_at"] == 8
    assert sum(map(sum, told["stats"]["dome"])) == 8
    assert {asset["name"]: asset["views"] for asset in told["stats"]["assets"]} == {
        "chair.blend": 8,
        "studio.exr": 8,
    }


def test_files_are_named_as_the_command_line_names_them(api):
    files = [
        {"role": "models", "name": "wooden_chair_01.blend", "sha256": "a" * 64, "size_bytes": 1},
        {"role": "models", "name": "wooden_chair_02.blend", "sha256": "b" * 64, "size_bytes": 2},
        {"role": "hdrs", "name": "wooden_hall.exr", "sha256": "c" * 64, "size_bytes": 3},
    ]
    told = api.client("submit").post("/v1/assets/named", json={"files": files}).json()

    assert [asset["id"] for asset in told] == ["wooden-chair-01", "wooden-chair-02", "wooden"]
    assert [asset["kind"] for asset in told] == ["model", "model", "hdr"]


def test_recipes_are_told_with_their_fields(api):
    told = api.client("read").get("/v1/recipes").json()

    known = {recipe["name"]: recipe for recipe in told["recipes"]}
    assert {role["name"] for role in known["sod"]["roles"]} == {"models", "hdrs"}
    assert [mode["properties"]["mode"]["const"] for mode in known["sod"]["modes"]] == [
        "grid",
        "augmented",
        "rig",
    ]
    assert known["script"]["runs_code"]
    assert "samples" in told["render"]["properties"]


def test_the_commands_of_a_page_can_be_pasted_into_a_shell(api, job):
    page = browser(api, "submit").get(f"/jobs/{job}").text

    assert f"farm download {job}\n" in page
    assert "farm dataset verify script-alert-x-script-b-chairs-b\n" in page
