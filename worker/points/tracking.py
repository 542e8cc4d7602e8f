"""What is kept of the meshes of a frame once the renderer has had them."""

from __future__ import annotations

from worker.points.followed import Followed
from worker.points.surfaces import Scenery


class Tracking:
    """What is followed through one frame, known once the renderer has had its meshes."""

    def __init__(self) -> None:
        self.followed: Followed | None = None
        self.scenery: Scenery | None = None
