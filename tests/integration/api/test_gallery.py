"""The gallery of a job: what is found, how it is leafed through, what its small pictures show."""

from __future__ import annotations

import io
import itertools

import httpx
import numpy as np
import pytest
from PIL import Image

from farm.api.datasets.gallery import Leafing, list_cards
from farm.storage import FolderStorage
from tests.support.farms.api_server import ApiServer
from tests.support.farms.galleries import a_job_with, emptied
from tests.support.leafing import leafed
from tests.support.sentences import write_sentences
from tests.support.sequences import write_sequences


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def tables(api, tmp_path_factory):
    """Three views of tables with sentences about them."""
    folder = tmp_path_factory.mktemp("tables")
    write_sentences(folder)
    return a_job_with(api, folder, name="tables", seed=1)


@pytest.fixture(scope="module")
def films(api, tmp_path_factory):
    """Two sequences of four frames, with labels, points that are followed and no previews."""
    folder = tmp_path_factory.mktemp("films")
    passes = ("rgb", "mask", "depth", "normal", "index", "flow_forward", "tracks")
    write_sequences(folder, passes=passes)
    return a_job_with(api, folder, name="films", seed=2)


def names(cards):
    return [card["name"] for card in cards]


@pytest.mark.parametrize(
    ("wish", "count"),
    [
        pytest.param({"asset": "studio.exr"}, 3, id="an asset of all"),
        pytest.param({"asset": "studio"}, 0, id="the whole name of an asset"),
        pytest.param({"category": "surface"}, 3, id="a class"),
        pytest.param({"category": "zebra"}, 0, id="a class that is not there"),
        pytest.param({"worker": "here"}, 3, id="a worker"),
        pytest.param({"worker": "elsewhere"}, 0, id="another worker"),
        pytest.param({"facet": "framing=medium"}, 3, id="what the recipe counts by"),
        pytest.param({"facet": "framing=loose"}, 0, id="another word of it"),
        pytest.param({"view": "table_0001"}, 1, id="its name"),
        pytest.param({"view": "table_000"}, 0, id="its whole name"),
        pytest.param({"flag": "empty"}, 0, id="a flag"),
        pytest.param({"find": "STUDIO table_0002"}, 1, id="words"),
        pytest.param({"side": "0,0"}, 0, id="a side from which nothing is seen"),
        pytest.param({"side": "8,18"}, 3, id="the side from which all is seen"),
        pytest.param({"sequence": "street"}, 0, id="a sequence"),
    ],
)
def test_views_are_found_by_what_they_show(api, tables, wish, count):
    assert len(leafed(api.client("read"), tables, **wish)) == count


def test_kind_level_and_truth_are_of_one_sentence(api, tables):
    said = [
        (each["kind"], each["level"], each["negative"])
        for card in leafed(api.client("read"), tables)
        for each in card["sentences"]
    ]
    assert len(set(said)) > 1
    for kind, level, negative in itertools.product(*map(set, zip(*said, strict=True))):
        found = leafed(api.client("read"), tables, kind=kind, level=level, negative=negative)

        assert bool(found) is ((kind, level, negative) in said)


def test_every_field_of_the_coverage_leads_to_the_views_that_it_counts(api, tables):
    stats = api.client("read").get(f"/v1/datasets/{tables}/coverage").json()["stats"]

    for what, rows in (("side", stats["dome"]), ("size", stats["size"])):
        filled = [
            (row, at) for row, cells in enumerate(rows) for at, count in enumerate(cells) if count
        ]
        assert filled
        for row, at in filled:
            assert leafed(api.client("read"), tables, **{what: f"{row},{at}"}), (what, row, at)


def test_a_sequence_is_one_card_and_its_frames_are_found(api, films):
    cards = leafed(api.client("read"), films, once=True)

    assert len(cards) == 2
    for card in cards:
        moment = card["moment"]
        frames = leafed(api.client("read"), films, sequence=moment["sequence"], limit=3)
        assert [each["moment"]["place"] for each in frames] == [0, 1, 2, 3]
        assert (moment["of"], moment["fps"]) == (4, 24.0)
    assert len(leafed(api.client("read"), films)) == 8


def test_a_sequence_is_one_card_wherever_pages_begin(api, films):
    cards = leafed(api.client("read"), films, once=True, limit=1)

    assert len(cards) == len({card["moment"]["sequence"] for card in cards}) == 2


def test_a_card_says_where_to_leaf_on_from(api, films):
    cards = leafed(api.client("read"), films)

    for place, card in enumerate(cards):
        assert names(leafed(api.client("read"), films, cursor=card["cursor"])) == names(
            cards[place:]
        )


def test_a_view_is_found_by_its_name_while_its_task_runs_and_after(api, films):
    [card] = leafed(api.client("read"), films, view=leafed(api.client("read"), films)[5]["name"])
    hints = {"task": card["task_id"], "dataset": card["dataset"]}

    again = leafed(api.client("read"), films, view=card["name"])
    there = leafed(api.client("read"), films, view=card["name"], **hints)

    assert again == [card]
    assert there in ([card], [])  # folded: not where its task was


def slow_answers(api, job, **asked):
    """Yield the pages that a storage gives of which two views take longer than people wait."""
    seconds = itertools.count(0.0, 0.3)
    storage, cursor = FolderStorage(api.root), None
    while True:
        wish = Leafing(**asked, cursor=cursor)
        page = list_cards(storage, api.services.book.load(job), wish, clock=lambda: next(seconds))
        yield page
        cursor = page.next
        if cursor is None:
            break


def test_an_answer_takes_no_longer_than_people_wait(api, tables):
    """Where nothing is found the answer is empty, with a place to look on from."""
    pages = list(slow_answers(api, tables, find="zebra"))

    assert not any(page.items for page in pages)
    assert 1 < len(pages) <= 4


def test_a_sequence_is_one_card_also_where_an_answer_ends_in_its_midst(api, films):
    pages = list(slow_answers(api, films, once=True))

    cards = [card.moment.sequence for page in pages for card in page.items]
    assert len(pages) > 2
    assert len(cards) == len(set(cards)) == 2


@pytest.mark.parametrize(
    "wish", [{"flag": "blue"}, {"side": "9"}, {"limit": 501}, {"kind": "x"}, {"colour": "red"}]
)
def test_what_cannot_be_looked_for_is_said_so(api, tables, wish):
    answer = api.client("read").get(f"/v1/datasets/{tables}/gallery", params=wish)

    assert answer.status_code == 422
    assert next(iter(wish)) in answer.json()["detail"]


def picture(api, job, card, name, **asked):
    file = card["pictures"][name]
    place = f"/v1/datasets/{job}/thumbnails/{file['sha256']}/{file['path']}"
    return api.client("read").get(place, params={"pass": name} | asked)


@pytest.mark.parametrize("name", ["rgb", "mask", "depth", "normal", "index", "flow_forward"])
def test_every_label_has_a_small_picture_that_shows_something(api, films, name):
    card = leafed(api.client("read"), films)[1]
    answer = picture(api, films, card, name)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (64, 64, 3)
    assert pixels.std() > 5


def test_the_picture_of_an_index_tells_things_apart_by_colour(api, films):
    answer = picture(api, films, leafed(api.client("read"), films)[1], "index")
    pixels = np.asarray(Image.open(io.BytesIO(answer.content))).astype(int)

    spread = pixels.max(axis=-1) - pixels.min(axis=-1)
    assert spread.max() > 60, "numbers 1, 2, 3 are colours, not blacks"


def test_passes_that_are_arrays_say_so(api, films):
    card = leafed(api.client("read"), films)[0]

    assert card["without_picture"] == ["tracks"]
    assert "tracks" not in card["pictures"]


def test_a_file_is_not_shown_as_another_pass(api, films):
    card = leafed(api.client("read"), films)[0]

    file = card["pictures"]["depth"]
    place = f"/v1/datasets/{films}/thumbnails/{file['sha256']}/{file['path']}"
    for wrong in ("rgb", "index", "flow_forward"):
        answer = api.client("read").get(place, params={"pass": wrong})
        assert answer.status_code == 422, wrong
    assert api.client("read").get(place).status_code == 422


def test_small_pictures_of_each_pass_and_size_are_kept_apart(api, films):
    card = leafed(api.client("read"), films)[0]
    tags = {
        picture(api, films, card, "depth", size=size).headers["etag"] for size in (256, 512, 1024)
    }

    assert len(tags) == 3


def test_the_coverage_knows_what_is_asked_for(api, tables):
    told = api.client("read").get(f"/v1/datasets/{tables}/coverage").json()
    asked = told["asked"]

    assert (asked["views"], asked["exact"]) == (100, True)
    assert {each["name"]: each["views"] for each in asked["assets"]} == {
        "chair.blend": 100,
        "studio.exr": 100,
    }
    assert asked["categories"] == {"object": 100}
    assert sum(map(sum, asked["dome"])) == 100
    assert asked["more"] == "--set recipe.yaw_per_pitch=20"
    assert told["workers"] == {"here": 3}


def test_the_coverage_counts_sequences(api, films):
    assert api.client("read").get(f"/v1/datasets/{films}/coverage").json()["sequences"] == 2


def test_galleries_of_others_stay_hidden(api, tables):
    for place in ("gallery?find=x", "coverage"):
        answer = httpx.get(f"{api.url}/v1/datasets/{tables}/{place}", timeout=120)
        assert answer.status_code == 401
