"""The farm's library: files of assets in the farm's storage, each known by its hash."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from farm.errors import AssetError, SpecError, StorageError
from farm.library.files import hash_file
from farm.spec.asset import Asset, AssetFile
from farm.spec.base import SHA256_PATTERN
from farm.storage import PARTIAL_PREFIX, Storage

ROOT = "assets"
ASKED_AT_ONCE = 16
BLOB = re.compile(rf"{ROOT}/[0-9a-f]{{2}}/([0-9a-f]{{64}})/blob")


class Blob(NamedTuple):
    """A file in the library."""

    sha256: str
    size_bytes: int
    modified_s: float
    """When it came, in seconds since 1970."""


class Library:
    """The files of assets, by hash: the same bytes are kept once, whatever they are called."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def has(self, sha256: str) -> bool:
        """Say whether the file is here."""
        return self.storage.size(blob_key(sha256)) is not None

    def missing(self, sha256s: Iterable[str]) -> list[str]:
        """Return those of `sha256s` that are not here, each once, in order."""
        asked = list(dict.fromkeys(sha256s))
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:  # a bucket answers one after another
            return [
                sha256
                for sha256, here in zip(asked, pool.map(self.has, asked), strict=True)
                if not here
            ]

    def add(self, sha256: str, path: Path) -> None:
        """Keep the file at `path`; twice is once.

        Raises:
            SpecError: Its bytes have another hash; nothing is kept.
        """
        key, found = blob_key(sha256), hash_file(path)
        if found != sha256:
            raise SpecError(f"the file has the hash {found}, not {sha256}; send it again")
        if not self.has(sha256):
            self.storage.put_file(key, path)

    def fetch(self, sha256: str, target: Path) -> None:
        """Write the file to `target`, checked against its hash; `target` is seen whole or not.

        Raises:
            AssetError: The library does not have it.
            StorageError: It cannot be read or written, or arrived damaged.
        """
        if not self.has(sha256):
            raise AssetError(
                target.name, f"its file {sha256} is not in the library; submit the job again"
            )
        partial = target.with_name(f"{PARTIAL_PREFIX}{secrets.token_hex(6)}")
        try:
            with partial.open("wb") as file:
                found = hashlib.sha256()
                for piece in self.storage.read(blob_key(sha256)):
                    found.update(piece)
                    file.write(piece)
            if found.hexdigest() != sha256:
                raise StorageError(
                    f"{target.name}: the library's file {sha256} arrived damaged; if this "
                    f"happens again, remove {self.storage.place}/{blob_key(sha256)} and submit the "
                    "job again"
                )
            partial.replace(target)
        except OSError as error:
            raise StorageError(f"{target}: cannot be written: {error.strerror}") from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def local_path(self, sha256: str) -> Path | None:
        """Return where the file lies if the library is a folder."""
        return self.storage.local_path(blob_key(sha256))

    def blobs(self, *, after: str = "") -> Iterator[Blob]:
        """Yield all files, sorted by hash, from behind the hash `after`."""
        start = blob_key(after) if after else ""
        for entry in self.storage.entries(ROOT, after=start):
            if match := BLOB.fullmatch(entry.key):
                yield Blob(match[1], entry.size_bytes, entry.modified_s)

    def unused(self, in_use: Collection[str], *, older_than_s: float) -> Iterator[Blob]:
        """Yield the files that are not `in_use` and came longer than `older_than_s` ago.

        The age spares what was uploaded for a job that is about to be submitted.
        """
        latest_s = time.time() - older_than_s
        wanted = frozenset(in_use)
        for blob in self.blobs():
            if blob.sha256 not in wanted and blob.modified_s <= latest_s:
                yield blob

    def remove(self, sha256: str) -> None:
        """Forget a file; nothing happens where it is not here."""
        self.storage.delete(blob_key(sha256))


def blob_key(sha256: str) -> str:
    """Return the storage key of a file of the library.

    Raises:
        SpecError: `sha256` is not a hash.
    """
    if not re.fullmatch(SHA256_PATTERN, sha256):
        raise SpecError(f"{sha256!r} is not a SHA-256: 64 of the digits 0-9 and a-f")
    return f"{ROOT}/{sha256[:2]}/{sha256}/blob"


def files_of(asset: Asset) -> list[AssetFile]:
    """Return all files that make an asset, its own first; paths as AssetFile has them."""
    own = AssetFile(path=asset.name, sha256=asset.sha256, size_bytes=asset.size_bytes)
    return [own, *asset.dependencies]
