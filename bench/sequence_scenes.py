"""Three animated scenes for the benchmarks of sequences, of frames 1 to `frames` each.

    python -m bench.sequence_scenes FOLDER [--frames 48]

Things that fly, a town that stands still while the camera drives through, and a sheet that changes
its shape.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np

TOWN = 12
"""Houses along each side of the town."""
FLYING = 24
"""Monkeys in the flight."""
TEXTURE_PX = 1024
"""Sides of pictures on surfaces."""


def main() -> None:
    """Write the scenes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=48)
    options = parser.parse_args()
    for name, fill in {"flight": fill_flight, "town": fill_town, "sheet": fill_sheet}.items():
        scene = new_scene(options.frames)
        fill(scene, options.frames)
        bpy.ops.wm.save_as_mainfile(filepath=str(options.folder / f"{name}.blend"), compress=True)


def new_scene(frames: int) -> Any:
    """Return an empty scene with a sky, a sun and a camera, for Cycles."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    context: Any = bpy.context
    scene = context.scene
    scene.frame_start, scene.frame_end = 1, frames
    scene.render.engine = "CYCLES"
    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.3, 0.5, 0.9, 1)
    lamp: Any = bpy.data.lights.new("sun", "SUN")
    lamp.energy = 3.0
    sun = add(scene, "sun", lamp)
    sun.rotation_euler = (0.6, 0.3, 0.0)
    scene.camera = add(scene, "camera", bpy.data.cameras.new("camera"))
    return scene


def fill_flight(scene: Any, frames: int) -> None:
    """Let monkeys fly over a floor, each on its own way."""
    floor = primitive("plane", 20.0)
    floor.materials.append(material("floor", (0.5, 0.5, 0.45), texture=True))
    add(scene, "floor", floor)
    monkey = smooth(primitive("monkey", 1.0), levels=2)
    rng = np.random.default_rng(1)
    for number in range(FLYING):
        mesh = monkey.copy()
        colour = tuple(rng.uniform(0.1, 0.9, 3).tolist())
        mesh.materials.append(material(f"paint {number}", colour, metallic=number % 3 == 0))
        item = add(scene, f"monkey {number}", mesh)
        for frame in (1, frames):
            item.location = (*rng.uniform(-6, 6, 2).tolist(), float(rng.uniform(1, 4)))
            item.rotation_euler = rng.uniform(-2, 2, 3).tolist()
            item.keyframe_insert("location", frame=frame)
            item.keyframe_insert("rotation_euler", frame=frame)
    look(scene.camera, (0.0, -15.0, 6.0), frame=1)
    look(scene.camera, (4.0, -14.0, 5.0), frame=frames)


def fill_town(scene: Any, frames: int) -> None:
    """Drive the camera through houses of many faces that stand still."""
    ground = primitive("plane", 80.0)
    ground.materials.append(material("ground", (0.3, 0.4, 0.3), texture=True))
    add(scene, "ground", ground)
    rng = np.random.default_rng(2)
    shapes = [smooth(primitive("cube", 1.0), levels=5) for _ in range(6)]
    for mesh in shapes:
        colour = tuple(rng.uniform(0.2, 0.8, 3).tolist())
        mesh.materials.append(material("wall", colour, texture=True))
    for number in range(TOWN * TOWN):
        item = add(scene, f"house {number}", shapes[number % len(shapes)])
        row, column = divmod(number, TOWN)
        item.location = ((column - TOWN / 2 + 0.5) * 6.0, (row - TOWN / 2) * 6.0, 1.0)
        item.scale = (1.6, 1.6, float(rng.uniform(1.0, 4.0)))
    for frame, y in ((1, -40.0), (frames, -25.0)):
        look(scene.camera, (0.0, y, 3.0), target=(0.0, y + 20.0, 2.0), frame=frame)


def fill_sheet(scene: Any, frames: int) -> None:
    """Let a sheet wave under a ball of glass."""
    sheet = primitive("grid", 8.0)
    sheet.materials.append(material("cloth", (0.7, 0.2, 0.2), texture=True))
    item = add(scene, "sheet", sheet)
    wave: Any = item.modifiers.new("wave", "WAVE")
    wave.height, wave.width, wave.speed = 0.6, 2.0, 0.12
    wave.time_offset = -60.0
    ball = smooth(primitive("ball", 1.5), levels=1)
    glass = material("glass", (1.0, 1.0, 1.0))
    shader = glass.node_tree.nodes["Principled BSDF"]
    shader.inputs["Transmission Weight"].default_value = 0.9
    shader.inputs["Roughness"].default_value = 0.05
    ball.materials.append(glass)
    add(scene, "ball", ball).location = (0.0, 0.0, 2.5)
    for frame in range(1, frames + 1, 6):
        angle = math.radians(90.0 * frame / frames)
        place = (11.0 * math.sin(angle), -11.0 * math.cos(angle), 6.0)
        look(scene.camera, place, target=(0.0, 0.0, 1.0), frame=frame)


def add(scene: Any, name: str, data: Any) -> Any:
    """Stand something in the scene."""
    item: Any = bpy.data.objects.new(name, data)
    scene.collection.objects.link(item)
    return item


def primitive(kind: str, size: float) -> Any:
    """Return the mesh of a primitive, by Blender's own operators."""
    makers = {
        "plane": lambda: bpy.ops.mesh.primitive_plane_add(size=2 * size),
        "grid": lambda: bpy.ops.mesh.primitive_grid_add(
            x_subdivisions=200, y_subdivisions=200, size=2 * size
        ),
        "cube": lambda: bpy.ops.mesh.primitive_cube_add(size=size * 2),
        "ball": lambda: bpy.ops.mesh.primitive_uv_sphere_add(radius=size),
        "monkey": lambda: bpy.ops.mesh.primitive_monkey_add(size=2 * size),
    }
    makers[kind]()
    made: Any = bpy.context.object
    mesh = made.data
    bpy.data.objects.remove(made)
    return mesh


def smooth(mesh: Any, *, levels: int) -> Any:
    """Return a mesh, subdivided."""
    context: Any = bpy.context
    item = add(context.scene, "smooth", mesh)
    modifier: Any = item.modifiers.new("subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = levels
    made = bpy.data.meshes.new_from_object(item.evaluated_get(context.evaluated_depsgraph_get()))
    bpy.data.objects.remove(item)
    made.shade_smooth()
    return made


def material(name: str, colour: Any, *, texture: bool = False, metallic: bool = False) -> Any:
    """Return a material, of one colour or with a picture of noise on it."""
    made: Any = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Metallic"].default_value = float(metallic)
    if texture:
        node = made.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = picture(name, colour)
        made.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return made


def picture(name: str, colour: Any) -> Any:
    """Return a picture of noise around a colour, in the file."""
    made: Any = bpy.data.images.new(name, TEXTURE_PX, TEXTURE_PX)
    rng = np.random.default_rng(3)
    pixels = np.ones((TEXTURE_PX, TEXTURE_PX, 4), dtype=np.float32)
    coarse = rng.uniform(0.5, 1.0, (TEXTURE_PX // 8, TEXTURE_PX // 8, 1))
    pixels[..., :3] = np.array(colour) * np.kron(coarse, np.ones((8, 8, 1)))
    made.pixels.foreach_set(pixels.ravel())
    made.pack()
    return made


def look(
    camera: Any,
    place: tuple[float, float, float],
    *,
    frame: int,
    target: tuple[float, float, float] = (0.0, 0.0, 2.0),
) -> None:
    """Let the camera look from one place at another at a frame."""
    from mathutils import Vector

    camera.location = place
    way = Vector(target) - Vector(place)
    camera.rotation_euler = way.to_track_quat("-Z", "Y").to_euler("XYZ", camera.rotation_euler)
    camera.keyframe_insert("location", frame=frame)
    camera.keyframe_insert("rotation_euler", frame=frame)


if __name__ == "__main__":
    main()
