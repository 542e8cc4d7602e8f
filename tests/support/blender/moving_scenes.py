"""Scenes with a moving camera in which all else stands still, or one thing does not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np

from farm.spec.scene_facts import SceneFacts
from tests.support.blender.scenes import a_material, add_box

CAMERA = "Cam"
LAST = 4
FACTS = SceneFacts(fps=24, frame_start=1, frame_end=LAST, cameras=(CAMERA,), camera=CAMERA)
Fill = Callable[[Any], None]


def add(scene: Any, name: str, data: Any) -> Any:
    """Put an object into a scene."""
    item = bpy.data.objects.new(name, data)
    scene.collection.objects.link(item)
    return item


def change(owner: Any, path: str, value: Any) -> None:
    """Let a value become another one in the last frame."""
    owner.keyframe_insert(path, frame=1)
    setattr(owner, path, value)
    owner.keyframe_insert(path, frame=LAST)


def keep(owner: Any, *paths: str) -> None:
    """Give values curves that change nothing."""
    for path in paths:
        change(owner, path, getattr(owner, path))


def fill(scene: Any) -> Any:
    """Put a wall, a box before it, a lamp and a camera that moves into a scene; return the box."""
    add_box(scene, name="Wall", size=(8.0, 0.1, 8.0), at=(0.0, 1.0, 0.0), material=paint("Plaster"))
    box = add_box(scene, name="Box", material=paint("Paint"))
    lamp = add(scene, "Sun", bpy.data.lights.new("Sun", "SUN"))
    lamp.rotation_euler = (0.6, 0.3, 0.0)
    camera = add(scene, CAMERA, bpy.data.cameras.new(CAMERA))
    camera.location, camera.rotation_euler = (0.0, -5.0, 0.0), (np.pi / 2, 0.0, 0.0)
    change(camera, "location", (0.8, -4.0, 0.3))
    scene.camera = camera
    return box


def paint(name: str) -> Any:
    """Return a material of a name."""
    found = a_material()
    found.name = name
    return found


def shader_of(item: Any) -> Any:
    """Return the inputs of an object's shader."""
    return item.active_material.node_tree.nodes["Principled BSDF"].inputs


@contextmanager
def active(scene: Any, item: Any) -> Any:
    """Let operators act on an object of a scene."""
    before = bpy.context.window.scene
    bpy.context.window.scene = scene
    bpy.context.view_layer.objects.active = item
    yield
    bpy.context.window.scene = before


# What stands still


def camera_rig(scene: Any) -> None:
    """Its camera goes with an empty, follows a curve and looks at the box."""
    box, camera = fill(scene), scene.camera
    camera.parent = add(scene, "Rig", None)
    change(camera.parent, "location", (0.0, 0.0, 0.5))
    curve = bpy.data.curves.new("Track", "CURVE")
    curve.dimensions = "3D"
    spline = curve.splines.new("POLY")
    spline.points.add(1)
    spline.points[1].co = (3.0, 0.0, 0.0, 1.0)
    track = add(scene, "Track", curve)
    keep(track, "location")
    change(track, "scale", (1.5, 1.5, 1.5))
    follow = camera.constraints.new("FOLLOW_PATH")
    follow.target, follow.use_fixed_location = track, True
    change(follow, "offset_factor", 0.4)
    camera.constraints.new("TRACK_TO").target = box


def helper(scene: Any) -> None:
    """What no render shows goes with the camera, and a sun whose light comes from one side."""
    fill(scene)
    hidden = add_box(scene, name="Helper")
    hidden.hide_render = True
    for item in (hidden, bpy.data.objects["Sun"]):
        item.parent = scene.camera


def zoom(scene: Any) -> None:
    """Its camera zooms."""
    fill(scene)
    change(scene.camera.data, "lens", 40.0)


def stray_curves(scene: Any) -> None:
    """Curves that change nothing, and one of a node that is gone."""
    box = fill(scene)
    keep(box, "location", "rotation_euler", "scale", "hide_render")
    keep(shader_of(box)["Base Color"], "default_value")
    keep(shader_of(box)["Alpha"], "default_value")
    keep(bpy.data.lights["Sun"], "energy")
    tree = box.active_material.node_tree
    gone = tree.nodes.new("ShaderNodeValue")
    change(gone.outputs[0], "default_value", 5.0)
    tree.nodes.remove(gone)
    box["mood"] = 0.0
    change(box, '["mood"]', 0.0)


def grass(scene: Any) -> None:
    """Hair, and particles that were cast before the first frame and stay."""
    fill(scene)
    lawn = add_box(scene, name="Lawn", size=(1.0, 1.0, 0.1), at=(-1.5, 0.0, 0.0))
    lawn.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system.settings.type = "HAIR"
    lawn.particle_systems[0].settings.count = 20
    cast(scene, first=-9, last=-8)


def cast(scene: Any, *, first: float, last: float) -> None:
    """Let boxes appear on another one from frame to frame."""
    source = add_box(scene, name="Source", at=(1.5, 0.0, 0.0))
    settings = source.modifiers.new("dust", "PARTICLE_SYSTEM").particle_system.settings
    settings.physics_type, settings.count = "NO", 20
    settings.frame_start, settings.frame_end, settings.lifetime = first, last, 1000.0
    settings.render_type = "OBJECT"
    settings.instance_object = add_box(scene, name="Crumb", size=(0.2, 0.2, 0.2))


STANDS: dict[str, Fill] = {
    "the camera": fill,
    "a rig of the camera": camera_rig,
    "what goes with it unseen": helper,
    "its lens": zoom,
    "curves that change nothing": stray_curves,
    "hair and particles": grass,
}
"""What moves, or seems to -> fills a scene."""


# What does not


def driven(scene: Any) -> None:
    fill(scene).driver_add("location", 2).driver.expression = "frame * 0.1"


def deformed(scene: Any) -> None:
    """An armature bends the box, whose object stays where it is."""
    box = fill(scene)
    bones = bpy.data.armatures.new("Bones")
    rig = add(scene, "Bones", bones)
    with active(scene, rig):
        bpy.ops.object.mode_set(mode="EDIT")
        bones.edit_bones.new("bone").tail = (0.0, 0.0, 1.0)
        bpy.ops.object.mode_set(mode="OBJECT")
    box.modifiers.new("armature", "ARMATURE").object = rig
    box.vertex_groups.new(name="bone").add([0, 1], 1.0, "REPLACE")
    change(rig.pose.bones["bone"], "location", (0.0, 0.2, 0.0))


def smiling(scene: Any) -> None:
    """A key moves a point within the box around all of them."""
    box = fill(scene)
    box.shape_key_add(name="Basis")
    smile = box.shape_key_add(name="smile")
    smile.points[0].co.x += 0.3
    smile.value = 0.0
    change(smile, "value", 1.0)


def brighter_lamp(scene: Any) -> None:
    fill(scene)
    change(bpy.data.lights["Sun"], "energy", 5.0)


def headlamp(scene: Any) -> None:
    fill(scene)
    add(scene, "Torch", bpy.data.lights.new("Torch", "POINT")).parent = scene.camera


def painted(scene: Any) -> None:
    change(shader_of(fill(scene))["Roughness"], "default_value", 0.1)


def painted_by_group(scene: Any) -> None:
    """A value within a group of nodes."""
    tree = fill(scene).active_material.node_tree
    group = bpy.data.node_groups.new("Group", "ShaderNodeTree")
    change(group.nodes.new("ShaderNodeValue").outputs[0], "default_value", 1.0)
    tree.nodes.new("ShaderNodeGroup").node_tree = group


def painted_by_place(scene: Any) -> None:
    """A pattern is fixed to an empty, which moves."""
    box = fill(scene)
    tree = box.active_material.node_tree
    place = tree.nodes.new("ShaderNodeTexCoord")
    place.object = add(scene, "Place", None)
    tree.links.new(place.outputs["Object"], shader_of(box)["Base Color"])
    change(place.object, "location", (0.0, 0.0, 0.5))


def film(scene: Any) -> None:
    """A screen shows a film."""
    tree = fill(scene).active_material.node_tree
    screen = tree.nodes.new("ShaderNodeTexImage")
    screen.image = bpy.data.images.new("film", 8, 8)
    screen.image.source = "SEQUENCE"
    screen.image_user.use_auto_refresh, screen.image_user.frame_duration = True, LAST


def turning_sky(scene: Any) -> None:
    """An HDRI that turns."""
    fill(scene)
    scene.world = bpy.data.worlds.new("Sky")
    tree = scene.world.node_tree
    sky, turn, at = (
        tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexEnvironment", "Mapping", "TexCoord")
    )
    sky.image = bpy.data.images.new("sky", 8, 4, float_buffer=True)
    sky.image.pack()
    tree.links.new(at.outputs["Generated"], turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], sky.inputs["Vector"])
    tree.links.new(sky.outputs["Color"], tree.nodes["Background"].inputs["Color"])
    change(turn.inputs["Rotation"], "default_value", (0.0, 0.0, 1.0))


def appearing(scene: Any) -> None:
    box = fill(scene)
    change(box, "hide_render", True)


def thrown(scene: Any) -> None:
    fill(scene)
    cast(scene, first=1, last=LAST)


def growing_field(scene: Any) -> None:
    """Nodes scatter boxes that grow with time."""
    nodes = bpy.data.node_groups.new("Field", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        nodes.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    given, made = nodes.nodes.new("NodeGroupInput"), nodes.nodes.new("NodeGroupOutput")
    time, scatter, box = (
        nodes.nodes.new(f"GeometryNode{kind}")
        for kind in ("InputSceneTime", "InstanceOnPoints", "MeshCube")
    )
    nodes.links.new(given.outputs[0], scatter.inputs["Points"])
    nodes.links.new(box.outputs[0], scatter.inputs["Instance"])
    nodes.links.new(time.outputs["Seconds"], scatter.inputs["Scale"])
    nodes.links.new(scatter.outputs[0], made.inputs[0])
    fill(scene).modifiers.new("field", "NODES").node_group = nodes


def growing_text(scene: Any) -> None:
    fill(scene)
    text = bpy.data.curves.new("Text", "FONT")
    text.body, text.extrude = "hi", 0.1
    add(scene, "Text", text)
    change(text, "extrude", 0.4)


def moved_copies(scene: Any) -> None:
    """An empty that shows a collection moves."""
    fill(scene)
    inside = bpy.data.collections.new("inside")
    source = add_box(scene, name="Source")
    scene.collection.objects.unlink(source)
    inside.objects.link(source)
    copies = add(scene, "Copies", None)
    copies.instance_type, copies.instance_collection = "COLLECTION", inside
    change(copies, "location", (0.0, 0.0, 0.5))


def waving_in_renders(scene: Any) -> None:
    """A modifier that Blender's window does not show."""
    fill(scene).modifiers.new("wave", "WAVE").show_viewport = False


CHANGES: dict[str, list[Fill]] = {
    "the place of Box": [driven, appearing],
    "the shape of Box": [deformed, smiling, growing_field, waving_in_renders],
    "the lamp Torch": [headlamp],
    "the lamp Sun": [brighter_lamp],
    "the material Paint": [painted, painted_by_group, painted_by_place, film],
    "the world Sky": [turning_sky],
    "the shape of Source": [thrown],
    "the shape of Text": [growing_text],
    "the place of Copies": [moved_copies],
}
"""What is not the same in all frames -> fill scenes."""
