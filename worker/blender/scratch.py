"""Where Cycles writes and we read: memory, or disk where that is too small."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from farm.errors import RenderError

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
                    f"{need_bytes / MB:.0f} MB that a view takes in passing"
                )
        return folder

    def close(self) -> None:
        """Remove all files."""
        for folder in (self.folder, self._spill):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
