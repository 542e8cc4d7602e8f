"""What came with one model, and what its file calls it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from worker.blender.guards.disarm import all_ids


@dataclass(eq=False)
class Belongings:
    """The data-blocks of a model that stands beside others."""

    names: dict[int, str] = field(default_factory=dict)
    """Session id -> name, as the model's file has it where it is of the file."""
    copies: list[Path] = field(default_factory=list)
    """Files that it reads from while it stands, each in a folder of its own."""

    @property
    def ids(self) -> set[int]:
        """Their session ids."""
        return set(self.names)

    def free_copies(self) -> None:
        """Remove the files."""
        while self.copies:
            shutil.rmtree(self.copies.pop().parent, ignore_errors=True)


def rename(everything: Iterable[Belongings], *, aside: bool = False) -> None:
    """Give the data-blocks of models names that no other model's have: `2/Cube` is of the second.

    So each file is read as if it were alone, and the ids of a cryptomatte differ.

    Args:
        everything: What belongs to each model, in order.
        aside: Give names that none of them will have.
    """
    names: dict[int, str] = {}
    for place, each in enumerate(everything, 1):
        for uid, name in each.names.items():
            names[uid] = f"{uid}//{place}" if aside else f"{place}/{name}"
    for block in all_ids():
        may_change = not block.is_property_readonly("name")  # not that of Blender's own font
        is_own = block.library is None and not isinstance(block, bpy.types.Library)
        if is_own and may_change and block.session_uid in names:
            block.name = names[block.session_uid]
