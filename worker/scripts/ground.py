"""What a script stands on: the scene that it changes, as Blender gives it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from farm.spec.record import CameraRecord


class Ground(Protocol):
    """The scene of a script, and what is done with it on the script's behalf."""

    @property
    def scene(self) -> Any:
        """Blender's own scene."""

    @property
    def resolution_px(self) -> tuple[int, int]:
        """Width and height of the pictures."""

    def on_stage(self) -> AbstractContextManager[None]:
        """Let the user's code run inside: the scene is theirs, and some calls are refused."""

    def keep_time(self, first: int, last: int) -> None:
        """Let the scene, and all that moves by physics in it, play from one frame to another."""

    def go_to(self, frame: int) -> None:
        """Show a frame of the scene."""

    def update(self) -> Any:
        """Bring everything up to date with what was changed; return Blender's depsgraph."""

    def camera_record(self) -> CameraRecord:
        """Return what a record tells of the camera that the scene renders with now.

        Raises:
            TaskError: There is none, or labels cannot follow it.
        """
