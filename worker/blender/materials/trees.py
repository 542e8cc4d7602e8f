"""Node trees of materials and lamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy


def trees_of(owners: Iterable[bpy.types.Material | bpy.types.Light]) -> Iterator[Any]:
    """Yield the node trees of materials or lamps, and those of the groups in them, each once."""
    waiting: list[Any] = [owner.node_tree for owner in owners]
    seen: set[int] = set()
    while waiting:
        tree = waiting.pop()
        if tree is None or tree.session_uid in seen:
            continue
        seen.add(tree.session_uid)
        yield tree
        waiting += [getattr(node, "node_tree", None) for node in tree.nodes]
