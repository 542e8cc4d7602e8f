"""What a run leaves behind in each dataset: a list of views, a summary, a sheet to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from farm import expand
from farm.dataset.collect import RunFacts, collect
from farm.dataset.preview import contact_sheet
from farm.dataset.records import read_records
from farm.local.resume import Finished
from farm.spec.job import Job
from farm.spec.task import RenderTask, dataset_key
from farm.storage import FolderStorage

PREVIEW_FILE = "preview.jpg"


@dataclass(frozen=True)
class DatasetFolder:
    """Where a person finds a dataset."""

    folder: Path
    preview: Path | None


@dataclass(frozen=True)
class Failure:
    """Tasks that failed with the same sentence."""

    sentence: str
    tasks: int


@dataclass(frozen=True)
class FailedTask:
    """A task that is not done and will not be."""

    task: RenderTask
    sentence: str


def group(failed: Sequence[FailedTask]) -> list[Failure]:
    """Return each sentence once, with the number of tasks that it stands for."""
    counts: dict[str, int] = {}
    for one in failed:
        counts[one.sentence] = counts.get(one.sentence, 0) + 1
    return [Failure(sentence, tasks) for sentence, tasks in counts.items()]


def finish_datasets(  # noqa: PLR0913 - the facts of a run, given by name
    job: Job,
    storage: FolderStorage,
    *,
    failed: Sequence[FailedTask],
    after: Finished,
    seconds: float,
    report: Callable[[str], None],
) -> list[DatasetFolder]:
    """Fold the records of every dataset of `job` that has any, and draw its contact sheet."""
    folders = []
    waiting = {expand.render_task(job, index).task_id for index in after.partial}
    for dataset in expand.datasets(job):
        here = [one for one in failed if one.task.dataset == dataset]
        facts = RunFacts(
            name=storage.path(dataset).name,
            spec=job.spec.model_dump(mode="json"),
            tasks=expand.count(job).tasks,
            failures=tuple(failure.sentence for failure in group(here)),
            seconds=seconds,
        )
        summary = collect(
            storage,
            dataset,
            facts,
            is_complete=lambda task_id: task_id not in waiting,
            report=report,
        )
        folders.append(_folder(storage, dataset, views=summary.views, report=report))
    return folders


def _folder(
    storage: FolderStorage, dataset: str, *, views: int, report: Callable[[str], None]
) -> DatasetFolder:
    if not views:
        return DatasetFolder(storage.path(dataset), None)
    records = (entry.record for entry in read_records(storage, dataset, report))
    key = dataset_key(dataset, PREVIEW_FILE)
    sheet = contact_sheet(storage, dataset, records, title=storage.path(dataset).name)
    storage.put(key, sheet)
    return DatasetFolder(storage.path(dataset), storage.path(key))
