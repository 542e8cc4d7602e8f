"""Things that fade while time goes on: each frame's labels are of what is half opaque in it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.lamps import FACTS, write_square

FRAMES = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
"""Not the one in which it is just half opaque."""
PAINT = """
tree.nodes.clear()
paint = tree.nodes.new("ShaderNodeBsdfPrincipled")
tree.links.new(paint.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs[0])
"""
MIX = """
clear, mix = (tree.nodes.new("ShaderNode" + kind) for kind in ("BsdfTransparent", "MixShader"))
tree.links.new(clear.outputs[0], mix.inputs[1])
tree.links.new(paint.outputs[0], mix.inputs[2])
tree.links.new(mix.outputs[0], tree.nodes["Material Output"].inputs[0])
"""
GROUP = """
group = bpy.data.node_groups.new("fade", "ShaderNodeTree")
for name, way, kind in (("Much", "INPUT", "Float"), ("Shader", "OUTPUT", "Shader")):
    group.interface.new_socket(name, in_out=way, socket_type="NodeSocket" + kind)
start, end = (group.nodes.new("NodeGroup" + kind) for kind in ("Input", "Output"))
paint = group.nodes.new("ShaderNodeBsdfPrincipled")
group.links.new(start.outputs[0], paint.inputs["Alpha"])
group.links.new(paint.outputs[0], end.inputs[0])
node = tree.nodes.new("ShaderNodeGroup")
node.node_tree = group
tree.links.new(node.outputs[0], tree.nodes["Material Output"].inputs[0])
"""
KEY = "key(tree, '{path}.default_value', (1, 1.0), (11, 0.0))"
DRIVE = """
driver = paint.inputs["Alpha"].driver_add("default_value").driver
driver.type = "AVERAGE"
variable = driver.variables.new()
variable.targets[0].id = square
variable.targets[0].data_path = "location.z"
key(square, "location", (1, 1.0), (11, 0.0), index=2)
"""
WAYS = {
    "alpha": PAINT + KEY.format(path='nodes["Principled BSDF"].inputs[4]'),
    "driver": PAINT + DRIVE,
    "mix": PAINT + MIX + KEY.format(path='nodes["Mix Shader"].inputs[0]'),
    "group": PAINT + GROUP + KEY.format(path='nodes["Group"].inputs[0]'),
    "strip": PAINT + KEY.format(path='nodes["Principled BSDF"].inputs[4]') + """
animation = tree.animation_data
strip = animation.nla_tracks.new().strips.new("fade", 1, animation.action)
strip.action_slot = animation.action_slot
animation.action = None
""",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_labels_are_of_what_is_half_opaque_in_a_frame(blender, tmp_path, way):
    scene = write_square(tmp_path / "square.blend", WAYS[way])
    job = film_job(scene, FACTS, passes=("index", "opacity"), frame_start=1, frame_end=11)

    film = shoot_film(blender, job, tmp_path / "out")

    [sequence] = film.sequences
    there = [int(np.count_nonzero(film.read(sequence, n, "index"))) for n in FRAMES]
    assert len({count for count in there if count}) == 1
    assert [count > 0 for count in there] == [n <= 6 for n in FRAMES]
    for number in (1, 3, 5):
        opacity = film.read(sequence, number, "opacity")
        seen = film.read(sequence, number, "index") > 0
        np.testing.assert_allclose(opacity[seen], 1 - (number - 1) / 10, atol=1e-3)
