"""What lights a scene: its file, an HDRI, or both; and white where nothing does."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from farm.expand.recipe import mistakes
from farm.spec.job import JobSpec, make_job
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.rooms import STILL
from tests.support.blender.scenes import a_material, add_box, blend_file, write_sky

FACTS = STILL.model_copy(update={"cameras": ("Cam",), "camera": "Cam"})


def fill(scene, *, lit):
    """A white wall seen from the front; its own world is red, its lamp green."""
    add_box(scene, name="Wall", size=(8, 0.1, 8), material=a_material(colour=(1, 1, 1, 1)))
    camera = bpy.data.objects.new("Cam", bpy.data.cameras.new("Cam"))
    camera.location, camera.rotation_euler = (0, -4, 0), (np.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    if not lit:
        return
    scene.world = bpy.data.worlds.new("sky")
    background = scene.world.node_tree.nodes["Background"].inputs
    background["Color"].default_value, background["Strength"].default_value = (1, 0, 0, 1), 0.4
    lamp = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    lamp.data.color, lamp.data.energy, lamp.rotation_euler = (0, 1, 0), 1.0, (np.pi / 2, 0, 0)
    scene.collection.objects.link(lamp)


@pytest.fixture(scope="module")
def scenes(blender, tmp_path_factory):
    blender.free_model()
    folder = tmp_path_factory.mktemp("lights")
    for name, lit in (("lit", True), ("dark", False)):
        with blend_file(folder / f"{name}.blend") as scene:
            fill(scene, lit=lit)
    return folder


@pytest.fixture(scope="module")
def blue(tmp_path_factory):
    pixels = np.zeros((16, 32, 3), dtype=np.float32)
    pixels[...] = (0.0, 0.0, 0.4)
    return write_sky(tmp_path_factory.mktemp("sky") / "blue.exr", pixels)


def a_job(scene, hdr=None, **recipe):
    job = film_job(scene, FACTS, passes=("rgb",), **recipe)
    if hdr is None:
        return job
    settings = job.spec.render.model_copy(update={"view_transform": "Standard"})
    spec = job.spec.model_copy(update={"assets": job.spec.assets | {"hdrs": (hdr.path,)},
                                       "render": settings})  # fmt: skip
    return make_job(JobSpec.model_validate(spec.model_dump()), [*job.assets, hdr])


def colour(blender, job, folder):
    """Return which of red, green and blue are in the picture of the wall."""
    film = shoot_film(blender, job, folder)
    [sequence] = film.sequences
    return film.read(sequence, 1, "rgb")[24:40, 24:40, :3].mean(axis=(0, 1))


def seen(picture):
    bright = picture > 0.3 * picture.max()
    return "".join(name for name, there in zip("rgb", bright, strict=True) if there)


def test_a_file_lights_its_scene_itself(blender, scenes, tmp_path):
    assert seen(colour(blender, a_job(scenes / "lit.blend"), tmp_path / "out")) == "rg"


@pytest.mark.parametrize(("lights", "channels"), [("hdri", "b"), ("both", "gb"), (None, "gb")])
def test_an_hdri_takes_the_place_of_its_world_and_lamps(
    blender, scenes, blue, tmp_path, lights, channels
):
    """In one warm scene, before and after which its own light shines."""
    own = colour(blender, a_job(scenes / "lit.blend"), tmp_path / "before")
    job = a_job(scenes / "lit.blend", blue, lights=lights)
    assert seen(colour(blender, job, tmp_path / "out")) == channels
    again = colour(blender, a_job(scenes / "lit.blend"), tmp_path / "after")
    assert np.array_equal(own, again)


def test_a_scene_without_light_is_lit_white_from_everywhere(blender, scenes, tmp_path):
    picture = colour(blender, a_job(scenes / "dark.blend"), tmp_path / "out")
    assert seen(picture) == "rgb"
    assert picture.min() > 128


def test_it_stays_so_after_an_hdri_has_lit_it(blender, scenes, blue, tmp_path):
    white = colour(blender, a_job(scenes / "dark.blend"), tmp_path / "white")
    assert seen(colour(blender, a_job(scenes / "dark.blend", blue), tmp_path / "blue")) == "b"
    again = colour(blender, a_job(scenes / "dark.blend"), tmp_path / "again")
    assert np.array_equal(white, again)


def test_lights_and_hdris_that_do_not_fit_are_told(scenes, blue):
    assert list(mistakes(a_job(scenes / "lit.blend", lights="hdri"))) == [
        "lights: there is no HDRI to light the scenes: name some with --hdrs"
    ]
    [sentence] = mistakes(a_job(scenes / "lit.blend", blue, lights="file"))
    assert sentence.startswith("lights: file leaves no use for HDRIs")


@pytest.mark.parametrize(
    ("randomise", "change"),
    [
        ({"exposure": {"ev": -1}}, "darker"),
        ({"lights": {"count": 1, "kinds": ["area"], "power_w": 900, "kelvin": 2000, "size_m": 0.5,
                     "distance_m": 2, "azimuth_deg": -90, "elevation_deg": 0}}, "redder"),
    ],
)  # fmt: skip
def test_lamps_and_exposure_are_drawn_for_a_sequence(blender, scenes, tmp_path, randomise, change):
    usual = colour(blender, a_job(scenes / "lit.blend"), tmp_path / "usual")
    drawn = colour(blender, a_job(scenes / "lit.blend", randomise=randomise), tmp_path / "drawn")
    again = colour(blender, a_job(scenes / "lit.blend"), tmp_path / "again")

    assert np.array_equal(usual, again), "the lamp is gone with its task"
    if change == "darker":
        assert (drawn <= usual).all()
        assert drawn.sum() < 0.9 * usual.sum()
    else:
        assert (drawn >= usual - 1).all()
        assert drawn[2] - usual[2] > 5, "it is no longer without blue"
        assert drawn.sum() > usual.sum() + 20
