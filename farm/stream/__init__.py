"""Samples from where they are rendered to where they are used, without a disk between.

from farm.stream import Stream, replay
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm.training.replay import replay
    from farm.training.stream import Stream
    from farm.training.view import StreamedView

__all__ = ["Stream", "StreamedView", "replay"]
DOORS = {"Stream": "stream", "StreamedView": "view", "replay": "replay"}
"""In `farm.training`, imported when they are asked for: what they need is above this package."""


def __getattr__(name: str) -> Any:
    """Import a door when it is asked for."""
    if name in DOORS:
        from importlib import import_module

        return getattr(import_module(f"farm.training.{DOORS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
