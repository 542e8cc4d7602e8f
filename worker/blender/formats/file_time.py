"""The time of a file's own scene: frames per second, and its first and last frame."""

from __future__ import annotations

from typing import Any, NamedTuple

DEFAULT_FPS = 24.0
"""Frames per second of files that state none, unless somebody else does."""
MOST_FPS = 32767
"""Blender takes no more, in whole numbers; the rest is a divisor."""


class FileTime(NamedTuple):
    """Frames per second, and the frames that a file says it has."""

    fps: float
    start: int
    end: int
    """Inclusive."""
    is_still: bool = False
    """Nothing in the file moves and it states no frames: any will do."""


def time_of(scene: Any) -> FileTime:
    """Return the time of a scene as it stands."""
    return FileTime(scene.render.fps / scene.render.fps_base, scene.frame_start, scene.frame_end)


def set_time(scene: Any, time: FileTime) -> None:
    """Give a scene the time of its file; frames before 0 stay out of its range."""
    whole = max(1, min(round(time.fps), MOST_FPS))
    scene.render.fps, scene.render.fps_base = whole, whole / time.fps
    scene.frame_start, scene.frame_end = max(time.start, 0), max(time.end, 0)
