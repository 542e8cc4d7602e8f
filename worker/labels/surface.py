"""What materials say of the surfaces at the pixels' centres.

Nodes in the materials write sums over the shares that their shaders have of a surface
(`worker.blender.materials.surface`); here they become means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.spec.passes import SURFACE_BITS, PassName
from worker.images.multilayer import Passes
from worker.told import BUMPED, TOLD_FROM

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

BARE = {"base_color": 0.8, "roughness": 1.0, "opacity": 1.0}
"""What Cycles shows where there is no material: a matt grey."""
FINISHES: dict[PassName, int] = {"roughness": 0, "metallic": 1, "transmission": 2}
"""Their channels in what materials write."""
HARDLY = 1e-6
"""A share of a surface that is rounding."""
BASE_SHARE, ROUGH_SHARE, DARK_SHARE = range(3)


def base_color(passes: Passes) -> Floats:
    """Return the colours (H, W, 3), 0..1, scene-linear."""
    own, dark, opacity = share(passes, BASE_SHARE), share(passes, DARK_SHARE), opacities(passes)
    whole = np.maximum(own, np.minimum(opacity, own + dark))
    found = np.clip(mean(passes.layers["surface_base"][..., :3], whole[..., None]), 0.0, 1.0)
    return np.where(is_bare(passes)[..., None], np.float32(BARE["base_color"]), found)


def finish(name: PassName, passes: Passes) -> Floats:
    """Return `roughness`, `metallic` or `transmission` (H, W), 0..1."""
    which = ROUGH_SHARE if name == "roughness" else BASE_SHARE
    sums = passes.layers["surface_finish"][..., FINISHES[name]]
    found = np.clip(mean(sums, share(passes, which)), 0.0, 1.0)
    return np.where(is_bare(passes), np.float32(BARE.get(name, 0.0)), found)


def emission(passes: Passes) -> Floats:
    """Return the light (H, W, 3) that surfaces give, scene-linear."""
    return mean(passes.layers["surface_light"][..., :3], opacities(passes)[..., None])


def opacity(passes: Passes) -> Floats:
    """Return how much (H, W) of what is behind surfaces they hide."""
    return np.where(is_bare(passes), np.float32(BARE["opacity"]), opacities(passes))


def normal_in_scene(passes: Passes) -> Floats:
    """Return the normals (H, W, 3) without bump and normal maps, in the renderer's world."""
    bare, told = is_bare(passes)[..., None], is_told(passes)[..., None]
    normals = np.where(told, passes.layers["surface_normal"][..., :3], np.float32(0.0))
    return np.where(bare, passes.layers["Normal"], normals)


def surface_valid(passes: Passes) -> NDArray[np.uint16]:
    """Return the bits (H, W) of those passes that have a meaning at a pixel."""
    there = is_told(passes)
    coloured, rough = (share(passes, which) > HARDLY for which in (BASE_SHARE, ROUGH_SHARE))
    holds: dict[PassName, Mask] = {
        "base_color": coloured,
        "roughness": rough,
        "metallic": coloured,
        "transmission": coloured,
        "normal_geometry": ~is_bumped(passes),
    }
    bare = is_bare(passes)
    bits = np.zeros(there.shape, np.uint16)
    for name, bit in SURFACE_BITS.items():
        bits |= np.where(bare | (there & holds.get(name, there)), np.uint16(bit), np.uint16(0))
    return bits


def opacities(passes: Passes) -> Floats:
    """Return the opacities (H, W) that materials tell, 0 where none does."""
    told = passes.layers["surface_told"][..., 0] - BUMPED * is_bumped(passes)
    return np.asarray(np.clip(told - TOLD_FROM, 0.0, 1.0) * is_there(passes), dtype=np.float32)


def is_there(passes: Passes) -> Mask:
    """Return where (H, W) an object is: materials tell of what a collection holds out, too."""
    return np.asarray(passes.layers["Object Index"][..., 0] > 0)


def is_bumped(passes: Passes) -> Mask:
    """Return where (H, W) a displacement hides how smooth surfaces are."""
    return np.asarray(passes.layers["surface_told"][..., 0] > BUMPED)


def is_told(passes: Passes) -> Mask:
    """Return where (H, W) a material has told what it is."""
    return np.asarray((passes.layers["surface_told"][..., 0] > 0) & is_there(passes))


def is_bare(passes: Passes) -> Mask:
    """Return where (H, W) there is a surface without a material."""
    is_painted = passes.layers["Material Index"][..., 0] > 0
    return np.asarray(is_there(passes) & ~is_painted & ~is_told(passes))


def share(passes: Passes, which: int) -> Floats:
    """Return a share (H, W) of the surfaces."""
    return passes.layers["surface_shares"][..., which] * np.float32(is_there(passes))


def mean(sums: NDArray[Any], shares: NDArray[Any]) -> Floats:
    """Return sums over their shares, 0 where there are none."""
    whole = shares > HARDLY
    return np.asarray(np.where(whole, sums / np.where(whole, shares, 1.0), 0.0), dtype=np.float32)
