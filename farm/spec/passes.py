"""The passes of a view and where their files live."""

from __future__ import annotations

from typing import Literal

PassName = Literal["rgb", "mask"]

PASS_FOLDERS: dict[PassName, str] = {"rgb": "images", "mask": "masks"}
"""Folder of each pass inside a dataset."""
