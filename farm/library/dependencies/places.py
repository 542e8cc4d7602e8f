"""Where files that a model names may lie: beside it, or within a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Remark = Callable[[str], None]
"""Takes one sentence for a person."""


def is_relative(uri: str, path: Path, remark: Remark) -> bool:
    """Say whether a model names a file beside it rather than data, or a place of its own."""
    if uri.startswith("data:"):
        return False
    if ":" in uri or uri.startswith(("/", "\\")):
        remark(f"{path.name} names {uri[:200]}, which is not beside it; it is not uploaded")
        return False
    return True


def lies_in(folder: Path | None, file: Path) -> bool:
    """Say whether a file lies below a folder; without one, each does."""
    return folder is None or Path(os.path.normpath(file)).is_relative_to(folder)
