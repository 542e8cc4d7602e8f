"""Files of an export: they appear whole under their names, or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from farm.errors import StorageError
from farm.storage import inside

STATE_FOLDER = ".farm-export"
"""In an export's folder: the state from which a stopped export resumes."""

Stamp = tuple[int, int]
"""Size of a file in bytes, and when it was changed, in nanoseconds since 1970."""


class OutputFolder:
    """The folder of an export. What is being written lies apart, on the same disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._partial = folder / STATE_FOLDER / "partial"
        self._numbers = itertools.count()
        self._here = threading.local()
        self._lasting: set[Path] = set()
        """Folders that may be empty."""
        self._folders = threading.Lock()
        """Held by the thread that makes a folder for a file, or removes one that is empty."""

    def clear(self) -> None:
        """Forget what an earlier run had half written."""
        with self._telling(self._partial):
            shutil.rmtree(self._partial, ignore_errors=True)
            self._partial.mkdir(parents=True)

    def put(self, path: str, data: bytes) -> str:
        """Write a file; return its path."""
        with self.open(path) as file:
            file.write(data)
        return path

    def put_text(self, path: str, text: str) -> str:
        """Write a file of text; return its path."""
        return self.put(path, text.encode())

    def link(self, path: str, source: Path) -> bool:
        """Let a path be the very file at `source`; say whether the file system could."""
        partial, path = self._new(), inside(path, str(self.folder))
        try:
            os.link(source, partial)
        except OSError:  # another disk, or one that knows no links
            return False
        with self._telling(path):
            self._settle(partial, path)
        return True

    @contextmanager
    def undoing(self, kind: type[BaseException]) -> Iterator[None]:
        """Delete what this thread has written inside, where it ends in an error of a kind."""
        self._here.written = written = list[str]()
        try:
            yield
        except kind:
            for path in written:
                self.remove(path)
            raise
        finally:
            self._here.written = []

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """Give a file to write into, which appears when nothing goes wrong."""
        with self.placing(path) as partial, partial.open("wb") as file:
            yield file

    @contextmanager
    def placing(self, path: str) -> Iterator[Path]:
        """Give where to write a file, which appears under `path` when nothing goes wrong."""
        partial, path = self._new(), inside(path, str(self.folder))
        with self._telling(path):
            try:
                yield partial
                self._settle(partial, path)
            finally:
                partial.unlink(missing_ok=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder on the same disk for what is put together piece by piece; it goes."""
        with self._telling(self._partial), tempfile.TemporaryDirectory(dir=self._partial) as folder:
            yield Path(folder)

    def put_folder(self, path: str) -> str:
        """Make a folder that stays also while it is empty; return its path, which ends with `/`."""
        path = inside(path, str(self.folder))
        with self._folders, self._telling(path):
            (self.folder / path).mkdir(parents=True, exist_ok=True)
            self._lasting.add(self.folder / path)
        return f"{path}/"

    def has(self, path: str) -> bool:
        """Say whether a file is there."""
        return (self.folder / path).is_file()

    def stamp(self, path: str) -> Stamp | None:
        """Return what changes with a file; None where there is none."""
        try:
            known = (self.folder / path).stat()
        except OSError:
            return None
        return (known.st_size, known.st_mtime_ns) if stat.S_ISREG(known.st_mode) else None

    def remove(self, path: str) -> None:
        """Delete a file if it is there, and folders that it leaves empty; or such a folder."""
        target = self.folder / inside(path, str(self.folder))
        with self._folders, self._telling(path):
            if not path.endswith("/"):
                target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty
                for folder in (target, *target.parents)[not path.endswith("/") :]:
                    if folder == self.folder or folder in self._lasting:
                        break
                    folder.rmdir()

    def _new(self) -> Path:
        return self._partial / str(next(self._numbers))

    def _settle(self, partial: Path, path: str) -> None:
        target = self.folder / path
        with self._folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
        partial.unlink(missing_ok=True)  # replacing a link by another of the same file does nothing
        getattr(self._here, "written", []).append(path)

    @contextmanager
    def _telling(self, path: str | Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"{self.folder / path}: cannot be written: {reason}") from error
