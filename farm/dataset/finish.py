"""What is done to a dataset when nothing more is rendered into it: folded, summed up, drawn."""

from __future__ import annotations

from collections.abc import Callable

from farm.dataset.preview.contact_sheet import contact_sheet
from farm.dataset.records.collect import DatasetSummary, RunFacts, collect
from farm.dataset.records.read import VIEWS_FILE, Report, read_file
from farm.spec.task import dataset_key
from farm.storage import Storage

PREVIEW_FILE = "preview.jpg"


def finish_dataset(
    storage: Storage,
    dataset: str,
    facts: RunFacts,
    *,
    is_complete: Callable[[str], bool],
    report: Report,
) -> DatasetSummary:
    """Fold the records of a dataset and draw its contact sheet, if it has any views.

    Args:
        storage: Where the dataset lives.
        dataset: Its key prefix.
        facts: Facts that only the run itself knows.
        is_complete: Says of a task id whether all of its views are done.
        report: Takes a sentence for each line that is not a record.
    """
    storage.sweep(dataset)
    summary = collect(storage, dataset, facts, is_complete=is_complete, report=report)
    if summary.views:
        views = read_file(storage, dataset_key(dataset, VIEWS_FILE), report)  # just folded
        records = (entry.record for entry in views)
        sheet = contact_sheet(storage, dataset, records, title=facts.name)
        storage.put(dataset_key(dataset, PREVIEW_FILE), sheet)
    return summary
