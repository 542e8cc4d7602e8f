"""The stand-in for a renderer, which here also leaves pictures and records behind."""

from __future__ import annotations

import imagecodecs
import numpy as np

from farm.settings import Settings
from farm.spec.task import RenderTask, dataset_key, view_id
from farm.storage import Storage, open_storage
from tests.builders import a_record
from tests.support.farms.stand_in import open_stand_in
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease
from worker.render.writers.record_book import RecordBook


def open_painter(settings: Settings) -> Renderer:
    stand_in = open_stand_in(settings)
    storage = open_storage(str(settings.storage))

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        paint(task, storage)
        stand_in(task, attempt=attempt, worker=worker, lease=lease)

    return render


def paint(task: RenderTask, storage: Storage) -> None:
    """Leave what a render of a task leaves, of one colour each."""
    book = RecordBook(task, storage)
    for view in task.views:
        files = {"rgb": picture(view.index, channels=3), "mask": picture(view.index)}
        record = a_record(view, files=files, model=task.assets[0], hdr=task.assets[1])
        record = record.model_copy(update={"view_id": view_id(task, view)})
        for name, file in record.files.items():
            storage.put(dataset_key(task.dataset, file.path), files[name])
        book.add(record)


def picture(number: int, *, channels: int = 0) -> bytes:
    shape = (64, 64, channels) if channels else (64, 64)
    return bytes(imagecodecs.png_encode(np.full(shape, number * 20 % 256, np.uint8)))
