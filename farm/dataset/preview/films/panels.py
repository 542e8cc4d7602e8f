"""A frame of a sequence with its labels beside it, and colours that mean the same in all frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from farm.dataset.preview.colour_maps import (
    LEAST_FLOW_PX,
    as_bytes,
    middlebury,
    paint,
    paint_depth,
    paint_flow,
)
from farm.dataset.preview.drawing import BRIGHT, EMPTY, PAGE, SOFT, write
from farm.dataset.preview.tiles import fitting
from farm.dataset.reader import DatasetError, DatasetView
from farm.errors import SetupError, SpecError
from farm.spec.passes import PASSES, PICTURED, PassName
from farm.spec.record import ViewRecord

Bytes = NDArray[np.uint8]
CHOICES: tuple[tuple[PassName, ...], ...] = (
    ("rgb", "mask"), ("depth", "distance"), ("normal", "normal_world"), ("index", "material"),
    ("flow_forward", "flow_backward"),
)  # fmt: skip
"""What is shown side by side: of each the first that there is."""
VALIDITY_OF: dict[PassName, PassName] = {
    "flow_forward": "flow_forward_valid",
    "flow_backward": "flow_backward_valid",
}
PANEL_PX, GAP_PX, TOP_PX, CAPTION_PX = 320, 4, 34, 32
NAME_PX, NOTE_PX, WHEEL_PX = 17, 14, 22
LEAST_WIDTH_PX = 480
"""A strip of one small panel still has room for its words."""
NEAREST_PERCENT, FARTHEST_PERCENT, FASTEST_PERCENT = 1.0, 99.0, 99.5
"""What lies beyond has the colour at the end of the scale; of a flow, a darker one."""


class Scale(NamedTuple):
    """What colours span, the same in all frames of a sequence."""

    depth: tuple[float, float] | None = None
    flow_px: float | None = None

    def with_more(self, other: Scale) -> Scale:
        """Return the scale that spans another one, too."""
        spans = [span for span in (self.depth, other.depth) if span is not None]
        lengths = [length for length in (self.flow_px, other.flow_px) if length is not None]
        depth = (min(near for near, _ in spans), max(far for _, far in spans)) if spans else None
        return Scale(depth, max(lengths, default=None))


class Strip(NamedTuple):
    """How panels stand side by side."""

    passes: tuple[PassName, ...]
    panel: tuple[int, int]
    """(width, height), pixels."""
    size: tuple[int, int]
    """Of the whole, even numbers: most encoders take no others."""

    def left(self, place: int) -> int:
        """Return where the panel at `place` begins."""
        return GAP_PX + place * (self.panel[0] + GAP_PX)


def lay_out(record: ViewRecord) -> Strip:
    """Return the panels of a sequence, by one of its frames."""
    chosen = (next((of for of in names if of in record.files), None) for names in CHOICES)
    passes = tuple(name for name in chosen if name is not None)
    passes = passes or tuple(name for name in PICTURED if name in record.files)[:1]
    panel = fitting(record.resolution_px, PANEL_PX)
    width = max(LEAST_WIDTH_PX, GAP_PX + len(passes) * (panel[0] + GAP_PX))
    height = TOP_PX + panel[1] + CAPTION_PX
    return Strip(passes, panel, (width + width % 2, height + height % 2))


def measure(view: DatasetView, passes: Sequence[PassName]) -> Scale:
    """Return what a frame's depth and flow span; nothing of what cannot be read."""
    scale = Scale()
    for name in passes:
        try:
            if name in ("depth", "distance"):
                scale = scale._replace(depth=span_of(view[name]))
            elif name in VALIDITY_OF:
                flow, valid = read_flow(view, name)
                lengths = np.hypot(flow[..., 0], flow[..., 1])[valid]
                longest = float(np.percentile(lengths, FASTEST_PERCENT)) if lengths.size else 0.0
                scale = scale._replace(flow_px=longest)
        except SetupError:
            raise
        except (DatasetError, SpecError):
            continue
    return scale


def span_of(depth: NDArray[np.float32]) -> tuple[float, float] | None:
    """Return the range of depths (H, W), without the few that are far from all others."""
    there = depth[np.isfinite(depth)]
    if not there.size:
        return None
    near, far = np.percentile(there, (NEAREST_PERCENT, FARTHEST_PERCENT)).tolist()
    return near, far


def read_flow(view: DatasetView, name: PassName) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a flow (H, W, 2), and where (H, W) it can be trusted: everywhere if nothing says."""
    flow = view[name]
    known = VALIDITY_OF[name] in view.passes
    return flow, view[VALIDITY_OF[name]] > 0 if known else np.ones(flow.shape[:2], np.bool_)


def draw_strip(view: DatasetView, strip: Strip, scale: Scale, *, title: str) -> Bytes:
    """Return a frame (H, W, 3): its panels with their captions, and the title above them."""
    page = Image.new("RGB", strip.size, PAGE)
    draw = ImageDraw.Draw(page)
    room = strip.size[0] - 4 * GAP_PX
    write(draw, (2 * GAP_PX, 7), title, size=NAME_PX, colour=BRIGHT, room=room)
    below = TOP_PX + strip.panel[1]
    for place, name in enumerate(strip.passes):
        left = strip.left(place)
        picture, note = draw_panel(view, name, scale, strip.panel)
        page.paste(picture, (left, TOP_PX))
        room = strip.panel[0] - 2 * GAP_PX
        if name in VALIDITY_OF:
            page.paste(draw_wheel(), (left + room - WHEEL_PX + GAP_PX, below + 5))
            room -= WHEEL_PX + GAP_PX
        write_caption(draw, (left + GAP_PX, below + 7), name, note, room=room)
    return np.asarray(page)


def write_caption(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, note: str, *, room: int
) -> None:
    """Write what a panel shows, and in softer letters what its colours span."""
    write(draw, corner, name, size=NAME_PX, colour=BRIGHT, room=room)
    taken = round(draw.textlength(name, font_size=NAME_PX)) + 10
    if note and taken < room - 30:
        beside = (corner[0] + taken, corner[1] + 2)
        write(draw, beside, note, size=NOTE_PX, colour=SOFT, room=room - taken)


def draw_panel(
    view: DatasetView, name: PassName, scale: Scale, size: tuple[int, int]
) -> tuple[Image.Image, str]:
    """Return one pass, and what its colours span; plain where it cannot be read."""
    try:
        colours, note = paint_steadily(view, name, scale)
    except SetupError:
        raise
    except (DatasetError, SpecError, KeyError):
        return Image.new("RGB", size, EMPTY), "cannot be read"
    picture = Image.fromarray(np.ascontiguousarray(colours))
    smooth = size[0] < picture.width or PASSES[name].kind in ("picture", "cutout")
    method = Image.Resampling.BOX if smooth else Image.Resampling.NEAREST
    return picture.resize(size, method), note


def paint_steadily(view: DatasetView, name: PassName, scale: Scale) -> tuple[Bytes, str]:
    """Return a pass in colours that mean the same in all frames."""
    if name in ("depth", "distance"):
        return paint_depth(view[name], scale.depth)
    if name in VALIDITY_OF:
        flow, valid = read_flow(view, name)
        return paint_flow(flow, max(scale.flow_px or 0.0, LEAST_FLOW_PX), valid)
    return paint(name, view[name], view.record)


def draw_wheel() -> Image.Image:
    """Return the wheel of flow: which colour goes where."""
    fine = 4 * WHEEL_PX
    x, y = np.meshgrid(np.arange(fine) + 0.5, np.arange(fine) + 0.5)
    flow = np.stack([x, y], axis=-1) / (fine / 2) - 1
    wheel = Image.fromarray(as_bytes(middlebury(flow)))
    inside = Image.fromarray((np.hypot(flow[..., 0], flow[..., 1]) <= 1).astype(np.uint8) * 255)
    page = Image.new("RGB", wheel.size, PAGE)
    page.paste(wheel, mask=inside)
    return page.resize((WHEEL_PX, WHEEL_PX), Image.Resampling.BOX)
