"""Scene flow leads to where points of surfaces are in the neighbouring frame; occlusion says why
they are not seen there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.follow import moment_of, truth
from tests.support.blender.street_scene import FACTS, MOTIONS, write_street

SIZE = 96
CARRIED = ("scene_flow", "scene_flow_forward_world", "scene_flow_backward_world", "occlusion")


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("scenes") / "street.blend")


def known(blender, film, sequence, number, other):
    """Return what ray casts say of a frame's points in another one."""
    record, there = film.records[sequence, number], film.records[sequence, other]
    scene = blender.scene
    stretch = scene.render.frame_map_old, scene.render.frame_map_new
    scene.render.frame_map_old = scene.render.frame_map_new = 100
    try:
        moments = [moment_of(scene, each.view.frame) for each in (record, there)]
    finally:
        scene.render.frame_map_old, scene.render.frame_map_new = stretch
    return truth(*moments, record.camera, there.camera, (SIZE, SIZE))


def in_camera(points, camera):
    pose = np.array(camera.world_from_camera)
    return (points - pose[:3, 3]) @ pose[:3, :3]


def shares(told, right):
    """Return precision and recall."""
    return (told & right).sum() / told.sum(), (told & right).sum() / right.sum()


def check_step(film, sequence, number, other, side, seen):
    """Hold scene flow, occlusion and what is out of the frame against ray casts."""
    record, there = film.records[sequence, number], film.records[sequence, other]
    read = lambda name: film.read(sequence, number, name)  # noqa: E731
    there_is = np.isfinite(seen.start).all(axis=-1)
    moved, in_world = read(f"scene_flow_{side}"), read(f"scene_flow_{side}_world")
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(in_world))
    told = np.isfinite(moved).all(axis=-1)
    assert shares(told, there_is)[0] == 1.0
    assert shares(told, there_is)[1] > 0.999
    both = told & there_is
    away = np.abs(in_world - (seen.end - seen.start))[both]
    assert np.quantile(away, 0.999) < 1e-3
    expected = in_camera(seen.end, there.camera) - in_camera(seen.start, record.camera)
    assert np.quantile(np.abs(moved - expected)[both], 0.999) < 1e-3
    assert np.abs(expected[both]).max() > 0.05, "something moves"
    hidden, outside = read(f"occlusion_{side}") > 0, read(f"out_of_frame_{side}") > 0
    far = there_is & ~seen.close
    assert min(shares(hidden & far, ~seen.valid & seen.inside & far)) >= 0.98
    assert min(shares(outside & there_is, ~seen.inside & there_is)) >= 0.98
    assert not (hidden & outside).any()


@pytest.mark.parametrize("kind", [None, *MOTIONS])
def test_points_move_as_ray_casts_say_and_are_hidden_where_these_do_not_reach(
    blender, street, tmp_path, kind
):
    scene = write_street(tmp_path / "street.blend", MOTIONS[kind]) if kind else street
    job = film_job(
        scene, FACTS, resolution=SIZE, frame_start=16, frame_end=25, frames=3, frame_step=4,
        passes=("depth", "index", "flow", *CARRIED),
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    first, second, third = film.numbers(sequence)
    for other, side in ((third, "forward"), (first, "backward")):
        seen = known(blender, film, sequence, second, other)
        check_step(film, sequence, second, other, side, seen)
