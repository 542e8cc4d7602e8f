"""Free space where a folder is, or will be."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int | None:
    """Return the free space where `folder` is, or will be; None where the system does not say."""
    for each in (folder, *folder.parents):
        try:
            return shutil.disk_usage(each).free
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
    return None
