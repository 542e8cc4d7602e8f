"""Animated WebP: what every browser plays and Pillow alone can write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUALITY = 80


class MovingPicture(Image.Image):
    """Frames that are made when they are sought, one after the other: one is in memory."""

    def __init__(self, frames: Iterator[NDArray[np.uint8]], count: int) -> None:
        super().__init__()
        self.n_frames = count
        self._frames = frames
        self._shown = -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Show the next frame; those that have passed do not come back."""
        if frame > self._shown:
            picture = Image.fromarray(next(self._frames))
            self._mode, self._size, self.im = picture.mode, picture.size, picture.im
            self._shown = frame

    def tell(self) -> int:
        """Return which frame is shown."""
        return max(self._shown, 0)


def write_webp(path: Path, frames: Iterator[NDArray[np.uint8]], *, count: int, fps: float) -> None:
    """Write `count` frames (H, W, 3), sRGB, as an animation that repeats for ever."""
    picture = MovingPicture(frames, count)
    picture.save(
        path, "WEBP", save_all=True, duration=1000.0 / fps, loop=0, quality=QUALITY, method=2
    )
