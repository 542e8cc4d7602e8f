"""A job's datasets to a folder: in parallel, resumable, checked by hash."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote

from farm.client.connection import Connection, TemporaryError
from farm.client.folders import Folders, dataset_by_name
from farm.client.text import printable
from farm.client.transfer import Stop, run_each
from farm.errors import RequestRefusedError, TransferError
from farm.spec.wire import DatasetFile

PART = ".part"
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Names of devices on Windows."""

Outcome = Literal["fetched", "there"]
Received = Callable[[int], None]
"""Takes the size of a file that is there now."""


@dataclass
class DownloadSummary:
    """What a download did; `failures` is empty if all files are complete."""

    folder: Path
    fetched: int = 0
    there: int = 0
    """Files that were there already, intact."""
    size_bytes: int = 0
    """Of all complete files."""
    failures: list[str] = field(default_factory=list)
    """One sentence for each file that is missing."""


class Download:
    """One run of a download into one folder."""

    def __init__(
        self,
        connection: Connection,
        job_id: str,
        folder: Path,
        *,
        received: Received = lambda _count: None,
    ) -> None:
        self.connection = connection
        self.job_id = job_id
        self.folder = folder.resolve()
        self.received = received
        self._folders = Folders(connection, job_id, self.folder)
        self.summary = DownloadSummary(self.folder)
        self._lock = threading.Lock()
        self._stop = Stop()
        self._taken: set[str] = set()

    def run(self, files: Iterable[DatasetFile], *, threads: int) -> DownloadSummary:
        """Download all `files`; one that fails does not stop the others.

        Raises:
            SpecError: Another dataset is where one of the job's would go, or around it, or within.
            FarmError: The farm is away or refuses, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TransferError(f"{self.folder}: {error.strerror}") from error
        run_each(self._bring, self._admitted(files), threads=threads, stop=self._stop)
        return self.summary

    def _admitted(self, files: Iterable[DatasetFile]) -> Iterator[DatasetFile]:
        """Pass files on, each after its dataset's folder was checked."""
        for file in files:
            with suppress(TransferError):  # a name to write to is looked for below, too
                self._folders.admit(dataset_of(file))
            yield file

    def _bring(self, file: DatasetFile) -> None:
        self._stop.check()
        try:
            target = self._place(file.path)
            outcome = self._fetch(file, target)
        except _WrongFileError as error:
            with self._lock:
                self.summary.failures.append(str(error))
            return
        except OSError as error:
            raise TransferError(f"{self.folder}: cannot be written: {error.strerror}") from error
        with self._lock:
            self.received(file.size_bytes)
            self.summary.size_bytes += file.size_bytes
            if outcome == "there":
                self.summary.there += 1
            else:
                self.summary.fetched += 1

    def _place(self, path: str) -> Path:
        """Return where a file goes: inside the folder, whatever the server says."""
        target = self.folder / safe_path(path)
        with self._lock:
            if str(target).casefold() in self._taken:
                raise _WrongFileError(f"{printable(path)}: occurs twice in the farm's list")
            self._taken.add(str(target).casefold())
        if not target.parent.resolve().is_relative_to(self.folder):
            raise _WrongFileError(f"{printable(path)}: would lead out of the folder; left out")
        return target

    def _fetch(self, file: DatasetFile, target: Path) -> Outcome:
        if _is_right(target, file):
            return "there"
        if target.is_dir():
            raise _WrongFileError(f"{printable(file.path)}: a folder of that name is in the way")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + PART)
        if part.is_symlink():
            part.unlink()
        for _fresh in (False, True):  # what was left by an earlier run may be of another file
            resumed = part.exists()
            self.connection.patiently(lambda: self._receive(file, part), stop=self._stop)
            if _is_right(part, file):
                part.replace(target)
                return "fetched"
            part.unlink()
            if not resumed:
                break
        raise _WrongFileError(
            f"{printable(file.path)}: arrived with a different size or SHA-256 than the "
            "farm lists; download it again; if it still differs, render it again"
        )

    def _receive(self, file: DatasetFile, part: Path) -> None:
        """Receive the missing part of a file, once."""
        start = part.stat().st_size if part.exists() else 0
        if start > file.size_bytes:
            part.unlink()
            start = 0
        if start == file.size_bytes and part.exists():
            return
        headers = {"Range": f"bytes={start}-"} if start else {}
        headers["Accept-Encoding"] = "identity"  # pictures do not get smaller, and ranges count
        path = f"/v1/datasets/{self.job_id}/files/{quote(file.path)}"
        try:
            with self.connection.open("GET", path, headers=headers) as response:
                goes_on = response.status_code == 206
                with part.open("ab" if goes_on else "wb") as out:
                    have = start if goes_on else 0
                    for piece in response.iter_bytes():  # in pieces of any size: none is lost
                        self._stop.check()
                        have += len(piece)
                        if have > file.size_bytes:
                            break
                        out.write(piece)
        except RequestRefusedError as error:
            if error.status == 416:
                part.unlink(missing_ok=True)
                raise TemporaryError(error) from error
            if error.status in (401, 403):
                raise
            raise _WrongFileError(f"{printable(file.path)}: {error}") from error


class _WrongFileError(TransferError):
    """One file cannot be downloaded; the others can."""


def dataset_of(file: DatasetFile) -> str | None:
    """Return the dataset that a file belongs to, "" for the job's only one; None if nobody knows.

    Raises:
        TransferError: It is not a name that can be written.
    """
    path = safe_path(file.path)
    if file.dataset is None:
        return dataset_by_name(path)
    if not file.dataset:
        return ""
    folder = safe_path(file.dataset)
    return str(folder) if folder in path.parents else None


def safe_path(path: str) -> PurePosixPath:
    """Return a path from the server if it stays inside a folder, on every system.

    Raises:
        TransferError: It does not.
    """
    parts = path.split("/")
    if (
        not path
        or len(path) > 1000
        or any(part in ("", ".", "..") or part.endswith((".", " ", PART)) for part in parts)
        or any(RESERVED.match(part) for part in parts)
        or set(path) & set('\\:*?"<>|')
        or printable(path) != path
    ):
        raise _WrongFileError(
            f"{printable(path, limit=200)}: is not a name that can be written; left out"
        )
    return PurePosixPath(path)


def _is_right(path: Path, file: DatasetFile) -> bool:
    with suppress(OSError):
        if path.is_file() and path.stat().st_size == file.size_bytes:
            with path.open("rb") as data:
                return hashlib.file_digest(data, "sha256").hexdigest() == file.sha256
    return False
