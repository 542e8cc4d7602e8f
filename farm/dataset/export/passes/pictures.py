"""Passes as the readers of other formats take them: 8-bit pictures, or files as they are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ImageFormat, NumberedView
from farm.dataset.export.output_folder import OutputFolder
from farm.dataset.images import no_decoder, to_8_bit
from farm.spec.passes import PASSES, PassName

PNG_LEVEL = 3
JPEG_QUALITY = 95
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
PNG_DEPTH_AT = 24
"""Where a PNG says how many bits a channel has."""


class PassFile(NamedTuple):
    """The file of a pass in an export."""

    suffix: str
    data: bytes
    source: Path | None = None
    """A file with these very bytes, where there is one."""

    def put(self, outbox: OutputFolder, path: str, *, link: bool) -> str:
        """Write it under `path`, or link its source to there; return that."""
        if link and self.source and outbox.link(path, self.source):
            return path
        return outbox.put(path, self.data)


def original(view: NumberedView, name: PassName) -> PassFile:
    """Return the file of a pass as it is.

    Raises:
        DamagedFileError: It is not what was recorded.
    """
    suffix = view.view.path(name).rpartition(".")[2]
    return PassFile(suffix, view.data(name), view.view.local_path(name))


def picture(view: NumberedView, name: PassName, wanted: ImageFormat) -> PassFile:
    """Return the file of a picture in the format that is wanted; unchanged if it is that already.

    Masks are never JPEG, whose losses would move their edges.
    """
    if wanted == "original":
        return original(view, name)
    if wanted == "jpg" and name == "mask":
        wanted = "png"
    file = original(view, name)
    if wanted == "png" and file.suffix == "png" and is_8_bit(file):
        return file
    pixels = to_8_bit(view.decoded(name, file.data))
    return PassFile(wanted, encode(pixels, wanted))


def is_8_bit(file: PassFile) -> bool:
    """Say whether a PNG has 8 bits per channel."""
    return file.data.startswith(PNG_HEAD) and file.data[PNG_DEPTH_AT:][:1] == b"\x08"


def encode(pixels: NDArray[Any], suffix: str, *, quality: int = JPEG_QUALITY) -> bytes:
    """Return the bytes of a PNG (8 or 16 bits) or JPEG file, the latter of this quality."""
    try:
        import imagecodecs
    except ImportError as error:
        raise no_decoder() from error
    pixels = np.ascontiguousarray(pixels)
    if suffix == "jpg":
        return bytes(imagecodecs.jpeg8_encode(pixels, level=quality, subsampling="444"))
    return bytes(imagecodecs.png_encode(pixels, level=PNG_LEVEL))


def encode_exr(planes: dict[str, NDArray[np.float32]]) -> bytes:
    """Return the bytes of an EXR file with these channels, ZIP, 32 bits."""
    try:
        import OpenEXR
    except ImportError as error:
        raise no_decoder() from error
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    whole = {name: np.ascontiguousarray(plane, np.float32) for name, plane in planes.items()}
    file = BytesIO()
    OpenEXR.File(header, whole).write(file)
    return file.getvalue()


def pass_file(view: NumberedView, name: PassName, wanted: ImageFormat) -> PassFile:
    """Return the file of any pass: pictures in the format that is wanted, labels as they are."""
    if PASSES[name].kind == "picture":
        return picture(view, name, wanted)
    return original(view, name)


def put_extras(
    view: NumberedView, outbox: OutputFolder, names: tuple[PassName, ...], *, link: bool
) -> list[str]:
    """Put passes that a format has no place for beside it, as they are; return their paths."""
    return [file.put(outbox, path, link=link) for path, file in extra_files(view, names)]


def extra_files(view: NumberedView, names: tuple[PassName, ...]) -> list[tuple[str, PassFile]]:
    """Return passes that a format has no place for, as they are, and where they go beside it."""
    found = []
    for name in names:
        file = original(view, name)
        path = f"passes/{PASSES[name].folder}/{view.split}/{view.stem}.{file.suffix}"
        found.append((path, file))
    return found
