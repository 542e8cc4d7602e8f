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


_watchers: tuple[Callable[[], Watcher | None], ...] = ()


def watch(*watchers: Watcher) -> None:
    """Show all renders of Cycles to these, and to nobody else, each as long as it lives."""
    global _watchers
    _install()
    _watchers = tuple(map(weakref.ref, watchers))


def unwatch() -> None:
    """Show renders to nobody until the next `watch`."""
    watch()


def _install() -> None:
    """Stand between Blender and its renderer, once."""
    engine: Any = importlib.import_module("cycles").CyclesRender
    own = engine.render
    if getattr(own, "shows", False):
        return

    def render(self: Any, depsgraph: bpy.types.Depsgraph) -> None:
        for living in [watcher for each in _watchers if (watcher := each()) is not None]:
            living(depsgraph)
        own(self, depsgraph)

    render.shows = True  # type: ignore[attr-defined]  # so that it is known as ours
    engine.render = render
