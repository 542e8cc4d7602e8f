"""What a view must be before it counts: a broken or empty picture is worse than none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.arrays import Rows
from farm.errors import ChangedViewError, OutOfFrameError, UnusablePictureError
from farm.soundness import (
    strange_lengths,
    strange_mask,
    strange_numbers,
    strange_picture,
    strange_rows,
)
from farm.spec.passes import PassName
from worker.images.multilayer import Passes

NAMES_TOLD = 20
ALPHA_SLACK = 0.01
"""Largest distance by which rounding may carry a coverage beyond 0..1."""
OPAQUE = 0.99

OUT_OF_FRAME = (
    "nothing is to be seen, since all is out of the frame or edge-on: take another camera (of sod: "
    "other pitches, fit: true, or frame: unit-cube where it is file), or set "
    "recipe.allow_empty_masks"
)


def check_passes(passes: Passes, *, bit_depth: int, allow_empty: bool) -> None:
    """Make sure that a render shows its model.

    Raises:
        OutOfFrameError: Nothing of it is in the picture, and that is not allowed.
        UnusablePictureError: What Cycles delivered cannot be right.
    """
    light, behind = passes.layers["Combined"], passes.layers.get("Environment")
    if np.isnan(light).any() or (behind is not None and np.isnan(behind).any()):
        raise UnusablePictureError("there are pixels that are not numbers")
    alpha = passes.alpha
    if alpha.min() < -ALPHA_SLACK or alpha.max() > 1 + ALPHA_SLACK:
        raise UnusablePictureError(
            f"the mask runs from {alpha.min():.2f} to {alpha.max():.2f}, not 0..1"
        )
    if is_empty(alpha, bit_depth=bit_depth):
        if not allow_empty:
            raise OutOfFrameError(OUT_OF_FRAME)
        return
    if behind is None:  # no picture is asked for
        return
    opaque = alpha > OPAQUE
    if not light[..., :3].any() and behind[opaque].any():
        raise UnusablePictureError(
            "the picture shows only the background, although the mask is not empty"
        )


def check_pixels(
    pixels: Mapping[PassName, NDArray[Any]], alpha: NDArray[np.float32], *, bit_depth: int
) -> None:
    """Make sure that what is about to be encoded is a picture, and a mask that agrees with it.

    Args:
        pixels: Pass to (H, W) or (H, W, 3), uint8 or uint16.
        alpha: (H, W), the coverage from which the mask was made.
        bit_depth: Bits per channel.

    Raises:
        UnusablePictureError: It is of one flat colour, or the mask is another one.
    """
    rgb, mask = pixels.get("rgb"), pixels.get("mask")
    empty = is_empty(alpha, bit_depth=bit_depth)
    if rgb is not None and (what := strange_picture(rgb, may_be_empty=empty)):
        raise UnusablePictureError(what)
    if mask is not None and (what := strange_mask(mask, float(alpha.mean()))):
        raise UnusablePictureError(what)


def check_label(name: PassName, label: NDArray[Any], *, sees_behind: bool = False) -> None:
    """Make sure that a label can be believed.

    Args:
        name: Which label it is.
        label: (H, W) or (H, W, channels).
        sees_behind: The lens shows what is behind its plane.

    Raises:
        UnusablePictureError: There are values that it cannot have.
    """
    what = strange_numbers(name, label, sees_behind=sees_behind)
    if not what and name in ("normal", "normal_world", "normal_geometry"):
        what = strange_lengths(name, label)
    if what:
        raise UnusablePictureError(what)


def check_same(name: PassName, pixels: NDArray[Any], back: Callable[[], NDArray[Any]]) -> None:
    """Make sure that encoded bytes give the same pixels back: nothing is lost on the way.

    This takes a fifth of encoding's time for PNG and 0.7 of it for JPEG XL, beside the renderer.

    Args:
        name: The pass.
        pixels: What was encoded.
        back: Decodes the bytes.

    Raises:
        UnusablePictureError: They do not.
    """
    try:
        found = back()
    except (RuntimeError, ValueError, KeyError) as error:
        raise UnusablePictureError(f"the {name} file cannot be decoded: {error}") from error
    gaps = pixels.dtype.kind == "f"  # where nothing is known there is NaN
    if found.dtype != pixels.dtype or not np.array_equal(found, pixels, equal_nan=gaps):
        raise UnusablePictureError(
            f"the {name} file decodes to other pixels: {found.shape} {found.dtype}, not "
            f"{pixels.shape} {pixels.dtype}, or other values"
        )


def check_blocks(name: PassName, strange: str | None) -> None:
    """Make sure that nothing was found to be strange of an EXR file.

    Raises:
        UnusablePictureError: It was.
    """
    if strange:
        raise UnusablePictureError(f"the {name} file {strange}")


def check_rows(name: PassName, rows: Rows, back: Callable[[], Rows]) -> None:
    """Make sure that arrays can be believed, and that encoded bytes give them back.

    Raises:
        UnusablePictureError: They cannot, or do not.
    """
    if what := strange_rows(name, rows):
        raise UnusablePictureError(what)
    found = back()
    if found.dtype != rows.dtype or found.tobytes() != rows.tobytes():
        raise UnusablePictureError(f"the {name} file decodes to other arrays")


def is_empty(alpha: NDArray[np.float32], *, bit_depth: int) -> bool:
    """Say whether a coverage (H, W) makes a mask in which nothing stands."""
    return bool(alpha.max() * (2**bit_depth - 1) < 0.5)


def joined(
    model: str, unfit: Mapping[str, UnusablePictureError], *, views: int
) -> UnusablePictureError:
    """Return one error for the views of a task that must not count, by name.

    Where one of them may come out right the next time, that is tried.
    """
    reasons: dict[str, list[str]] = {}
    for name in sorted(unfit):
        reasons.setdefault(str(unfit[name]), []).append(name)
    told = "; ".join(f"{listed(names)}: {reason}" for reason, names in reasons.items())
    rest = views - len(unfit)
    others = f" ({rest} other {'view' if rest == 1 else 'views'} of this task kept)" if rest else ""
    return kind_of(unfit)(f"{model}, {told}{others}")


def kind_of(unfit: Mapping[str, UnusablePictureError]) -> type[UnusablePictureError]:
    """Return the kind of an error that stands for several: one without hope if all are such."""
    for kind in (OutOfFrameError, ChangedViewError):
        if all(isinstance(error, kind) for error in unfit.values()):
            return kind
    return UnusablePictureError


def listed(names: list[str]) -> str:
    """Return names as a sentence has them; of very many, the first."""
    left = len(names) - NAMES_TOLD
    return ", ".join(names[:NAMES_TOLD]) + (f" and {left} more" if left > 0 else "")
