"""The contact sheet shows all models and HDRIs, whatever the pictures' shape and depth."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest

from farm.dataset.preview.contact_sheet import contact_sheet
from farm.dataset.preview.selection import (
    KEPT_PER_SET,
    MOST_SETS,
    EvenSample,
    choose_views,
    sample_sets,
    set_of,
)
from farm.errors import SpecError
from farm.spec.task import dataset_key
from farm.storage import FolderStorage
from tests.builders import a_record, a_view, an_asset

imagecodecs = pytest.importorskip("imagecodecs")
Image = pytest.importorskip("PIL.Image")

RED = (200, 30, 30)


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("resolution_px", [(64, 64), (128, 64), (64, 160), (1024, 64)])
def test_a_sheet_shows_pictures_of_any_shape_and_depth(storage, resolution_px, dtype):
    records = [
        put_view(storage, index, resolution_px=resolution_px, dtype=dtype) for index in range(5)
    ]

    sheet = open_sheet(contact_sheet(storage, "vases", records))

    assert sheet.width <= 2400
    shown = np.asarray(sheet)
    white = shown.min(axis=-1) > 243
    assert is_red(shown).mean() > 0.05
    assert white.mean() > 0.05


@pytest.mark.parametrize("views", [1, 2, 7, 24])
def test_a_sheet_is_never_wider_than_a_page(storage, views):
    records = [put_view(storage, index) for index in range(views)]

    assert open_sheet(contact_sheet(storage, "vases", records)).width <= 2400


def test_a_picture_keeps_its_aspect_ratio(storage):
    sheet = open_sheet(
        contact_sheet(storage, "vases", [put_view(storage, 0, resolution_px=(200, 100))])
    )

    rows, columns = np.nonzero(is_red(np.asarray(sheet)))
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("data", [None, b"cut off"], ids=["missing", "broken"])
def test_a_picture_that_cannot_be_read_leaves_its_place_empty(storage, data):
    record = put_view(storage, 0)
    key = dataset_key("vases", record.files["rgb"].path)
    storage.delete(key) if data is None else storage.put(key, data)

    shown = np.asarray(open_sheet(contact_sheet(storage, "vases", [record])))

    assert not is_red(shown).any()


def test_nothing_to_show_is_said(storage):
    with pytest.raises(SpecError, match="vases has no views yet"):
        contact_sheet(storage, "vases", [], title="vases")


def test_every_model_and_hdri_is_shown_evenly():
    views = choose_views(cross(models=6, hdrs=3, views=50), limit=18)

    pairs = Counter((view.assets[0].name, view.assets[1].name) for view in views)
    assert len(pairs) == 18


def test_a_rare_model_is_not_lost_among_many_views():
    views = [*cross(models=1, hdrs=1, views=500), rare := a_record(model=an_asset("rare.glb"))]

    assert rare in choose_views(views, limit=2)


def test_no_view_is_shown_twice():
    views = choose_views(cross(models=2, hdrs=2, views=5), limit=100)

    assert len({view.view_id for view in views}) == len(views) == 20


def test_the_sample_stays_small_and_reaches_from_start_to_end():
    sample = EvenSample()
    for index in range(10_000):
        sample.add(a_record(a_view(index)))

    indices = [record.view.index for record in sample.kept]
    assert len(indices) <= KEPT_PER_SET
    assert indices[0] == 0
    assert indices[-1] > 9_000


def cross(*, models, hdrs, views):
    """Yield `views` views of every pair of model and HDRI."""
    for index in range(models * hdrs * views):
        yield a_record(
            a_view(index),
            model=an_asset(f"model-{index % models}.blend"),
            hdr=an_asset(f"hdr-{index // models % hdrs}.exr", kind="hdr"),
        )


def put_view(storage, index, *, resolution_px=(64, 64), dtype=np.uint8):
    """Put a red picture and a white mask; return their record."""
    width, height = resolution_px
    scale = 1 if dtype == np.uint8 else 257
    picture = np.full((height, width, 3), np.multiply(RED, scale), dtype)
    mask = np.full((height, width), 255 * scale, dtype)
    files = {"rgb": imagecodecs.png_encode(picture), "mask": imagecodecs.png_encode(mask)}
    record = a_record(a_view(index), files=files, resolution_px=resolution_px)
    for name, file in record.files.items():
        storage.put(dataset_key("vases", file.path), files[name])
    return record


def open_sheet(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def is_red(shown):
    """Return where a page shows the picture, for all that JPEG does to it."""
    return np.abs(shown.astype(int) - RED).max(axis=-1) < 12


def test_memory_does_not_grow_with_the_number_of_pairs():
    models = [an_asset(f"m{at:04d}.blend") for at in range(200)]
    hdrs = [an_asset(f"h{at:04d}.exr", kind="hdr") for at in range(20)]
    records = (a_record(a_view(0), model=model, hdr=hdr) for model in models for hdr in hdrs)

    samples = sample_sets(records, set_of)

    assert MOST_SETS / 4 < len(samples) <= MOST_SETS + 1
    assert len({model for model, _hdr in samples}) > 50, "from all over, not from the beginning"
