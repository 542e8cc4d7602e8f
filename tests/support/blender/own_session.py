"""A Blender for tests: as a worker has it, but for what pictures of 64 pixels never need."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

from worker.blender import environment
from worker.blender.session import BlenderSession

MAP_PX = 256
"""Width of the map of what is bright in an environment: Cycles makes it anew for each model, and
that of a worker takes longer than all else that a test renders."""


def open_blender(scratch: Path, *, threads: int | None) -> BlenderSession:
    """Start the one Blender of this process."""
    with (
        mock.patch.object(environment, "IMPORTANCE_MAP_PX", MAP_PX),
        mock.patch.dict(os.environ),  # the device it claims is not for other tests' processes
    ):
        return BlenderSession("cpu", scratch, threads=threads)
