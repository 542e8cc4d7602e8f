"""The library as people look at it: who sees what, by which licence, with which pictures."""

from __future__ import annotations

import re

import imagecodecs
import numpy as np
import pytest

from farm.glimpses import Glimpse
from farm.spec.asset import Credit
from tests.support.farms.api_server import ApiServer, a_submission, asset, body
from tests.support.farms.galleries import emptied
from tests.support.farms.rendered import render

EVIL = "<script>alert(1)</script>"
CUP, BOX = b"a cup", b"a box"
SKY = bytes(
    imagecodecs.rgbe_encode(np.linspace(0, 3000, 32 * 64 * 3, dtype=np.float32).reshape(32, 64, 3))
)
BROKEN = b"#?RADIANCE\nno sky at all"


def library_job(api, *, role="submit", name="cups", seed=0, model=CUP, credit=None, **named):
    """Submit a job of a model under a sky, with a credit; return its id and its assets."""
    credit = credit or Credit(name=f"Cup {EVIL}", author="Ann", licence="cc0", category="cup")
    file = named.get("file", "Mug_Red_v2.blend")
    sky, sky_name = named.get("sky", SKY), named.get("sky_name", "studio.hdr")
    for data in (model, sky):
        upload(api, data, role)
    assets = (asset("model", file, model, credit=credit), asset("hdr", sky_name, sky))
    sent = a_submission(seed=seed, models=(file,), hdrs=(sky_name,))
    sent = sent.model_copy(update={"assets": assets})
    answer = api.client(role).post("/v1/jobs", json=body(sent) | {"name": name})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["job_id"], assets


def upload(api, data, role):
    import hashlib

    headers = {"Upload-Offset": "0", "Upload-Length": str(len(data))}
    place = f"/v1/assets/{hashlib.sha256(data).hexdigest()}/upload"
    assert api.client(role).patch(place, content=data, headers=headers).is_success


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def cups(api):
    """Return jobs of a cup, of the same cup and of a box without a licence, and their assets."""
    job, assets = library_job(api)
    again, _ = library_job(api, seed=5, name="more cups")
    boxes, others = library_job(api, name="boxes", model=BOX, file="thing.blend", credit=Credit())
    return {
        "job": job,
        "again": again,
        "boxes": boxes,
        "cup": assets[0],
        "sky": assets[1],
        "box": others[0],
    }


def shelf(api, role="read", **query):
    answer = api.client(role).get("/v1/assets/shelf", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_assets_are_told_with_licence_size_and_the_jobs_that_took_them(api, cups):
    found = {each["sha256"]: each for each in shelf(api)["items"]}

    cup = found[cups["cup"].sha256]
    assert (cup["name"], cup["licence"], cup["author"]) == ("Mug_Red_v2.blend", "CC0 1.0", "Ann")
    assert cup["licence_url"].startswith("https://creativecommons.org/")
    assert cup["size_bytes"] == len(CUP)
    assert cup["jobs"] == 2
    assert {each["name"] for each in cup["newest_jobs"]} == {"cups", "more cups"}
    assert found[cups["box"].sha256]["licence"] is None
    assert found[cups["sky"].sha256]["jobs"] == 3


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({"find": "ANN mug"}, {"Mug_Red_v2.blend"}, id="words"),
        pytest.param({"kind": "hdr"}, {"studio.hdr"}, id="kind"),
        pytest.param({"licence": "CC0 1.0"}, {"Mug_Red_v2.blend"}, id="licence"),
        pytest.param({"licence": "unknown"}, {"thing.blend", "studio.hdr"}, id="no licence"),
        pytest.param({"find": "zebra"}, set(), id="nothing"),
    ],
)
def test_assets_are_found_by_what_is_known_of_them(api, cups, query, names):
    found = shelf(api, **query)

    assert {each["name"] for each in found["items"]} == names
    assert found["total"] == len(names)


def test_the_list_comes_in_pages_and_refuses_cursors_of_others(api, cups):
    names, cursor = [], None
    while True:
        part = shelf(api, limit=1, **({"cursor": cursor} if cursor else {}))
        names += [each["name"] for each in part["items"]]
        cursor = part["next"]
        if cursor is None:
            break
    assert sorted(names) == ["Mug_Red_v2.blend", "studio.hdr", "thing.blend"]
    answer = api.client("read").get("/v1/assets/shelf", params={"cursor": "1"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "cursor: this server did not issue it"


def test_a_failure_is_told_at_the_asset_that_it_names(api, cups):
    for index, sentence in ((0, "thing.blend cannot be read"), (1, "the disk is full")):
        [ticket] = api.ledger.take_these(cups["boxes"], [index])
        api.ledger.claim(ticket, "w0")
        api.ledger.fail(ticket, "asset" if index == 0 else "disk", sentence)

    [failed] = shelf(api, failed="true")["items"]
    assert (failed["name"], failed["failed_tasks"]) == ("thing.blend", 1)
    assert failed["failed"] == "thing.blend cannot be read"


def test_an_environment_is_shown_tone_mapped_and_a_model_by_its_newest_view(api, cups):
    client = api.client("read")
    sky = client.get(f"/v1/assets/{cups['sky'].sha256}/picture")
    assert sky.headers["content-type"] == "image/webp"
    pixels = imagecodecs.webp_decode(sky.content)
    assert pixels.shape[:2] == (32, 64)
    assert pixels[0].mean() < 100 < pixels[-1].mean()
    again = client.get(
        f"/v1/assets/{cups['sky'].sha256}/picture", headers={"If-None-Match": sky.headers["etag"]}
    )
    assert again.status_code == 304

    place = f"/v1/assets/{cups['box'].sha256}/picture"
    assert client.get(place).status_code == 404
    render(api, cups["job"], 0)
    model = client.get(f"/v1/assets/{cups['cup'].sha256}/picture")
    assert imagecodecs.webp_decode(model.content).shape[:2] == (64, 64)


def test_a_model_that_left_no_file_is_shown_by_the_newest_picture_of_its_job(api, cups):
    job, (lamp, _) = library_job(api, seed=8, model=b"a lamp", file="lamp.glb", name="lamps")
    place = f"/v1/assets/{lamp.sha256}/picture"
    for title in ("lamp · studio", "other · studio"):
        shown = Glimpse(view="v", title=title, caption="")
        api.glimpses.show(job, shown, b"RIFF " + title.encode())

    assert api.client("read").get(place).content == b"RIFF lamp \xc2\xb7 studio"


def test_a_file_that_is_no_picture_ends_nothing_but_its_own_process(api, cups):
    job, assets = library_job(api, seed=9, sky=BROKEN, sky_name="broken.hdr", name="broken")

    for _ in range(2):
        answer = api.client("read").get(f"/v1/assets/{assets[1].sha256}/picture")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("broken.hdr has no picture: ")
    assert api.client("read").get(f"/v1/jobs/{job}").is_success


def test_assets_are_taken_again_whole(api, cups):
    files = [
        {"role": "models", "name": "x", "sha256": cups["cup"].sha256, "size_bytes": 1},
        {"role": "hdrs", "name": "x", "sha256": cups["sky"].sha256, "size_bytes": 1},
    ]
    answer = api.client("submit").post("/v1/assets/again", json={"files": files})

    assets = answer.json()
    assert assets[0]["credit"]["author"] == "Ann"
    assert [each["name"] for each in assets] == ["Mug_Red_v2.blend", "studio.hdr"]
    spec = body(a_submission(seed=77, models=("Mug_Red_v2.blend",), hdrs=("studio.hdr",)))["spec"]
    sent = api.client("submit").post("/v1/jobs", json={"spec": spec, "assets": assets})
    assert sent.status_code == 201, sent.text


def test_an_asset_that_does_not_fit_its_role_is_told(api, cups):
    files = [{"role": "models", "name": "x", "sha256": cups["sky"].sha256, "size_bytes": 1}]
    answer = api.client("submit").post("/v1/assets/again", json={"files": files})

    assert answer.status_code == 422
    assert "models: studio.hdr is not a 3D model" in answer.json()["detail"]


# Words


def words_in(api, role="read", **query):
    answer = api.client(role).get("/v1/assets/words", params=query)
    assert answer.status_code == 200, answer.text
    return {each["name"]: each for each in answer.json()["items"]}


def say(api, sha256, role="submit", **words):
    sent = {"entries": [{"sha256": sha256, "words": words}]}
    return api.client(role).put("/v1/assets/words", json=sent)


def test_words_are_guessed_until_somebody_confirms_them_and_outlive_the_server(api, cups):
    guessed = words_in(api)["Mug_Red_v2.blend"]
    assert (guessed["words"]["noun"], guessed["words"]["confirmed"]) == ("cup", False)

    answer = say(
        api, cups["cup"].sha256, noun="mug", synonyms="beaker", size_m=["0.07", 0.2], confirmed=True
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()[0]["why"] == "confirmed by a submiter"

    api.services.words._kept.clear()  # as after a restart
    kept = words_in(api)["Mug_Red_v2.blend"]["words"]
    assert (kept["noun"], kept["synonyms"], kept["size_m"]) == ("mug", ["beaker"], [0.07, 0.2])
    assert "Mug_Red_v2.blend" not in words_in(api, open="true")
    assert "thing.blend" in words_in(api, open="true")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(
            {"noun": "a mug"}, "thing.blend: noun: 'a mug' begins with an article", id="article"
        ),
        pytest.param({"confirmed": True}, "thing.blend: it has no noun", id="no noun"),
        pytest.param(
            {"noun": "mug", "colour": "red"}, "'colour' is not something that is known", id="field"
        ),
        pytest.param({"noun": "mug", "size_m": ["x", "1"]}, "thing.blend: size_m.0: ", id="size"),
    ],
)
def test_words_that_are_none_are_told_and_nothing_is_kept(api, cups, words, told):
    good = {"sha256": cups["cup"].sha256, "words": {"noun": "goblet", "confirmed": True}}
    sent = {"entries": [good, {"sha256": cups["box"].sha256, "words": words}]}
    answer = api.client("submit").put("/v1/assets/words", json=sent)

    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert words_in(api)["Mug_Red_v2.blend"]["words"]["noun"] != "goblet"


def test_who_may_only_look_says_nothing(api, cups):
    answer = say(api, cups["cup"].sha256, role="read", noun="goblet")

    assert answer.status_code == 403
    assert "role submit" in answer.json()["detail"]


def test_only_models_have_words(api, cups):
    answer = say(api, cups["sky"].sha256, noun="sky")
    assert answer.json()["detail"].startswith("studio.hdr: only models have words")
    assert say(api, "0" * 64, noun="sky").status_code == 404


# What is hidden


@pytest.fixture(scope="module")
def hidden(redis_server, tmp_path_factory):
    """A farm whose users do not see each other's jobs."""
    folder = tmp_path_factory.mktemp("hidden")
    with ApiServer(redis_server.url, folder, shared=False) as server:
        yield server


def test_what_others_hide_is_neither_listed_shown_nor_named(hidden):
    job, assets = library_job(hidden, seed=41, name="secret")
    token, _ = hidden.services.tokens.create("bob", "submit")
    hidden.tokens["bob"] = token

    mine = {each["sha256"] for each in shelf(hidden, "submit")["items"]}
    assert assets[0].sha256 in mine
    assert assets[0].sha256 in {each["sha256"] for each in shelf(hidden, "admin")["items"]}
    assert shelf(hidden, "bob")["items"] == []
    assert hidden.client("bob").get(f"/v1/assets/{assets[0].sha256}/picture").status_code == 404
    assert say(hidden, assets[0].sha256, role="bob", noun="mug").status_code == 404
    assert job not in hidden.client("bob").get("/v1/datasets").text


def test_words_of_users_who_hide_are_their_own(hidden):
    _, assets = library_job(hidden, seed=42, name="secret")
    hidden.tokens["eve"], _ = hidden.services.tokens.create("eve", "submit")
    library_job(hidden, role="eve", seed=43, name="mine")

    assert say(hidden, assets[0].sha256, noun="goblet", confirmed=True).is_success
    assert words_in(hidden, "eve")["Mug_Red_v2.blend"]["words"]["noun"] == "cup"


# The pages


def test_the_pages_show_names_as_text_and_buttons_to_those_who_may_press(api, cups):
    from tests.integration.api.test_pages import browser

    for role, buttons in (("read", False), ("submit", True)):
        client = browser(api, role)
        for place, button in (("/assets", "data-take-button"), ("/assets/words", "data-confirm")):
            answer = client.get(place)
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
            assert (button in answer.text) is buttons
            assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=", answer.text)
    assert "Cup &lt;script&gt;" in client.get("/assets").text
    assert "licence not known" in client.get("/assets?find=thing").text
    assert "No asset is here that fits" in client.get("/assets?find=zebra").text


def test_words_are_confirmed_without_scripts(api, cups):
    from tests.integration.api.test_pages import browser, csrf_in

    client = browser(api, "submit")
    word = csrf_in(client.get("/assets/words"))
    fields = {
        "sha256": cups["box"].sha256,
        "noun": "crate",
        "plural": "",
        "csrf": word,
        "open": "true",
    }

    assert (
        client.post("/assets/words", data=fields).headers["location"] == "/assets/words?open=true"
    )
    assert words_in(api)["thing.blend"]["words"]["noun"] == "crate"
    assert client.post("/assets/words", data=fields | {"csrf": "x"}).status_code == 403
    wrong = client.post("/assets/words", data=fields | {"noun": "a crate"})
    assert wrong.status_code == 422
    assert "begins with an article" in wrong.text
    reader = browser(api, "read")
    told = reader.post("/assets/words", data=fields | {"csrf": csrf_in(reader.get("/assets"))})
    assert told.status_code == 403
