"""The object alone, with straight alpha: from the pass that holds it, or where that is honest."""

from __future__ import annotations

import numpy as np

from farm.dataset.export.base import ExportOptions, NumberedView
from farm.dataset.export.pictures import PassFile, encode
from farm.dataset.export.survey import Survey
from farm.dataset.images import to_8_bit
from farm.errors import SpecError
from farm.spec.passes import PassName

RGBA: frozenset[PassName] = frozenset({"rgb", "mask"})
"""Passes of which the object alone can be made where its mask has no soft edge."""


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
    if not RGBA.issubset(common):
        raise SpecError(
            f"an export to {reader} needs the object alone, from the passes rgb and mask: not all "
            f"views have them; all have {', '.join(common)}"
        )


def cutout(view: NumberedView) -> PassFile:
    """Return a PNG of the object alone, with straight alpha.

    Raises:
        DamagedFileError: A file is not what was recorded.
        SpecError: Its colour is not known: at soft edges it is mixed with what is behind.
    """
    mask = to_8_bit(view.pixels("mask"))
    if view.record.see_through or not np.isin(mask, (0, 255)).all():
        raise SpecError(
            f"{view.view.key}: its object has soft edges or is see-through, so that its picture "
            "mixes it with what is behind: the object alone takes the pass foreground: render "
            "again with --passes rgb,mask,foreground"
        )
    colours = to_8_bit(view.pixels("rgb"))
    pixels = np.dstack([np.where(mask[..., None] > 0, colours, 0), mask])
    return PassFile("png", encode(pixels, "png"))
