"""The worker's own Blender, which stands still after its first views while a file is there.

HELD_WHILE names that file. So whoever stops a run, or looks at it, finds it under way, however
quick the render is.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from farm.settings import Settings
from farm.spec.task import RenderTask
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease
from worker.attempt.renderer import open_blender


def open_held_blender(settings: Settings) -> Renderer:
    """Open the one warm Blender of this process, as ever."""
    blender = open_blender(settings)
    file, pause, begun = Path(os.environ["HELD_WHILE"]), threading.Event(), threading.Event()

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        check = lease.check

        def hold() -> None:
            check()
            while (begun.is_set() or lease.views_done) and file.exists():
                pause.wait(0.02)
                check()

        lease.check = hold
        blender(task, attempt=attempt, worker=worker, lease=lease)
        if task.views:
            begun.set()

    return render
