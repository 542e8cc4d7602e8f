"""The toy recipes' package and a scene for it: two cubes of different colours that move apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOY = Path(__file__).parent / "toy"
"""What to put on PYTHONPATH."""
SCENE = """\
import sys, bpy
from mathutils import Matrix
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
world = scene.world or bpy.data.worlds.new("world")
scene.world = world
for number, colour in enumerate(((0.8, 0.1, 0.1, 1), (0.1, 0.1, 0.8, 1))):
    material = bpy.data.materials.new(("red", "blue")[number])
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    bpy.ops.mesh.primitive_cube_add(size=1, location=(2 * number - 1, 0, 0))
    cube = bpy.context.object
    cube.name = ("red cube", "blue cube")[number]
    cube.data.materials.append(material)
    cube.keyframe_insert("location", frame=1)
    cube.location.z += 1 - 2 * number
    cube.keyframe_insert("location", frame=3)
for name, side in (("left", -1), ("right", 1)):
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    camera.matrix_world = Matrix.LocRotScale((side, -6, 0), Matrix.Rotation(1.5708, 3, "X"), None)
    scene.collection.objects.link(camera)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def with_toy() -> str:
    """Return a PYTHONPATH on which the package is installed."""
    return os.pathsep.join(filter(None, (str(TOY), os.environ.get("PYTHONPATH"))))


def write_scene(path: Path, *, python: str = sys.executable) -> None:
    """Write the scene by a Python that has Blender."""
    subprocess.run([python, "-c", SCENE, str(path)], check=True, capture_output=True)
