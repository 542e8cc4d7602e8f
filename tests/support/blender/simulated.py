"""Small scenes that simulate, one for each kind of simulation; what moves is called `Mover`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from farm.spec.asset import Asset
from farm.spec.scene_facts import SceneFacts
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file

CAMERA = "Front"
LAST = 12
"""Last frame of the scenes."""
CLOTH_FACTS = SceneFacts(
    fps=30,
    frame_start=1,
    frame_end=LAST,
    cameras=(CAMERA,),
    camera=CAMERA,
    simulations=("cloth of Mover",),
)
"""What is known of the scene of `cloth`."""
Fill = Callable[[bpy.types.Scene], None]


def add_sheet(scene, *, at=(0.0, 0.0, 1.0), size=1.2, steps=5, name="Mover"):
    """A flat square of some quads."""
    line = [size * (place / steps - 0.5) for place in range(steps + 1)]
    points = [(x + at[0], y + at[1], at[2]) for y in line for x in line]
    row = steps + 1
    starts = [y * row + x for y in range(steps) for x in range(steps)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], [(at, at + 1, at + row + 1, at + row) for at in starts])
    mesh.materials.append(a_material(colour=(0.1, 0.3, 0.8, 1.0)))
    item = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(item)
    return item


def add_camera(scene):
    """A camera in front, and a lamp."""
    lens = bpy.data.cameras.new(CAMERA)
    camera = bpy.data.objects.new(CAMERA, lens)
    camera.location, camera.rotation_euler = (0.0, -4.0, 1.6), (1.3, 0.0, 0.0)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.rotation_euler = (0.4, 0.3, 0.0)
    for item in (camera, sun):
        scene.collection.objects.link(item)
    scene.camera = camera


def falling_box(scene):
    """A rigid body that falls onto another one and tips over."""
    box = add_box(scene, size=(0.5, 0.5, 0.5), name="Mover", material=a_material())
    box.location, box.rotation_euler = (0.3, 0.0, 1.2), (0.3, 0.2, 0.0)
    floor = add_box(scene, size=(1.0, 1.0, 0.4), at=(0.0, 0.0, -0.4), name="Floor")
    with bpy.context.temp_override(scene=scene):
        bpy.ops.rigidbody.world_add()
    world: Any = scene.rigidbody_world
    world.collection = bpy.data.collections.new("bodies")
    for item in (box, floor):
        world.collection.objects.link(item)
    floor.rigid_body.type = "PASSIVE"
    world.point_cache.frame_end = LAST


def cloth(scene):
    """A sheet that falls over a box."""
    box = add_box(scene, size=(0.3, 0.3, 0.3), at=(0.1, 0.0, 0.8), name="Post")
    box.modifiers.new("Collision", "COLLISION")
    add_sheet(scene).modifiers.new("Cloth", "CLOTH")


def soft_body(scene):
    """A sheet that falls and wobbles."""
    soft = add_sheet(scene).modifiers.new("Soft", "SOFT_BODY")
    soft.settings.use_goal = False
    soft.settings.pull = 0.2
    soft.settings.bend = 0.1
    sheet = scene.objects["Mover"]
    sheet.data.vertices[0].co.z += 0.4


def particles(scene):
    """Boxes that rain from a sheet."""
    drop = add_box(scene, size=(0.3, 0.3, 0.3), at=(0.0, 0.0, 0.0), name="Drop")
    drop.location.z = -20.0
    rain = add_sheet(scene).modifiers.new("Rain", "PARTICLE_SYSTEM").particle_system.settings
    rain.count, rain.frame_start, rain.frame_end, rain.lifetime = 12, 1.0, 6.0, 40.0
    rain.render_type, rain.instance_object, rain.particle_size = "OBJECT", drop, 1.0
    rain.brownian_factor = 2.0


def hair(scene):
    """Strands that bend down by their own dynamics: those that stand upright would stay."""
    item = add_sheet(scene)
    item.rotation_euler.y = 0.3
    strands = item.modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system
    strands.settings.type, strands.settings.count = "HAIR", 12
    strands.settings.hair_length, strands.settings.root_radius = 0.8, 8.0
    strands.use_hair_dynamics = True
    strands.cloth.settings.bending_stiffness, strands.cloth.settings.pin_stiffness = 0.1, 0.0


def zone(scene):
    """A box that a simulation zone lifts a little with each frame."""
    lift(add_box(scene, size=(0.5, 0.5, 0.5), name="Mover", material=a_material()))


def lift(item, *, by=0.1):
    """Let a simulation zone move an object up, by as much in each frame."""
    tree = bpy.data.node_groups.new("Lift", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeSimulationInput", "GeometryNodeSetPosition",
             "GeometryNodeSimulationOutput", "NodeGroupOutput")  # fmt: skip
    begin, first, move, last, end = (tree.nodes.new(kind) for kind in kinds)
    first.pair_with_output(last)
    move.inputs["Offset"].default_value = (0.0, 0.0, by)
    pairs = ((begin, first), (first, move), (move, last), (last, end))
    for one, other in pairs:
        out = next(each for each in one.outputs if each.type == "GEOMETRY")
        into = next(each for each in other.inputs if each.type == "GEOMETRY")
        tree.links.new(out, into)
    item.modifiers.new("Nodes", "NODES").node_group = tree
    return tree


def dynamic_paint(scene):
    """A sheet that keeps the track of a box that moves through it."""
    sheet = add_sheet(scene, at=(0.0, 0.0, 0.0), size=2.0, steps=10)
    sheet.rotation_euler, sheet.location.z = (1.0, 0.0, 0.0), 0.7
    brush = add_box(scene, size=(0.4, 1.0, 0.4), name="Brush", material=a_material())
    brush.location.z = 0.7
    brush.hide_render = True
    for frame, x in ((1, -0.6), (LAST, 0.6)):
        brush.location.x = x
        brush.keyframe_insert("location", frame=frame)
    for item, kind in ((sheet, "CANVAS"), (brush, "BRUSH")):
        modifier = item.modifiers.new("Paint", "DYNAMIC_PAINT")
        modifier.ui_type = kind
        with bpy.context.temp_override(scene=scene, object=item, active_object=item):
            bpy.ops.dpaint.type_toggle(type=kind)
    surface = sheet.modifiers[0].canvas_settings.canvas_surfaces[0]
    surface.surface_format, surface.surface_type = "VERTEX", "DISPLACE"
    surface.displace_factor = 3.0


def painted_colours(scene):
    """A sheet whose colours keep the track of a box that moves over it."""
    dynamic_paint(scene)
    sheet = scene.objects["Mover"]
    surface = sheet.modifiers[0].canvas_settings.canvas_surfaces[0]
    surface.surface_type, surface.use_output_a = "PAINT", True
    surface.output_name_a = "track"
    sheet.data.color_attributes.new("track", "BYTE_COLOR", "CORNER")
    nodes = sheet.data.materials[0].node_tree
    colour = nodes.nodes.new("ShaderNodeVertexColor")
    colour.layer_name = "track"
    shader = nodes.nodes["Principled BSDF"]
    nodes.links.new(colour.outputs["Alpha"], shader.inputs["Emission Strength"])


KINDS: dict[str, tuple[Fill, str]] = {
    "rigid body": (falling_box, "rigid body world"),
    "cloth": (cloth, "cloth of Mover"),
    "soft body": (soft_body, "soft body of Mover"),
    "particles": (particles, "particles Rain of Mover"),
    "hair": (hair, "particles Hair of Mover"),
    "simulation zone": (zone, "simulation zone of Mover"),
    "dynamic paint": (dynamic_paint, "dynamic paint of Mover"),
    "painted colours": (painted_colours, "dynamic paint of Mover"),
}
"""Kind -> what fills a scene, and what must be baked in it."""


def write_simulated(path: Path, fill: Fill, *, last: int = LAST) -> Asset:
    """Write a scene of `last` frames that moves by physics."""
    with blend_file(path) as scene:
        scene.frame_start, scene.frame_end = 1, last
        add_camera(scene)
        fill(scene)
    return asset_of(path, "scene")


def points_of(opened, moment, name="Mover"):
    """Return where the points of an object are in the world at a moment, or its particles."""
    opened.show_frame(moment)
    item = opened.scene.objects[name].evaluated_get(opened.scene.view_layers[0].depsgraph)
    points = np.array([item.matrix_world @ point.co for point in item.data.vertices])
    rain = [each.location for system in item.particle_systems for each in system.particles]
    return np.array(rain) if rain else points


def write_baked(blender, folder: Path, fill: Fill) -> Asset:
    """Write a scene whose point caches were baked into it, as people do."""
    blender.free_model()
    plain = write_simulated(folder / "plain.blend", fill)
    scene = blender.open_scene(plain).scene
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        bpy.ops.ptcache.bake_all(bake=True)
    blender.save_baked(plain, folder)
    blender.free_model()
    return asset_of(folder / "scene.blend", "scene")
