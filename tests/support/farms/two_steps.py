"""A toy of two steps behind the worker's own code: makers write words, frames show them.

In the storage folder, `hold-make-<index>` makes a maker wait halfway, `hold-<index>` a frame before
it fetches what it needs; `fail-<index>` is what it says. `made/<index>` has a line per making,
`started/<index>.<attempt>` holds the process id of the renderer.
"""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import worker.render.loading
from farm.settings import Settings
from farm.spec.task import Need, RenderTask, product_key
from farm.storage import open_storage
from tests.builders import a_task
from tests.support.farms.painter import paint
from tests.support.farms.stand_in import obey
from worker.assets.products import StoredProducts, Workshop
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease
from worker.render.loading import brought, make_product

MAKERS, TASKS, VIEWS = 2, 8, 2
PAUSE = threading.Event()


def waits_for(index: int) -> int | None:
    return None if index < MAKERS else index % MAKERS


def product_of(maker: int) -> str:
    return product_key("two steps", maker)


def task_of(job_id: str, index: int) -> RenderTask:
    maker = waits_for(index)
    if maker is None:
        return a_task(index, job_id=job_id, views=0, product=product_of(index), title="words")
    need = Need(product=product_of(maker), made_by=maker)
    return a_task(index, job_id=job_id, views=VIEWS, dataset=job_id, needs=need)


def open_two_steps(settings: Settings) -> Renderer:
    storage, root = open_storage(settings.storage), Path(settings.storage)
    folder = Path(tempfile.gettempdir())
    workshop = Workshop(StoredProducts(storage, folder), folder)

    def make(task: RenderTask, session: Any, folder: Path) -> None:
        with (root / "made" / str(task.index)).open("a") as file:
            file.write(f"{os.getpid()}\n")
        (folder / "deep").mkdir()
        (folder / "deep" / "words.txt").write_text(f"words of {task.index}")
        while (root / f"hold-make-{task.index}").exists():
            PAUSE.wait(0.02)
        (folder / "end.txt").write_text("the end")

    worker.render.loading.find_maker = lambda recipe: make
    session: Any = SimpleNamespace(configure=lambda render, passes: None)

    def locate(assets: Any) -> list[Path]:
        return [Path(asset.path) for asset in assets]

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        storage.put(f"started/{task.index}.{attempt}", str(os.getpid()).encode())
        (root / "made").mkdir(exist_ok=True)
        obey(root, task)
        if task.product:
            make_product(task, session, lease=lease, locate=locate, workshop=workshop)
            return
        while (root / f"hold-{task.index}").exists():
            PAUSE.wait(0.02)
        with brought(task, locate, workshop) as here:
            assert here.needs
            words = Path(here.needs.path, "deep", "words.txt").read_text()
        paint(task, storage)
        for view in task.views:
            lease.confirm()
            storage.put(f"{task.dataset}/{view.name}.txt", words.encode())
            lease.view_done()

    return render
