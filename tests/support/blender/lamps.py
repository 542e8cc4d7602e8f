"""Scenes of one glowing square in the dark, for tests.

The camera is orthographic, 8 units wide, and looks down on the square, whose light is 1.
"""

from __future__ import annotations

from pathlib import Path

from farm.spec.scene_facts import SceneFacts
from tests.support.blender.scene_writer import write_by

WIDTH = 8.0
"""Units that the picture is wide."""
FACTS = SceneFacts(fps=10, frame_start=1, frame_end=20, cameras=("Cam",), camera="Cam")
SCENE = """\
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end, scene.render.fps = 1, 20, 10
scene.world = bpy.data.worlds.new("Dark")
scene.world.use_nodes = True
for node in scene.world.node_tree.nodes:
    if node.type == "BACKGROUND":
        node.inputs["Color"].default_value = (0, 0, 0, 1)

def glowing(name, size, at):
    bpy.ops.mesh.primitive_plane_add(size=size, location=at)
    square = bpy.context.object
    square.name = name
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    light = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(light.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs[0])
    square.data.materials.append(material)
    return square, tree

def key(item, path, *values, index=-1):
    for frame, value in values:
        owner, name = (item.path_resolve(path.rpartition(".")[0]), path.rpartition(".")[2]) \\
            if "." in path else (item, path)
        if index >= 0:
            getattr(owner, name)[index] = value
        else:
            setattr(owner, name, value)
        owner.keyframe_insert(name, index=index, frame=frame)
    action = item.animation_data.action
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                for curve in bag.fcurves:
                    curve.extrapolation = "LINEAR"
                    for point in curve.keyframe_points:
                        point.interpolation = "LINEAR"

square, tree = glowing("Square", 2, (0, 0, 0))
camera = bpy.data.objects.new("Cam", bpy.data.cameras.new("Cam"))
camera.data.type, camera.data.ortho_scale = "ORTHO", 8
camera.location = (0, 0, 5)
scene.collection.objects.link(camera)
scene.camera = camera
exec(sys.argv[2])
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""
MOVES = 'key(square, "location", (1, -3.0), (7, 3.0), index=0)'
"""One unit a frame to the right."""
BRIGHTENS = """key(tree, 'nodes["Emission"].inputs[1].default_value', (1, 1.0), (21, 41.0))"""
"""Its light is 1 in frame 1, and 2 more in each that follows."""
DIMS = """key(tree, 'nodes["Emission"].inputs[1].default_value', (1, 41.0), (21, 1.0))"""
"""Its light is 41 in frame 1, and 2 less in each that follows."""


def write_square(path: Path, change: str = "") -> Path:
    """Write the scene, changed by lines of Python."""
    write_by(SCENE, path, change)
    return path
