"""What is beyond the rim of a lens is not in its picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.projection import seen_shares
from farm.spec.record import CameraRecord
from worker.images.multilayer import Passes

SHARES = ("Combined", "Environment", "Behind", "Noisy Image", "Diffuse Color", "Glossy Color")
"""Layers that are means over a pixel; of a kind of light, its colour stands for it."""
LIGHT = ("Diffuse Direct", "Diffuse Indirect", "Glossy Direct", "Glossy Indirect")
"""Light without its colour: the product of both is cut once."""
FAR = np.float32(1e10)
"""Cycles' depth of nothing."""


def within_rim(passes: Passes, camera: CameraRecord) -> Passes:
    """Return passes without what is beyond the rim of the lens: black, clear and without labels.

    Cycles itself leaves a transparent film opaque there. Its own rim is a bit further out
    (`worker.blender.camera`), so that nothing of that is left.
    """
    height, width = passes.alpha.shape
    shares = seen_shares(camera, (width, height))
    if shares is None:
        return passes
    kept = shares[..., None].astype(np.float32)
    cut = {name: cut_layer(name, layer, kept) for name, layer in passes.layers.items()}
    return replace(passes, layers=cut)


def cut_layer(
    name: str, layer: NDArray[np.float32], shares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return a layer (H, W, channels) of which `shares` (H, W, 1) are kept."""
    inside = shares >= 0.5  # by the pixels' centres
    values: NDArray[Any]
    if name == "Depth":
        values = np.where(inside, layer, FAR)
    elif name in SHARES:
        values = layer * shares
    elif name in LIGHT:
        values = layer
    elif name.startswith("Crypto"):  # ids and their shares, by turns
        values = np.where(shares > 0, layer, 0)
        values[..., 1::2] *= shares
    else:
        values = np.where(inside, layer, 0)
    return np.asarray(values, dtype=np.float32)
