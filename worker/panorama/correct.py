"""A corrected picture of each environment that needs one, made once and kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from farm.spec.asset import Asset
from farm.spec.base import digest
from worker.assets.cache import Make
from worker.panorama.planes import Plane
from worker.panorama.reading import read_environment, write_planes

log = logging.getLogger(__name__)

WAY = 1
"""Changes when pictures are corrected in another way: what is kept of before is not used."""
PICTURE_FILE = "picture.exr"
NOTES_FILE = "notes.json"
PACKED = 1.1
"""Room for a file that does not compress, of its pixels."""


class Picture(NamedTuple):
    """What Blender is to load for an environment."""

    path: Path
    notes: tuple[str, ...]
    """What was corrected, and what a person should know of it."""


class Shelf(Protocol):
    """Keeps what is made of assets."""

    def made(self, key: str, make: Make) -> Path:
        """Return the folder that `make` filled, now or before; it stays until the next one.

        Raises:
            StorageError: There is no room.
        """


def corrected(asset: Asset, shelf: Shelf) -> Picture:
    """Return the picture of an environment as its header means it: the file itself, or another.

    Raises:
        AssetError: It is damaged, or shows nothing that is a number.
        StorageError: There is no room for a corrected picture.
    """
    source = Path(asset.path)
    folder = shelf.made(key_of(asset), lambda folder, room: correct(source, folder, room))
    notes: list[str] = json.loads((folder / NOTES_FILE).read_text())
    picture = folder / PICTURE_FILE
    return Picture(picture if picture.exists() else source, tuple(notes))


def key_of(asset: Asset) -> str:
    """Return what tells the corrected picture from all others.

    A file outside of the library may have changed since it was hashed.
    """
    if asset.in_library:
        return f"{asset.content}-lit{WAY}"
    status = Path(asset.path).stat()
    return f"{digest(asset.sha256, status.st_mtime_ns, status.st_size)}-lit{WAY}"


def correct(source: Path, folder: Path, make_room: Callable[[int], None]) -> None:
    """Write down what was found of an environment, and the corrected picture if it needs one."""
    reading = read_environment(source)
    for note in reading.notes:
        log.info("environment %s: %s", source.name, note)
    if reading.planes is not None:
        make_room(size_bytes(reading.planes))
        write_planes(reading.planes, folder / PICTURE_FILE)
    (folder / NOTES_FILE).write_text(json.dumps(reading.notes))


def size_bytes(planes: list[Plane]) -> int:
    """Return how much room a picture may take."""
    return round(sum(plane.nbytes for plane in planes) * PACKED) + (1 << 16)
