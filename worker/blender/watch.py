"""A look at the very meshes that Cycles gets, while it gets them: nothing is evaluated twice."""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import bpy

T = TypeVar("T")


class Watcher(Protocol):
    """Is shown what is about to be rendered."""

    def __call__(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Look at a depsgraph, which lives no longer than this call."""


_watchers: tuple[Callable[[], Watcher | None], ...] = ()
_instead: Callable[[bpy.types.Depsgraph], None] | None = None
"""Takes the place of Cycles in the renders of now."""
_afterwards: Callable[[Any], None] | None = None
"""Is shown the engine of each render, once it has rendered."""


def watch(*watchers: Watcher) -> None:
    """Show all renders of Cycles to these, and to nobody else, each as long as it lives."""
    global _watchers
    _install()
    _watchers = tuple(map(weakref.ref, watchers))


def unwatch() -> None:
    """Show renders to nobody until the next `watch`."""
    watch()


@contextmanager
def in_place_of_cycles(visit: Callable[[bpy.types.Depsgraph], None]) -> Iterator[None]:
    """Let renders of Cycles only show to `visit` what Cycles would get, and draw nothing.

    The engine stays Cycles: to set another one, if only for a moment, is to throw away all that
    Cycles keeps from render to render, which costs more than a small picture.

    Raises:
        Exception: What `visit` raises, which Blender would print and forget.
    """
    global _instead
    _install()
    with raised_outside(visit) as _instead:
        try:
            yield
        finally:
            _instead = None


@contextmanager
def after_cycles(visit: Callable[[Any], None]) -> Iterator[None]:
    """Show the engine to `visit` as soon as Cycles has rendered, while its result is there.

    Raises:
        Exception: What `visit` raises, which Blender would print and forget.
    """
    global _afterwards
    _install()
    with raised_outside(visit) as _afterwards:
        try:
            yield
        finally:
            _afterwards = None


@contextmanager
def raised_outside(visit: Callable[[T], None]) -> Iterator[Callable[[T], None]]:
    """Yield what Blender may call in place of `visit`, and raise in the end what that raised.

    Raises:
        Exception: What `visit` raises, which Blender would print and forget.
    """
    raised: list[Exception] = []

    def visit_once(shown: T) -> None:
        try:
            visit(shown)
        except Exception as error:  # noqa: BLE001  raised below, outside of Blender
            raised.append(error)

    yield visit_once
    for error in raised:
        raise error


def _install() -> None:
    """Stand between Blender and its renderer, once."""
    engine: Any = importlib.import_module("cycles").CyclesRender
    own = engine.render
    if getattr(own, "shows", False):
        return

    def render(self: Any, depsgraph: bpy.types.Depsgraph) -> None:
        if _instead is not None:
            _instead(depsgraph)
            return
        for living in [watcher for each in _watchers if (watcher := each()) is not None]:
            living(depsgraph)
        own(self, depsgraph)
        if _afterwards is not None:
            _afterwards(self)

    render.shows = True  # type: ignore[attr-defined]  # so that it is known as ours
    engine.render = render
