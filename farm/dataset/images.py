"""Pictures and masks from their files; the `[dataset]` extra is loaded on the first one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import SetupError, SpecError

DECODERS = {"png": "png_decode", "jxl": "jpegxl_decode"}
"""The imagecodecs function behind each file suffix."""


class PictureError(SpecError):
    """A picture of a dataset that cannot be decoded."""


def decode(data: bytes, path: str) -> NDArray[Any]:
    """Decode a PNG or JPEG XL file.

    Args:
        data: The file's bytes.
        path: Where they come from: its suffix says the format, and errors name it.

    Returns:
        (H, W) or (H, W, 3), uint8 or uint16, as it was rendered.

    Raises:
        PictureError: The file is of another format or broken.
        SetupError: The extra that decodes pictures is not installed.
    """
    try:
        import imagecodecs
    except ImportError as error:
        raise SetupError(
            "pictures cannot be decoded here: pip install 'viewfarm[dataset]'"
        ) from error
    decoder = DECODERS.get(path.rpartition(".")[2].lower())
    if decoder is None:
        raise PictureError(f"{path}: not a picture of a dataset; they end in .png or .jxl")
    try:
        return np.asarray(getattr(imagecodecs, decoder)(data))
    except (imagecodecs.PngError, imagecodecs.JpegxlError, ValueError) as error:
        raise PictureError(
            f"{path}: cannot be decoded, delete it and render again: {error}"
        ) from error
