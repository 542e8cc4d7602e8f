"""A stand-in for Blender behind the worker's own loop: real files and records, in milliseconds.

The pixels of both passes hold a stamp: the view, the attempt, and a number of the render. With them
an audit can tell whether rgb, mask and record come from one render.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
import time
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np

from farm.settings import Settings
from farm.spec.passes import PassName
from farm.spec.record import CameraRecord, Timings
from farm.spec.task import RenderTask
from farm.spec.view import View
from farm.storage import Storage, open_storage
from tests.chaos.journal import Journal
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease
from worker.attempt.renderer import open_blender
from worker.recipes import Shot, Stage
from worker.render.neighbours import Around
from worker.render.rendered import Rendered
from worker.render.views import render_views
from worker.render.writers.record_book import RecordBook
from worker.render.writers.writer import Circumstances, ViewWriter

REAL = "real"
"""Models whose id starts so are rendered by Blender."""
NOTHING = Path("/nonexistent/of-no-view")  # who gives up a task deletes what it rendered
SIDE_PX = 16
VIEW_S, PUT_S = 0.03, 0.005
"""A render, and a file on its way to the storage: long enough for faults to come in between."""
STAMP = struct.Struct(">8sQ8s")
EYE = ((1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0))


class Stamp(NamedTuple):
    """What the pixels of a view say of where they come from."""

    view: bytes
    attempt: int
    render: bytes


def open_chaos(settings: Settings) -> Renderer:
    """Open the renderer of a run; Blender only when a task asks for it."""
    storage = Distant(open_storage(settings.storage))
    journal = Journal(Path(os.environ["CHAOS_JOURNAL"]))
    blender: list[Renderer] = []
    open_to_storage = settings.model_copy(update={"read_wall": "off"})  # which we read, too

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        told = NotedLease(lease, journal, task, attempt, worker)
        told.note("began")
        if task.assets[0].id.startswith(REAL):
            blender[:] = blender or [open_blender(open_to_storage)]
            blender[0](task, attempt=attempt, worker=worker, lease=told)
        else:
            paint(task, storage, attempt=attempt, worker=worker, lease=told)
        told.note("ended")

    return render


class NotedLease:
    """The lease of a task, with a journal of the views."""

    def __init__(
        self, lease: LedgerLease, journal: Journal, task: RenderTask, attempt: int, worker: str
    ) -> None:
        self.lease = lease
        self.journal = journal
        self.told = (task.job_id, task.index, attempt, worker)

    def note(self, what: str, view: str = "") -> None:
        self.journal.note(what, *self.told, view)

    def __getattr__(self, name: str):
        return getattr(self.lease, name)


class Painter(ViewWriter):
    """Finishes views with a stamp in the place of a picture."""

    def __init__(self, *given, lease: NotedLease, **named) -> None:
        super().__init__(*given, **named)
        self.lease = lease

    def finish(self, rendered: Rendered, around: Around | None = None) -> None:
        name = name_stamp(rendered.view.name)
        stamp = Stamp(name, self._circumstances.attempt, secrets.token_bytes(8))
        encoded: dict[PassName, bytes] = {"rgb": picture(stamp, 3), "mask": picture(stamp, 0)}
        timings = Timings(load_s=0, render_s=0, sample_s=0, read_s=0, encode_s=0, write_s=0)
        self.deliver(rendered, encoded, coverage=0.5, timings=timings)
        self.lease.note("view", rendered.view.name)


class Distant:
    """A storage that is not so near, as a bucket is."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def put(self, key: str, data: bytes) -> None:
        time.sleep(PUT_S)
        self.storage.put(key, data)

    def __getattr__(self, name: str):
        return getattr(self.storage, name)


class Still(Stage):
    """In the place of a session and a stage: every view looks alike and takes equally long."""

    wants_centres = wants_behind = has_own_picture = False

    def arrange(self, view: View) -> Shot:
        camera = CameraRecord(world_from_camera=EYE, fx_px=1, fy_px=1, cx_px=1, cy_px=1, distance=1)
        return Shot(camera=camera, gain=1.0, true_strength=False)

    def render_view(self, *, seed: int) -> tuple[Path, None]:
        time.sleep(VIEW_S)
        return NOTHING, None


def paint(
    task: RenderTask,
    storage: Storage,
    *,
    attempt: int,
    worker: str,
    lease: NotedLease,
) -> None:
    """Do what `worker.render.task.render_task` does, without Blender."""
    book = RecordBook(task, storage, attempt)
    missing = [view for view in task.views if not book.has(view)]
    lease.views_found(len(task.views) - len(missing))
    known = Circumstances(
        attempt=attempt,
        worker=worker,
        missing_textures=(),
        denoiser=None,
        device="cpu",
        versions={"viewfarm": "0"},
    )
    painter = Painter(
        task,
        known,
        book=book,
        storage=storage,
        may_write=lease.secure,
        on_done=lease.view_done,
        lease=lease,
    )
    still = Still()
    render_views(missing, still, still, finisher=painter, lease=lease, load_s=0.0)


def picture(stamp: Stamp, channels: int) -> bytes:
    """Draw a stamp as a PNG."""
    data = np.frombuffer(STAMP.pack(*stamp), np.uint8)
    shape = (SIDE_PX, SIDE_PX, channels) if channels else (SIDE_PX, SIDE_PX)
    return bytes(imagecodecs.png_encode(np.resize(data, shape)))


def name_stamp(view: str) -> bytes:
    """Return what a stamp says of a view's name."""
    return hashlib.sha256(view.encode()).digest()[:8]


def read_stamp(png: bytes) -> Stamp:
    """Return what a picture says of where it comes from."""
    pixels = imagecodecs.png_decode(png)
    return Stamp(*STAMP.unpack(pixels.tobytes()[: STAMP.size]))
