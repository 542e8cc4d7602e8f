"""A small animated scene, written by a Blender of its own: `python -c SCENE FILE [CHANGE]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from farm.spec.scene_facts import SceneFacts

SCENE = """\
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end, scene.render.fps = 1, 40, 30

def key(item, path, *values):
    for frame, value in values:
        owner = item
        *names, last = path.split(".")
        for name in names:
            owner = getattr(owner, name)
        setattr(owner, last, value)
        owner.keyframe_insert(last, frame=frame)

bpy.ops.mesh.primitive_plane_add(size=14)
bpy.context.object.name = "Floor"
bpy.ops.mesh.primitive_plane_add(size=14, location=(0, 6, 3), rotation=(1.5708, 0, 0))
bpy.context.object.name = "Wall"
bpy.ops.mesh.primitive_cube_add(size=2, location=(0, 0, 1))
cube = bpy.context.object
cube.name = "Cube"
key(cube, "location", (1, (-3, 0, 1)), (40, (3, 0, 1)))
key(cube, "rotation_euler", (1, (0, 0, 0)), (40, (0, 0, 3)))
bpy.ops.mesh.primitive_uv_sphere_add(radius=0.7, location=(0, -2, 0.7))
ball = bpy.context.object
ball.name = "Ball"
ball["category"] = "toy"
key(ball, "location", (1, (3, -2, 0.7)), (40, (-3, -2, 0.7)))
lamp = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
lamp.data.energy = 3
lamp.rotation_euler = (0.5, 0.3, 0)
scene.collection.objects.link(lamp)
camera = bpy.data.objects.new("Cam", bpy.data.cameras.new("Cam"))
camera.data.lens = 35
scene.collection.objects.link(camera)
scene.camera = camera
key(camera, "location", (1, (-1, -9, 4)), (40, (1, -9, 4)))
key(camera, "rotation_euler", (1, (1.2, 0, 0.1)), (40, (1.2, 0, -0.1)))
exec(sys.argv[2])
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""

FACTS = SceneFacts(fps=30, frame_start=1, frame_end=40, cameras=("Cam",), camera="Cam")


def write_street(path: Path, change: str = "") -> Path:
    """Write the scene, changed by lines of Python."""
    command = [sys.executable, "-c", SCENE, str(path), change]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path
