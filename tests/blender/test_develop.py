"""Developed pixels equal what Blender itself writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from worker.images.view_transform import Developer, quantise_mask

imagecodecs = pytest.importorskip("imagecodecs")
bpy = pytest.importorskip("bpy")
OpenEXR = pytest.importorskip("OpenEXR")

from worker.blender.guards import disarm  # noqa: E402

SIZE_PX = 64
VIEW_TRANSFORMS = ("AgX", "Filmic", "Standard")
ROUNDING = {("AgX", 16): 2}
"""Levels apart: AgX is a 3D table, and how a CPU rounds in it shows in the last bit of 16."""


@pytest.fixture(scope="module")
def rendered(blender, tmp_path_factory):
    """Tiny renders, saved by Blender as linear EXR and as PNG of every transform and depth."""
    folder = tmp_path_factory.mktemp("rendered")
    blender.free_model()
    before = {block.session_uid for block in disarm.all_ids()}
    scene = a_bright_scene()
    bpy.ops.render.render(scene=scene.name)
    save(scene, folder / "linear.exr", "OPEN_EXR", "RGB", "32")
    for transform in VIEW_TRANSFORMS:
        scene.view_settings.view_transform = transform
        for bit_depth in ("8", "16"):
            save(scene, folder / f"{transform}-{bit_depth}.png", "PNG", "RGB", bit_depth)
    scene.render.film_transparent = True
    bpy.ops.render.render(scene=scene.name)
    save(scene, folder / "alpha.exr", "OPEN_EXR", "RGBA", "32")
    save(scene, folder / "alpha-8.png", "PNG", "RGBA", "8")
    save(scene, folder / "alpha-16.png", "PNG", "RGBA", "16")
    disarm.keep_only(before)  # the session's scene is still there for other tests
    return folder


@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("view_transform", VIEW_TRANSFORMS)
def test_developed_pixels_equal_those_that_blender_writes(rendered, view_transform, bit_depth):
    linear = read_linear(rendered / "linear.exr")
    theirs = imagecodecs.imread(rendered / f"{view_transform}-{bit_depth}.png")

    ours = Developer(view_transform=view_transform, bit_depth=bit_depth)(linear)

    difference = np.abs(ours.astype(np.int64) - theirs.astype(np.int64))
    print(f"{view_transform} {bit_depth} bit: largest difference {difference.max()}")
    assert ours.dtype == theirs.dtype
    assert difference.max() <= ROUNDING.get((view_transform, bit_depth), 0)
    assert np.ptp(ours) > 0.8 * np.iinfo(ours.dtype).max  # a picture that can tell


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_a_mask_equals_the_alpha_that_blender_writes(rendered, bit_depth):
    alpha = read_linear(rendered / "alpha.exr")[..., 3]
    theirs = imagecodecs.imread(rendered / f"alpha-{bit_depth}.png")[..., 3]

    ours = quantise_mask(alpha, bit_depth=bit_depth)

    assert ours.dtype == theirs.dtype
    assert np.array_equal(ours, theirs)
    assert np.unique(ours).size > 2  # anti-aliased


def test_developing_leaves_its_input_alone():
    linear = some_light()
    before = linear.copy()

    Developer(view_transform="AgX", bit_depth=8)(linear)
    quantise_mask(linear[..., 0], bit_depth=8)

    assert np.array_equal(linear, before)


def test_many_threads_may_share_one_developer():
    develop = Developer(view_transform="AgX", bit_depth=16)
    pictures = [some_light(seed=seed) for seed in range(8)]
    alone = [develop(picture) for picture in pictures]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(develop, pictures))

    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_light_outside_of_all_bounds_is_clipped():
    linear = np.array([[[np.inf] * 3, [-1.0] * 3, [np.nan] * 3, [1e30] * 3]], np.float32)

    pixels = Developer(view_transform="Standard", bit_depth=8)(linear)

    assert pixels[0].tolist() == [[255] * 3, [0] * 3, [0] * 3, [255] * 3]


def a_bright_scene():
    """A ball under a strong sky gradient: black, colour and overexposure in one picture."""
    scene = bpy.data.scenes.new("bright")
    mesh = bpy.data.meshes.new("ball")
    import bmesh

    ball = bmesh.new()
    bmesh.ops.create_uvsphere(ball, u_segments=24, v_segments=12, radius=0.8)
    ball.to_mesh(mesh)
    ball.free()
    scene.collection.objects.link(bpy.data.objects.new("ball", mesh))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location = (0, 0, 4)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.world = a_gradient_world()
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 4
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = SIZE_PX
    scene.render.dither_intensity = 0.0
    scene.display_settings.display_device = "sRGB"
    return scene


def a_gradient_world():
    world = bpy.data.worlds.new("world")
    nodes, links = world.node_tree.nodes, world.node_tree.links
    coordinates = nodes.new("ShaderNodeTexCoord")
    links.new(coordinates.outputs["Generated"], nodes["Background"].inputs["Color"])
    nodes["Background"].inputs["Strength"].default_value = 6.0
    return world


def save(scene, path: Path, file_format: str, mode: str, depth: str) -> None:
    settings = scene.render.image_settings
    settings.media_type = "IMAGE"
    settings.file_format = file_format
    settings.color_mode = mode
    settings.color_depth = depth
    bpy.data.images["Render Result"].save_render(str(path), scene=scene)


def read_linear(path: Path):
    """Return (H, W, C), float32, straight from the file."""
    with OpenEXR.File(str(path)) as file:
        (channel,) = file.channels().values()
        return channel.pixels.astype(np.float32)


def some_light(*, seed=0):
    rng = np.random.default_rng(seed)
    return rng.gamma(0.5, 2.0, (96, 80, 3)).astype(np.float32)
