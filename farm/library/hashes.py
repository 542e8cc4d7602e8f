"""Hashes of big files, remembered from one command to the next."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from farm.errors import SpecError

CHUNK_BYTES = 1 << 20
SETTLED_S = 2.0
"""A file that changed so recently may change again without a new time stamp."""

Watch = Callable[[Path, int, int], None]
"""Takes a file, the bytes of it that are hashed, and its size."""


class HashCache:
    """SHA-256 by path, size and time of change, in a small database; without one, just hashes."""

    def __init__(self, file: Path | None = None, *, watch: Watch | None = None) -> None:
        self._watch = watch
        self._table = None if file is None else _open(file)

    def __call__(self, path: Path) -> str:
        """Return the SHA-256 (hex) of a file's bytes.

        Raises:
            SpecError: The file cannot be read.
        """
        try:
            before = path.stat()
            known = self._find(path, before.st_size, before.st_mtime_ns)
            if known:
                return known
            sha256 = self._hash(path, before.st_size)
        except OSError as error:
            raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
        if time.time() - before.st_mtime > SETTLED_S:
            self._remember(path, before.st_size, before.st_mtime_ns, sha256)
        return sha256

    def _hash(self, path: Path, size_bytes: int) -> str:
        state, done = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                state.update(chunk)
                done += len(chunk)
                if self._watch:
                    self._watch(path, done, size_bytes)
        return state.hexdigest()

    def _find(self, path: Path, size_bytes: int, changed_ns: int) -> str | None:
        if self._table is None:
            return None
        with suppress(sqlite3.Error):  # a cache that fails is a cache that does not know
            row = self._table.execute(
                "SELECT sha256 FROM hashes WHERE path = ? AND size_bytes = ? AND changed_ns = ?",
                (str(path), size_bytes, changed_ns),
            ).fetchone()
            return str(row[0]) if row else None
        return None

    def _remember(self, path: Path, size_bytes: int, changed_ns: int, sha256: str) -> None:
        if self._table is None:
            return
        with suppress(sqlite3.Error):
            self._table.execute(
                "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)",
                (str(path), size_bytes, changed_ns, sha256),
            )

    def close(self) -> None:
        """Let go of the database."""
        if self._table is not None:
            self._table.close()
            self._table = None


def _open(file: Path) -> sqlite3.Connection | None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        table = sqlite3.connect(file, timeout=5.0, isolation_level=None)
    except (OSError, sqlite3.Error):
        return None
    try:
        table.execute(
            "CREATE TABLE IF NOT EXISTS hashes "
            "(path TEXT PRIMARY KEY, size_bytes INTEGER, changed_ns INTEGER, sha256 TEXT)"
        )
    except sqlite3.Error:
        table.close()
        return None
    return table
