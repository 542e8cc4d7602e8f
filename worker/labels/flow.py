"""Flow between the frames of a sequence: what Cycles leaves out, and where it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.spec.passes import PassName
from farm.spec.record import CameraRecord, OrthographicRecord

Floats = NDArray[np.float32]
Side = Literal["forward", "backward"]
PASSES: dict[Side, tuple[PassName, PassName]] = {
    "forward": ("flow_forward", "flow_forward_valid"),
    "backward": ("flow_backward", "flow_backward_valid"),
}
"""The flow to each side, and where it is valid."""
OTHER: dict[Side, Side] = {"forward": "backward", "backward": "forward"}
AGREES_PX = 0.5
"""How far a point that went to the other frame and back may be from where it started."""
AGREES_SHARE = 0.3
"""The same, as a share of the way from a point to the centre of the pixel that shows it: what is
larger in one frame than in the other takes fewer or more pixels there."""

Shape = tuple[int, ...]
"""What makes a mesh: as long as it is the same, its points can be followed."""


@dataclass(frozen=True, eq=False)
class FlowFrame:
    """What flow needs to know of one frame."""

    flow: Mapping[Side, Floats]
    """(H, W, 2), pixels, x right, y down, as Cycles has it: through a lens that stands still."""
    index: NDArray[np.uint16]
    """(H, W), 0 where there is nothing."""
    camera: CameraRecord
    shapes: Mapping[int, Shape] = field(default_factory=dict)
    """Index -> what its mesh is made of; what is not there now is not among them."""


def with_lens(flow: Floats, here: CameraRecord, there: CameraRecord) -> Floats:
    """Return a flow (H, W, 2) with the move of the picture that Cycles leaves out.

    It knows of an animated focal length, but not of an animated shift of the lens, nor of an
    animated scale of an orthographic camera.
    """
    middle = np.array([here.cx_px, here.cy_px])
    shift = np.array([there.cx_px, there.cy_px]) - middle
    zoom = zoom_of(here, there)
    if not shift.any() and zoom == 1.0:
        return flow
    landed = centres(flow.shape[0], flow.shape[1]) + flow
    return np.asarray(flow + shift + (zoom - 1.0) * (landed - middle), dtype=np.float32)


def zoom_of(here: CameraRecord, there: CameraRecord) -> float:
    """Return by how much an orthographic camera magnifies more."""
    if isinstance(here.lens, OrthographicRecord) and isinstance(there.lens, OrthographicRecord):
        return there.lens.px_per_unit / here.lens.px_per_unit
    return 1.0


def flow_to(here: FlowFrame, there: FlowFrame | None, side: Side) -> Floats:
    """Return the flow (H, W, 2) of a frame to its neighbour; where there is none, Cycles' own.

    What has no surface flows as Cycles has it: as the camera turns.
    """
    if there is None:
        return here.flow[side]
    moved = with_lens(here.flow[side], here.camera, there.camera)
    return np.where(here.index[..., None] > 0, moved, here.flow[side])


def is_valid(here: FlowFrame, there: FlowFrame | None, side: Side) -> NDArray[np.bool_]:
    """Return where (H, W) the neighbouring frame shows the same point of a surface.

    A pixel's point is there if one of the four pixels around the place to which it flows shows the
    same thing, and flows back to where the point came from: what hides it would flow elsewhere.
    """
    if there is None:
        return np.zeros(here.index.shape, bool)
    height, width = here.index.shape
    start = centres(height, width)
    landed = start + flow_to(here, there, side)
    back = flow_to(there, here, OTHER[side])
    corner = np.floor(landed - 0.5).astype(np.int64)
    found = np.zeros(here.index.shape, bool)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = corner[..., 0] + right, corner[..., 1] + down
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
        pixel = np.stack([x + 0.5, y + 0.5], axis=-1)
        away = pixel - landed
        error = np.linalg.norm(pixel + back[y, x] - start - away, axis=-1)
        bound = AGREES_PX + AGREES_SHARE * np.linalg.norm(away, axis=-1)
        found |= inside & (there.index[y, x] == here.index) & (error < bound)
    inside_picture = ((landed >= 0) & (landed < [width, height])).all(axis=-1)
    return found & inside_picture & (here.index > 0) & is_followed(here, there)


def is_followed(here: FlowFrame, there: FlowFrame) -> NDArray[np.bool_]:
    """Return where (H, W) a thing has the same points in both frames."""
    changed = [
        index for index, shape in here.shapes.items() if there.shapes.get(index, shape) != shape
    ]
    gone = [index for index in here.shapes if there.shapes and index not in there.shapes]
    return ~np.isin(here.index, [*changed, *gone])


def centres(height: int, width: int) -> NDArray[np.float64]:
    """Return the centres (H, W, 2) of pixels, from the outer corner of the top-left one."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y], axis=-1)
