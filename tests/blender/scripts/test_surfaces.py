"""What materials of a script's scene are, view by view, while the script changes them."""

from __future__ import annotations

import numpy as np

from tests.support.blender.scripted import a_script_job, render, script_asset

ROOM = 1 / 255
PAINTS = """
def frame(scene, view, rng):
    tree = scene.objects["Cube"].active_material.node_tree
    shader = next(each for each in tree.nodes if each.type == "BSDF_PRINCIPLED")
    rough = 0.2 + 0.3 * view.index
    shader.inputs["Roughness"].default_value = rough
    if view.index == 1:
        colour = tree.nodes.new("ShaderNodeRGB")
        colour.outputs[0].default_value = (0.1, 0.2, 0.7, 1)
        tree.links.new(colour.outputs[0], shader.inputs["Base Color"])
    if view.index == 2:
        start, end = tree.nodes.new("NodeClosureInput"), tree.nodes.new("NodeClosureOutput")
        start.pair_with_output(end)
        end.output_items.new("SHADER", "Shader")
        tree.links.new(shader.outputs[0], end.inputs["Shader"])
        called = tree.nodes.new("NodeEvaluateClosure")
        called.output_items.new("SHADER", "Shader")
        tree.links.new(end.outputs[0], called.inputs[0])
        tree.links.new(called.outputs["Shader"], tree.get_output_node("CYCLES").inputs["Surface"])
    return {"rough": rough}
"""


def test_values_are_those_that_the_script_has_set(blender, tmp_path):
    passes = ("rgb", "mask", "index", "base_color", "roughness", "surface_valid")
    job = a_script_job(script_asset(tmp_path, PAINTS), passes=passes, episode=3)
    views = render(blender, tmp_path / "out", job)

    for view in views[:2]:
        there = view["index"] > 0
        assert np.abs(view["roughness"][there] - view.record.fields["rough"]).max() <= ROOM
        assert view.record.notes == {}
    there = views[1]["index"] > 0
    assert np.abs(views[1]["base_color"][there] - (0.1, 0.2, 0.7)).max() <= ROOM
    assert not views[2]["surface_valid"].any()
    assert list(views[2].record.notes) == ["material Material"]
