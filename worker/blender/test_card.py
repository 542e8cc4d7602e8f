"""A scene whose picture is known: three sides of a cube in the sun."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Vector

from farm.spec.camera import OrbitCamera, orbit_matrix
from farm.spec.render import ResolvedRender

CARD = ResolvedRender(
    resolution_px=(32, 32),
    samples=8,
    denoise=False,
    format="png",
    bit_depth=8,
    view_transform="Standard",
)
CAMERA = OrbitCamera(yaw_deg=30.0, pitch_deg=25.0, distance=2.6)
POSE = orbit_matrix(yaw_deg=CAMERA.yaw_deg, pitch_deg=CAMERA.pitch_deg, distance=CAMERA.distance)
COLOUR = (0.8, 0.4, 0.1, 1.0)
SUN = 3.0
CORNERS = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def add_test_card(scene: bpy.types.Scene) -> None:
    """Stand a cube in the light of a sun, which casts no soft shadow: there is next to no noise."""
    mesh = bpy.data.meshes.new("test card")
    mesh.from_pydata(CORNERS, [], SIDES)
    material: Any = bpy.data.materials.new("test card")
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = COLOUR
    shader.inputs["Roughness"].default_value = 0.9
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new("test card", mesh))
    sun: Any = bpy.data.lights.new("test card", "SUN")
    sun.energy = SUN
    sun.angle = 0.0
    lamp = bpy.data.objects.new("test card sun", sun)
    x, y, z = (row[3] for row in POSE[:3])
    lamp.rotation_euler = Vector((x, 0.5 * y, 2.0 * z)).to_track_quat("Z", "Y").to_euler()
    scene.collection.objects.link(lamp)


def add_rare(scene: bpy.types.Scene) -> None:
    """Add what has kernels of its own: volumes, nodes that trace rays, and caustics of glass."""
    add_test_card(scene)
    material: Any = bpy.data.materials["test card"]
    tree = material.node_tree
    shader, output = tree.nodes["Principled BSDF"], tree.nodes["Material Output"]
    bevel, occlusion = (
        tree.nodes.new("ShaderNodeBevel"),
        tree.nodes.new("ShaderNodeAmbientOcclusion"),
    )
    tree.links.new(bevel.outputs["Normal"], shader.inputs["Normal"])
    tree.links.new(occlusion.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Transmission Weight"].default_value = 0.5
    shader.inputs["Subsurface Weight"].default_value = 0.1
    smoke = tree.nodes.new("ShaderNodeVolumePrincipled")
    tree.links.new(smoke.outputs["Volume"], output.inputs["Volume"])
    item: Any
    for item in scene.collection.objects:
        item.cycles.is_caustics_caster = item.cycles.is_caustics_receiver = True
        if item.type == "LIGHT":
            item.data.cycles.is_caustics_light = True
