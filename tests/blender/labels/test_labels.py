"""Labels against geometry that is worked out without Blender."""

from __future__ import annotations

import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from farm.spec.passes import VIEW_PASSES
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.support.blender import still_life
from tests.support.blender.rays import Solid, flow, look, project, transform, turned
from tests.support.blender.scenes import add_box
from tests.support.blender.shots import WIDE, OurLease, Rendered, some_view, task_of
from worker.recipes import find_recipe
from worker.render.task import render_task

BALL, CRATE, SHEET = 1, 2, 3
LABELS = tuple(name for name in VIEW_PASSES if name not in ("rgb", "mask"))


@pytest.fixture(scope="module")
def shown(labelled, still, sky):
    """The known model with every pass, under an environment that is turned."""
    return labelled(still, sky)


@pytest.fixture(scope="module")
def seen(shown):
    """The same by rays."""
    return look(shown.record.camera, WIDE, still_life.placed(shown.record))


def flat(seen) -> np.ndarray:
    """Where there are flat faces: a ball of triangles is nowhere quite where the ball is."""
    return (seen.which == CRATE) | (seen.which == SHEET)


def test_index_is_that_of_the_object_at_each_pixels_centre(shown, seen):
    assert shown["index"].dtype == np.uint16
    assert (shown["index"] != seen.which).sum() <= 2  # at the rim of the ball
    assert {BALL, CRATE, SHEET} == set(np.unique(seen.which)) - {0}
    table = {label.index: (label.name, label.category) for label in shown.record.indices}
    assert table == {place: (name, "fruit") for place, name in enumerate(still_life.NAMES, 1)}


def test_material_is_told_also_where_there_is_none(shown, seen):
    names = {label.name: label.index for label in shown.record.materials}
    assert names == {"grass": 1, "paint": 2, "(no material)": 3}
    expected = np.array([0, names["(no material)"], names["paint"], names["grass"]])[seen.which]
    assert (shown["material"] != expected).sum() <= 2


@pytest.mark.parametrize("name", ["depth", "distance"])
def test_depth_and_distance_are_those_of_rays(shown, seen, name):
    found, expected = shown[name], getattr(seen, name)
    assert found.dtype == np.float32
    same = shown["index"] == seen.which
    assert np.array_equal(np.isinf(found[same]), np.isinf(expected[same]))
    error = np.abs(found[flat(seen)] / expected[flat(seen)] - 1)
    assert error.max() < 5e-5  # Cycles meets the centre within 0.002 pixels
    ball = same & (seen.which == BALL)
    assert np.abs(found[ball] / expected[ball] - 1).max() < 1e-3


def test_position_is_in_the_world_of_the_record(shown, seen):
    assert np.abs(shown["position"] - seen.position)[flat(seen)].max() < 1e-4
    assert not shown["position"][shown["index"] == 0].any()


@pytest.mark.parametrize("name", ["normal", "normal_world"])
def test_normals_are_those_of_the_faces(shown, seen, name):
    found, expected = shown[name].astype(np.float64), getattr(seen, name)
    lengths = np.linalg.norm(found, axis=-1)
    assert np.abs(lengths[shown["index"] > 0] - 1).max() < 1e-6
    assert not lengths[shown["index"] == 0].any()
    assert angle_deg(found, expected)[flat(seen)].max() < 0.01
    ball = (shown["index"] == BALL) & (seen.which == BALL)
    assert angle_deg(found, expected)[ball].max() < 2.0  # its triangles are that wide


def angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.degrees(np.arctan2(across, (one * other).sum(axis=-1)))


@pytest.mark.parametrize(("name", "step"), [("flow_forward", 1), ("flow_backward", -1)])
def test_flow_leads_to_where_things_are_in_the_other_frame(shown, seen, name, step):
    now = still_life.placed(shown.record)
    then = still_life.placed(shown.record, still_life.FRAME + step)
    expected = flow(shown.record.camera, seen, now, then)

    error = np.linalg.norm(shown[name] - expected, axis=-1)

    assert np.linalg.norm(expected[seen.which == CRATE], axis=-1).min() > 1
    assert error[shown["index"] == seen.which].max() < 0.01


def test_what_stands_still_has_no_flow_wherever_the_camera_goes(
    blender, labelled, still, statue, sky, tmp_path
):
    """Between views of a task, between models and between tasks with flow and without."""
    flows = ("rgb", "mask", "flow_forward", "flow_backward")
    first = labelled(still, sky, passes=flows)
    views = [some_view(index=n, yaw=100.0 * n, rotation=50.0 * n) for n in range(3)]
    task = task_of(statue, sky, *views).model_copy(update={"passes": flows})
    storage = FolderStorage(tmp_path)

    render_task(task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease())

    for line in storage.get(records_key(task)).splitlines():
        view = Rendered(storage, ViewRecord.model_validate_json(line))
        for name in ("flow_forward", "flow_backward"):
            assert not view[name].any()
    labelled(statue, sky, passes=("rgb", "mask"))
    assert labelled(still, sky, passes=flows).data("flow_forward") == first.data("flow_forward")


def test_boxes_poses_and_sizes_are_those_of_the_model(shown):
    [thing] = shown.record.objects
    corners = [solid.corners() for solid in still_life.solids() if solid.shape != "ball"] + [
        np.array(still_life.BALL_AT) + still_life.BALL_RADIUS * np.array([[1, 1, 1], [-1, -1, -1]])
    ]
    low, high = np.concatenate(corners).min(axis=0), np.concatenate(corners).max(axis=0)
    scale = 1 / (high - low).max()

    assert thing.name == "Still life"
    assert thing.category == "fruit"
    np.testing.assert_allclose(thing.size, (high - low) * scale, atol=1e-4)
    assert shown.record.metres_per_unit == pytest.approx(0.01 / scale, rel=1e-4)
    signs = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    in_world = np.array(signs) * (high - low) * scale / 2
    np.testing.assert_allclose(thing.corners_px, project(shown.record.camera, in_world), atol=0.02)
    world_from_object = np.array(shown.record.camera.world_from_camera) @ np.array(
        thing.camera_from_object
    )
    np.testing.assert_allclose(world_from_object, np.eye(4), atol=1e-9)


@pytest.mark.parametrize(
    "view",
    [{"yaw": 30.0, "pitch": 25.0}, {"yaw": 200.0, "pitch": 60.0}, {"yaw": 110.0, "pitch": 5.0}],
)
def test_a_box_is_within_a_pixel_of_what_is_projected(labelled, still, sky, view):
    shown = labelled(still, sky, some_view(rotation=45.0, **view), passes=("mask",), samples=32)
    camera = shown.record.camera
    points = [solid.outline() for solid in still_life.placed(shown.record)]
    px = project(camera, np.concatenate(points))

    [thing] = shown.record.objects

    inside = np.clip(px, 0, WIDE)
    expected = (*inside.min(axis=0), *inside.max(axis=0))
    assert np.abs(np.array(thing.box_px) - expected).max() < 1.0
    area = (look(camera, WIDE, still_life.placed(shown.record)).which > 0).sum()
    assert thing.area_px == pytest.approx(area, rel=0.02)
    assert thing.visible_fraction == 1.0
    assert (thing.truncation == 0.0) == (inside == px).all()


def test_truncation_is_the_part_outside_of_the_picture(labelled, write_blend, sky):
    crate = write_blend(lambda scene: add_box(scene, size=(1.0, 1.0, 0.5)))
    shown = labelled(crate, sky, some_view(distance=1.3), passes=("mask",), resolution_px=(64, 96))
    box = [Solid("box", np.diag([1.0, 1.0, 0.5, 1.0]))]
    border = 200
    whole = look(shown.record.camera, (64, 96), box, border_px=border).which > 0
    inside = whole[border:-border, border:-border].sum()

    [thing] = shown.record.objects

    assert 0.1 < thing.truncation < 0.9
    assert thing.truncation == pytest.approx(1 - inside / whole.sum(), abs=0.02)


def test_points_fall_where_blender_itself_projects_them(blender, labelled, still, sky):
    view = some_view(rotation=70.0)
    shown = labelled(still, sky, view, passes=("mask", "depth"), resolution_px=WIDE)
    task = task_of(still, sky, view, resolution_px=WIDE)
    find_recipe("sod").prepare(task, blender).arrange(view)
    blender.scene.view_layers[0].update()
    [thing] = shown.record.objects

    half = np.array(thing.size) / 2
    corners = half * [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    for corner, px in zip(corners, thing.corners_px, strict=True):
        scene_point = transform(corner, turned("z", 70.0))  # the model is turned, not the sky
        u, v, depth = world_to_camera_view(blender.scene, blender._camera, Vector(scene_point))
        assert px == pytest.approx((u * WIDE[0], (1 - v) * WIDE[1]), abs=1e-3)
        assert depth > 0


def test_keypoints_are_found_and_hidden_by_what_is_before_them(shown):
    [thing] = shown.record.objects
    world_from_model = np.array(shown.record.objects[0].world_from_file)
    crate = still_life.crate_at(still_life.FRAME)
    found = {point.name: point for point in thing.keypoints}

    assert set(found) == set(still_life.KEYPOINTS)
    for name, at in still_life.KEYPOINTS.items():
        world = transform(transform(np.array(at), crate), world_from_model)
        assert found[name].px == pytest.approx(tuple(project(shown.record.camera, world)), abs=0.01)
    assert found["top"].visible is True
    assert found["inside"].visible is False


def test_every_pass_alone_equals_the_same_among_all(shown, labelled, still, sky):
    """Whatever the session rendered before, and however many samples the picture takes."""
    for name in VIEW_PASSES:
        alone = labelled(still, sky, passes=(name,))
        if name == "cryptomatte" or name in ("rgb", "mask", "albedo", "diffuse", "specular"):
            assert alone.record.samples == 4
        else:
            assert alone.record.samples == 1
        assert alone.data(name) == shown.data(name), name
        assert set(alone.record.timings.pass_s) == {name}


def test_denoising_touches_the_picture_alone(shown, labelled, still, sky):
    smooth = labelled(still, sky, denoise=True)

    assert smooth.record.denoiser == "openimagedenoise"
    assert smooth.data("rgb") != shown.data("rgb")
    for name in VIEW_PASSES:
        if name != "rgb":
            assert smooth.data(name) == shown.data(name), name


def test_light_is_what_the_picture_is_made_of(labelled, still, sky):
    """Of a scene without glass or lamps, diffuse and specular light are all there is."""
    shown = labelled(still, sky, passes=("diffuse", "specular", "albedo", "mask"), samples=8)
    weak = labelled(
        still, sky, some_view(rotation=70.0, strength=0.65), passes=("diffuse",), samples=8
    )

    np.testing.assert_allclose(weak["diffuse"], shown["diffuse"] / 2, rtol=1e-5)
    whole = shown["mask"] == 255
    assert (shown["diffuse"][whole].sum(axis=-1) > 0).mean() > 0.9
    assert shown["albedo"][whole].max() <= 1.0
    assert not shown["albedo"][shown["mask"] == 0].any()
