"""What of a scene is no surface, and what labels see in its place."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.street_scene import FACTS, write_street

LABELS = ("depth", "normal", "index", "position", "base_color", "opacity", "surface_valid")
WORLD = "scene.world = world = bpy.data.worlds.new('World'); tree = world.node_tree; "
MIST = WORLD + (
    "fog = tree.nodes.new('ShaderNodeVolumePrincipled'); fog.inputs['Density'].default_value = 0.1;"
    "tree.links.new(fog.outputs[0], tree.nodes['World Output'].inputs['Volume'])"
)
HELD_OUT = (
    "ball.data.materials.append(bpy.data.materials.new('paint')); "
    "apart = bpy.data.collections.new('apart'); scene.collection.children.link(apart); "
    "apart.objects.link(ball); scene.collection.objects.unlink(ball); "
    "scene.view_layers[0].layer_collection.children['apart'].holdout = True"
)


@pytest.fixture(scope="module")
def shot(blender, tmp_path_factory):
    """Return a pass of a street that some lines have changed."""
    folder, films = tmp_path_factory.mktemp("streets"), {}

    def shoot(change, name):
        if change not in films:
            path = write_street(folder / f"street-{len(films)}.blend", change)
            job = film_job(path, FACTS, passes=("mask", *LABELS), frames=1, frame_start=20)
            films[change] = shoot_film(blender, job, path.with_suffix(""))
        [key] = films[change].records
        return films[change].read(*key, name)

    return shoot


@pytest.mark.parametrize("name", LABELS)
def test_labels_look_through_the_mist_of_a_world(shot, name):
    """Cycles draws lots whether a sample reaches what is behind; the mask is of all that is met."""
    assert np.array_equal(shot(MIST, name), shot(WORLD, name))


@pytest.mark.parametrize("name", LABELS)
def test_labels_look_through_what_only_catches_shadows(shot, name):
    caught = shot("bpy.data.objects['Floor'].is_shadow_catcher = True", name)
    gone = shot("bpy.data.objects['Floor'].hide_render = True", name)

    assert np.array_equal(caught, gone)


def test_materials_tell_nothing_of_what_a_collection_holds_out(shot):
    nothing = shot(HELD_OUT, "index") == 0

    assert nothing.sum() > 100
    assert not shot(HELD_OUT, "base_color")[nothing].any()
    assert not shot(HELD_OUT, "surface_valid")[nothing].any()
