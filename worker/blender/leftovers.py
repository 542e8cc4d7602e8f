"""What Cycles keeps of models that are gone, and would take for what comes.

Data that Cycles keeps from render to render makes the next model cheap: the environment with the
map by which it is sampled stays. But Cycles knows a picture by the path of its file, or by where in
memory the data-block of a packed one is. Another file at that path, another data-block at that
place, and it shows the picture of before. And it never lets go of a material, nor of its pictures.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy
from PIL import Image, UnidentifiedImageError

from worker.blender.guards.file_access import full_path

MOST_BYTES = 128 << 20
"""Pictures of models that are gone, as the device holds them, before all is made anew."""
MOST_MATERIALS = 200
"""Materials that are gone: all are compiled again whenever another one comes."""
MOST_FILES = 10_000
"""Pictures whose files are remembered as they were."""
UNKNOWN_BYTES = 1 << 40
"""Size of a picture whose header says nothing."""
PLAIN = frozenset({"FILE", "GENERATED", "VIEWER"})
"""Sources of pictures that are one picture each."""
NARROW = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Pictures of 8 bits, as PIL calls them."""
Stamp = tuple[int, int] | None
"""When a file was written last, in nanoseconds, and its size; None: it is not there."""


class Leftovers:
    """What Cycles may still hold of what is gone since it made everything anew."""

    def __init__(self, forget: Callable[[], None]) -> None:
        """Know nothing.

        Args:
            forget: Lets Cycles make everything anew at the next render, and these let go.
        """
        self._forget = forget
        self.held: set[int] = set()
        """Session ids of pictures that are empty and stay, so that no other has their place."""
        self._files: dict[str, Stamp] = {}
        """Path of each picture that Cycles was given -> its file as it was then."""
        self._bytes = self._materials = 0
        self._is_unsure = False

    def welcome(self, blocks: Iterable[bpy.types.ID]) -> None:
        """Let Cycles forget what it would take for what comes, or what is too much; before that is
        rendered, or even evaluated.
        """
        files = {path: stamp_of(path) for path in map(path_of, pictures(blocks)) if path}
        changed = any(self._files.get(path, stamp) != stamp for path, stamp in files.items())
        if changed or self._is_unsure or self.is_too_much:
            self._forget()
        for path in files:
            self._files.pop(path, None)  # the newest last
        self._files |= files

    def leave(self, blocks: Iterable[bpy.types.ID]) -> None:
        """Note what goes, and hold the places of its pictures."""
        going = list(blocks)
        self._is_unsure = self._is_unsure or any(map(is_confusing, going))
        self._materials += sum(isinstance(block, bpy.types.Material) for block in going)
        for picture in pictures(going):
            self._bytes += size_of(picture)
            if picture.library is None:
                empty(picture)
                self.held.add(picture.session_uid)

    @property
    def is_too_much(self) -> bool:
        """Making everything anew costs less than what is kept in vain."""
        return self._bytes > MOST_BYTES or self._materials > MOST_MATERIALS

    def let_go(self) -> None:
        """Remove what is held: Cycles has made, or will make, everything anew."""
        bpy.data.batch_remove([each for each in bpy.data.images if each.session_uid in self.held])
        self.held.clear()
        for path in list(self._files)[:-MOST_FILES]:
            del self._files[path]
        self._bytes = self._materials = 0
        self._is_unsure = False


def pictures(blocks: Iterable[bpy.types.ID]) -> list[bpy.types.Image]:
    """Return the pictures among data-blocks, but for Blender's own, such as the last render."""
    images = [block for block in blocks if isinstance(block, bpy.types.Image)]
    return [image for image in images if image.source != "VIEWER"]


def is_confusing(block: Any) -> bool:
    """Tell whether Cycles may take something else for a data-block that is gone, in spite of all:
    volumes, films, pictures in tiles, and what cannot be held since it is another file's.
    """
    if isinstance(block, bpy.types.Volume) or block.library is not None:
        return True
    if isinstance(block, bpy.types.Object):
        return any(modifier.type == "FLUID" for modifier in block.modifiers)
    return isinstance(block, bpy.types.Image) and block.source not in PLAIN


def path_of(picture: Any) -> str | None:
    """Return where the file of a picture is; None where Cycles does not read it itself."""
    if picture.packed_file is not None or picture.source == "GENERATED":
        return None
    return full_path(picture.filepath, picture)


def stamp_of(path: str) -> Stamp:
    """Return what tells a file from another one at the same path."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def size_of(picture: Any) -> int:
    """Return how many bytes a device needs for a picture, by its header: it is not decoded."""
    if picture.source == "GENERATED":
        return int(picture.generated_width * picture.generated_height * 16)
    packed, path = picture.packed_file, path_of(picture)
    if packed is None and (path is None or not Path(path).is_file()):
        return 0
    try:
        with Image.open(io.BytesIO(packed.data) if packed is not None else str(path)) as header:
            return header.width * header.height * (4 if header.mode in NARROW else 16)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return UNKNOWN_BYTES


def empty(picture: Any) -> None:
    """Free all that a picture holds, and let nobody find it by its name or its file."""
    picture.use_fake_user = True
    if picture.packed_file is not None:
        picture.unpack(method="REMOVE")
    with contextlib.suppress(RuntimeError):
        picture.buffers_free()
    picture.filepath_raw = ""
    picture.name = "viewfarm left"
