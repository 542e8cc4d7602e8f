"""The shadow of a model on a plane that is not seen: a layer of its own, also in the picture."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from farm.spec.passes import VIEW_PASSES
from tests.support.blender.scenes import add_box, write_sky
from tests.support.blender.shots import some_view
from worker.images.view_transform import Developer

PASSES = (
    "rgb", "mask", "linear", "foreground_linear", "background_linear", "shadow",
)  # fmt: skip
ABOVE = some_view(pitch=25.0, distance=4.0)


@pytest.fixture(scope="module")
def noon(tmp_path_factory):
    """A dim sky with a strong light half-way up."""
    pixels = np.full((32, 64, 3), 0.2, np.float32)
    pixels[7:10, 4:10] = 40.0
    return write_sky(tmp_path_factory.mktemp("noon") / "noon.exr", pixels)


def test_a_shadow_lies_beside_the_model_alone(labelled, statue, noon):
    seen = labelled(statue, noon, ABOVE, passes=PASSES, ground="layer", samples=64)

    left = seen["shadow"]
    bare = seen["mask"] == 0
    assert left.shape == (64, 96, 3)
    assert left[bare].min() < 0.5  # in the shadow
    assert np.median(left[bare]) == pytest.approx(1.0, abs=0.03)
    dark = np.argwhere((left.mean(axis=-1) < 0.6) & bare)
    model = np.argwhere(seen["mask"] == 255)
    away = np.abs(dark[:, None] - model[None]).max(axis=-1).min(axis=1)
    assert 20 < len(dark) < 0.2 * bare.sum()
    assert away.min() <= 2  # it begins at the foot
    assert away.max() < 25


def test_above_the_horizon_there_is_no_ground(labelled, statue, noon):
    view = some_view(pitch=1.0, distance=4.0)

    left = labelled(statue, noon, view, passes=("mask", "shadow"), ground="layer")["shadow"]

    assert np.all(left[:28] == 1.0)
    assert np.any(left[40:] != 1.0)


def test_an_even_light_leaves_a_soft_shadow_at_the_foot(labelled, write_blend, tmp_path):
    white = write_sky(tmp_path / "white.exr", np.ones((8, 16, 3), np.float32))
    box = write_blend(lambda scene: add_box(scene))

    left = labelled(box, white, ABOVE, passes=("mask", "shadow"), ground="layer", samples=64)

    beside = left["shadow"].mean(axis=-1)[left["mask"] == 0]
    assert 0.4 < beside.min() < 0.85  # at the foot a wall hides half, and gives some of it back
    assert beside.max() < 1.2


@pytest.mark.parametrize("ground", ["layer", "picture"])
def test_masks_and_labels_know_nothing_of_the_ground(labelled, statue, noon, ground):
    passes = tuple(name for name in VIEW_PASSES if name != "rgb")
    without = labelled(statue, noon, ABOVE, passes=passes)
    seen = labelled(statue, noon, ABOVE, passes=(*passes, "shadow"), ground=ground)

    assert {name: seen.data(name) for name in passes} == {
        name: without.data(name) for name in passes
    }


def test_a_picture_without_the_shadow_is_the_same(labelled, statue, noon):
    """Also that of a view after another one, whose ground is gone."""
    without = [labelled(statue, noon, ABOVE, passes=("rgb", "mask")) for _ in range(2)]
    seen = [labelled(statue, noon, ABOVE, passes=PASSES, ground="layer") for _ in range(2)]

    assert len({each.data("rgb") for each in (*without, *seen)}) == 1
    assert seen[0].data("shadow") == seen[1].data("shadow")


@pytest.mark.parametrize("background", ["traced", "looked_up"])
@pytest.mark.parametrize("strength", [1.0, 0.7])
def test_layers_with_the_shadow_are_the_picture(labelled, statue, noon, background, strength):
    view = some_view(pitch=25.0, distance=4.0, rotation=40.0, strength=strength)
    seen = labelled(statue, noon, view, passes=PASSES, ground="picture", background=background)

    light, behind = seen["foreground_linear"], seen["background_linear"]
    again = light[..., :3] + (1 - light[..., 3:]) * behind * seen["shadow"]
    np.testing.assert_allclose(again, seen["linear"], rtol=2e-3, atol=1e-4)
    pixels = Developer(view_transform="AgX", bit_depth=8)(again).astype(int)
    assert np.abs(pixels - seen["rgb"]).max() <= 1
    plain = labelled(statue, noon, view, passes=("rgb", "mask"), background=background)["rgb"]
    covered = seen["mask"] == 255
    assert np.array_equal(seen["rgb"][covered], plain[covered])
    assert seen["rgb"].sum() < plain.sum()


def test_no_shadow_is_seen_from_below(labelled, statue, noon):
    seen = labelled(
        statue, noon, some_view(pitch=-30.0, distance=4.0), passes=PASSES, ground="picture"
    )

    assert np.all(seen["shadow"] == 1.0)
