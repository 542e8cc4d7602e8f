"""A view that Cycles has rendered, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from farm.spec.camera import Matrix4
from farm.spec.passes import PassName
from farm.spec.render import Background
from farm.spec.view import View
from worker.images.cut import Cut
from worker.images.multilayer import SHADOW, Delivery, Passes, read_once, read_passes
from worker.recipes import Shot

Linear = NDArray[np.float32]
"""A scene-linear picture (H, W, 3)."""


@dataclass(frozen=True, eq=False)
class Exposure:
    """What the sub-frames of a frame made together."""

    pictures: dict[PassName, Linear] = field(default_factory=dict)
    """`blur` and `rolling_shutter`, scene-linear."""
    rows: dict[PassName, NDArray[Any]] = field(default_factory=dict)
    """`events`, (N,), with a field for each column."""
    poses: tuple[tuple[float, Matrix4], ...] = ()
    """Of each sub-frame: its time in seconds, as the frame's `time_s`, and `world_from_camera`."""
    sample_s: float = 0.0
    """Seconds that Cycles spent tracing the sub-frames that are not the frame itself."""
    is_number: bool = True
    """No pixel of any sub-frame is NaN."""


@dataclass(frozen=True)
class Rendered:
    """A view that Cycles has rendered and nobody has looked at."""

    view: View
    shot: Shot
    path: Delivery
    load_s: float
    render_s: float
    centres: Delivery | None = None
    """A second one, with the labels that the first cannot tell, of the pixels' centres."""
    behind: Delivery | None = None
    """One with what is behind all else, where that is asked for and not looked up."""
    shadow: Delivery | None = None
    """One with the shadow on the ground, where that is asked for and seen."""
    drawn: Delivery | None = None
    """One with the picture, where another engine than Cycles made it."""
    cut: Cut | None = None
    """What gives the whole picture, where only a rectangle of it was rendered."""
    stops: float | None = None
    """By which its pictures are brighter than their light makes them, where that is asked for."""
    exposure: Exposure | None = None
    """What its sub-frames made, where its passes take any."""

    @property
    def values(self) -> dict[str, JsonValue]:
        """What the record tells of the view beside."""
        if self.exposure is None:
            return self.shot.values
        poses: list[JsonValue] = [
            {"time_s": time_s, "world_from_camera": [list(row) for row in pose]}
            for time_s, pose in self.exposure.poses
        ]
        return {**self.shot.values, "subframes": poses}

    @property
    def background(self) -> Background:
        """How pixels that show nothing but the environment were made."""
        return "traced" if self.cut is None or self.cut.backdrop is None else "looked_up"

    def drop(self) -> None:
        """Remove what was rendered."""
        for path in (self.path, self.centres, self.behind, self.shadow, self.drawn):
            if path is not None:
                path.unlink(missing_ok=True)

    def read(self) -> Passes:
        """Read the passes and remove the files.

        Raises:
            RenderError: They are not there or not whole.
        """
        passes = self._whole(read_once(self.path))
        if self.centres is not None:
            passes = read_once(self.centres).over(passes)
        if self.behind is not None:
            passes = passes.with_layer("Behind", read_once(self.behind).layers["Environment"])
        if self.shadow is not None:
            caught = read_once(self.shadow).layers[SHADOW]
            passes = passes.with_layer(SHADOW, caught)
        return passes if self.drawn is None else passes.before(read_once(self.drawn))

    def look(self) -> Passes:
        """Read the picture and leave its files.

        Raises:
            RenderError: They are not there or not whole.
        """
        passes = self._whole(read_passes(self.path))
        return passes if self.drawn is None else passes.before(read_passes(self.drawn))

    def _whole(self, passes: Passes) -> Passes:
        return passes if self.cut is None else self.cut.restore(passes)
