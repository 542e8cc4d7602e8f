"""Labels from arrays and geometry, without Blender."""

from __future__ import annotations

import numpy as np
import pytest

from farm.soundness import tight_box
from farm.spec.camera import IDENTITY, orbit_matrix
from farm.spec.passes import PASSES, PassName
from farm.spec.record import CameraRecord
from tests.support.blender.rays import Solid, look
from worker.labels.colours import colour_of, rgb_of_hsv
from worker.labels.objects import Sight, Thing, box_corners, coverage_of, object_label
from worker.labels.polygons import area, clipped, hull
from worker.labels.previews import MAKERS, preview

SIZE = (64, 48)


def a_camera(distance: float = 3.0) -> CameraRecord:
    return CameraRecord(
        world_from_camera=orbit_matrix(yaw_deg=30.0, pitch_deg=20.0, distance=distance),
        fx_px=80.0,
        fy_px=80.0,
        cx_px=32.0,
        cy_px=24.0,
        distance=distance,
    )


def a_thing(**changes: object) -> Thing:
    fields = {
        "name": "brick",
        "category": "stone",
        "indices": (1,),
        "world_from_object": IDENTITY,
        "size": (1.0, 0.5, 0.25),
        "outline": np.empty((0, 3)),
    }
    return Thing(**(fields | changes))


def sight_of(camera: CameraRecord, **changes: object) -> Sight:
    box = Solid("box", np.diag([1.0, 0.5, 0.25, 1.0]))
    seen = look(camera, SIZE, [box])
    fields = {
        "camera": camera,
        "resolution_px": SIZE,
        "coverage": (seen.which > 0).astype(np.float32),
    }
    return Sight(**(fields | changes))


def test_a_box_is_around_what_is_covered_by_a_tenth():
    coverage = np.zeros((6, 8), np.float32)
    assert tight_box(coverage) is None

    coverage[2, 3] = 0.04
    assert tight_box(coverage) == (3.0, 2.0, 4.0, 3.0)

    coverage[1:4, 4:7] = (0.05, 1.0, 0.2)
    assert tight_box(coverage) == (5.0, 1.0, 7.0, 4.0)


def test_each_of_several_things_has_its_own_pixels():
    camera = a_camera()
    index = np.zeros((48, 64), np.uint16)
    index[10:20, 10:20], index[10:20, 30:50] = 1, 2
    sight = sight_of(camera, coverage=(index > 0).astype(np.float32), index=index)

    left, right = (object_label(a_thing(indices=(n,)), sight, alone=False) for n in (1, 2))

    assert left.box_px == (10.0, 10.0, 20.0, 20.0)
    assert right.area_px == 200.0
    assert right.visible_fraction is None  # a silhouette of each would be needed


def test_of_many_things_those_that_are_not_seen_cost_no_look_at_the_picture(monkeypatch):
    index = np.zeros((48, 64), np.uint16)
    index[10:20, 10:20] = 2
    sight = sight_of(a_camera(), coverage=(index > 0).astype(np.float32), index=index)
    looked = []
    monkeypatch.setattr(
        "worker.labels.objects.coverage_of",
        lambda thing, *given, **how: (
            looked.append(thing.indices) or coverage_of(thing, *given, **how)
        ),
    )

    labels = [object_label(a_thing(indices=(n, n + 100)), sight, alone=False) for n in range(1, 50)]

    assert looked == [(2, 102)]
    assert [label.indices[0] for label in labels if label.box_px is not None] == [2]
    assert [label.area_px for label in labels if label.area_px] == [100.0]


def test_what_is_behind_the_camera_has_no_place_in_the_picture():
    inside = a_camera(distance=0.3)  # within the box
    thing = a_thing(keypoints=(("far", (0.0, -0.2, 0.0)), ("behind", (0.4, 0.25, 0.12))))

    label = object_label(thing, sight_of(inside), alone=True)

    assert None in label.corners_px
    assert 0.5 < label.truncation < 1.0
    far, behind = label.keypoints
    assert far.px is not None
    assert (behind.px, behind.visible) == (None, False)


@pytest.mark.parametrize(("nearest", "visible"), [(2.0, False), (2.995, True), (np.inf, True)])
def test_a_keypoint_is_hidden_by_what_is_nearer(nearest, visible):
    depth = np.full((48, 64), nearest, np.float32)
    thing = a_thing(keypoints=(("middle", (0.0, 0.0, 0.0)),))

    [point] = object_label(thing, sight_of(a_camera(), reach=depth), alone=True).keypoints

    assert point.px == pytest.approx((32.0, 24.0))
    assert point.depth == pytest.approx(3.0)
    assert point.visible is visible


def test_whether_a_keypoint_is_hidden_is_not_known_without_depth():
    thing = a_thing(keypoints=(("middle", (0.0, 0.0, 0.0)),))

    [point] = object_label(thing, sight_of(a_camera()), alone=True).keypoints

    assert point.visible is None


def test_corners_come_in_the_order_that_is_promised():
    corners = box_corners((2.0, 4.0, 6.0)).tolist()

    assert corners[:3] == [[-1, -2, -3], [-1, -2, 3], [-1, 2, -3]]
    assert corners[7] == [1, 2, 3]


def test_a_hull_and_what_a_frame_leaves_of_it_have_the_area_of_many_points():
    rng = np.random.default_rng(3)
    for _ in range(20):
        points = rng.normal(size=(12, 2)) * 20 + (20, 10)
        around = hull(points)
        grid = np.stack(np.meshgrid(np.arange(-80, 120, 0.5), np.arange(-80, 120, 0.5)), axis=-1)
        inside = within(grid.reshape(-1, 2), around)
        framed = inside & within(
            grid.reshape(-1, 2), np.array([(0, 0), (40, 0), (40, 30), (0, 30)])
        )

        assert area(around) == pytest.approx(inside.sum() / 4, rel=0.03)
        assert area(clipped(around, (40, 30))) == pytest.approx(framed.sum() / 4, rel=0.05, abs=5)


def within(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    sides = np.roll(corners, -1, axis=0) - corners
    away = points[:, None] - corners
    return (sides[:, 0] * away[..., 1] - sides[:, 1] * away[..., 0] >= 0).all(axis=1)


def test_colours_of_neighbours_differ_and_the_background_is_black():
    colours = [colour_of(index) for index in range(64)]

    assert colours[0] == (0, 0, 0)
    assert len(set(colours)) == 64
    steps = np.abs(np.diff(np.array(colours, int), axis=0)).max(axis=1)
    assert steps.min() > 40


def test_hues_are_those_of_the_standard_library():
    import colorsys

    rng = np.random.default_rng(2)
    hue, strength, value = rng.random((3, 50))

    expected = [colorsys.hsv_to_rgb(*hsv) for hsv in zip(hue, strength, value, strict=True)]
    np.testing.assert_allclose(rgb_of_hsv(hue, strength, value), expected, atol=1e-9)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("empty", [True, False])
def test_a_preview_of_anything_is_a_small_picture(name: PassName, empty):
    channels = 24 if name == "cryptomatte" else len(PASSES[name].channels) or 1
    shape = (700, 1100, channels) if channels > 1 else (700, 1100)
    label = np.full(shape, PASSES[name].background, np.float32)
    if not empty:
        label[100:300, 200:400] = np.random.default_rng(1).random((*shape[2:],)) + 0.1
    if PASSES[name].kind == "integers":
        label = (label * 9).astype(np.uint16)

    shown = preview(name, label)

    assert shown.dtype == np.uint8
    assert max(shown.shape) <= 512
    if "flow" not in name and name != "shadow":  # what stands still, or is lit, is white
        assert not shown[0, 0].any()
    assert empty or shown[66, 100].any()


@pytest.mark.parametrize("there", [0.0, 0.3, 1.0])
def test_previews_of_light_and_flow_are_those_of_every_pixel_worked_out(there):
    """Only pixels that show something take arithmetic; the others come out the same."""
    rng = np.random.default_rng(5)
    seen = rng.random((40, 50, 1)) < there
    light = (seen * rng.normal(0.5, 1.0, (40, 50, 3))).astype(np.float32)
    flow = (seen * rng.normal(0.0, 3.0, (40, 50, 2))).astype(np.float32)

    linear = np.clip(light / max(1.0, float(np.quantile(light, 0.98))), 0, 1).astype(float)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    length = np.hypot(*np.moveaxis(flow.astype(float), -1, 0))
    hue = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1
    moved = rgb_of_hsv(hue, length / max(1.0, length.max()), np.ones_like(hue))

    np.testing.assert_allclose(preview("diffuse", light), shown * 255, atol=0.51)
    np.testing.assert_allclose(preview("flow_forward", flow), moved * 255, atol=0.51)


def test_previews_of_numbers_have_the_colour_of_each_value():
    index = np.random.default_rng(6).integers(0, 300, (30, 20)).astype(np.uint16)

    shown = preview("index", index)

    assert all((shown[index == value] == colour_of(value)).all() for value in range(300))
