"""Where Cycles writes and we read: memory, or disk where that is too small."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from farm.errors import RenderError, StorageError
from worker.assets.cache import Make

MB = 1_000_000


class Scratch:
    """A folder of short-lived files, with another one on disk for those that are too large."""

    def __init__(self, parent: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="viewfarm-", dir=parent))
        self._spill: Path | None = None
        self._numbers = itertools.count()

    def new_file(self, need_bytes: float) -> Path:
        """Return where a picture of that size has room.

        Raises:
            RenderError: Nowhere.
        """
        return self._folder_for(need_bytes) / f"{next(self._numbers):08d}.exr"

    def new_folder(self, need_bytes: float) -> Path:
        """Make an empty folder, the caller's to remove, where that much has room.

        Raises:
            RenderError: Nowhere.
        """
        return Path(tempfile.mkdtemp(dir=self._folder_for(need_bytes)))

    def _folder_for(self, need_bytes: float) -> Path:
        folder = self.folder
        if shutil.disk_usage(folder).free < need_bytes:
            self._spill = folder = self._spill or Path(tempfile.mkdtemp(prefix="viewfarm-"))
            if shutil.disk_usage(folder).free < need_bytes:
                raise RenderError(  # the words by which a full disk is known
                    f"no space left on device: neither {self.folder} nor {folder} has the "
                    f"{need_bytes / MB:.0f} MB that a view needs for temporary files"
                )
        return folder

    def close(self) -> None:
        """Remove all files."""
        for folder in (self.folder, self._spill):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


class LastMade:
    """A folder on disk for the last thing that was made of an asset: where no cache keeps them."""

    def __init__(self) -> None:
        self._held: tuple[str, Path] | None = None

    def made(self, key: str, make: Make) -> Path:
        """Return the folder that `make` filled; that of another key goes.

        Raises:
            StorageError: There is no room.
        """
        if self._held is not None and self._held[0] == key:
            return self._held[1]
        self.close()
        folder = Path(tempfile.mkdtemp(prefix="viewfarm-"))
        try:
            make(folder, lambda size_bytes: check_room(folder, size_bytes))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise StorageError(f"{folder}: cannot be written: {error.strerror}") from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._held = key, folder
        return folder

    def close(self) -> None:
        """Remove it."""
        if self._held is not None:
            shutil.rmtree(self._held[1], ignore_errors=True)
        self._held = None


def check_room(folder: Path, size_bytes: int) -> None:
    """Make sure that a folder's disk has room.

    Raises:
        StorageError: It has not.
    """
    if shutil.disk_usage(folder).free < size_bytes:
        raise StorageError(
            f"no space left on device: {folder} lacks the {size_bytes / MB:.0f} MB that a "
            "corrected environment takes"
        )
