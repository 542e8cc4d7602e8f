"""The passes of a render, straight from Blender's memory: no file is written and read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import RenderError
from worker.blender.watch import after_cycles
from worker.images.multilayer import Held, Passes


def can_take(scene: Any) -> bool:
    """Say whether memory holds all pixels that a file would: a picture in tiles is put together
    only after the engine has gone.
    """
    longest = max(scene.render.resolution_x, scene.render.resolution_y)
    return not (scene.cycles.use_auto_tile and longest > scene.cycles.tile_size)


class Taken:
    """What was taken of a render."""

    def __init__(self) -> None:
        self._layers: dict[str, NDArray[np.float32]] | None = None

    def take(self, engine: Any) -> None:
        """Copy the passes of what an engine has rendered."""
        result = engine.get_result()
        size_px = (result.resolution_y, result.resolution_x)
        self._layers = {
            each.name: copied(each, size_px) for layer in result.layers for each in layer.passes
        }

    def held(self, sample_s: float, manifest: Mapping[str, str] | None = None) -> Held:
        """Return what was taken, with what the numbers of its cryptomatte mean.

        Raises:
            RenderError: Cycles delivered nothing.
        """
        if not self._layers:
            raise RenderError("Blender delivered no picture")
        return Held(Passes(self._layers, sample_s, dict(manifest or {})))


@contextmanager
def taking() -> Iterator[Taken]:
    """Give what takes the passes of the one render within the block."""
    taken = Taken()
    with after_cycles(taken.take):
        yield taken


def copied(each: Any, size_px: tuple[int, int]) -> NDArray[np.float32]:
    """Return a pass as (H, W, channels), the top row first, as files have it."""
    numbers = np.empty((*size_px, each.channels), dtype=np.float32)
    each.rect.foreach_get(numbers.reshape(-1))
    return numbers[::-1]
