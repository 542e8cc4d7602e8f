"""Small pictures of a dataset's files: made once, kept on this server's disk within a bound.

Labels that are no pictures, such as depths in EXR, are painted as `farm dataset preview` does.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.api.problems import ApiProblem
from farm.dataset.images import DecodeError, decode_pass, to_8_bit
from farm.dataset.preview.colour_maps import PAINTERS, paint_indices
from farm.spec.passes import PASSES, PassName
from farm.storage import Storage

log = logging.getLogger(__name__)

Box = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom are exclusive."""
SIZES = (256, 512, 1024)
"""Longest sides, pixels."""
KEPT_BYTES = 512 << 20
LARGEST_BYTES = 256 << 20
"""Largest file of which one is made."""
SUFFIXES = (".png", ".jxl")
PAINTED = (".exr",)


class Wanted(NamedTuple):
    """A small picture that somebody wants."""

    sha256: str
    """What the bytes of the file must be, so that what is kept is never of another file."""
    size_px: int
    """One of `SIZES`."""
    of: PassName | None = None
    """What the file holds; None: a picture."""
    box_px: Box | None = None
    """The part of the picture that is shown, where not all of it is."""

    @property
    def name(self) -> str:
        """What it is called, the same for ever."""
        told = (self.sha256, self.size_px, *([self.of] if self.of else ()), *(self.box_px or ()))
        return "-".join(map(str, told))


class Thumbnails:
    """Makes small pictures; many threads may use it."""

    def __init__(self, folder: Path, *, kept_bytes: int = KEPT_BYTES) -> None:
        self.folder = folder
        self.kept_bytes = kept_bytes
        self._total: int | None = None
        self._lock = threading.Lock()

    def picture(self, storage: Storage, key: str, wanted: Wanted) -> bytes:
        """Return a small picture of a file, as WebP.

        Args:
            storage: Where the file lives.
            key: Where it is there.
            wanted: Which picture.

        Raises:
            ApiProblem: The file is not a picture, or is another one now.
        """
        return self.kept(wanted.name, lambda: self._make(storage, key, wanted))

    def kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a small picture that is kept under a name that begins with a hash, or make it."""
        path = self.folder / name[:2] / f"{name}.webp"
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            data = make()
            self._keep(path, data)
        return data

    def _make(self, storage: Storage, key: str, wanted: Wanted) -> bytes:
        size = storage.size(key)
        data = storage.get(key) if size is not None and size <= LARGEST_BYTES else None
        if data is None or hashlib.sha256(data).hexdigest() != wanted.sha256:
            raise ApiProblem(
                404,
                f"{key.rpartition('/')[2]}: there is no such file with that hash",
                "load the list of views again",
            )
        return shrunk(data, key, wanted)

    def _keep(self, path: Path, data: bytes) -> None:
        """Keep a picture; where that fails, it is made again next time."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(data)
            Path(file.name).replace(path)
        except OSError as error:
            log.warning("a small picture cannot be kept: %s", error)
            return
        with self._lock:
            self._total = (self._total or self._measured()) + len(data)
            if self._total > self.kept_bytes:
                self._total = self._pruned()

    def _measured(self) -> int:
        return sum(each.stat().st_size for each in self.folder.glob("*/*.webp"))

    def _pruned(self) -> int:
        """Remove the pictures that nobody has looked at for longest; return what is left."""
        known = []
        for path in self.folder.glob("*/*.webp"):
            stat = path.stat()
            known.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in known)
        for _, size, path in sorted(known):
            if total <= self.kept_bytes * 0.8:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total


def shrunk(data: bytes, name: str, wanted: Wanted) -> bytes:
    """Return a picture as WebP, no longer than is wanted.

    Raises:
        ApiProblem: It is not a picture of a dataset.
    """
    from PIL import Image

    if not name.endswith((*SUFFIXES, *(PAINTED if wanted.of else ()))):
        raise ApiProblem(
            422,
            f"{name.rpartition('/')[2]}: has no small picture",
            "ask for that of a .png or .jxl file, or of an .exr file with the name of its pass",
        )
    try:
        pixels = shown(data, name, wanted)
    except DecodeError as error:
        raise ApiProblem(422, str(error), "render the view again") from error
    picture = Image.fromarray(pixels)
    if wanted.box_px is not None:
        picture = picture.crop(wanted.box_px)
    picture.thumbnail((wanted.size_px, wanted.size_px), Image.Resampling.LANCZOS)
    made = io.BytesIO()
    picture.convert("RGB").save(made, "WEBP", quality=80, method=2)
    return made.getvalue()


def shown(data: bytes, name: str, wanted: Wanted) -> NDArray[np.uint8]:
    """Return a file as a picture, (H, W) or (H, W, 3), of labels not much larger than is wanted.

    Raises:
        DecodeError: It cannot be read, or is another pass's.
    """
    of = wanted.of or "rgb"
    is_painted = name.endswith(PAINTED)
    if is_painted and PASSES[of].kind not in ("floats", "cryptomatte"):
        raise DecodeError(f"{name.rpartition('/')[2]}: is not a file of the pass {of}")
    pixels = decode_pass(data, name, of if is_painted else "rgb")
    if is_painted:
        return PAINTERS[of](fewer(pixels, wanted.size_px))[0]
    if of in ("index", "material") and pixels.dtype == np.uint16:
        return paint_indices(fewer(pixels, wanted.size_px), ())[0]
    return to_8_bit(pixels)


def fewer(label: NDArray[Any], size_px: int) -> NDArray[Any]:
    """Return every second, third, ... pixel: the values of labels are never mixed."""
    step = max(max(label.shape[:2]) // size_px, 1)
    return label[step // 2 :: step, step // 2 :: step]
