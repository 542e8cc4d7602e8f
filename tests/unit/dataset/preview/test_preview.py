"""A dataset is looked at as a sheet, a view or a page: every pass in colours, nothing missing."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest

from farm.dataset.preview.preview import find_view, page_of, picture_of, sheet_of
from farm.dataset.preview.selection import choose_views
from farm.dataset.reader import DatasetError, open_dataset
from farm.spec.label import IndexLabel
from farm.spec.passes import VIEW_PASSES
from tests.builders import a_record
from tests.support.datasets import write_dataset

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")
Image = pytest.importorskip("PIL.Image")

from farm.dataset.preview.colour_maps import BACKGROUND, paint, turbo  # noqa: E402  needs Pillow's extra
from farm.dataset.preview.overlay import draw_objects  # noqa: E402
from farm.dataset.preview.tiles import view_tiles  # noqa: E402


def data_of(page: str) -> dict:
    """Return what a page holds, with the views of all its pages."""
    elements = re.findall(
        r'<script type="application/json" id="([^"]+)">(.*?)</script>', page, re.DOTALL
    )
    (first, head), *pages = elements
    assert first == "data"
    assert [name for name, _ in pages] == [f"page-{number}" for number in range(len(pages))]
    views = [json.loads(text) for _, text in pages]
    index = json.loads(head)
    assert index["views"] == [view["roles"] for page in views for view in page]
    return index | {"pages": views, "views": [view for page in views for view in page]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("all") / "balls"
    write_dataset(folder, views=8, models=2, hdrs=2, objects=2)
    return open_dataset(folder)


def test_a_page_holds_the_passes_and_records_of_its_views_and_loads_nothing(data):
    page, shown = page_of(data, limit=5)

    found = data_of(page)
    assert shown == len(found["views"]) == 5
    assert "8 views" in found["subtitle"]
    assert "5 views shown" in found["subtitle"]
    titles = [tile["title"] for tile in found["views"][0]["tiles"]]
    assert titles == ["rgb", "objects", *VIEW_PASSES[1:]]
    assert {view["roles"]["model"][0] for view in found["views"]} == {"ball000", "ball001"}
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    for tile in found["views"][0]["tiles"]:
        kind, _, text = tile["src"].partition(",")
        assert kind == "data:image/webp;base64"
        assert Image.open(io.BytesIO(base64.b64decode(text))).size == (400, 300)


def test_more_views_than_are_quick_to_show_are_leafed_through(tmp_path):
    write_dataset(tmp_path, views=60, models=2, hdrs=1, passes=("rgb",))

    found = data_of(page_of(open_dataset(tmp_path), limit=1000)[0])

    assert [len(page) for page in found["pages"]] == [48, 12]
    assert len({view["key"] for view in found["views"]}) == 60


def test_many_views_of_one_model_are_shown_if_asked_for(tmp_path):
    write_dataset(tmp_path, views=70, models=1, hdrs=1, passes=("rgb",))
    data = open_dataset(tmp_path)

    few = choose_views((view.record for view in data), limit=300)

    assert len(few) == 70


def test_a_page_of_several_datasets_says_which_one_a_view_is_in(tmp_path):
    """Views of a grid have the same names."""
    for first, name in enumerate(("a", "a/inner", "ab")):
        write_dataset(tmp_path / name, views=1, first=first, passes=("rgb",))
    data = open_dataset(tmp_path)

    page, _shown = page_of(data, limit=5)

    shown = data_of(page)["views"]
    assert {view["key"] for view in shown} == {view.key for view in data}
    assert {view["record"]["files"]["rgb"]["path"] for view in shown} == {
        view.record.files["rgb"].path for view in data
    }
    assert not any(tile["note"] == "cannot be read" for view in shown for tile in view["tiles"])


def test_a_strangers_name_does_not_end_the_pages_data(tmp_path):
    write_dataset(tmp_path, views=1, passes=("rgb",))
    views = tmp_path / "views.jsonl"
    evil = "</script><script>alert(1)</script>.blend"
    views.write_text(views.read_text().replace('"name":"ball000.blend"', f'"name":"{evil}"'))

    page, _ = page_of(open_dataset(tmp_path), limit=1)

    assert "alert(1)</script>" not in page
    assert data_of(page)["views"][0]["record"]["assets"][0]["name"] == evil


def test_a_views_passes_stand_side_by_side(data):
    picture = Image.open(io.BytesIO(picture_of(data, data[3].name)))

    assert picture.format == "PNG"
    assert picture.width > picture.height > 1000
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 1000


def test_a_broken_pass_is_a_tile_that_says_so(tmp_path):
    write_dataset(tmp_path, views=1, passes=("rgb", "depth"))
    view = open_dataset(tmp_path)[0]
    (tmp_path / view.path("depth")).write_bytes(b"nothing")

    tiles = list(view_tiles(view, side_px=64))

    assert [(tile.title, tile.note) for tile in tiles] == [
        ("rgb", ""),
        ("objects", "vase"),
        ("depth", "cannot be read"),
    ]


def test_what_is_smaller_than_a_pixel_of_a_tile_is_a_point(data):
    """Pages of many views have small tiles, and views of many things have small boxes."""
    view = data[0]
    ball, *others = view.record.objects
    small = ball.model_copy(update={"box_px": (20.25, 12.25, 20.5, 12.5)})
    record = view.record.model_copy(update={"objects": (small, *others)})

    drawn = draw_objects(Image.new("RGB", (16, 12)), record)

    assert np.asarray(drawn).any()


def test_a_sheet_of_several_datasets_shows_labels_where_there_is_no_picture(tmp_path):
    write_dataset(tmp_path / "a", views=2, passes=("depth",))
    write_dataset(tmp_path / "b", views=2, passes=("rgb", "mask"))

    sheet = Image.open(io.BytesIO(sheet_of(open_dataset(tmp_path), limit=4)))

    reddish = np.asarray(sheet).astype(int)
    assert (reddish[..., 0] - reddish[..., 2] > 100).mean() > 0.001  # what is near in a depth


def test_views_are_found_by_name_and_by_key(tmp_path):
    write_dataset(tmp_path / "a", views=2, passes=("mask",))
    write_dataset(tmp_path / "b", views=2, passes=("mask",))
    opened = open_dataset(tmp_path)

    assert find_view(opened, opened[2].key).key == opened[2].key
    with pytest.raises(DatasetError, match=r"2 views are called .*; say which: a/"):
        find_view(opened, opened[0].name)
    with pytest.raises(DatasetError, match="no view is called 'x'"):
        find_view(opened, "x")


def test_colours_say_what_a_label_holds():
    depth = np.array([[1.0, 2.0, np.inf]], np.float32)
    colours, note = paint("depth", depth, a_record())
    assert note == "1 to 2"
    assert colours[0, 0, 0] > colours[0, 0, 2] + 50  # near is red
    assert colours[0, 1, 2] > colours[0, 1, 0] + 50  # far is blue
    assert tuple(colours[0, 2]) == BACKGROUND
    record = a_record(indices=(IndexLabel(index=3, name="leg", colour=(1, 2, 3)),))
    colours, note = paint("index", np.array([[0, 3]], np.uint16), record)
    assert (colours.tolist(), note) == ([[list(BACKGROUND), [1, 2, 3]]], "1 value")
    flow = np.array([[[2.0, 0.0], [-2.0, 0.0], [0.0, 0.0]]], np.float32)
    colours, note = paint("flow_forward", flow, a_record())
    assert note == "up to 2 px"
    assert np.abs(colours[0, 0].astype(int) - colours[0, 1]).max() > 200


def test_turbo_goes_from_blue_by_green_to_red():
    colours = turbo(np.array([0.1, 0.5, 0.9]))

    assert colours.argmax(axis=-1).tolist() == [2, 1, 0]
