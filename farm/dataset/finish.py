"""A dataset finished, once nothing more is rendered into it: folded, summed up, drawn."""

from __future__ import annotations

from farm.dataset.preview.contact_sheet import contact_sheet
from farm.dataset.records.card import write_card
from farm.dataset.records.collect import DatasetSummary, FinishedRun, collect
from farm.dataset.records.read import VIEWS_FILE, read_file
from farm.dataset.records.sequences import write_sequences
from farm.spec.task import dataset_key
from farm.storage import Storage

PREVIEW_FILE = "preview.jpg"


def finish_dataset(storage: Storage, dataset: str, run: FinishedRun) -> DatasetSummary:
    """Fold the records of a dataset and draw its contact sheet, if it has any views.

    Args:
        storage: Where the dataset lives.
        dataset: Its key prefix.
        run: What wrote its records.
    """
    storage.sweep(dataset)
    summary = collect(storage, dataset, run)
    if summary.sequences:
        write_sequences(storage, dataset, run.report)
    if summary.views:
        views = read_file(storage, dataset_key(dataset, VIEWS_FILE), run.report)  # just folded
        records = (entry.record for entry in views)
        sheet = contact_sheet(storage, dataset, records, title=run.facts.name)
        storage.put(dataset_key(dataset, PREVIEW_FILE), sheet)
        write_card(storage, dataset, summary, run.report)
    return summary
