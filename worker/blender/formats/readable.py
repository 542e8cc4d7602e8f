"""Files that are right and that Blender's importers misread, as copies that they read."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from farm.library.meshes import stl
from worker.blender.scratch import Scratch


@contextlib.contextmanager
def readable(path: Path, scratch: Scratch) -> Iterator[Path]:
    """Yield a model's file, or for a while a copy of the same name that Blender can read.

    Raises:
        RenderError: There is no room for the copy.
    """
    if path.suffix.lower() != ".stl" or stl.is_plain(path):
        yield path
        return
    folder = scratch.new_folder(path.stat().st_size)
    try:
        stl.write_plain(path, folder / path.name)  # objects are called as their file is
        yield folder / path.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)
