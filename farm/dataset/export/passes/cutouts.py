"""The object alone, with straight alpha: from the pass that holds it, or where that is honest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportOptions, NumberedView
from farm.dataset.export.passes.pictures import PassFile, encode, is_8_bit, original
from farm.dataset.export.survey import Survey, later
from farm.dataset.images import to_8_bit
from farm.errors import SpecError
from farm.expand import gets_passes_later


def needs_pictures(survey: Survey, reader: str) -> None:
    """Make sure that all views have a whole picture.

    Raises:
        SpecError: One has none.
    """
    common = survey.common_passes()
    if "rgb" not in common:
        raise SpecError(
            f"an export to {reader} shows whole pictures, the pass rgb: not all views have it; all "
            f"have {', '.join(common)}: pass --foreground; or {survey.remedy('rgb')}"
        )


def needs_cutouts(survey: Survey, options: ExportOptions, reader: str) -> None:
    """Make sure that the object alone can be had, as a file that has an alpha.

    Raises:
        SpecError: It cannot.
    """
    if options.image_format == "jpg":
        raise SpecError(
            f"--image-format jpg: has no alpha, and {reader} gets the object alone: leave it out"
        )
    common = survey.common_passes()
    if "foreground" not in common and not {"rgb", "mask"}.issubset(common):
        raise SpecError(
            f"an export to {reader} needs the object alone, the pass foreground: not all views "
            f"have it; all have {', '.join(common)}; {survey.remedy('foreground')}"
        )


def cutout(view: NumberedView) -> PassFile:
    """Return a PNG of the object alone, with straight alpha.

    Raises:
        DamagedFileError: A file is not what was recorded.
        SpecError: Its colour is not known: at soft edges it is mixed with what is behind.
    """
    if "foreground" in view.record.files:
        file = original(view, "foreground")
        if is_8_bit(file):
            return file
        return PassFile("png", encode(cutout_pixels(view), "png"))
    return PassFile("png", encode(cut_from_picture(view), "png"))


def cutout_pixels(view: NumberedView) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 4) of the pass that holds the object alone, in 8 bits.

    Raises:
        DamagedFileError: Its file is not what was recorded.
    """
    return to_8_bit(view.pixels("foreground"))


def cut_from_picture(view: NumberedView) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 4) of the object alone, where picture and mask tell them.

    Raises:
        DamagedFileError: A file is not what was recorded.
        SpecError: They do not.
    """
    mask = to_8_bit(view.pixels("mask"))
    if view.record.see_through or not np.isin(mask, (0, 255)).all():
        remedy = "render again with --passes rgb,mask,foreground"
        if gets_passes_later(view.record.view.kind):
            remedy = f"{later('foreground')}, or {remedy}"
        raise SpecError(
            f"{view.view.key}: its object has soft edges or is see-through, so that its picture "
            f"mixes it with what is behind: the object alone takes the pass foreground: {remedy}"
        )
    colours = to_8_bit(view.pixels("rgb"))
    return np.dstack([np.where(mask[..., None] > 0, colours, 0), mask])
