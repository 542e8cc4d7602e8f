"""A small picture of an HDR environment or a picture: a process of its own, within limits.

The file is a stranger's: whatever it does to its decoder ends with this process.

`python -m farm.api.shelf.develop FILE SUFFIX SIZE_PX` writes a WebP to stdout, or a sentence to
stderr.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.library.pictures.exr import ExrPart, exr_parts, layers_of, main_layer
from farm.library.pictures.radiance import FORMATS, radiance_header

HEADER_BYTES = 1 << 20
MOST_PIXELS = 1 << 27
"""16384 x 8192."""
MEMORY_BYTES = 6 << 30
SECONDS = 60
MIDDLE_GREY = 0.18
RGB_OF_XYZ = np.array(
    [[3.1467, -1.6665, -0.4802], [-0.9955, 1.9558, 0.0398], [0.0636, -0.2146, 1.151]],
    dtype=np.float32,
)
"""From CIE XYZ as Radiance has it, with white of equal energy, to Rec. 709 (Bradford)."""
Floats = NDArray[np.float32]


class UndevelopedError(Exception):
    """There is no small picture of a file; the text says why."""


def main() -> None:
    """Develop a file."""
    limit()
    path, suffix, size_px = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    try:
        data = develop(path, suffix, size_px)
    except UndevelopedError as error:
        sys.exit(str(error))
    except Exception as error:  # noqa: BLE001 - whatever a decoder says of a stranger's file
        sys.exit(f"cannot be decoded: {error}")
    sys.stdout.buffer.write(data)


def limit() -> None:
    """Take no more than is good for the server beside: time, memory, turns."""
    import resource

    os.nice(10)
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, SECONDS)):
        resource.setrlimit(kind, (most, most))


def develop(path: Path, suffix: str, size_px: int) -> bytes:
    """Return a small picture as WebP.

    Raises:
        UndevelopedError: There is none.
    """
    if suffix in (".exr", ".hdr"):
        return written(tone_mapped(small(read(path, suffix), size_px)), size_px)
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(path, formats=("PNG", "JPEG")) as picture:
        picture.draft("RGB", (2 * size_px, 2 * size_px))
        return written(np.asarray(picture.convert("RGB")), size_px)


def read(path: Path, suffix: str) -> Floats:
    """Return the linear pixels of an environment, (H, W, 3)."""
    return read_exr(path) if suffix == ".exr" else read_radiance(path)


def read_radiance(path: Path) -> Floats:
    """Return the pixels of a Radiance picture, upright, as red, green and blue.

    Raises:
        UndevelopedError: Its header is damaged, or it is too large.
    """
    import imagecodecs

    data = path.read_bytes()
    header = radiance_header(data)
    if header is None:
        raise UndevelopedError("its header is damaged: it has no picture size")
    check_pixels(header.size_px)
    rows, width = header.shape
    # The decoder takes the usual header alone, and knows of no orientation.
    usual = f"#?RADIANCE\nFORMAT={FORMATS[0]}\n\n-Y {rows} +X {width}\n".encode()
    pixels = np.asarray(imagecodecs.rgbe_decode(usual + data[header.data_at :]), dtype=np.float32)
    if header.axes[0][1] == "X":
        pixels = pixels.transpose(1, 0, 2)
    pixels = pixels[::-1] if "+Y" in header.axes else pixels
    pixels = pixels[:, ::-1] if "-X" in header.axes else pixels
    return pixels @ RGB_OF_XYZ.T if header.format == FORMATS[1] else pixels


def read_exr(path: Path) -> Floats:
    """Return the colours of the layer that is the picture.

    Raises:
        UndevelopedError: Nobody can tell which one that is, or it is too large.
    """
    import OpenEXR

    with path.open("rb") as file:
        parts = exr_parts(file.read(HEADER_BYTES))
    if not parts:
        raise UndevelopedError("its header is damaged: it tells of no picture")
    layer = main_layer(layers_of(parts))
    if layer is None:
        raise UndevelopedError("it is not clear which of its layers is the picture")
    check_size(parts[layer.part])
    wanted = {sign: channel.name for sign, channel in layer.channels.items()}
    with OpenEXR.File(str(path), separate_channels=True) as exr:
        there = exr.channels(layer.part)
        planes = {sign: np.asarray(there[name].pixels) for sign, name in wanted.items()}
    grey = planes.get("Y", next(iter(planes.values())))
    colours = [planes.get(sign, grey) for sign in "RGB"]
    return np.stack([thinned(plane) for plane in colours], axis=-1)


def check_size(part: ExrPart) -> None:
    """Raise an UndevelopedError where a part is too large, or no plain picture."""
    window = part.window("dataWindow")
    if part.is_deep or window is None:
        raise UndevelopedError("it holds no plain picture")
    check_pixels(window.size)


def check_pixels(size_px: tuple[int, int]) -> None:
    """Raise an UndevelopedError where a picture is too large."""
    width, height = size_px
    if not 0 < width * height <= MOST_PIXELS:
        raise UndevelopedError(f"{width} x {height} pixels are too many for a small picture")


def thinned(plane: NDArray[Any], most: int = 2048) -> Floats:
    """Return every so manieth pixel of a plane, so that what follows takes little memory."""
    step = max(max(plane.shape) // most, 1)
    return plane[::step, ::step].astype(np.float32)


def small(pixels: Floats, size_px: int) -> Floats:
    """Return pixels averaged to about twice a size, without what is no number."""
    clean = np.clip(np.nan_to_num(pixels, nan=0.0, posinf=65504.0, neginf=0.0), 0.0, 65504.0)
    step = max(max(clean.shape[:2]) // (2 * size_px), 1)
    height, width = (side // step * step for side in clean.shape[:2])
    if step == 1 or not height or not width:
        return np.asarray(clean, dtype=np.float32)
    blocks = clean[:height, :width].reshape(height // step, step, width // step, step, 3)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def tone_mapped(pixels: Floats) -> NDArray[np.uint8]:
    """Return linear pixels as people see them: the usual light at middle grey, lamps white.

    The operator is that of Reinhard et al. (2002), each channel by itself.
    """
    light = pixels @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    lit = light[light > 0]
    usual = float(np.exp(np.mean(np.log(lit)))) if lit.size else 1.0
    scaled = pixels * (MIDDLE_GREY / usual)
    white = max(float(np.percentile(scaled, 99.0)), 1.0)
    mapped = np.clip(scaled * (1 + scaled / white**2) / (1 + scaled), 0.0, 1.0)
    encoded = np.where(mapped <= 0.0031308, 12.92 * mapped, 1.055 * mapped ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(255 * encoded), dtype=np.uint8)


def written(pixels: NDArray[np.uint8], size_px: int) -> bytes:
    """Return pixels as WebP, no longer than a size."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=82, method=2)
    return file.getvalue()


if __name__ == "__main__":
    main()
