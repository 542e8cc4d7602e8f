"""Passes that are added to a dataset by the devices of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from farm import expand
from farm.dataset.additions import Plan, fold_datasets, lacking
from farm.dataset.reader import Dataset, open_in
from farm.dataset.records.read import seed_records
from farm.dataset.records.resume import Finished
from farm.local.job.finish import group
from farm.local.job.run import Run, remove_products
from farm.local.job.status import Status, Summary
from farm.local.job.work import Work
from farm.storage import Storage


def add_passes(  # noqa: PLR0913 - everything that a run needs, given by name
    plan: Plan,
    data: Dataset,
    *,
    storage: Storage,
    devices: list[str],
    report: Callable[[Status], None],
    note: Callable[[str], None],
    stop: threading.Event,
) -> Summary:
    """Add what a plan says to the views of a dataset; even if stopped or failing, keep what was
    added and leave no process and no temporary file behind.

    Raises:
        FarmError: The machine cannot do it, for example because a device cannot be used.
    """
    started = time.monotonic()
    views = plan.missing
    count = expand.Count(tasks=len(plan.tasks), views=views)
    work = Work(plan.tasks[0].job_id, count, plan.tasks.__getitem__)
    run = Run(work, storage, Finished())
    for task, records in zip(plan.tasks, plan.records, strict=True):
        lines = (record.model_dump_json().encode() for record in records)
        seed_records(storage, task, lines)
    try:
        run.render(devices, report=report, stop=stop)
    finally:
        touched = dict.fromkeys(task.dataset for task in plan.tasks)
        fold_datasets(data.summaries, storage, touched, note)
        if not stop.is_set():
            remove_products(storage, [task.needs.product for task in plan.tasks if task.needs])
    done = views - sum(1 for _view in lacking(open_in(storage), plan.wanted))
    seconds = time.monotonic() - started
    return Summary(
        views=views,
        views_there=done,
        rendered=done,
        seconds=seconds,
        interrupted=stop.is_set() and done < views,
        failures=group(run.failed),
        datasets=[],
    )
