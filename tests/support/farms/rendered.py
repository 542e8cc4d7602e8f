"""What a worker does with a task, without a renderer: pictures of one colour."""

from __future__ import annotations

import imagecodecs
import numpy as np

from farm import expand
from farm.glimpses import Glimpse
from farm.spec.task import view_id
from tests.builders import a_record
from worker.render.writers.record_book import RecordBook


def render(api, job_id, task_index):
    """Do what a worker does with a task, with pictures of one colour."""
    job = api.services.book.load(job_id)
    task = expand.render_task(job, task_index)
    [ticket] = api.ledger.take_these(job_id, [task_index])
    assert api.ledger.claim(ticket, "w0")
    book = RecordBook(task, api.storage)
    for count, view in enumerate(task.views, 1):
        colour = np.full((64, 64, 3), 25 * view.index % 250, np.uint8)
        files = {
            "rgb": imagecodecs.png_encode(colour),
            "mask": imagecodecs.png_encode(colour[..., 0].copy()),
        }
        record = a_record(view, files=files, model=task.assets[0], hdr=task.assets[1])
        for name, file in record.files.items():
            api.storage.put(f"{task.dataset}/{file.path}", files[name])
        book.add(
            record.model_copy(update={"view_id": view_id(task, view), "task_id": task.task_id})
        )
        shown = Glimpse(view=view.name, title=task.title, caption=view.caption)
        api.glimpses.show(job_id, shown, imagecodecs.webp_encode(colour))
        api.ledger.progress(ticket, count)
    assert api.ledger.complete(ticket)
