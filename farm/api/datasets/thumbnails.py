"""Small pictures of a dataset's files: made once, kept on this server's disk within a bound."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from farm.api.problems import ApiProblem
from farm.dataset.images import DecodeError, decode, to_8_bit
from farm.storage import Storage

log = logging.getLogger(__name__)

Box = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom are exclusive."""
SIZES = (256, 1024)
"""Longest sides, pixels."""
KEPT_BYTES = 512 << 20
LARGEST_BYTES = 256 << 20
"""Largest file of which one is made."""
SUFFIXES = (".png", ".jxl")


class Thumbnails:
    """Makes small pictures; many threads may use it."""

    def __init__(self, folder: Path, *, kept_bytes: int = KEPT_BYTES) -> None:
        self.folder = folder
        self.kept_bytes = kept_bytes
        self._total: int | None = None
        self._lock = threading.Lock()

    def picture(
        self,
        storage: Storage,
        key: str,
        sha256: str,
        *,
        size_px: int,
        box_px: Box | None = None,
    ) -> bytes:
        """Return a small picture of a file, as WebP.

        Args:
            storage: Where the file lives.
            key: Where it is there.
            sha256: What its bytes must be, so that a picture that is kept is never of another file.
            size_px: One of `SIZES`.
            box_px: The part of the picture that is shown, where not all of it is.

        Raises:
            ApiProblem: The file is not a picture, or is another one now.
        """
        name = sha256 + "".join(f"-{side}" for side in box_px or ())
        return self.kept(name, size_px, lambda: self._make(storage, key, sha256, size_px, box_px))

    def kept(self, name: str, size_px: int, make: Callable[[], bytes]) -> bytes:
        """Return a small picture that is kept of a file, or make it."""
        path = self.folder / name[:2] / f"{name}-{size_px}.webp"
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            data = make()
            self._keep(path, data)
        return data

    def _make(
        self, storage: Storage, key: str, sha256: str, size_px: int, box_px: Box | None
    ) -> bytes:
        size = storage.size(key)
        data = storage.get(key) if size is not None and size <= LARGEST_BYTES else None
        if data is None or hashlib.sha256(data).hexdigest() != sha256:
            raise ApiProblem(
                404,
                f"{key.rpartition('/')[2]}: there is no such file with that hash",
                "load the list of views again",
            )
        return shrunk(data, key, size_px, box_px)

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


def shrunk(data: bytes, name: str, size_px: int, box_px: Box | None = None) -> bytes:
    """Return a picture as WebP, no longer than `size_px`.

    Raises:
        ApiProblem: It is not a picture of a dataset.
    """
    from PIL import Image

    if not name.endswith(SUFFIXES):
        raise ApiProblem(422, f"{name}: only .png and .jxl files have small pictures", "see /docs")
    try:
        pixels = to_8_bit(decode(data, name))
    except DecodeError as error:
        raise ApiProblem(422, str(error), "render the view again") from error
    picture = Image.fromarray(pixels)
    if box_px is not None:
        picture = picture.crop(box_px)
    picture.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
    made = io.BytesIO()
    picture.convert("RGB").save(made, "WEBP", quality=80, method=2)
    return made.getvalue()
