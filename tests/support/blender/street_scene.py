"""A small animated scene, written by a Blender of its own."""

from __future__ import annotations

from pathlib import Path

from farm.spec.scene_facts import SceneFacts
from tests.support.blender.scene_writer import write_by

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

MOTIONS = {
    "lens": "key(camera.data, 'lens', (1, 25.0), (40, 60.0))",
    "shift": "key(camera.data, 'shift_x', (1, -0.3), (40, 0.3))",
    "fit": "camera.data.sensor_fit = 'VERTICAL'; key(camera.data, 'shift_y', (1, 0.2), (40, -0.2))",
    "orthographic": "camera.data.type = 'ORTHO'; "
    "key(camera.data, 'ortho_scale', (1, 6.0), (40, 14.0))",
    "parented": "rig = bpy.data.objects.new('Rig', None); scene.collection.objects.link(rig); "
    "camera.parent = rig; key(rig, 'rotation_euler', (1, (0, 0, -0.3)), (40, (0, 0, 0.3)))",
    "shape keys": "ball.shape_key_add(); k = ball.shape_key_add(name='k'); "
    "[setattr(v, 'co', v.co * (1 + 0.4 * v.co.z)) for v in k.data]; "
    "key(k, 'value', (1, 0.0), (40, 1.0))",
    "armature": "bpy.ops.object.armature_add(location=(0, 0, 0)); rig = bpy.context.object; "
    "m = cube.modifiers.new('Armature', 'ARMATURE'); m.object = rig; "
    "g = cube.vertex_groups.new(name='Bone'); g.add([1, 3, 5, 7], 1.0, 'REPLACE'); "
    "b = rig.pose.bones[0]; b.rotation_mode = 'XYZ'; "
    "key(b, 'rotation_euler', (1, (0, 0, 0)), (40, (0.0, 1.2, 0)))",
    "modifier": "m = ball.modifiers.new('Wave', 'WAVE'); m.height = 0.3; m.speed = 0.1",
    "nla": "a = cube.animation_data; t = a.nla_tracks.new(); s = t.strips.new('s', 1, a.action); "
    "a.action = None; s.scale = 1.5",
}
"""Lines of Python that change how the scene moves, by what moves."""

COPIES = {
    "collection": "held = bpy.data.collections.new('Held'); held.objects.link(ball); "
    "scene.collection.objects.unlink(ball); ball.animation_data_clear(); "
    "ball.location = (0, 0, 0); "
    "a = bpy.data.objects.new('A', None); a.instance_type = 'COLLECTION'; "
    "a.instance_collection = held; scene.collection.objects.link(a); "
    "key(a, 'location', (1, (3, -2, 0.7)), (40, (-3, -2, 0.7))); "
    "b = bpy.data.objects.new('B', None); b.instance_type = 'COLLECTION'; "
    "b.instance_collection = held; scene.collection.objects.link(b); b.location = (2, -3, 0.7); "
    "key(b, 'rotation_euler', (1, (0, 0, 0)), (40, (0, 3, 1)))",
    "geometry nodes": "ball.animation_data_clear(); ball.location = (0, 0, 0); "
    "held = bpy.data.objects.new('Holder', bpy.data.meshes.new('Holder')); "
    "scene.collection.objects.link(held); ball.hide_render = True; "
    "tree = bpy.data.node_groups.new('g', 'GeometryNodeTree'); "
    "tree.interface.new_socket('o', in_out='OUTPUT', socket_type='NodeSocketGeometry'); "
    "n = tree.nodes; info = n.new('GeometryNodeObjectInfo'); info.inputs[0].default_value = ball; "
    "line = n.new('GeometryNodeMeshLine'); line.inputs['Count'].default_value = 3; "
    "line.inputs['Offset'].default_value = (2, 0.5, 0); "
    "put = n.new('GeometryNodeInstanceOnPoints'); out = n.new('NodeGroupOutput'); "
    "tree.links.new(line.outputs[0], put.inputs['Points']); "
    "tree.links.new(info.outputs['Geometry'], put.inputs['Instance']); "
    "tree.links.new(put.outputs[0], out.inputs[0]); "
    "held.modifiers.new('g', 'NODES').node_group = tree; "
    "key(held, 'location', (1, (-3, -4, 0.7)), (40, (1, -3, 0.7)))",
    "seen only by renders": "ball.hide_viewport = True; "
    "s = ball.modifiers.new('s', 'SUBSURF'); s.levels = 0; s.render_levels = 2; "
    "w = ball.modifiers.new('w', 'DECIMATE'); w.ratio = 0.1; w.show_render = False",
}
"""The same for things that are shown as copies, or otherwise by renders alone."""


def write_street(path: Path, change: str = "") -> Path:
    """Write the scene, changed by lines of Python."""
    write_by(SCENE, path, change)
    return path
