"""Conditions for a view to count: one rule for the renderer and for those who check it later.

All arrays are as they are written to files, so that both see the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.spec.counted import counted
from farm.spec.passes import PASSES, SHARES, PassName
from farm.spec.record import IllLit

COVERAGE_SLACK = 0.01
"""Largest distance between the mean of a mask and the coverage that is recorded."""
UNIT_SLACK = 1e-3
"""Largest distance of the length of a unit vector from 1."""
BLACK_TO, CLIPPED_FROM = 8 / 255, 250 / 255
"""Of full light, in all channels: no screen shows much below and above."""
NEARLY_ALL = 0.98
"""Share of a model's pixels that are black, or clipped, where a person should know of the view."""
BOX_FROM = 0.1
"""Coverage of a pixel from which it belongs to a thing's box. Half would cut off tips, any at all
would count what lies beside the pixel, since a sample's place in it is spread over 1.5 of them."""


def strange_mask(mask: NDArray[Any], coverage: float) -> str | None:
    """Say what is wrong with a mask (H, W), if anything is.

    A mask may be grey all over: what is seen edge-on, or is thinner than a pixel, fills none. It
    may be white all over, too.

    Args:
        mask: The mask.
        coverage: The mean of what it was made of, 0..1.
    """
    told = float(mask.mean()) / np.iinfo(mask.dtype).max
    if abs(told - coverage) <= COVERAGE_SLACK:
        return None
    return f"the mask covers {told:.3f} of the picture, not {coverage:.3f}"


def strange_picture(rgb: NDArray[Any], *, may_be_empty: bool) -> str | None:
    """Say what is wrong with a picture (H, W, 3), if anything is: it is one flat colour.

    Args:
        rgb: The picture.
        may_be_empty: Its mask is black, or nobody knows: an even sky is right.
    """
    if may_be_empty or not is_flat(rgb):
        return None
    told = f"the picture is one flat colour, {tuple(rgb[0, 0].tolist())}"
    is_white = rgb[0, 0].min() >= CLIPPED_FROM * np.iinfo(rgb.dtype).max
    return told + (": its light is too strong; take exposure: auto" if is_white else "")


def ill_lit(rgb: NDArray[Any], covered: NDArray[np.bool_]) -> IllLit | None:
    """Say whether nearly all of what is seen of the model in a picture is black, or clipped.

    Args:
        rgb: (H, W, 3), the picture.
        covered: (H, W), where the model is.
    """
    seen = rgb[covered]
    if not len(seen):
        return None
    top = np.iinfo(rgb.dtype).max
    if np.mean(seen.max(axis=-1) <= BLACK_TO * top) >= NEARLY_ALL:
        return "black"
    return "clipped" if np.mean(seen.min(axis=-1) >= CLIPPED_FROM * top) >= NEARLY_ALL else None


def strange_numbers(
    name: PassName, label: NDArray[Any], *, sees_behind: bool = False
) -> str | None:
    """Say which numbers a label (H, W) or (H, W, channels) cannot have, if there are any.

    Args:
        name: The label.
        label: Its numbers.
        sees_behind: The lens shows what is behind its plane, at depths below 0.
    """
    has_gaps = np.isnan(PASSES[name].background)
    if not has_gaps and (count := int(np.count_nonzero(np.isnan(label)))):
        return f"{name} holds NaN {counted(count, 'time')}"
    if name in ("depth", "distance"):  # infinite where there is nothing
        least = -np.inf if sees_behind and name == "depth" else 0.0
        if count := int(np.count_nonzero(label <= least)):
            return f"{name} is at, or behind, the camera at {counted(count, 'pixel')}"
    elif count := int(np.count_nonzero(np.isinf(label))):
        return f"{name} is infinite {counted(count, 'time')}"
    if name in SHARES and (count := int(np.count_nonzero((label < 0) | (label > 1)))):
        return f"{name} is outside of 0..1 {counted(count, 'time')}"
    if has_gaps and (count := int(np.count_nonzero(has_half_a_gap(label)))):
        return f"{name} has some of its numbers at {counted(count, 'pixel')}, and NaN beside them"
    return None


def has_half_a_gap(label: NDArray[Any]) -> NDArray[np.bool_]:
    """Return at which pixels (H, W) of (H, W, channels) there is only a part of the numbers."""
    gaps = np.isnan(label)
    return np.asarray(gaps.any(axis=-1) & ~gaps.all(axis=-1))


def strange_rows(name: PassName, rows: NDArray[Any]) -> str | None:
    """Say which numbers the arrays of a pass cannot have, if there are any.

    Args:
        name: The pass.
        rows: (N,), with a field for each array.
    """
    for column in PASSES[name].columns:
        values = rows[column.name]
        if values.dtype.kind != "f":
            continue
        wrong = np.isinf(values) if column.gaps else ~np.isfinite(values)
        if count := int(np.count_nonzero(wrong)):
            times = counted(count, "time")
            return f"{name}: {column.name} is {values[wrong].flat[0]} {times}"
    return None


def strange_lengths(name: PassName, label: NDArray[Any]) -> str | None:
    """Say where vectors (H, W, 3) are not of length 1, or not there, if they are anywhere."""
    lengths = lengths_of(label)
    off = np.where(lengths > 0, np.abs(lengths - 1), 0.0)
    if count := int(np.count_nonzero(off > UNIT_SLACK)):
        where = counted(count, "pixel")
        return f"{name} is not of length 1 at {where}, but {lengths.flat[off.argmax()]:.3g}"
    return None


def lengths_of(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the lengths (H, W) of vectors (H, W, 3): the bits of numpy's own `norm`, which takes
    four times as long for so few numbers."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    squares = x * x
    squares += y * y
    squares += z * z
    return np.asarray(np.sqrt(squares, out=squares))


def is_flat(pixels: NDArray[Any]) -> bool:
    """Say whether all pixels (H, W, 3) are the same."""
    first = pixels[:1, :1]
    return bool((pixels[:1] == first).all() and (pixels == first).all())  # most end at a row


def tight_box(coverage: NDArray[Any]) -> tuple[float, float, float, float] | None:
    """Return the box (left, top, right, bottom) around the pixels that count, of (H, W) in 0..1.

    Those are covered by `BOX_FROM` or more. Of what covers no pixel so far, such as a thread, the
    box is around all of it.
    """
    seen = coverage >= BOX_FROM
    if not seen.any():
        seen = coverage > 0
    return box_around(seen)


def shares_of(mask: NDArray[Any]) -> NDArray[np.float64]:
    """Return which share of each pixel (H, W) a mask covers."""
    return np.asarray(mask / np.iinfo(mask.dtype).max, dtype=np.float64)


def box_around(seen: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    """Return the smallest box (left, top, right, bottom) around pixels (H, W); None around none."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return None
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
