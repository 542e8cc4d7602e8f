"""Cubes that fall on a floor, by Blender's physics, with their corners in the picture.

farm render examples/falling_cubes/falling_cubes.yaml
"""

import bpy
import numpy as np


def setup(scene, params):
    """Build the scene: once, when it has been opened."""
    for item in list(scene.objects):
        if item.type == "MESH":
            bpy.data.objects.remove(item)
    scene.camera.location = (0.0, -14.0, 8.0)
    scene.camera.rotation_euler = (1.1, 0.0, 0.0)
    scene.objects["Light"].data.energy = 4000.0

    bpy.ops.mesh.primitive_plane_add(size=30.0)
    floor = bpy.context.object
    floor.name = floor["label"] = "floor"
    bpy.ops.rigidbody.object_add(type="PASSIVE")
    floor.rigid_body.collision_shape = "BOX"

    for number in range(params["cubes"]):
        bpy.ops.mesh.primitive_cube_add(size=1.0)
        cube = bpy.context.object
        cube.name, cube["label"] = f"cube{number}", "cube"
        bpy.ops.rigidbody.object_add(type="ACTIVE")
        cube.rigid_body.collision_shape = "BOX"
        paint = bpy.data.materials.new(f"paint{number}")
        cube.data.materials.append(paint)


def frame(scene, view, rng):
    """Throw the cubes when an episode begins; then let them fall, and tell where they are."""
    cubes = [item for item in scene.objects if item.name.startswith("cube")]
    if view.step == 0:
        for cube in cubes:
            cube.location = rng.uniform((-3, -3, 4), (3, 3, 10))
            cube.rotation_euler = rng.uniform(-np.pi, np.pi, 3)
            shader = cube.active_material.node_tree.nodes["Principled BSDF"]
            shader.inputs["Base Color"].default_value = (*rng.uniform(0.05, 1.0, 3), 1.0)
    corners = np.concatenate([view.corners(cube) for cube in cubes])
    return {"xy": np.nan_to_num(view.project(corners), nan=-1.0), "frame": view.frame}
