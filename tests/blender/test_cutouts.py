"""What stands in a picture, apart from what is behind it; both together are the picture again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

from farm.spec.camera import FisheyeLens, OrthographicLens, PerspectiveLens, PoseCamera
from tests.support.blender import panes
from tests.support.blender.scenes import a_material, add_box, write_sky
from tests.support.blender.shots import changed, some_render, some_view
from worker.images.multilayer import read_once
from worker.images.view_transform import Developer
from worker.labels import layers
from worker.labels.rim import within_rim

LAYERS = (
    "rgb", "mask", "linear", "foreground", "background", "foreground_linear", "background_linear",
)  # fmt: skip
RED = (0.8, 0.02, 0.01)
FAR_OFF = some_view(distance=4.0, rotation=70.0)


def put_together(light: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Return the picture (H, W, 3) of its layers."""
    return light[..., :3] + (1 - light[..., 3:]) * behind


def worst(view, *, transform: str = "AgX") -> float:
    """Return how far the layers together are from the picture, at most, in 255ths."""
    rgb = view["rgb"]
    bits = 8 * rgb.itemsize
    again = put_together(view["foreground_linear"], view["background_linear"])
    pixels = Developer(view_transform=transform, bit_depth=bits)(again).astype(float)
    return float(np.abs(pixels - rgb).max() * 255 / (2**bits - 1))


def even_sky(folder: Path, level: float, name: str = "even"):
    return write_sky(folder / f"{name}.exr", np.full((8, 16, 3), level, np.float32))


@pytest.mark.parametrize("background", ["traced", "looked_up"])
@pytest.mark.parametrize("strength", [1.0, 1.37, 0.2])
def test_layers_together_are_the_picture(labelled, statue, sky, background, strength):
    view = some_view(distance=4.0, rotation=70.0, strength=strength)

    seen = labelled(statue, sky, view, passes=LAYERS, background=background)

    assert worst(seen) <= 1.0
    again = put_together(seen["foreground_linear"], seen["background_linear"])
    np.testing.assert_allclose(again, seen["linear"], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"bit_depth": 16},
        {"format": "jxl"},
        {"denoise": True},
        {"noise_threshold": 0.2, "samples": 16},
        {"view_transform": "Standard"},
        {"view_transform": "Filmic"},
        {"exposure": -1.5},
        {"exposure": "auto"},
    ],
    ids=str,
)
def test_layers_are_the_picture_however_it_is_rendered(labelled, statue, sky, settings):
    seen = labelled(statue, sky, FAR_OFF, passes=LAYERS, **settings)

    assert worst(seen, transform=settings.get("view_transform", "AgX")) <= 1.0
    assert seen.record.files["foreground"].path.endswith(".png")
    assert np.array_equal(seen["foreground"][..., 3], seen["mask"])


def test_a_picture_is_the_same_beside_its_layers(labelled, statue, sky):
    alone = labelled(statue, sky, FAR_OFF, passes=("rgb", "mask"))
    beside = labelled(statue, sky, FAR_OFF, passes=LAYERS)

    assert {name: alone.data(name) for name in ("rgb", "mask")} == {
        name: beside.data(name) for name in ("rgb", "mask")
    }


def wires(scene):
    """A bush of red threads much thinner than a pixel, which are as bright under any sky."""
    paint = a_material(colour=(0, 0, 0, 1))
    shader = paint.node_tree.nodes["Principled BSDF"]
    shader.inputs["Specular IOR Level"].default_value = 0.0
    shader.inputs["Emission Color"].default_value = (*RED, 1.0)
    shader.inputs["Emission Strength"].default_value = 1.0
    for place in range(12):
        wire = add_box(scene, size=(0.006, 0.006, 1.0), name=f"wire {place}", material=paint)
        wire.rotation_euler = (0.2 * place, 0.3 * place, 0.0)


@pytest.mark.parametrize("denoise", [False, True])
@pytest.mark.parametrize("level", [0.0, 1.0, 50.0])
def test_threads_keep_their_colour_under_any_sky(labelled, write_blend, tmp_path, level, denoise):
    """Neither a light halo nor a dark one: a straight colour is that of the thread alone."""
    seen = labelled(
        write_blend(wires), even_sky(tmp_path, level), some_view(), passes=LAYERS, samples=16,
        view_transform="Standard", denoise=denoise,
    )  # fmt: skip

    cut = seen["foreground"].astype(int)
    soft = (cut[..., 3] > 25) & (cut[..., 3] < 230)
    truth = Developer(view_transform="Standard", bit_depth=8)(np.float32([[RED]]))[0, 0]
    assert soft.sum() > 100
    off = np.abs(cut[soft][:, :3] - truth.astype(int))
    assert off.max() <= (40 if denoise else 1)  # the denoiser mixes threads with each other
    assert worst(seen, transform="Standard") <= 1.0
    assert not cut[cut[..., 3] == 0].any()


def glass(scene):
    paint = a_material(colour=(1, 1, 1, 1))
    panes.shader(paint).inputs["Transmission Weight"].default_value = 1.0
    panes.shader(paint).inputs["Roughness"].default_value = 0.0
    add_box(scene, material=paint)


def leaf(scene):
    panes.add_sheet(scene, "leaf", panes.paint(0.4), z=0.0)


@pytest.mark.parametrize(("fill", "alpha"), [(glass, 1.0), (leaf, 0.4)])
def test_what_can_be_seen_through_is_the_picture_again(labelled, write_blend, sky, fill, alpha):
    """Light through glass is the glass's own; through what is half clear comes the sky's."""
    seen = labelled(write_blend(fill), sky, some_view(pitch=60.0), passes=LAYERS, samples=64)

    assert worst(seen) <= 1.0
    middle = seen["foreground_linear"][28:36, 44:52, 3]
    assert middle.mean() == pytest.approx(alpha, abs=0.05)


FISHEYE = FisheyeLens(k0=0.0, k1=-0.07, k2=0.0, k3=0.0, k4=0.0, fov_deg=150.0)


@pytest.mark.parametrize(
    ("lens", "blurred"),
    [
        pytest.param(PerspectiveLens(), True, id="blurred"),
        pytest.param(PerspectiveLens(shift_x=0.2), False, id="shifted"),
        pytest.param(OrthographicLens(width=2.0), False, id="orthographic"),
        pytest.param(FISHEYE, False, id="fisheye"),
    ],
)
def test_the_background_is_seen_through_every_lens(blender, statue, sky, lens, blurred):
    blender.configure(some_render(samples=16), LAYERS)  # of which nothing is denoised
    blender.load_model(statue, file_lights=False)
    blender.load_hdr(sky)
    pose = FAR_OFF.camera.world_from_camera(distance=4.0)
    camera = blender.look_through(PoseCamera(world_from_camera=pose, lens=lens))
    depth_of_field = blender.scene.camera.data.dof
    depth_of_field.aperture_fstop, depth_of_field.focus_distance = 4.0, 2.5
    with changed(depth_of_field, use_dof=blurred):
        path, _ = blender.render_view(seed=3)
        behind = read_once(blender.render_behind(seed=3)).layers
    passes = within_rim(read_once(path).with_layer("Behind", behind["Environment"]), camera)

    if lens != FISHEYE:  # Cycles leaves a film opaque beyond its rim
        assert not behind["Combined"].any()
    bare, solid = passes.alpha == 0, passes.alpha == 1
    assert bare.any()
    assert solid.any()
    assert np.array_equal(passes.layers["Behind"][bare], passes.layers["Environment"][bare])
    assert passes.layers["Behind"][solid].min() > 0
    again = put_together(layers.foreground(passes, gain=1.0), layers.background(passes, gain=1.0))
    np.testing.assert_allclose(again, passes.picture(gain=1.0), rtol=1e-5, atol=1e-6)
    assert blender.scene.camera.data.clip_start < 1.0


def test_behind_a_model_the_background_is_that_of_an_empty_view(labelled, statue, sky):
    """Looked up and traced, where the model hides it, they are one sky, up to noise."""
    traced, looked_up = (
        labelled(statue, sky, FAR_OFF, passes=LAYERS, background=how, samples=64)[
            "background_linear"
        ]
        for how in ("traced", "looked_up")
    )

    assert np.abs(traced - looked_up).mean() < 0.02 * looked_up.mean()
