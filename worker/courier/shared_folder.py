"""The folder on which a renderer finds the assets of its task, and nothing else."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from farm.storage.file_lock import lock_file, lock_new_file

SHARED_FOLDERS = ".shared-folders"
"""Where they stand below the asset cache: on its file system, so that files are linked to."""


@dataclass(frozen=True)
class SharedFolder:
    """`<content>/` holds the files of an asset, regular ones: no link leads out of it.

    Beside it stands a file that its owners hold locked: the kernel drops that lock with the last
    of them, and the next worker removes what they left.
    """

    folder: Path
    lock: int
    links: bool = True
    """Whether files may be those of the cache or the library: not where a renderer may write."""

    def keep_only(self, contents: Collection[str]) -> None:
        """Take all else out of the shared folder."""
        for place in self.folder.iterdir():
            if place.name not in contents:
                shutil.rmtree(place, ignore_errors=True)

    def serve(self, content: str, root: Path) -> Path:
        """Stand an asset, or what was made of one, in the shared folder; return its folder.

        Args:
            content: The hash of all its bytes.
            root: The folder of the cache that holds its files.

        Raises:
            OSError: There is no room.
        """
        target = self.folder / content
        if has_all(root, target):
            return target
        shutil.rmtree(target, ignore_errors=True)
        for source in sorted(root.rglob("*")):
            copy = target / source.relative_to(root)
            if source.is_dir():
                copy.mkdir(parents=True, exist_ok=True)
            else:
                copy.parent.mkdir(parents=True, exist_ok=True)
                self._bring(source.resolve(), copy)
        return target

    def _bring(self, source: Path, target: Path) -> None:
        try:
            if self.links:
                target.hardlink_to(source)
                return
        except OSError:  # another file system, or somebody else's file
            pass
        shutil.copyfile(source, target)

    def remove(self) -> None:
        """Remove the shared folder with all that is on it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        lock_of(self.folder).unlink(missing_ok=True)
        os.close(self.lock)


def new_shared_folder(cache: Path, *, written: Iterable[Path] = ()) -> SharedFolder:
    """Make a shared folder below an asset cache; remove those there whose owners are gone.

    Args:
        cache: The folder of the cache.
        written: Where a renderer may write.

    Raises:
        OSError: It cannot be made.
    """
    parent = cache / SHARED_FOLDERS
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    folder = parent / secrets.token_hex(8)
    lock = lock_new_file(lock_of(folder))
    folder.mkdir(mode=0o700)
    inside = any(folder.resolve().is_relative_to(place.resolve()) for place in written)
    return SharedFolder(folder, lock, links=not inside)


def sweep(parent: Path) -> None:
    """Remove the shared folders whose owners are surely gone: nobody holds their lock."""
    for path in parent.glob("*.lock"):
        with contextlib.suppress(OSError):  # gone meanwhile, or held, or somebody else's
            lock = lock_file(path, wait=False, make=False)
            SharedFolder(path.with_suffix(""), lock).remove()


def lock_of(folder: Path) -> Path:
    """Return the file that the owners of a shared folder hold."""
    return folder.with_name(f"{folder.name}.lock")


def has_all(root: Path, target: Path) -> bool:
    """Tell whether all files of `root` are in `target`, too."""
    files = [path.relative_to(root) for path in root.rglob("*") if not path.is_dir()]
    return target.is_dir() and all((target / file).exists() for file in files)
