"""What stands in a picture, apart from what is behind it; both together are the picture again."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from tests.support.blender.shots import some_view
from worker.images.view_transform import Developer

LAYERS = (
    "rgb", "mask", "linear", "foreground", "background", "foreground_linear", "background_linear",
)  # fmt: skip


def put_together(view) -> np.ndarray:
    """Return the scene-linear picture (H, W, 3) of a view's layers."""
    light = view["foreground_linear"]
    return light[..., :3] + (1 - light[..., 3:]) * view["background_linear"]


def worst(view, *, bits: int = 8, transform: str = "AgX") -> float:
    """Return how far the layers together are from the picture, at most, in 255ths."""
    develop = Developer(view_transform=transform, bit_depth=bits)
    again = develop(put_together(view)).astype(float)
    return float(np.abs(again - view["rgb"]).max() * 255 / (2**bits - 1))


@pytest.mark.parametrize("background", ["traced", "looked_up"])
@pytest.mark.parametrize("strength", [1.0, 1.37, 0.2])
def test_layers_together_are_the_picture(labelled, statue, sky, background, strength):
    view = some_view(distance=4.0, rotation=70.0, strength=strength)
    seen = labelled(statue, sky, view, passes=LAYERS, background=background)
    assert worst(seen) <= 1.0
    print(worst(seen), np.abs(put_together(seen) - seen["linear"]).max())
