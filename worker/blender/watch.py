"""A look at the very meshes that Cycles gets, while it gets them: nothing is evaluated twice."""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import bpy


class Watcher(Protocol):
    """Is shown what is about to be rendered."""

    def __call__(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Look at a depsgraph, which lives no longer than this call."""


_watcher: Callable[[], Watcher | None] | None = None


def watch(watcher: Watcher) -> None:
    """Show all renders of Cycles to `watcher`, and to nobody else, as long as it lives."""
    global _watcher
    _install()
    _watcher = weakref.ref(watcher)


def unwatch() -> None:
    """Show renders to nobody until the next `watch`."""
    global _watcher
    _watcher = None


def _install() -> None:
    """Stand between Blender and its renderer, once."""
    engine: Any = importlib.import_module("cycles").CyclesRender
    own = engine.render
    if getattr(own, "shows", False):
        return

    def render(self: Any, depsgraph: bpy.types.Depsgraph) -> None:
        watcher = _watcher() if _watcher is not None else None
        if watcher is not None:
            watcher(depsgraph)
        own(self, depsgraph)

    render.shows = True  # type: ignore[attr-defined]  # so that it is known as ours
    engine.render = render
