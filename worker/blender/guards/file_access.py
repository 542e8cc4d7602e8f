"""What a model may read beside its own file: no devices or pipes, no texts, nobody else's files."""

from __future__ import annotations

import contextlib
import os
import posixpath
import signal
import stat
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import bpy

from farm.errors import AssetError
from farm.library.dependencies.gltf import gltf_uris
from farm.spec.asset import Asset
from farm.spec.quote import quoted
from worker.blender.guards.own_files import OwnFiles

NOWHERE = "/nowhere"
"""Where files are looked for that a model may not read: nothing is ever there."""
PATIENCE_S, AGAIN_S = 60.0, 1.0
"""Seconds that a library may keep Blender waiting, and each further one of the same file."""
SOON_S = 0.001
"""Seconds until an alarm that was due meanwhile."""
READS_TEXT = ("GeometryNodeImportText", "GeometryNodeImportCSV")
"""Nodes that could write any file of this machine into a picture, as letters or as points."""
READS_SHAPES = ("GeometryNodeImportOBJ", "GeometryNodeImportPLY", "GeometryNodeImportSTL",
                "GeometryNodeImportVDB")  # fmt: skip


@contextlib.contextmanager
def impatience() -> Iterator[None]:
    """Do not wait for a linked library that is a pipe: Blender opens it before we know its name.

    A signal ends the wait, and Blender takes the library for missing. Reading from a disk or over
    a network continues when a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # where no signals arrive, the time limit of the task remains
        return
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    begun = time.monotonic()
    left_s, every_s = signal.setitimer(signal.ITIMER_REAL, PATIENCE_S, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        if left_s:  # somebody else's alarm goes on, or is due
            rest_s = max(left_s - (time.monotonic() - begun), SOON_S)
            signal.setitimer(signal.ITIMER_REAL, rest_s, every_s)


def home_of(asset: Asset) -> Path | None:
    """Return the folder that holds all that is an asset's own; None where nobody drew a line."""
    if not asset.in_library:
        return None
    return next((each for each in Path(asset.path).parents if each.name == asset.content), None)


def shut_out(
    home: Path | None, *, ours: set[int], copies: Collection[Path] = ()
) -> tuple[str, ...]:
    """Let a model find no file that it may not read; it takes it for missing.

    A path of the machine on which it was made leads to the file that came with the model.

    Returns what was taken away with the libraries that it may not read.

    Args:
        home: The folder beyond which nothing is the model's own; None: any regular file is.
        ours: Session ids of the data-blocks that are not the model's.
        copies: Files that were made of the model's own.
    """
    dropped = drop_libraries(home, ours=ours)
    own_files = OwnFiles(home)

    def visit(block: bpy.types.ID, path: str, _: object) -> str | None:
        full = full_path(path, block)
        if block.session_uid in ours or Path(full) in copies or may_read(full, home):
            return None
        if (own := own_files.find(path)) is not None:
            return own
        return f"{NOWHERE}/{posixpath.basename(path.replace(chr(92), '/')) or 'file'}"

    data: Any = bpy.data  # its stubs do not know this yet
    data.file_path_foreach(visit, flags={"SKIP_PACKED"})
    for tree in bpy.data.node_groups:
        if tree.session_uid not in ours:
            remove_readers(tree, home)
    return tuple(f"linked file {name}" for name in dropped)


def check_borrowed(path: Path, home: Path | None, borrowed: Iterable[bpy.types.ID]) -> None:
    """Make sure that a model shows nothing of another one's files but what it may read itself.

    Blender also gives a file that was read for another model to any model that names it.

    Args:
        path: The model's file.
        home: The folder beyond which nothing is the model's own.
        borrowed: Data-blocks that were there before the model, which uses them.

    Raises:
        AssetError: It does.
    """
    blocks = set(borrowed)
    blocks |= {block.library for block in blocks if block.library is not None}

    def visit(block: bpy.types.ID, name: str, _: object) -> None:
        if not may_read(full_path(name, block), home):
            raise AssetError(str(path), f"it names {quoted(name)}, which it may not read")

    data: Any = bpy.data  # its stubs do not know this yet
    if blocks:
        data.file_path_foreach(visit, subset=blocks, flags={"SKIP_PACKED"})


def check_uris(path: Path, home: Path | None) -> None:
    """Make sure that a .gltf or .glb names no file that cannot be taken from it later.

    To import it is to read them all. A picture is shown later, so it may be somebody else's until
    then, but no pipe; a buffer becomes its points at once.

    Raises:
        AssetError: It does; or nobody can know what a stranger's names.
    """
    if path.suffix.lower() not in (".gltf", ".glb"):
        return
    named = gltf_uris(path)
    if named is None:
        if home is not None:
            raise AssetError(str(path), "its JSON cannot be read")
        return
    uris = [(uri, home) for uri in named["buffers"]] + [(uri, None) for uri in named["images"]]
    for uri, bound in uris:
        full = os.path.normpath(path.parent / unquote(uri.replace("\\", "/")))
        if not uri.startswith("data:") and not may_read(full, bound):
            raise AssetError(str(path), f"it names {quoted(uri)}, which it may not read")


def may_read(path: str, home: Path | None) -> bool:
    """Tell whether a model may read a path, whether or not there is something."""
    if home is not None and home not in Path(path).parents:
        return False
    try:
        kind = os.stat(path).st_mode  # noqa: PTH116  what is no valid path raises in here alone
    except (OSError, ValueError):
        return True  # nothing is there
    return stat.S_ISREG(kind) or stat.S_ISDIR(kind)


def is_readable(path: Path) -> bool:
    """Tell whether a file is there to be read: walls do not show in its permissions."""
    try:
        if not path.is_file():  # a pipe would keep us waiting
            return False
        path.open("rb").close()
    except OSError:
        return False
    return True


def full_path(path: str, block: bpy.types.ID) -> str:
    """Return a path as Blender would look for it, without `..`."""
    library = None if isinstance(block, bpy.types.Library) else block.library
    return os.path.normpath(bpy.path.abspath(path, library=library))


def drop_libraries(home: Path | None, *, ours: set[int]) -> list[str]:
    """Remove what came from linked files that a model may not read; return their names."""
    dropped = []
    for library in list(bpy.data.libraries):
        if library.session_uid not in ours and not may_read(
            full_path(library.filepath, library), home
        ):
            dropped.append(posixpath.basename(library.filepath.replace("\\", "/")))
            bpy.data.libraries.remove(library)
    return sorted(dropped)


def remove_readers(tree: bpy.types.NodeTree, home: Path | None) -> None:
    """Remove the nodes that read files, unless they read a shape that is the model's own."""
    for node in list(tree.nodes):
        if node.bl_idname in READS_TEXT:
            tree.nodes.remove(node)
        elif node.bl_idname in READS_SHAPES:
            path: Any = node.inputs["Path"]  # a socket of a text
            known = not path.is_linked and path.default_value
            if known and not may_read(full_path(path.default_value, tree), home):
                known = None
            if not known:
                tree.nodes.remove(node)
