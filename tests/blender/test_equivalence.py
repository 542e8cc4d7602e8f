"""The shortcuts of the pipeline give what the long way gives."""

from __future__ import annotations

import math

import bpy
import numpy as np
import pytest

from farm.spec.camera import orbit_matrix
from tests.support.blender.scenes import a_material, add_box
from tests.support.blender.shots import (
    again,
    blender_png,
    blocks,
    changed,
    picture,
    shoot,
    some_view,
)  # fmt: skip
from worker.blender.models.model import add_bvh_anchor
from worker.images.view_transform import Developer, quantise_mask


@pytest.mark.parametrize("transform", ["AgX", "Standard"])
def test_a_picture_equals_one_that_blender_writes_itself(blender, statue, sky, tmp_path, transform):
    passes, shot = shoot(blender, statue, sky, some_view())
    developed = Developer(view_transform=transform, bit_depth=8)(passes.picture(gain=shot.gain))

    plain = blender_png(blender, tmp_path / "plain", transparent=False, transform=transform)

    difference = np.abs(developed.astype(int) - plain[..., :3].astype(int))
    assert difference.max() <= 1
    assert plain.std() > 10  # there is something to compare


def test_a_mask_equals_the_alpha_of_a_transparent_render(blender, statue, sky, tmp_path):
    passes, _ = shoot(blender, statue, sky, some_view())

    plain = blender_png(blender, tmp_path / "plain", transparent=True, transform="AgX")

    mask = quantise_mask(passes.alpha, bit_depth=8)
    assert np.array_equal(mask, plain[..., 3])
    assert set(np.unique(mask)) > {0, 255}  # and has soft edges


def turn_world(world, rotation_deg):
    """Turn the environment in its node tree, the long way; return how to undo it."""
    tree = world.node_tree
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Rotation"].default_value[2] = math.radians(rotation_deg)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], tree.nodes["picture"].inputs["Vector"])

    def undo():
        tree.nodes.remove(mapping)
        tree.nodes.remove(coordinates)

    return undo


def test_turning_the_model_equals_turning_the_environment(blender, statue, sky):
    turned = picture(blender, statue, sky, some_view(rotation=70.0), samples=64)
    wrong = picture(blender, statue, sky, some_view(rotation=-70.0), samples=64)

    view = some_view(rotation=0.0)
    shoot(blender, statue, sky, view, samples=64)
    undo = turn_world(blender.scene.world, 70.0)
    long_way = again(blender, view).picture(gain=1.0)
    undo()

    level = blocks(long_way).mean()
    error = np.abs(blocks(turned) - blocks(long_way)).mean() / level
    wrong_error = np.abs(blocks(wrong) - blocks(long_way)).mean() / level
    assert error < 0.03
    assert wrong_error > 10 * error


def test_scaled_pixels_equal_a_set_strength(blender, statue, sky):
    view = some_view(strength=1.4)
    scaled = picture(blender, statue, sky, view, samples=4)

    blender.set_light(1.4)
    long_way = again(blender, view).picture(gain=1.0)

    np.testing.assert_allclose(scaled, long_way, rtol=0.02, atol=1e-3)  # rounding moves a ray
    assert scaled.mean() == pytest.approx(long_way.mean(), rel=1e-4)
    assert not np.allclose(scaled, long_way / 1.4, rtol=1e-2)


def test_a_model_that_glows_gets_the_true_strength(blender, lantern, sky):
    """Its own light must not grow with the environment's."""
    passes, shot = shoot(blender, lantern, sky, some_view(strength=3.0), samples=16)
    _, dim_shot = shoot(blender, lantern, sky, some_view(strength=1.0), samples=16)
    socket = blender.scene.world.node_tree.nodes["background"].inputs["Strength"]
    socket.default_value = 3.0
    blender.scene.cycles.sample_clamp_indirect = 30.0
    blender.scene.cycles.light_sampling_threshold = 0.03
    long_way = again(blender, some_view()).picture(gain=1.0)

    assert shot.true_strength
    assert shot.gain == dim_shot.gain == 1.0
    np.testing.assert_allclose(passes.picture(gain=shot.gain), long_way, rtol=1e-3, atol=1e-4)


def test_a_model_that_does_not_glow_is_scaled(blender, statue, sky):
    _, shot = shoot(blender, statue, sky, some_view(strength=1.3))

    assert not shot.true_strength
    assert shot.gain == 1.3


def test_each_seed_is_applied(blender, statue, sky):
    first = picture(blender, statue, sky, some_view(seed=1))
    other = picture(blender, statue, sky, some_view(seed=2))
    first_again = picture(blender, statue, sky, some_view(seed=1))

    assert np.array_equal(first, first_again)
    assert not np.array_equal(first, other)


def test_each_sample_count_is_applied_whatever_was_rendered_before(blender, statue, sky):
    counts = (1, 2, 5, 16, 5, 2, 1)
    pictures = [picture(blender, statue, sky, some_view(), samples=count) for count in counts]

    for first, again_ in zip(pictures[:3], reversed(pictures[4:]), strict=True):
        assert np.array_equal(first, again_)
    assert not np.array_equal(pictures[0], pictures[3])


def test_denoising_leaves_the_mask_alone(blender, statue, sky):
    plain, _ = shoot(blender, statue, sky, some_view(), denoise=False)
    denoised, _ = shoot(blender, statue, sky, some_view(), denoise=True)

    assert np.array_equal(plain.alpha, denoised.alpha)
    assert not np.array_equal(plain.picture(gain=1.0), denoised.picture(gain=1.0))


def test_no_ray_meets_the_twin_that_makes_turns_cheap(blender, write_blend, sky):
    """In full size around the camera it changes no pixel, though glass looks for everything.

    That the model is an instance then, and no longer baked into the world, moves a few rays by
    a rounding error; the mask stays as it was.
    """

    def fill(scene):
        glass = a_material()
        glass.node_tree.nodes["Principled BSDF"].inputs["Transmission Weight"].default_value = 1.0
        add_box(scene, size=(1, 0.3, 0.6), material=glass)
        add_box(scene, size=(0.3, 0.3, 0.3), at=(0, -0.5, -0.2), material=a_material())

    view = some_view(rotation=40.0)
    model = write_blend(fill)
    alone, _ = shoot(blender, model, sky, view, samples=4)
    twin = add_bvh_anchor(blender.scene, blender.load_model(model, file_lights=False).collection)
    tiny = again(blender, view)
    twin.matrix_basis.identity()
    huge = again(blender, view)
    bpy.data.objects.remove(twin)

    for name in ("Combined", "Environment"):
        assert np.array_equal(tiny.layers[name], huge.layers[name])
    assert np.abs(tiny.alpha - alone.alpha).max() < 1e-3
    difference = np.abs(blocks(tiny.picture(gain=1.0)) - blocks(alone.picture(gain=1.0)))
    assert difference.mean() < 0.01 * alone.picture(gain=1.0).mean()


def test_the_camera_stands_where_its_matrix_says(blender, statue, sky):
    """The record's camera projects the model's own points onto its pixels."""
    passes, shot = shoot(blender, statue, sky, some_view(rotation=50.0), samples=16)
    model = blender.load_model(statue, file_lights=False)
    camera = shot.camera
    unit = np.c_[model.bounds.unit_support, np.ones(len(model.bounds.unit_support))]
    x, y, z, _ = np.linalg.inv(np.array(camera.world_from_camera)) @ unit.T
    columns = camera.cx_px + camera.fx_px * x / -z
    rows = camera.cy_px - camera.fy_px * y / -z

    filled_rows, filled_columns = np.nonzero(passes.alpha > 0.2)
    assert abs(columns.min() - filled_columns.min()) < 1.5
    assert abs(columns.max() - filled_columns.max() - 1) < 1.5
    assert abs(rows.min() - filled_rows.min()) < 1.5
    assert abs(rows.max() - filled_rows.max() - 1) < 1.5
    expected = orbit_matrix(yaw_deg=30.0, pitch_deg=25.0, distance=2.2)
    np.testing.assert_allclose(camera.world_from_camera, expected)


@pytest.mark.parametrize("resolution", [(96, 64), (64, 96)])
def test_fit_fills_nine_tenths_of_the_tighter_side(blender, write_blend, sky, resolution):
    thin = write_blend(lambda scene: add_box(scene, size=(0.02, 0.02, 3.0)))
    view = some_view(pitch=0.0, distance=1.0, fit=True)

    passes, shot = shoot(blender, thin, sky, view, resolution_px=resolution, samples=8)

    rows, _ = np.nonzero(passes.alpha > 0.02)
    share = (rows.max() - rows.min() + 1) / resolution[1]
    assert share == pytest.approx(0.9, abs=0.05)
    assert shot.camera.distance != 1.0


def test_the_scene_setting_helper_restores(blender):
    with changed(blender.scene.render, film_transparent=False):
        pass
    assert blender.scene.render.film_transparent
