"""What stands still while the camera moves, as Blender evaluates it, and what does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farm.dataset.export.standing import by_what_it_says, differences
from farm.spec.job import JobSpec, make_job
from farm.spec.recipes.sequence import TIME_DEPENDENT
from tests.support.blender import simulated
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.moving_scenes import CHANGES, FACTS, LAST, STANDS
from tests.support.blender.scenes import add_box, blend_file, write_sky


@pytest.fixture
def shoot(blender, tmp_path):
    """Render what a function puts into a scene, by two tasks, and return its records in time."""

    def run(fill, **recipe):
        blender.free_model()  # whose names it would otherwise not get
        with blend_file(tmp_path / "scene.blend") as scene:
            fill(scene)
        passes = recipe.pop("passes", ("index",))
        hdr = recipe.pop("hdr", None)
        job = film_job(
            tmp_path / "scene.blend", FACTS, passes=passes, samples=1, views_per_task=2, **recipe
        )
        if hdr is not None:
            assets = job.spec.assets | {"hdrs": (hdr.path,)}
            spec = job.spec.model_copy(update={"assets": assets})
            job = make_job(JobSpec.model_validate(spec.model_dump()), [*job.assets, hdr])
        film = shoot_film(blender, job, tmp_path / "out")
        return [film.records[key] for key in sorted(film.records)]

    return run


def states(records):
    return [record.values[TIME_DEPENDENT] for record in records]


@pytest.mark.parametrize("fill", STANDS.values(), ids=STANDS)
def test_a_scene_of_which_the_camera_alone_moves_is_the_same_in_all_frames(shoot, fill):
    records = shoot(fill)

    first, *others = states(records)
    assert len(others) == LAST - 1
    assert all(each == first for each in others)
    assert records[0].camera != records[-1].camera


@pytest.mark.parametrize(
    ("what", "fill"),
    [
        pytest.param(what, fill, id=fill.__name__)
        for what, fills in CHANGES.items()
        for fill in fills
    ],
)
def test_what_moves_deforms_or_changes_its_colour_or_light_is_told_by_its_name(shoot, what, fill):
    found = states(shoot(fill))

    changed = {name for each in found[1:] for name in differences(found[0], each)}
    assert min(changed, key=by_what_it_says) == what
    assert {name.rpartition(" ")[2] for name in changed} == {what.rpartition(" ")[2]}


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("rigid body", "the place of Mover"),
        ("cloth", "the shape of Mover"),
        ("particles", "the shape of Mover"),
        ("hair", "the shape of Mover"),
        ("simulation zone", "the shape of Mover"),
        ("painted colours", "the shape of Mover"),
    ],
)
def test_what_moves_by_physics_is_told(blender, tmp_path, kind, what):
    """Here it is baked by a task of the job, and played by the others."""
    blender.free_model()
    fill, simulation = simulated.KINDS[kind]
    scene = simulated.write_simulated(tmp_path / "scene.blend", fill)
    facts = simulated.CLOTH_FACTS.model_copy(update={"simulations": (simulation,)})
    job = film_job(Path(scene.path), facts, passes=("index",), samples=1, frames=3)

    film = shoot_film(blender, job, tmp_path / "out")

    found = states([film.records[key] for key in sorted(film.records)])
    assert len(found) == 3
    assert what in differences(found[0], found[-1])


def test_what_has_come_to_rest_by_physics_stands_still(blender, tmp_path):
    """Though Bullet still moves it by some units in the last place of its numbers."""
    blender.free_model()
    fill, simulation = simulated.KINDS["rigid body"]
    scene = simulated.write_simulated(tmp_path / "scene.blend", fill, last=200)
    facts = simulated.CLOTH_FACTS.model_copy(
        update={"simulations": (simulation,), "frame_start": 190, "frame_end": 200}
    )
    job = film_job(Path(scene.path), facts, passes=("index",), samples=1, frame_step=5)

    film = shoot_film(blender, job, tmp_path / "out")

    first, *others = states([film.records[key] for key in sorted(film.records)])
    assert len(others) == 2
    assert first.keys() == {"the place of Mover"}
    assert not [each for each in others if differences(first, each)]


def test_lamps_and_a_world_that_an_hdri_stands_in_for_change_nothing(shoot, tmp_path):
    def fill(scene):
        CHANGES["the lamp Sun"][0](scene)
        CHANGES["the world Sky"][0](scene)

    sky = write_sky(tmp_path / "sky.exr", np.full((8, 16, 3), 0.5, np.float32))

    assert len({str(each) for each in states(shoot(fill, hdr=sky, lights="hdri"))}) == 1


def test_labels_follow_what_blenders_window_hides(shoot):
    """It is in the picture: its pose is that of the frame, and it counts as moving."""

    def fill(scene):
        STANDS["the camera"](scene)
        item = add_box(scene, name="Cart", at=(0, -1, 0))
        item.keyframe_insert("location", frame=1)
        item.location.z = 0.5
        item.keyframe_insert("location", frame=LAST)
        item.hide_viewport = True

    records = shoot(fill)

    heights = []
    for record in records:
        [cart] = [label for label in record.objects if label.name == "Cart"]
        world = np.array(record.camera.world_from_camera) @ np.array(cart.camera_from_object)
        heights.append(world[2, 3])
    assert heights == sorted(heights)
    assert heights[0] == pytest.approx(0.0, abs=1e-6)
    assert heights[-1] == pytest.approx(0.5, abs=1e-6)
    assert len({each["the place of Cart"] for each in states(records)}) == LAST
