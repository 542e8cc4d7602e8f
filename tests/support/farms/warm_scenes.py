"""A renderer that keeps the scene of its last task, and notes each that it has to load.

In the storage folder, `loads` has a line per load, `hold-<index>` makes a task wait, and
`started/<index>.<attempt>` holds the process id of the renderer.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from farm.settings import Settings
from farm.spec.task import RenderTask
from farm.storage import open_storage
from tests.builders import a_task
from tests.support.farms.whole_farm import VIEWS
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease

SCENES = 3


def affinity(index: int) -> str:
    """Scenes take turns, which by itself is the worst order."""
    return f"scene {index % SCENES}"


def task_of(job_id: str, index: int) -> RenderTask:
    return a_task(index, job_id=job_id, views=VIEWS, affinity=affinity(index))


def open_warm_scenes(settings: Settings) -> Renderer:
    storage, root = open_storage(settings.storage), Path(settings.storage)
    pause, kept = threading.Event(), [""]

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        assert task.affinity
        if task.affinity != kept[0]:
            kept[0] = task.affinity
            with (root / "loads").open("a") as file:
                file.write(f"{task.affinity}\n")
        storage.put(f"started/{task.index}.{attempt}", str(os.getpid()).encode())
        for _ in task.views:
            lease.confirm()
            while (root / f"hold-{task.index}").exists():
                pause.wait(0.02)
                lease.confirm()
            lease.view_done()

    return render
