"""Checks of points in space from frame to frame: do scene flow and occlusion fit all else?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.verify.flow_checks import (
    ASTRAY,
    FEW,
    FLOW,
    MOST_PIXELS,
    NEIGHBOUR,
    VALID,
    Frame,
    Numbers,
    Side,
    centres,
)
from farm.projection import project, rays
from farm.spec.counted import counted
from farm.spec.passes import CARRIED, PassName
from farm.spec.record import CameraRecord

MOVED: dict[Side, PassName] = {
    "forward": "scene_flow_forward",
    "backward": "scene_flow_backward",
}
IN_WORLD: dict[Side, PassName] = {
    "forward": "scene_flow_forward_world",
    "backward": "scene_flow_backward_world",
}
HIDDEN: dict[Side, PassName] = {
    "forward": "occlusion_forward",
    "backward": "occlusion_backward",
}
OUTSIDE: dict[Side, PassName] = {
    "forward": "out_of_frame_forward",
    "backward": "out_of_frame_backward",
}
FITS_PX, FITS_SHARE = 0.25, 0.02
"""How far from where flow leads a point may fall: pixels, and a share of the way."""
SAME_SHARE = 2e-3
"""How far apart two ways to the same place in the world may end, as a share of the distance."""
RIM_PX = 1.0
"""How far inside the picture a point may fall that is said to be out of it."""
STEEP = 0.05
"""Rays that run along the plane of a fisheye by more than this say little by their depth."""


class Odd(NamedTuple):
    """What is wrong with a pass of a frame."""

    what: str
    file: str


def has_carried(frame: Frame) -> bool:
    """Say whether a frame has passes of points that are followed in space."""
    return not CARRIED.isdisjoint(frame.arrays)


def strange_carried(here: Frame, there: Frame | None, side: Side) -> Iterator[Odd]:
    """Yield what is wrong with scene flow, occlusion and what is out of the frame, on one side."""
    if there is None:
        yield from told_of_nothing(here, side)
        return
    yield from strange_masks(here, side)
    depth = here.arrays.get("depth")
    if depth is None:
        return
    points = points_of(depth, here.record.camera)
    yield from strange_moves(here, there, side, points)
    yield from strange_world(here, there, side, points)


def told_of_nothing(here: Frame, side: Side) -> Iterator[Odd]:
    """Say which passes know of a neighbouring frame that is not there."""
    for name in (MOVED[side], IN_WORLD[side], HIDDEN[side], OUTSIDE[side]):
        pixels = here.arrays.get(name)
        if pixels is None:
            continue
        claimed = np.isfinite(pixels).all(axis=-1) if pixels.ndim == 3 else pixels != 0
        if count := int(np.count_nonzero(claimed)):
            what = f"{name} tells of {counted(count, 'pixel')}, but there is no "
            yield Odd(f"{what}{NEIGHBOUR[side]} frame, or another camera sees it", here.path(name))


def strange_masks(here: Frame, side: Side) -> Iterator[Odd]:
    """Say which masks hold other numbers than yes and no, or both of what excludes each other."""
    masks = {
        name: here.arrays[name]
        for name in (HIDDEN[side], OUTSIDE[side], VALID[side])
        if name in here.arrays
    }
    for name in (HIDDEN[side], OUTSIDE[side]):
        if name not in masks:
            continue
        mask = masks[name]
        if odd := int(np.count_nonzero((mask != 0) & (mask != 255))):
            what = f"{name} holds numbers besides 0 and 255 at {counted(odd, 'pixel')}"
            yield Odd(what, here.path(name))
        for other in (OUTSIDE[side], VALID[side]):
            if other == name or other not in masks:
                continue
            both = int(np.count_nonzero((mask > 0) & (masks[other] > 0)))
            if both > max(FEW, ASTRAY * np.count_nonzero(masks[other])):
                what = f"{name} and {other} both mark {counted(both, 'pixel')}"
                yield Odd(what, here.path(name))


def strange_moves(here: Frame, there: Frame, side: Side, points: Numbers) -> Iterator[Odd]:
    """Say where points that move as scene flow says do not fall to where flow leads, or where
    they fall inside of a picture that they are said to be out of."""
    moved = here.arrays.get(MOVED[side])
    if moved is None or moved.shape[2:] != (3,):
        return
    pixels = some(np.isfinite(moved).all(axis=-1) & np.isfinite(points).all(axis=-1))
    ends = points.reshape(-1, 3)[pixels] + moved.reshape(-1, 3)[pixels]
    px = project(ends, there.record.camera)
    yield from strange_landing(here, side, pixels, px)
    outside = here.arrays.get(OUTSIDE[side])
    if outside is None:
        return
    size = np.array(there.record.resolution_px)
    inside = ((px > RIM_PX) & (px < size - RIM_PX)).all(axis=-1)
    wrong = int(np.count_nonzero(inside & (outside.reshape(-1)[pixels] > 0)))
    if wrong > FEW:
        what = f"{OUTSIDE[side]} marks {counted(wrong, 'pixel')} whose points {MOVED[side]} has "
        what += f"inside of the picture of {there.record.view.name}"
        yield Odd(what, here.path(OUTSIDE[side]))


def strange_landing(
    here: Frame, side: Side, pixels: NDArray[np.intp], px: Numbers
) -> Iterator[Odd]:
    """Say where points of pixels (N,) do not fall (N, 2) to where valid flow leads."""
    flow, valid = here.arrays.get(FLOW[side]), here.arrays.get(VALID[side])
    if flow is None or flow.shape[2:] != (2,):
        return
    if valid is not None:
        kept = valid.reshape(-1)[pixels] > 0
        pixels, px = pixels[kept], px[kept]
    along = flow.reshape(-1, 2)[pixels].astype(np.float64)
    away = np.linalg.norm(px - centres(pixels, flow.shape[1]) - along, axis=-1)
    fits = away <= FITS_PX + FITS_SHARE * np.linalg.norm(along, axis=-1)
    astray = int(np.count_nonzero(~fits))
    if astray > max(FEW, ASTRAY * len(pixels)):
        what = f"{MOVED[side]} leads {astray / len(pixels):.1%} of its pixels elsewhere than "
        yield Odd(f"{what}{FLOW[side]}", here.path(MOVED[side]))


def strange_world(here: Frame, there: Frame, side: Side, points: Numbers) -> Iterator[Odd]:
    """Say where the scene flow of the world is not that of the cameras, turned."""
    moved, in_world = here.arrays.get(MOVED[side]), here.arrays.get(IN_WORLD[side])
    if moved is None or in_world is None or not moved.shape == in_world.shape == points.shape:
        return
    known = np.isfinite(moved).all(axis=-1)
    if alone := int(np.count_nonzero(known != np.isfinite(in_world).all(axis=-1))):
        what = f"{IN_WORLD[side]} or {MOVED[side]} alone is known at {counted(alone, 'pixel')}"
        yield Odd(what, here.path(IN_WORLD[side]))
        return
    pixels = some(known & np.isfinite(points).all(axis=-1))
    own = points.reshape(-1, 3)[pixels]
    start = placed(own, here.record.camera)
    end = placed(own + moved.reshape(-1, 3)[pixels], there.record.camera)
    away = np.linalg.norm(end - start - in_world.reshape(-1, 3)[pixels], axis=-1)
    far = np.linalg.norm(own, axis=-1) + np.linalg.norm(end - start, axis=-1)
    astray = int(np.count_nonzero(~(away <= SAME_SHARE * far)))
    if astray > max(FEW, ASTRAY * len(pixels)):
        what = f"{IN_WORLD[side]} is not {MOVED[side]} in the world at {astray / len(pixels):.1%} "
        yield Odd(f"{what}of its pixels", here.path(IN_WORLD[side]))


def some(there: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return pixels of (H, W), numbered row by row, evenly spread: not more than are looked at."""
    pixels = np.flatnonzero(there)
    return pixels[:: max(1, -(-len(pixels) // MOST_PIXELS))]


def points_of(depth: NDArray[Any], camera: CameraRecord) -> Numbers:
    """Return the points (H, W, 3) of a picture in its camera's frame; NaN where unknown."""
    height, width = depth.shape
    origins, directions = rays(camera, (width, height))
    ahead = -directions[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        far = np.where(np.isfinite(depth) & (np.abs(ahead) > STEEP), depth / ahead, np.nan)
    return np.asarray(origins + directions * far[..., None])


def placed(points: Numbers, camera: CameraRecord) -> Numbers:
    """Return where points (N, 3) of a camera's frame are in the world."""
    pose = np.array(camera.world_from_camera)
    return np.asarray(points @ pose[:3, :3].T + pose[:3, 3])
