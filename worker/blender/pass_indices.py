"""The numbers by which label passes tell objects and materials apart."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from worker.blender.view_passes import HIGHEST_INDEX


def number(blocks: Iterable[bpy.types.Object | bpy.types.Material]) -> tuple[str, ...]:
    """Number objects or materials from 1 by their sorted names, and return these."""
    ordered = sorted(blocks, key=lambda block: (block.name, library_of(block)))
    for place, block in enumerate(ordered, 1):
        block.pass_index = min(place, HIGHEST_INDEX)  # what comes later cannot be told apart
    return tuple(block.name for block in ordered)


def library_of(block: bpy.types.ID) -> str:
    """Return the file that a linked data-block is from, which tells it from its namesakes."""
    return block.library.filepath if block.library is not None else ""
