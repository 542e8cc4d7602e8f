"""A bar, as long and as high as it is told: the scene whose parameters are looked for."""


def setup(scene, params):
    """Look at the bar from its front, in soft light."""
    scene.camera.location = (0.0, -9.0, 0.0)
    scene.camera.rotation_euler = (1.5707964, 0.0, 0.0)
    scene.objects["Light"].location = (2.0, -6.0, 4.0)


def frame(scene, view, rng):
    """Give the bar its size and turn it a little, as if nobody could hold it still."""
    bar = scene.objects["Cube"]
    bar.scale = (view.params["width"], 0.3, view.params["height"])
    bar.rotation_euler = (0.0, rng.normal(0.0, 0.03), rng.normal(0.0, 0.1))
