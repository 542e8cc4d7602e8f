"""What belongs to a user beside jobs: uploads by hash, and the views that were submitted on a day.

`owners/<hash of the name>/uploads/<sha256>-<bytes>` stands for a file of the library,
`owners/<hash of the name>/views/<day>/<moment>-<job>-<views>` for a job that was submitted.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from farm.storage import Storage

FOLDER = "owners"
UPLOAD = re.compile(rf"{FOLDER}/([0-9a-f]{{16}})/uploads/([0-9a-f]{{64}})-([0-9]{{1,18}})")
VIEWS = re.compile(r"[0-9]{1,16}-[0-9a-f]{12}-([0-9]{1,18})")


class Upload(NamedTuple):
    """A file of the library that somebody has uploaded."""

    owner: str
    """Hash of the owner's name."""
    sha256: str
    size_bytes: int
    modified_s: float
    """When it came, in seconds since 1970."""


class Holdings:
    """Who has what, on a farm's storage."""

    def __init__(self, storage: Storage, *, now_s: Callable[[], float] = time.time) -> None:
        self.storage = storage
        self.now_s = now_s

    def add(self, owner: str, sha256: str, size_bytes: int) -> None:
        """Note that a file was uploaded by somebody; twice is once."""
        self.storage.put(upload_key(owner, sha256, size_bytes), b"")

    def has(self, owner: str, sha256: str, size_bytes: int) -> bool:
        """Say whether somebody has uploaded a file."""
        return self.storage.size(upload_key(owner, sha256, size_bytes)) is not None

    def uploads(self, owner: str) -> dict[str, Upload]:
        """Return what somebody has uploaded, by hash, in its order."""
        found = self._uploads(f"{FOLDER}/{hash_of_name(owner)}/uploads")
        return {upload.sha256: upload for upload in found}

    def of_all(self) -> Iterator[Upload]:
        """Yield what all have uploaded."""
        return self._uploads(FOLDER)

    def drop(self, upload: Upload) -> None:
        """Forget that somebody has uploaded a file."""
        self.storage.delete(f"{FOLDER}/{upload.owner}/uploads/{upload.sha256}-{upload.size_bytes}")

    def forget(self, sha256s: Collection[str]) -> None:
        """Forget who has uploaded files that are gone."""
        for upload in list(self.of_all()) if sha256s else ():
            if upload.sha256 in sha256s:
                self.drop(upload)

    def note_views(self, owner: str, job_id: str, views: int) -> None:
        """Note that somebody has submitted a job of so many views; forget other days."""
        above, today = f"{FOLDER}/{hash_of_name(owner)}/views", self._today()
        for key in list(self.storage.keys(above)):
            if not key.startswith(f"{above}/{today}/"):
                self.storage.delete(key)
        self.storage.put(f"{above}/{today}/{self.now_s() * 1000:.0f}-{job_id}-{views}", b"")

    def views_today(self, owner: str) -> int:
        """Return how many views somebody has submitted on this day (UTC)."""
        keys = self.storage.keys(f"{FOLDER}/{hash_of_name(owner)}/views/{self._today()}")
        names = (VIEWS.fullmatch(key.rpartition("/")[2]) for key in keys)
        return sum(int(name[1]) for name in names if name)

    def _uploads(self, prefix: str) -> Iterator[Upload]:
        for entry in self.storage.entries(prefix):
            if found := UPLOAD.fullmatch(entry.key):
                yield Upload(found[1], found[2], int(found[3]), entry.modified_s)

    def _today(self) -> str:
        return datetime.fromtimestamp(self.now_s(), UTC).strftime("%Y-%m-%d")


def hash_of_name(owner: str) -> str:
    """Return what stands for an owner in keys: names hold what keys may not."""
    return hashlib.sha256(owner.encode()).hexdigest()[:16]


def upload_key(owner: str, sha256: str, size_bytes: int) -> str:
    """Return the key of the note on a file that somebody has uploaded."""
    return f"{FOLDER}/{hash_of_name(owner)}/uploads/{sha256}-{size_bytes}"
