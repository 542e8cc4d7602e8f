"""A cube of the size that it is told."""


def setup(scene, params):
    """Look at Blender's own cube from the side, before a dark sky."""
    scene.camera.location = (0.0, -9.0, 2.0)
    scene.camera.rotation_euler = (1.35, 0.0, 0.0)


def frame(scene, view, rng):
    """Scale the cube, and turn it as chance has it."""
    cube = scene.objects["Cube"]
    cube.scale = [view.params["size"]] * 3
    cube.rotation_euler.z = rng.uniform(0.0, 3.14)
    return {"size": view.params["size"]}
