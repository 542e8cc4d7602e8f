"""Passes from their files; the `[dataset]` extra is loaded on the first one."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.arrays import ArraysError, decode_rows
from farm.errors import SetupError, SpecError
from farm.spec.passes import PASSES, Column, PassName

DECODERS = {"png": "png_decode", "jxl": "jpegxl_decode"}
"""The imagecodecs function behind each file suffix."""


class DecodeError(SpecError):
    """A picture of a dataset that cannot be decoded."""


def decode_pass(data: bytes, path: str, name: PassName) -> NDArray[Any]:
    """Decode the file of a pass.

    Args:
        data: The file's bytes.
        path: Where they come from, for errors.
        name: Which pass it is.

    Returns:
        Pictures: (H, W) or (H, W, 3), uint8 or uint16. Cut-outs: the same, (H, W, 4). Integers:
        (H, W) uint16. Floats: (H, W) or (H, W, channels) float32. A cryptomatte:
        (H, W, channels) float32, by channel name. Arrays: (N,), with a field for each, such as
        `tracks["px"]`, (N, 2).

    Raises:
        DecodeError: The file is broken or another pass's.
        SetupError: The extra that decodes pictures is not installed.
    """
    info = PASSES[name]
    if info.kind in ("picture", "integers", "yes_or_no", "cutout"):
        return decode(data, path)
    if info.kind == "arrays":
        return decode_arrays(data, path, info.columns)
    return decode_exr(data, path, info.channels)


def decode_arrays(data: bytes, path: str, columns: Sequence[Column]) -> NDArray[Any]:
    """Decode a file of named arrays.

    Returns:
        (N,), of a type with a field for each array: `tracks["px"]` is (N, 2).

    Raises:
        DecodeError: The file is broken, or has other arrays.
    """
    try:
        return decode_rows(data, columns)
    except ArraysError as error:
        raise DecodeError(f"{path}: {error}") from error


def decode_exr(data: bytes, path: str, names: tuple[str, ...] = ()) -> NDArray[np.float32]:
    """Decode the channels `names` of an EXR file, or all of them, sorted by name.

    Returns:
        (H, W) for one channel, else (H, W, channels), float32.

    Raises:
        DecodeError: The file is broken, or lacks a channel.
        SetupError: The extra that decodes pictures is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise no_decoder() from error
    try:
        with OpenEXR.File(BytesIO(data), separate_channels=True) as exr:
            there = {name: channel.pixels for name, channel in exr.channels().items()}
    except (RuntimeError, ValueError, OSError) as error:
        raise DecodeError(
            f"{path}: cannot be decoded; delete it and render again: {error}"
        ) from error
    wanted = names or tuple(sorted(there))
    missing = [name for name in wanted if name not in there]
    if missing or not wanted:
        raise DecodeError(f"{path}: has the channels {', '.join(there)}, not {', '.join(missing)}")
    planes = [np.asarray(there[name], dtype=np.float32) for name in wanted]
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


def decode(data: bytes, path: str) -> NDArray[Any]:
    """Decode a PNG or JPEG XL file.

    Args:
        data: The file's bytes.
        path: Where they come from: its suffix says the format, and errors name it.

    Returns:
        (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16, as it was rendered.

    Raises:
        DecodeError: The file is of another format or broken.
        SetupError: The extra that decodes pictures is not installed.
    """
    try:
        import imagecodecs
    except ImportError as error:
        raise no_decoder() from error
    decoder = DECODERS.get(path.rpartition(".")[2].lower())
    if decoder is None:
        raise DecodeError(f"{path}: not a picture of a dataset; they end in .png or .jxl")
    try:
        return np.asarray(getattr(imagecodecs, decoder)(data))
    except (imagecodecs.PngError, imagecodecs.JpegxlError, ValueError) as error:
        raise DecodeError(
            f"{path}: cannot be decoded; delete it and render again: {error}"
        ) from error


def to_8_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return pixels with 8 bits per channel, rounded to the nearest: 65535 is 255."""
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.asarray(pixels, dtype=np.uint8)


def no_decoder() -> SetupError:
    """Return the error for a machine on which passes cannot be decoded."""
    return SetupError("pictures cannot be decoded here: pip install 'viewfarm[dataset]'")
