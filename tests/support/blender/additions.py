"""Passes that are added to a dataset by tasks that are worked on right here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from farm.dataset.additions import plan_additions
from farm.dataset.finish import finish_dataset
from farm.dataset.reader import Dataset, open_in
from farm.dataset.records.collect import FinishedRun, facts_again
from farm.dataset.records.read import seed_records
from farm.library.found_again import Finder
from farm.spec.passes import PassName
from farm.spec.task import RenderTask
from farm.storage import Storage


def add_passes(
    data: Dataset,
    passes: Sequence[PassName],
    work: Callable[[Storage, Sequence[RenderTask]], None],
    *,
    assets: Path | None = None,
    any_blender: bool = False,
) -> tuple[Dataset, list[tuple[PassName, ...]]]:
    """Return a dataset with more passes, and by which passes each task has proven its views."""
    storage = data.storage
    plan = plan_additions(data, passes, finder=Finder(assets), any_blender=any_blender)
    for task, records in zip(plan.tasks, plan.records, strict=True):
        seed_records(storage, task, [each.model_dump_json().encode() for each in records])
    try:
        work(storage, plan.tasks)
    finally:
        facts = facts_again(data.summaries.get(""), name="ds")
        finish_dataset(storage, "", FinishedRun(facts, lambda _task: True, print))
    return open_in(storage), [task.adds.proof for task in plan.tasks if task.adds]
