"""Statistics count what is there; those of pixels come from evenly spread views."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from farm.dataset.reader import open_dataset
from farm.spec.camera import orbit_matrix
from tests.support.datasets import give_lens, write_dataset
from tests.support.lenses import LENSES

pytest.importorskip("imagecodecs")
Image = pytest.importorskip("PIL.Image")

from farm.dataset.stats.chart import draw_dome, draw_stats, rgb  # noqa: E402  need Pillow
from farm.dataset.stats.gather import Pixels, gather_stats, look_at_mask, side_seen  # noqa: E402


def of(stats, role):
    return [asset for asset in stats.assets if asset.role == role]


def test_all_views_are_counted_and_pixels_of_some(tmp_path):
    records = write_dataset(tmp_path, views=9, models=2, hdrs=3, passes=("rgb", "mask"))

    stats = gather_stats(open_dataset(tmp_path), pixel_views=3, workers=2)

    assert (stats.views, stats.empty_views, stats.pixel_views) == (9, 0, 3)
    assert {model.name: model.views for model in of(stats, "models")} == {
        "ball000.blend": 5,
        "ball001.blend": 4,
    }
    assert sum(hdr.views for hdr in of(stats, "hdrs")) == 9
    first = [record.coverage for record in records if record.assets[0].name == "ball000.blend"]
    assert of(stats, "models")[0].coverage == pytest.approx(np.mean(first), abs=1e-5)
    read = [model.brightness for model in of(stats, "models") if model.brightness is not None]
    assert min(read) <= stats.brightness.mean <= max(read)
    assert stats.passes == {"rgb": 9, "mask": 9}
    assert stats.categories == {"vase": 5, "chair": 4}
    dome = np.array(stats.dome)
    assert (dome.shape, dome.sum()) == ((9, 36), 9)
    for record in records:
        camera = record.view.camera
        assert dome[int(camera.pitch_deg // 10), int(camera.yaw_deg // 10)] > 0
    assert sum(stats.coverage.counts) == 9
    assert sum(stats.brightness.counts) == sum(stats.edges.counts) == 3
    assert stats.coverage.mean == pytest.approx(np.mean([r.coverage for r in records]), abs=1e-5)
    assert 0.2 < stats.brightness.mean < 0.8
    assert np.array(stats.size).sum() == 9


def test_views_that_are_black_or_clipped_are_counted(tmp_path):
    records = write_dataset(tmp_path, views=4, passes=("rgb", "mask"))
    changed = [
        record.model_copy(update={"ill_lit": how})
        for record, how in zip(records, ("black", "black", "clipped", None), strict=True)
    ]
    lines = "".join(record.model_dump_json() + "\n" for record in changed)
    (tmp_path / "views.jsonl").write_text(lines)

    stats = gather_stats(open_dataset(tmp_path), workers=1)

    assert stats.ill_lit == {"black": 2, "clipped": 1}
    assert stats.ill_lit_told.startswith("2 views black at 98 %")
    assert draw_stats(stats, title="", subtitle="")


def test_places_come_from_masks_or_else_from_boxes(tmp_path):
    write_dataset(tmp_path, views=4, passes=("mask",))
    data = open_dataset(tmp_path)

    by_masks = gather_stats(data, workers=1)
    by_boxes = gather_stats(data, workers=1, pixel_views=0)

    assert (by_masks.position_from, by_boxes.position_from) == ("masks", "boxes")
    masks, boxes = np.array(by_masks.position), np.array(by_boxes.position)
    assert masks[24, 24] == boxes[24, 24] == 1.0
    assert masks[0, 0] == boxes[0, 0] == 0.0
    assert masks.sum() == pytest.approx(boxes.sum() * np.pi / 4, rel=0.1)  # a disc in its box


def test_a_box_of_a_mask_is_the_one_that_records_would_have():
    """Around what is covered by a tenth: what lies beside the pixel does not widen it."""
    mask = np.zeros((48, 64), np.uint8)
    mask[9:31, 19:41] = 20
    mask[10:30, 20:40] = 255

    assert look_at_mask(Pixels(), mask).box == (20.0, 10.0, 40.0, 30.0)
    assert look_at_mask(Pixels(), np.zeros_like(mask)).box is None


def test_boxes_are_measured_where_records_have_none(tmp_path):
    write_dataset(tmp_path, views=3, passes=("mask",))
    told = np.array(gather_stats(open_dataset(tmp_path), workers=1).size)
    views = tmp_path / "views.jsonl"
    lines = [json.loads(line) | {"objects": []} for line in views.read_text().splitlines()]
    views.write_text("".join(json.dumps(line) + "\n" for line in lines))

    stats = gather_stats(open_dataset(tmp_path), workers=1)

    assert np.array_equal(np.array(stats.size), told)


@pytest.mark.parametrize("passes", [("rgb", "mask"), ("depth",)])
def test_any_dataset_can_be_drawn(tmp_path, passes):
    write_dataset(tmp_path, views=2, models=2, passes=passes)

    stats = gather_stats(open_dataset(tmp_path), workers=1)
    picture = Image.open(io.BytesIO(draw_stats(stats, title="t", subtitle="s")))

    assert (picture.format, picture.width) == ("PNG", 2000)


def test_the_dome_has_yaw_0_above_yaw_90_to_the_right_and_pitch_90_in_the_middle():
    counts = np.zeros((9, 36), dtype=np.int64)
    counts[0, 9] = 1  # yaw 90..100, level
    disc = np.asarray(draw_dome(counts, 201)).astype(int)
    lit = np.argwhere(np.abs(disc - rgb("#f3e66b")).sum(axis=-1) < 30).mean(axis=0)

    assert lit[1] > 185  # at the right rim
    assert 100 < lit[0] < 125  # a little below its middle: yaw turns with the clock

    counts[:] = 0
    counts[8] = 1  # straight down
    disc = np.asarray(draw_dome(counts, 201)).astype(int)
    lit = np.argwhere(np.abs(disc - rgb("#f3e66b")).sum(axis=-1) < 30)
    assert np.abs(lit - 100).max() <= 12


def test_a_camera_whose_rays_run_side_by_side_sees_from_where_it_looks_from():
    """Wherever it stands: an object beside its axis is seen from the same side."""
    pose = np.array(orbit_matrix(yaw_deg=40.0, pitch_deg=20.0, distance=3.0))
    pose[:3, 3] += 5 * pose[:3, 0]
    camera_from_object = np.linalg.inv(pose)

    assert side_seen(camera_from_object, far_off=True) == (40.0, 20.0)
    assert side_seen(camera_from_object) != (40.0, 20.0)


def test_datasets_of_every_camera_are_counted(tmp_path):
    for lens in ("orthographic", "fisheye"):
        write_dataset(tmp_path / lens, views=4)
        give_lens(tmp_path / lens, LENSES[lens])

        assert np.array(gather_stats(open_dataset(tmp_path / lens), workers=1).dome).sum() == 4
