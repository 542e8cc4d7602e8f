"""Passes in colours that people can read; what they hold exactly is in the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.arrays import ArraysError, Rows
from farm.dataset.images import DecodeError, to_8_bit
from farm.runs import drawn
from farm.spec.counted import counted
from farm.spec.label import IndexLabel
from farm.spec.passes import CARRIED, OCCLUSIONS, PASSES, SURFACE_BITS, PassName
from farm.spec.record import ViewRecord

CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
STEPS = (0, 15, 21, 25, 36, 49, 55)
WHEEL = np.stack(
    [np.interp(np.arange(STEPS[-1]), STEPS, shades) for shades in zip(*CORNERS, strict=True)], -1
)
"""The Middlebury wheel, (55, 3): more steps where eyes tell more hues apart."""

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
BACKGROUND = (12, 14, 17)
"""Where nothing of the model is."""
GOLDEN_RATIO = 0.6180339887
CRYPTOMATTE_CHANNELS = 12
"""Of one layer; the layer of objects is the last by name. A level of it is A, B, G, R."""
STILL_PX, LEAST_FLOW_PX = 0.01, 0.5
"""What goes less far stands still; what goes less far than this hardly moves."""


def paint(name: PassName, pixels: NDArray[Any], record: ViewRecord) -> tuple[Bytes, str]:
    """Return a pass as a picture, (H, W, 3), and what its colours span, in words.

    Args:
        name: Which pass.
        pixels: As it was decoded.
        record: Of its view: what index values are called and how they are coloured.
    """
    if PASSES[name].kind == "picture":
        return three(to_8_bit(pixels)), ""
    if PASSES[name].kind == "cutout":
        return paint_cutout(pixels)
    if name in ("index", "material"):
        table = record.indices if name == "index" else record.materials
        return paint_indices(pixels, table)
    if name == "amodal":
        return paint_silhouettes(pixels, record)
    return PAINTERS[name](pixels)


def three(pixels: Bytes) -> Bytes:
    """Return a grey picture, (H, W), with three channels."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)


def paint_cutout(pixels: NDArray[Any]) -> tuple[Bytes, str]:
    """Show colours with straight alpha, (H, W, 4), on the background."""
    levels = to_8_bit(pixels) / 255.0
    ground = np.array(BACKGROUND) / 255 * (1 - levels[..., 3:])
    return as_bytes(levels[..., :3] * levels[..., 3:] + ground), ""


def paint_layer(light: Floats) -> tuple[Bytes, str]:
    """Show the light of what covers pixels, (H, W, 4)."""
    return paint_light(light[..., :3])


def paint_depth(depth: Floats, span: tuple[float, float] | None = None) -> tuple[Bytes, str]:
    """Show what is near red and what is far blue, within `span` or all that there is."""
    there = np.isfinite(depth)
    if span is None and not there.any():
        return over_background(np.zeros((*depth.shape, 3)), there), "nothing"
    near, far = span or (float(depth[there].min()), float(depth[there].max()))
    share = np.clip((far - np.where(there, depth, far)) / max(far - near, 1e-9), 0, 1)
    return over_background(turbo(0.05 + 0.9 * share), there), f"{near:.3g} to {far:.3g}"


def paint_normals(normals: Floats) -> tuple[Bytes, str]:
    """Show x, y, z as red, green, blue."""
    return over_background(normals / 2 + 0.5, normals.any(axis=-1)), ""


def paint_positions(points: Floats) -> tuple[Bytes, str]:
    """Show x, y, z as red, green, blue, from the least to the greatest that is seen."""
    there = points.any(axis=-1)
    if not there.any():
        return over_background(np.zeros(points.shape), there), "nothing"
    low, high = points[there].min(axis=0), points[there].max(axis=0)
    return over_background((points - low) / np.maximum(high - low, 1e-9), there), ""


def paint_indices(values: NDArray[Any], table: tuple[IndexLabel, ...]) -> tuple[Bytes, str]:
    """Show each value in the colour that the record has for it."""
    colours = {label.index: label.colour for label in table}
    there, where = np.unique(values, return_inverse=True)
    shades = [
        BACKGROUND if value == 0 else colours.get(value) or hue_colour(value * GOLDEN_RATIO)
        for value in there.tolist()
    ]
    count = int(np.count_nonzero(there))
    return np.array(shades, np.uint8)[where.reshape(values.shape)], counted(count, "value")


def paint_silhouettes(rows: Rows, record: ViewRecord) -> tuple[Bytes, str]:
    """Show whole silhouettes, each in the colour of its object, with its outline."""
    colours = {label.index: label.colour for label in record.indices}
    first = [min(label.indices, default=0) for label in record.objects]

    def colour_of(place: int) -> tuple[int, int, int]:
        known = colours.get(first[place]) if place < len(first) else None
        return known or hue_colour((place + 1) * GOLDEN_RATIO)

    try:
        shown = drawn(rows, record.resolution_px, colour_of)
    except ArraysError as error:
        raise DecodeError(f"amodal: {error}") from error
    return shown, counted(len(np.unique(rows["object"])), "silhouette")


def paint_flow(
    flow: Floats, most: float | None = None, valid: NDArray[np.bool_] | None = None
) -> tuple[Bytes, str]:
    """Show where pixels go as a hue, and how far as its strength: the Middlebury wheel.

    Args:
        flow: (H, W, 2), pixels.
        most: The length at which colours are full; left out, the greatest that there is.
        valid: (H, W), where it can be trusted; elsewhere is background.
    """
    lengths = np.hypot(flow[..., 0], flow[..., 1])
    full = float(lengths.max(initial=0.0)) if most is None else most
    note = f"up to {full:.3g} px" if full > STILL_PX else "nothing moves"
    shown = lengths > STILL_PX if valid is None else valid
    return over_background(middlebury(flow / max(full, LEAST_FLOW_PX)), shown), note


def paint_scene_flow(moves: Floats) -> tuple[Bytes, str]:
    """Show x, y, z of moves as red, green, blue, grey where nothing moves."""
    there = np.isfinite(moves).all(axis=-1)
    most = float(np.abs(moves[there]).max(initial=0.0))
    shown = np.where(there[..., None], moves, 0.0) / (most or 1.0)
    return over_background(shown / 2 + 0.5, there), f"up to {most:.3g}" if most else "nothing moves"


def paint_yes_or_no(there: NDArray[np.uint8]) -> tuple[Bytes, str]:
    """Show where something holds in white."""
    share = float((there > 0).mean())
    return np.repeat(there[..., None], 3, axis=-1), f"{share:.0%} of the pixels"


def paint_light(light: Floats) -> tuple[Bytes, str]:
    """Show linear light as a screen does, the brightest hundredth as white."""
    there = light.any(axis=-1)
    most = float(np.percentile(light[there].max(axis=-1), 99)) if there.any() else 1.0
    linear = np.clip(light / max(most, 1.0), 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return over_background(curve, there), f"up to {most:.3g}" if most > 1 else ""


def paint_share(shares: Floats) -> tuple[Bytes, str]:
    """Show 0..1 from black to white."""
    grey = np.repeat(as_bytes(shares)[..., None], 3, axis=-1)
    return grey, f"{float(shares.min()):.2g} to {float(shares.max()):.2g}"


def paint_bits(bits: NDArray[Any]) -> tuple[Bytes, str]:
    """Show which passes have a meaning: white where all have, black where none has."""
    each = [(bits & bit) > 0 for bit in SURFACE_BITS.values()]
    share = np.mean(each, axis=0)
    whole = float((bits == sum(SURFACE_BITS.values())).mean())
    return np.repeat(as_bytes(share)[..., None], 3, axis=-1), f"{whole:.0%} of the pixels whole"


def paint_uv(uv: Floats) -> tuple[Bytes, str]:
    """Show u as red and v as green; each begins again at whole numbers."""
    ramp = np.concatenate([uv % 1.0, np.full_like(uv[..., :1], 0.3)], axis=-1)
    there = uv.any(axis=-1)
    return over_background(ramp, there), "" if there.any() else "nothing, or no UV map"


def paint_cryptomatte(levels: Floats) -> tuple[Bytes, str]:
    """Show the objects of a pixel in colours of their ids, as much as they cover of it."""
    levels = levels if levels.ndim == 3 else levels[..., None]
    layer = levels[..., -CRYPTOMATTE_CHANNELS:]
    colour = np.zeros((*layer.shape[:2], 3))
    total = np.zeros(layer.shape[:2])
    seen: set[int] = set()
    for first in range(0, layer.shape[-1] - 3, 4):
        for who, share in ((first + 3, first + 2), (first + 1, first)):
            ids = np.ascontiguousarray(layer[..., who]).view(np.uint32)
            part = np.where(ids != 0, layer[..., share], 0.0)
            seen.update(np.unique(ids[part > 0]).tolist())
            colour += part[..., None] * (0.25 + 0.75 * hue_wheel((ids & 0xFFFF) / 0x10000))
            total += part
    ground = np.array(BACKGROUND) / 255 * (1 - np.clip(total, 0, 1))[..., None]
    return as_bytes(colour + ground), counted(len(seen), "object")


def over_background(colours: NDArray[Any], there: NDArray[np.bool_]) -> Bytes:
    """Return colours, (H, W, 3) of 0..1, on the background where there is nothing."""
    return np.where(there[..., None], as_bytes(colours), np.array(BACKGROUND, np.uint8))


def as_bytes(colours: NDArray[Any]) -> Bytes:
    """Return 0..1 as 0..255; what is no number as 0."""
    return np.asarray(np.nan_to_num(np.clip(colours, 0, 1)) * 255 + 0.5).astype(np.uint8)


def middlebury(flow: NDArray[Any]) -> NDArray[Any]:
    """Return the colours, (..., 3) of 0..1, of a flow (..., 2) whose full length is 1.

    Nothing is white, a length of 1 a full colour, what is longer a darker one; right is red, down
    yellow (S. Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011).
    Unlike in their program the wheel closes: no seam is seen where nothing changes.
    """
    lengths = np.hypot(flow[..., 0], flow[..., 1])[..., None]
    turns = np.arctan2(-flow[..., 1], -flow[..., 0]) / (2 * np.pi) + 0.5
    spot = turns * len(WHEEL)
    first = np.floor(spot).astype(np.intp)
    between = (spot - first)[..., None]
    first %= len(WHEEL)
    hue = WHEEL[first] * (1 - between) + WHEEL[(first + 1) % len(WHEEL)] * between
    return np.asarray(np.where(lengths <= 1, 1 - lengths * (1 - hue), 0.75 * hue))


def hue_wheel(turns: NDArray[Any]) -> NDArray[Any]:
    """Return full colours, (..., 3) of 0..1, at `turns`, 0..1, around the wheel."""
    steps = (turns[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    return np.asarray(np.clip(np.abs(steps - 3) - 1, 0, 1))


def hue_colour(turn: float) -> tuple[int, int, int]:
    """Return a colour, soft enough for text and lines, at `turn` around the wheel."""
    red, green, blue = (0.25 + 0.75 * hue_wheel(np.array(turn % 1.0))) * 255
    return int(red), int(green), int(blue)


TURBO = (
    (0.1140890109226559, 0.06288340699912215, 0.2248337216805064),
    (6.716419496985708, 3.182286745507602, 7.571581586103393),
    (-66.09402360453038, -4.9279827041226, -10.09439367561635),
    (228.7660791526501, 25.04986699771073, -91.54105330182436),
    (-334.8351565777451, -69.31749712757485, 288.5858850615712),
    (218.7637218434795, 67.52150567819112, -305.2045772184957),
    (-52.88903478218835, -21.54527364654712, 110.5174647748972),
)
"""The colour map Turbo as a polynomial for each of red, green and blue, lowest power first."""


def turbo(share: NDArray[Any]) -> NDArray[Any]:
    """Return the colours, (..., 3), of the map Turbo at `share`, 0..1: from blue to red."""
    powers = share[..., None] ** np.arange(len(TURBO))
    return np.asarray(np.clip(powers @ np.array(TURBO), 0, 1))


PAINTERS: dict[PassName, Callable[[NDArray[Any]], tuple[Bytes, str]]] = {
    "depth": paint_depth,
    "distance": paint_depth,
    "normal": paint_normals,
    "normal_world": paint_normals,
    "flow_forward": paint_flow,
    "flow_backward": paint_flow,
    "flow_forward_valid": paint_yes_or_no,
    "flow_backward_valid": paint_yes_or_no,
    **dict.fromkeys(CARRIED - set(OCCLUSIONS), paint_scene_flow),
    **dict.fromkeys(OCCLUSIONS, paint_yes_or_no),
    "position": paint_positions,
    "albedo": paint_light,
    "diffuse": paint_light,
    "specular": paint_light,
    "cryptomatte": paint_cryptomatte,
    "uv": paint_uv,
    "linear": paint_light,
    "foreground_linear": paint_layer,
    "background_linear": paint_light,
    "shadow": paint_light,
    "base_color": paint_light,
    "roughness": paint_share,
    "metallic": paint_share,
    "emission": paint_light,
    "transmission": paint_share,
    "opacity": paint_share,
    "normal_geometry": paint_normals,
    "surface_valid": paint_bits,
}
