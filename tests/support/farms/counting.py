"""A renderer that notes every view that it renders, behind the worker's own loop of views.

`renders/<view name>` has a line per render; `hold-<view name>` in the storage folder makes a view
take as long as it is there. `deaf` keeps the renderer from ending.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from farm.settings import Settings
from farm.spec.task import RenderTask, dataset_key, view_id
from farm.spec.view import View
from farm.storage import Storage, open_storage
from tests.builders import a_record
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease
from worker.recipes import Shot, Stage
from worker.render.neighbours import Around
from worker.render.rendered import Rendered
from worker.render.views import render_views
from worker.render.writers.record_book import RecordBook

NOTHING = Path("/nonexistent/of-no-view")
PAUSE = threading.Event()
PIECES = {"rgb": b"picture", "mask": b"mask"}


def open_counting(settings: Settings) -> Renderer:
    storage = open_storage(settings.storage)

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        book = RecordBook(task, storage, attempt)
        missing = [view for view in task.views if not book.has(view)]
        lease.views_found(len(task.views) - len(missing))
        session = Counter(Path(settings.storage), task, attempt)
        finisher = Writer(task, book, storage, attempt, lease)
        render_views(missing, session, session, finisher=finisher, lease=lease, load_s=0.0)

    return render


class Counter(Stage):
    """In the place of a stage and of a session."""

    wants_centres = wants_behind = has_own_picture = False

    def __init__(self, root: Path, task: RenderTask, attempt: int) -> None:
        self.root, self.attempt = root, attempt
        self.names = {view.seed: view.name for view in task.views}

    def arrange(self, view: View) -> Shot:
        record = a_record(view)
        return Shot(camera=record.camera, gain=1.0, true_strength=False)

    def render_view(self, *, seed: int) -> tuple[Path, None]:
        note = self.root / "renders" / self.names[seed]
        note.parent.mkdir(exist_ok=True)
        with note.open("a") as file:
            file.write(f"{self.attempt} {os.getpid()}\n")
        PAUSE.wait(0.02)
        while (self.root / f"hold-{self.names[seed]}").exists():
            PAUSE.wait(0.02)
        return NOTHING, None


class Writer:
    """In the place of a finisher: writes files that say nothing, and the true records."""

    def __init__(
        self,
        task: RenderTask,
        book: RecordBook,
        storage: Storage,
        attempt: int,
        lease: LedgerLease,
    ) -> None:
        self.task, self.book, self.storage = task, book, storage
        self.attempt, self.lease = attempt, lease

    def passes_of(self, view: View) -> None:
        """Render what the task asks for."""

    def drop(self, view: View) -> None:
        """Nobody waits for it."""

    def finish(self, rendered: Rendered, around: Around | None = None) -> None:
        PAUSE.wait(0.05)  # longer than a render, so that some wait in line
        self.lease.secure()
        view = rendered.view
        record = a_record(view, files=PIECES, attempt=self.attempt)
        record = record.model_copy(update={"view_id": view_id(self.task, view)})
        for name, file in record.files.items():
            self.storage.put(dataset_key(self.task.dataset, file.path), PIECES[name])
        self.book.add(record)
        self.lease.view_done()
