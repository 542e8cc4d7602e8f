"""What moves by physics follows time that is stretched: in slow motion, and by steps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from farm.errors import AssetError
from tests.blender.simulations.test_baked import facts_of
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.simulated import (
    KINDS,
    LAST,
    cloth,
    hair,
    points_of,
    write_baked,
    write_simulated,
)  # fmt: skip
from worker.blender import simulations
from worker.blender.kept_shapes import SHAPES

MESHES = [kind for kind in KINDS if kind not in ("hair", "painted colours")]


@pytest.fixture
def opened(blender, tmp_path):
    """Open a scene of a kind, and bake it."""

    def run(fill):
        blender.free_model()
        scene = blender.open_scene(write_simulated(tmp_path / "scene.blend", fill))
        blender.bake(scene, 0, LAST + 1)
        return scene

    yield run
    blender.free_model()


@pytest.mark.parametrize("spacing", [Fraction(1, 2), Fraction(2), Fraction(2, 5)], ids=str)
@pytest.mark.parametrize("kind", MESHES)
def test_a_moment_of_the_file_is_the_same_however_time_is_stretched(blender, opened, kind, spacing):
    scene = opened(KINDS[kind][0])
    moments = (4, 9, 6.5, 11)
    usual = {moment: points_of(scene, moment) for moment in moments}

    blender.stretch_time(scene, spacing)

    for moment in moments:
        assert points_of(scene, moment) == pytest.approx(usual[moment], abs=1e-6)
    before, after = points_of(scene, 6), points_of(scene, 7)
    assert np.abs(usual[6.5] - before).max() > 1e-4, "it stands still until the next frame"
    assert usual[6.5] == pytest.approx((before + after) / 2, abs=0.05)


def test_cloth_that_was_baked_in_the_file_follows_too(blender, tmp_path):
    """Blender itself would show its whole frames alone."""
    scene = blender.open_scene(write_baked(blender, tmp_path, cloth))
    assert simulations.found(scene.scene) == ()
    whole = [points_of(scene, moment) for moment in (6, 7)]

    blender.stretch_time(scene, Fraction(1, 2))

    assert points_of(scene, 6.5) == pytest.approx((whole[0] + whole[1]) / 2, abs=1e-5)
    assert points_of(scene, 7) == pytest.approx(whole[1], abs=1e-6)


@pytest.mark.parametrize("kind", ["cloth", "rigid body", "simulation zone"])
def test_a_file_that_stretches_time_itself_is_baked_by_its_own(blender, opened, kind):
    fill = KINDS[kind][0]
    plain = opened(fill)
    wanted = np.array([points_of(plain, moment) for moment in (4, 4.5, 6)])

    def slowed(scene):
        fill(scene)
        scene.render.frame_map_old, scene.render.frame_map_new = 100, 200

    slow = opened(slowed)
    shown = np.array([points_of(slow, moment) for moment in (8, 9, 12)])
    assert shown == pytest.approx(wanted, abs=1e-6)
    blender.stretch_time(slow, Fraction(2))
    assert points_of(slow, 9) == pytest.approx(wanted[1], abs=1e-6)


def test_what_is_baked_keeps_its_place_among_modifiers(opened):
    """Also where one of them is pinned to the end."""

    def pinned(scene):
        cloth(scene)
        item = scene.objects["Mover"]
        item.modifiers.new("Thick", "SOLIDIFY")
        item.modifiers.new("Last", "TRIANGULATE").use_pin_to_last = True

    names = [each.name for each in opened(pinned).scene.objects["Mover"].modifiers]
    assert names == ["Cloth", SHAPES, "Thick", "Last"]


def test_cloth_that_was_baked_in_a_file_that_stretches_time_follows(blender, tmp_path):
    def slowed(scene):
        cloth(scene)
        scene.render.frame_map_old, scene.render.frame_map_new = 100, 200

    slow = blender.open_scene(write_baked(blender, tmp_path, slowed))
    wanted = [points_of(slow, moment) for moment in (8, 10)]
    blender.stretch_time(slow, Fraction(1))

    assert points_of(slow, 8) == pytest.approx(wanted[0], abs=1e-6)
    assert points_of(slow, 9) == pytest.approx((wanted[0] + wanted[1]) / 2, abs=1e-5)


def test_flow_of_slow_motion_leads_to_the_next_frame_of_the_dataset(blender, tmp_path):
    """Cloth that falls moves down in each of them."""
    blender.free_model()
    fill, name = KINDS["cloth"]
    scene = write_simulated(tmp_path / "scene.blend", fill)
    job = film_job(
        Path(scene.path), facts_of(name), passes=("index", "flow"), keyframe_multiplier=[2],
        frame_start=6, frame_end=8,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "film")
    [sequence] = film.sequences
    for number in film.numbers(sequence)[:-1]:
        flow = film.read(sequence, number, "flow_forward")
        valid = film.read(sequence, number, "flow_forward_valid") > 0
        assert flow[valid][:, 1].max() > 0.2, "a frame repeats the one before"


def test_hair_that_moves_is_refused_where_it_would_jump(blender, opened):
    scene = opened(hair)
    blender.stretch_time(scene, Fraction(1))
    with pytest.raises(AssetError, match=r"particles Hair of Mover cannot be shown between"):
        blender.stretch_time(scene, Fraction(1, 2))
