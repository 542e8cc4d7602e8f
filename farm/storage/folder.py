"""Storage in a folder, shared between machines or not."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from farm.errors import StorageError
from farm.storage.base import CHUNK_BYTES, PARTIAL_PREFIX, Entry, inside
from farm.storage.shards import member_of


class FolderStorage:
    """Storage in a folder, shared between machines or not."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.place = str(self.root)

    def put(self, key: str, data: bytes) -> None:
        with self._whole(key) as partial:
            partial.write_bytes(data)

    def put_file(self, key: str, path: Path) -> None:
        with self._whole(key) as partial:
            shutil.copyfile(path, partial)

    def link(self, key: str, source: str) -> None:
        path = self.path(source)
        with self._whole(key) as partial:
            try:
                partial.hardlink_to(path)
            except FileNotFoundError:
                raise
            except OSError:  # a file system without links
                shutil.copyfile(path, partial)

    def get(self, key: str) -> bytes | None:
        if (member := member_of(key)) is not None:
            return member.get(self._part)
        with self._reading(key) as path:
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if (member := member_of(key)) is not None:
            yield from member.pieces(self._part, start=start, length=length)
            return
        with self._reading(key) as path, path.open("rb") as file:
            file.seek(start)
            left = length
            while left is None or left > 0:
                piece = file.read(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece

    def size(self, key: str) -> int | None:
        if (member := member_of(key)) is not None:
            return member.size(self._part)
        with self._reading(key) as path:
            try:
                known = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    return None
                raise
            return known.st_size if stat.S_ISREG(known.st_mode) else None

    def local_path(self, key: str) -> Path | None:
        path = self.path(key)
        return path if member_of(key) is None else None

    def delete(self, key: str) -> None:
        path = self.path(key)
        if member_of(key) is not None:  # it goes with its shard
            return
        try:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
        except OSError as error:
            raise StorageError(f"{path}: cannot be removed: {error.strerror}") from error
        with contextlib.suppress(OSError):  # not empty: other keys live there
            for folder in path.parents:
                if folder == self.root:
                    break
                folder.rmdir()

    def delete_tree(self, prefix: str) -> None:
        path = self.path(prefix)
        if path == self.root:
            raise StorageError(f"{self.root}: is a whole storage, which is never removed")
        try:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)
        except OSError as error:
            raise StorageError(f"{path}: cannot be removed: {error.strerror}") from error

    def sweep(self, prefix: str) -> int:
        found = list(self.path(prefix).rglob(f"{PARTIAL_PREFIX}*"))
        for path in found:
            with contextlib.suppress(OSError):
                path.unlink()
        return len(found)

    def entries(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        return self._walk(self.path(prefix), after)

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        return (entry.key for entry in self.entries(prefix, after=after))

    def path(self, key: str) -> Path:
        """Return the file behind `key`, which never lies outside the root.

        Raises:
            StorageError: The key leads out of the root.
        """
        return self.root / inside(key, self.place)

    def _part(self, key: str, start: int, length: int) -> bytes | None:
        """Return a part of a file, or None where there is none."""
        with self._reading(key) as path:
            try:
                with path.open("rb") as file:
                    file.seek(start)
                    return file.read(length)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def _walk(self, folder: Path, after: str) -> Iterator[Entry]:
        """Yield what is in and under `folder` by key: a folder sorts as its name with a `/`.

        Of a folder with a million files, nothing but their names is kept.
        """
        here = "" if folder == self.root else f"{folder.relative_to(self.root).as_posix()}/"
        try:
            with os.scandir(folder) as found:
                there = sorted(
                    f"{item.name}/" if item.is_dir() else item.name
                    for item in found
                    if not item.name.startswith(PARTIAL_PREFIX)
                    and not (item.is_symlink() and item.is_dir())
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StorageError(f"{folder}: cannot be read: {error.strerror}") from error
        for name in there:
            key = here + name
            if name.endswith("/"):
                if key > after or after.startswith(key):
                    yield from self._walk(folder / name, after)
            elif key > after:
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    known = os.stat(f"{folder}/{name}")  # noqa: PTH116 - a path object costs as much again
                    yield Entry(key, known.st_size, known.st_mtime)

    @contextlib.contextmanager
    def _reading(self, key: str) -> Iterator[Path]:
        path = self.path(key)
        try:
            yield path
        except OSError as error:
            raise StorageError(f"{path}: cannot be read: {error.strerror}") from error

    @contextlib.contextmanager
    def _whole(self, key: str) -> Iterator[Path]:
        """Give the place of a partial file, which becomes `key` if nothing goes wrong."""
        path = self.path(key)
        partial = path.with_name(f"{PARTIAL_PREFIX}{secrets.token_hex(6)}-{path.name[-60:]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            partial.replace(path)
        except OSError as error:
            raise StorageError(f"{path}: cannot be written: {error.strerror}") from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
