"""Files by key: a folder now, a bucket behind the same verbs."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from farm.errors import StorageError

PARTIAL_PREFIX = ".partial-"


class Storage(Protocol):
    """Where results live. Keys are relative paths with `/`; a `put` is seen whole or not at all."""

    def put(self, key: str, data: bytes) -> None: ...

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`, or None where there are none."""

    def size(self, key: str) -> int | None:
        """Return the size in bytes of what is under `key`, or None where there is nothing."""

    def delete(self, key: str) -> None:
        """Remove `key`; nothing happens where there is nothing."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under the folder `prefix`, sorted, without partial files."""


class FolderStorage:
    """Storage in a folder, shared between machines or not."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def put(self, key: str, data: bytes) -> None:
        path = self.path(key)
        partial = path.with_name(f"{PARTIAL_PREFIX}{secrets.token_hex(6)}-{path.name[-60:]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise StorageError(f"{path}: cannot be written: {error.strerror}") from error

    def get(self, key: str) -> bytes | None:
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"{self.path(key)}: cannot be read: {error.strerror}") from error

    def size(self, key: str) -> int | None:
        try:
            return self.path(key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"{self.path(key)}: cannot be read: {error.strerror}") from error

    def delete(self, key: str) -> None:
        path = self.path(key)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with contextlib.suppress(OSError):  # not empty: other keys live there
            if path.parent != self.root:
                path.parent.rmdir()

    def keys(self, prefix: str) -> Iterator[str]:
        top = self.path(prefix) if prefix else self.root
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                if not name.startswith(PARTIAL_PREFIX):
                    yield (Path(folder) / name).relative_to(self.root).as_posix()

    def path(self, key: str) -> Path:
        """Return the file behind `key`, which never lies outside the root.

        Raises:
            StorageError: The key leads out of the root.
        """
        path = Path(os.path.normpath(self.root / key))
        if not path.is_relative_to(self.root):
            raise StorageError(f"{key!r} leads out of {self.root}")
        return path
