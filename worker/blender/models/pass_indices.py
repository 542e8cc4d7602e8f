"""The numbers by which label passes tell objects and materials apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import bpy

from worker.blender.view_passes import HIGHEST_INDEX

Block = TypeVar("Block", bpy.types.Object, bpy.types.Material)


def in_order(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return objects or materials in the order of their numbers: by name."""
    return tuple(sorted(blocks, key=lambda block: (block.name, library_of(block))))


def number(ordered: Iterable[bpy.types.Object | bpy.types.Material], *, first: int = 1) -> None:
    """Number objects or materials in this order; what has its number is not touched."""
    for place, block in enumerate(ordered, first):
        wanted = min(place, HIGHEST_INDEX)  # what comes later cannot be told apart
        if block.pass_index != wanted:
            block.pass_index = wanted


def names_of(blocks: Iterable[bpy.types.ID]) -> tuple[str, ...]:
    """Return the names of data-blocks."""
    return tuple(block.name for block in blocks)


def library_of(block: bpy.types.ID) -> str:
    """Return the file that a linked data-block is from, which tells it from its namesakes."""
    return block.library.filepath if block.library is not None else ""
