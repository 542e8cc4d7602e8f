"""Renders of a rectangle of a picture, and the whole picture again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.images.multilayer import Passes

Floats = NDArray[np.float32]
FAR = np.float32(1e10)
"""Cycles' depth of nothing; all else is 0 there."""


class Window(NamedTuple):
    """Pixels of a picture, from its top left corner; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self.right - self.left) * (self.bottom - self.top)

    def fills(self, size_px: tuple[int, int]) -> bool:
        """Say whether it is the whole of a picture."""
        return self == (0, 0, *size_px)


@dataclass(frozen=True, eq=False)
class Cut:
    """What of a picture was rendered, and what is to be seen where nothing stands."""

    window: Window
    size_px: tuple[int, int]
    """Of the whole picture."""
    backdrop: Callable[[], Floats] | None
    """Makes what is behind, (H, W, 3), scene-linear; None where no picture is asked for."""

    @property
    def of_all(self) -> Cut:
        """The same of a render of the whole picture."""
        return replace(self, window=Window(0, 0, *self.size_px))

    def restore(self, passes: Passes) -> Passes:
        """Return the passes of the whole picture.

        Where nothing covers a pixel, all its light is that of what is behind.
        """
        layers = {name: self._whole(name, layer) for name, layer in passes.layers.items()}
        if self.backdrop is not None:
            bare = layers["Combined"][..., 3:] == 0
            layers["Behind"] = self.backdrop()
            layers["Environment"] = np.where(bare, layers["Behind"], layers["Environment"])
        return replace(passes, layers=layers)

    def _whole(self, name: str, layer: Floats) -> Floats:
        if self.window.fills(self.size_px):
            return layer
        width, height = self.size_px
        whole = np.full(
            (height, width, layer.shape[2]), FAR if name == "Depth" else 0, dtype=np.float32
        )
        left, top, right, bottom = self.window
        whole[top:bottom, left:right] = layer
        return whole


def is_bare_beside(alpha: Floats, window: Window) -> bool:
    """Say whether nothing stands beside a window of a picture (H, W)."""
    left, top, right, bottom = window
    beside = (alpha[:top], alpha[bottom:], alpha[top:bottom, :left], alpha[top:bottom, right:])
    return not any(bool(part.any()) for part in beside)


def is_cut_off(alpha: Floats, window: Window, size_px: tuple[int, int]) -> bool:
    """Say whether something reaches over a side of a window that is inside of the picture."""
    sides = (
        (window.left > 0, alpha[:, :1]),
        (window.top > 0, alpha[:1]),
        (window.right < size_px[0], alpha[:, -1:]),
        (window.bottom < size_px[1], alpha[-1:]),
    )
    return any(inside and bool(side.any()) for inside, side in sides)
