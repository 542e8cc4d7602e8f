"""Changes of the scene that are undone, the last one first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

Undo = Callable[[], None]


class Changes:
    """What was changed, and how it is put back."""

    def __init__(self) -> None:
        self._undo: list[Undo] = []

    def __bool__(self) -> bool:
        """Tell whether anything is changed."""
        return bool(self._undo)

    def note(self, undo: Undo) -> None:
        """Remember how the change is undone that was made just now."""
        self._undo.append(undo)

    def put_back(self) -> None:
        """Undo all changes."""
        while self._undo:
            self._undo.pop()()

    def made(self, collection: Any, block: bpy.types.ID) -> None:
        """Remember that a data-block was made."""
        self.note(lambda: collection.remove(block))

    def set_value(self, socket: Any, value: object) -> None:
        """Give an input of a node a value in place of what feeds it."""
        tree, before = socket.id_data, socket.default_value
        sources = [link.from_socket for link in socket.links]
        for link in list(socket.links):
            tree.links.remove(link)
        before = before if isinstance(before, float) else tuple(before)
        socket.default_value = value

        def undo() -> None:
            socket.default_value = before
            for source in sources:
                tree.links.new(source, socket)

        self.note(undo)
