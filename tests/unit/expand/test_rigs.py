"""Rigs of cameras: the numbers that were published, and what stays the same."""

import math

import numpy as np
import pytest

from farm import expand
from farm.spec.recipes.sod import SodGrid, SodRig
from tests.builders import a_job

LENS_35_ON_32 = math.degrees(2 * math.atan(16 / 35))


def views_of(hdrs=1, seed=0, render=None, **asked):
    spec = {} if render is None else {"render": render}
    job = a_job(hdrs=hdrs, recipe=SodRig(**asked), seed=seed, **spec)
    return [view for task in expand.expand(job) for view in task.views]


def centres(views):
    """Where cameras stand (N, 3), in the frame."""
    return np.array(
        [
            np.array(view.camera.world_from_camera(distance=view.camera.distance))[:3, 3]
            for view in views
        ]
    )


def azimuths(views):
    """Counter-clockwise from -y, by where cameras stand."""
    x, y, _ = centres(views).T
    return np.degrees(np.arctan2(x, -y)) % 360


def elevations(views):
    at = centres(views)
    return np.degrees(np.arcsin(at[:, 2] / np.linalg.norm(at, axis=1)))


def fov_deg(view):
    camera = view.camera
    return math.degrees(2 * math.atan(camera.sensor_width_mm / 2 / camera.focal_length_mm))


def frame_of(**asked):
    job = a_job(recipe=SodRig(**asked))
    return expand.render_task(job, 0).setup.frame


@pytest.mark.parametrize(
    ("rig", "high", "low"), [("zero123plus", 20, -10), ("zero123plus-v1.1", 30, -20)]
)
def test_zero123plus_has_the_six_views_of_its_readme(rig, high, low):
    views = views_of(rig=rig)

    np.testing.assert_allclose(azimuths(views), [30, 90, 150, 210, 270, 330], atol=1e-4)
    np.testing.assert_allclose(elevations(views), [high, low] * 3, atol=1e-4)
    assert {round(fov_deg(view), 9) for view in views} == {30.0}
    assert {view.camera.distance for view in views} == {4.0}
    assert frame_of(rig=rig) == "unit-sphere"


def test_zero123_stands_anywhere_around_a_unit_cube():
    views = views_of(rig="zero123")
    many = views_of(rig="zero123", views=400)

    assert len(views) == 12
    assert {round(fov_deg(view), 9) for view in views} == {round(LENS_35_ON_32, 9)}
    distances = [view.camera.distance for view in many]
    assert 1.5 <= min(distances) < 1.52
    assert 2.18 < max(distances) <= 2.2
    assert elevations(many).min() < -60
    assert elevations(many).max() > 60
    assert frame_of(rig="zero123") == "unit-cube"


def test_lrm_sees_the_front_and_then_stands_between_two_heights():
    views = views_of(rig="lrm")
    at = centres(views_of(rig="lrm", views=300))

    assert len(views) == 32
    np.testing.assert_allclose(centres(views)[0], [0, -views[0].camera.distance, 0], atol=1e-12)
    assert {round(fov_deg(view), 6) for view in views} == {67.380135}
    assert at[:, 2].min() > -0.375
    assert at[:, 2].max() < 0.8
    far = np.linalg.norm(at, axis=1)
    assert far.min() >= 0.95
    assert far.max() <= 1.3


def test_trellis_has_three_quarters_of_its_150_views_above_the_horizon():
    views = views_of(rig="trellis")
    above = elevations(views) > 0

    assert len(views) == 150
    assert abs(above.sum() - 112.5) <= 1
    assert {(view.camera.distance, round(fov_deg(view), 9)) for view in views} == {(2.0, 40.0)}
    low, high = (np.sort(np.sin(np.radians(elevations(views)[part]))) for part in (~above, above))
    np.testing.assert_allclose(np.diff(low), 4 / 150, atol=1e-6)
    np.testing.assert_allclose(np.diff(high), 4 / 450, atol=1e-6)


def test_trellis_tells_by_pictures_from_where_a_cube_just_fits():
    views = views_of(rig="trellis-cond")
    many = [fov_deg(view) for view in views_of(rig="trellis-cond", views=500)]

    assert len(views) == 24
    for view in views:
        reach = view.camera.distance * math.sin(math.radians(fov_deg(view) / 2))
        assert reach == pytest.approx(math.sqrt(3) / 2, rel=1e-5)
    assert min(many) >= 10
    assert max(many) <= 70
    shares = np.sin(np.radians(np.array(many) / 2)) ** 2  # drawn evenly
    assert shares.mean() == pytest.approx(
        (math.sin(math.radians(5)) ** 2 + math.sin(math.radians(35)) ** 2) / 2, rel=0.1
    )


def test_syncdreamer_goes_around_at_30_degrees():
    views = views_of(rig="syncdreamer")

    np.testing.assert_allclose(azimuths(views), np.arange(16) * 22.5, atol=1e-4)
    np.testing.assert_allclose(elevations(views), 30.0, atol=1e-4)
    assert {view.camera.distance for view in views} == {1.5}


def test_wonder3d_looks_through_parallel_rays():
    views = views_of(rig="wonder3d")
    at = centres(views)

    assert {view.camera.orthographic_width for view in views} == {1.35}
    np.testing.assert_allclose(at[0], [0, -2, 0], atol=1e-6)  # front
    np.testing.assert_allclose(at[2], [2, 0, 0], atol=1e-6)  # right
    np.testing.assert_allclose(at[8], [0, 0, 2], atol=1e-6)  # top
    np.testing.assert_allclose(at[9], np.array([2, -2, 2]) / math.sqrt(3), atol=1e-6)
    assert frame_of(rig="wonder3d") == "unit-diagonal"


def test_rings_are_what_was_written():
    views = views_of(elevations="0,20,-10", azimuths="0:360:45")

    np.testing.assert_allclose(azimuths(views), [*range(0, 360, 45)] * 3, atol=1e-4)
    np.testing.assert_allclose(elevations(views), [0] * 8 + [20] * 8 + [-10] * 8, atol=1e-4)
    assert [view.name for view in views[:2]] == ["view_0000", "view_0001"]


def test_azimuths_go_from_the_front_over_plus_x():
    """Counter-clockwise from above, where the front is -y."""
    front, quarter = centres(views_of(azimuths="0,90", elevations="0", distance=2))

    np.testing.assert_allclose(front, [0, -2, 0], atol=1e-12)
    np.testing.assert_allclose(quarter, [2, 0, 0], atol=1e-12)
    [on_x] = centres(views_of(azimuths="0", elevations="0", distance=2, front="+x"))
    np.testing.assert_allclose(on_x, [2, 0, 0], atol=1e-12)


@pytest.mark.parametrize("rig", ["fibonacci", "hammersley"])
def test_spheres_leave_no_hole_and_no_two_cameras_together(rig):
    at = centres(views_of(rig=rig, views=100, distance=1.0))
    rng = np.random.default_rng(0)
    anywhere = rng.normal(size=(2000, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)

    nearest = np.degrees(np.arccos(np.clip(anywhere @ at.T, -1, 1))).min(axis=1)
    assert nearest.max() < 25
    between = at @ at.T - 2 * np.eye(100)
    assert np.degrees(np.arccos(between.max())) > 5
    assert np.abs(at.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize("rig", ["fibonacci", "hammersley", "random"])
def test_a_band_of_a_sphere_is_kept_to(rig):
    found = elevations(views_of(rig=rig, views=60, elevation_range=(10, 50)))

    assert found.min() >= 10
    assert found.max() <= 50
    assert found.max() - found.min() > 30


@pytest.mark.parametrize("rig", ["zero123", "random", "trellis", "lrm", "trellis-cond"])
def test_chance_is_of_the_seed_and_the_model_so_that_each_hdri_has_the_same_cameras(rig):
    views = views_of(rig=rig, views=5, hdrs=2, distance="1.5..2.0")
    first, second = views[:5], views[5:]

    assert [view.camera for view in first] == [view.camera for view in second]
    assert [view.seed for view in first] != [view.seed for view in second]
    assert [view.camera for view in views_of(rig=rig, views=5, seed=1)] != [
        view.camera for view in views_of(rig=rig, views=5)
    ]


@pytest.mark.parametrize("rig", ["rings", "fibonacci", "zero123plus", "wonder3d", "syncdreamer"])
def test_what_is_fixed_draws_nothing(rig):
    assert [view.camera for view in views_of(rig=rig)] == [
        view.camera for view in views_of(rig=rig, seed=5)
    ]


def test_without_a_distance_all_of_the_frame_fills_the_shorter_side():
    [square] = views_of(azimuths="0", fov_deg=60)
    [wide] = views_of(azimuths="0", fov_deg=60, render={"resolution": "128x64"})
    [ball] = views_of(azimuths="0", fov_deg=60, frame="unit-sphere")
    [flat] = views_of(azimuths="0", orthographic=1.8)

    assert square.camera.distance == pytest.approx(math.sqrt(3), rel=1e-5)
    half = math.atan(math.tan(math.radians(30)) / 2)
    assert wide.camera.distance == pytest.approx(math.sqrt(3) / 2 / math.sin(half), rel=1e-5)
    assert ball.camera.distance == pytest.approx(2.0, rel=1e-5)
    assert flat.camera.distance == pytest.approx(math.sqrt(3), rel=1e-5)


def test_ranges_of_distance_and_field_of_view_are_drawn_for_each_view():
    views = views_of(rig="fibonacci", views=30, distance="1.5..2.2", fov_deg="30..60")
    distances = [view.camera.distance for view in views]

    assert len(set(distances)) == 30
    assert min(distances) >= 1.5
    assert max(distances) <= 2.2
    assert all(30 <= fov_deg(view) <= 60.001 for view in views)
    assert all(value == float(f"{value:.6g}") for value in distances)


def test_stereo_pairs_look_the_same_way_from_so_far_apart():
    views = views_of(rig="zero123plus", stereo=0.1)
    left, right = (
        np.array(view.camera.world_from_camera(distance=view.camera.distance)) for view in views[:2]
    )

    assert [view.name for view in views[:3]] == [
        "view_0000_left", "view_0000_right", "view_0001_left",
    ]  # fmt: skip
    assert len(views) == 12
    np.testing.assert_array_equal(left[:3, :3], right[:3, :3])
    np.testing.assert_allclose(right[:3, 3] - left[:3, 3], 0.1 * left[:3, 0], atol=1e-12)
    assert views[0].camera == views_of(rig="zero123plus")[0].camera


def test_a_frame_beside_a_grid_is_told_to_workers():
    job = a_job(recipe=SodGrid(frame="unit-sphere", front="-y"))
    setup = expand.render_task(job, 0).setup

    assert (setup.frame, setup.front) == ("unit-sphere", "-y")
    assert "frame" not in expand.render_task(a_job(), 0).setup.model_dump()


def test_the_counts_of_a_rig_are_those_of_its_expansion():
    job = a_job(models=2, hdrs=2, recipe=SodRig(rig="lrm", stereo=0.1), views_per_task=7)
    tasks = list(expand.expand(job))

    assert expand.count(job).tasks == len(tasks)
    assert expand.count(job).views == sum(len(task.views) for task in tasks) == 4 * 64
    places = sorted(view.index for task in tasks for view in task.views)
    assert places == list(range(256))
    assert len({(task.dataset, view.name) for task in tasks for view in task.views}) == 256
