"""The renderer of a script: the farm's own."""

from __future__ import annotations

from typing import Any

from worker.scripts.btb.here import here
from worker.scripts.btb.picture import Picture
from worker.scripts.failures import RefusedCall

MODES = ("rgb", "rgba")


class OffScreenRenderer:
    """Stands for the farm's picture of each view, which is the pass `rgb`."""

    def __init__(
        self, camera: Any = None, mode: str = "rgb", origin: str = "upper-left", **_more: Any
    ) -> None:
        if mode not in MODES:
            raise RefusedCall(f"OffScreenRenderer: mode {mode!r} is not one of {', '.join(MODES)}")
        if origin != "upper-left":
            raise RefusedCall("OffScreenRenderer: the farm's pictures begin at the upper left")
        self.camera = camera
        self.mode = mode
        self.view_matrix: Any = None
        self.proj_matrix: Any = None
        self.shape = here().ground.resolution_px[::-1]

    def render(self) -> Picture:
        """Return what stands for the picture: publish it as it is."""
        return Picture("rgb")

    def set_render_style(self, shading: str = "RENDERED", overlays: bool = False) -> None:  # noqa: FBT001, FBT002
        """Do nothing: the farm renders with Cycles, without overlays."""
