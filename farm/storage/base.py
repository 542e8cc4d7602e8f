"""What every storage can do."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from farm.errors import StorageError

PARTIAL_PREFIX = ".partial-"
CHUNK_BYTES = 1 << 20


class Entry(NamedTuple):
    """A key and what a listing tells of it."""

    key: str
    size_bytes: int
    modified_s: float
    """Seconds since 1970."""


class Storage(Protocol):
    """Where results live. Keys are relative paths with `/`; a `put` is seen whole or not at all.

    Every verb raises StorageError, in a sentence, when the storage is full, away or forbidden, or
    when a key leads out of it.
    """

    place: str
    """Folder or `s3://bucket/prefix`, as `open_storage` takes it."""

    def put(self, key: str, data: bytes) -> None: ...

    def put_file(self, key: str, path: Path) -> None:
        """Copy the file at `path` to `key`, whatever its size."""

    def link(self, key: str, source: str) -> None:
        """Let what is under `source` be under `key`, too; in a folder it takes no room again.

        Raises:
            StorageError: Nothing is under `source`.
        """

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`, or None where there are none."""

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes under `key` in pieces, from `start`, `length` of them at most.

        Raises:
            StorageError: At the first piece: nothing is there.
        """

    def size(self, key: str) -> int | None:
        """Return the size in bytes of what is under `key`, or None where there is nothing."""

    def local_path(self, key: str) -> Path | None:
        """Return the file behind `key` if this storage is a folder; it need not be there."""

    def delete(self, key: str) -> None:
        """Remove `key`; nothing happens where there is nothing."""

    def delete_tree(self, prefix: str) -> None:
        """Remove all keys under the folder `prefix`, which must not be the whole storage."""

    def sweep(self, prefix: str) -> int:
        """Remove what was left half-written under the folder `prefix`; return how many files.

        Nobody may be writing there: a writer would have to begin again.
        """

    def entries(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """Yield what is under the folder `prefix`, sorted by key, without partial files.

        A listing can be resumed: only keys that sort after `after` are yielded.
        """

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys under the folder `prefix`, as `entries` does."""


def hash_of(storage: Storage, key: str) -> str:
    """Return the SHA-256 of what is under `key`, read in pieces.

    Raises:
        StorageError: Nothing is there.
    """
    digest = hashlib.sha256()
    for piece in storage.read(key):
        digest.update(piece)
    return digest.hexdigest()


def inside(key: str, place: str) -> str:
    """Return `key` in its plain form ("" is the storage itself).

    Raises:
        StorageError: The key leads out of the storage.
    """
    plain = posixpath.normpath(key) if key else "."
    if plain.startswith(("/", "../")) or plain == ".." or "\0" in plain:
        raise StorageError(f"{key!r} leads out of {place}")
    return "" if plain == "." else plain
