"""How a scene's file was to be rendered by its maker says nothing of how it is rendered here."""

from __future__ import annotations

import pytest

from farm.expand.recipe import expand
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.street_scene import FACTS, write_street

PASSES = ("rgb", "mask", "linear", "depth", "normal", "index", "base_color", "cryptomatte")
SETTINGS = {
    "samples cut off": "cycles.use_sample_subset = True; cycles.sample_offset = 3; "
    "cycles.sample_subset_length = 2",
    "a limit of time": "cycles.time_limit = 0.001",
    "a wide filter": "cycles.pixel_filter_type = 'GAUSSIAN'; cycles.filter_width = 8",
    "samples alike": "cycles.scrambling_distance = 0.0; cycles.auto_scrambling_distance = True; "
    "cycles.use_pixel_jitter = True",
    "clamped light": "cycles.sample_clamp_direct = 0.1",
    "small textures": "cycles.texture_limit_render = '128'; scene.render.use_simplify = True; "
    "cycles.texture_resolution_render = 0.1",
    "no denoiser": "layer.cycles.use_denoising = False",
    "no sky": "layer.use_sky = False",
    "no surfaces": "layer.use_solid = layer.use_strand = layer.use_volumes = False",
    "numbers that move": "key(cube, 'pass_index', (1, 3), (40, 90))",
    "settings that move": "cycles.film_exposure = 4; "
    "scene.keyframe_insert('cycles.film_exposure'); "
    "cycles.samples = 1; scene.keyframe_insert('cycles.samples'); "
    "scene.driver_add('cycles.seed').driver.expression = 'frame'; "
    "layer.use_sky = False; scene.keyframe_insert('view_layers[\"ViewLayer\"].use_sky')",
    "passes of its own": "layer.pass_cryptomatte_depth = 2; "
    "layer.use_pass_cryptomatte_asset = True; layer.cycles.use_pass_shadow_catcher = True; "
    "layer.lightgroups.add(); layer.aovs.add()",
}
WORLD = """
scene.world = bpy.data.worlds.new("World")
scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.2, 0.3, 0.5, 1)
scene.render.engine = "CYCLES"
cycles, layer = scene.cycles, scene.view_layers[0]
"""


@pytest.fixture(scope="module")
def shot(blender, tmp_path_factory):
    """Render one frame of the street, whose file has other settings."""
    folder = tmp_path_factory.mktemp("settings")
    seeds = []

    def shoot(name):
        file = folder / f"{name.replace(' ', '-')}.blend"
        scene = write_street(file, WORLD + SETTINGS.get(name, ""))
        job = film_job(
            scene, FACTS, passes=PASSES, samples=4, render={"denoise": True}, frames=1,
            frame_start=20,
        )  # fmt: skip
        [task] = expand(job)
        seeds.append(task.views)
        film = shoot_film(
            blender, job, file.with_suffix(""), [task.model_copy(update={"views": seeds[0]})]
        )
        [(sequence, number)] = film.records
        return {each: film.data(sequence, number, each) for each in PASSES}

    return shoot


@pytest.fixture(scope="module")
def plain(shot):
    return shot("plain")


@pytest.mark.parametrize("name", SETTINGS)
def test_what_a_file_says_of_its_renders_changes_no_pass(shot, plain, name):
    other = shot(name)

    assert [each for each in PASSES if other[each] != plain[each]] == []
