"""Results of a run in each dataset: a list of views, a summary, a contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from farm import expand
from farm.dataset.finish import PREVIEW_FILE, finish_dataset
from farm.dataset.records.collect import FinishedRun, IllLitViews, RunFacts
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.record import IllLit
from farm.spec.task import RenderTask, dataset_key
from farm.storage import FolderStorage

MOST_TOLD = 5
"""Views that a sentence names."""
SHOWN_AS: dict[IllLit, str] = {"black": "black", "clipped": "clipped to white"}


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


def finish_datasets(
    job: Job,
    storage: FolderStorage,
    *,
    failed: Sequence[FailedTask],
    seconds: float,
    report: Callable[[str], None],
) -> tuple[list[DatasetFolder], list[str]]:
    """Fold the records of every dataset of `job` that has any, and draw its contact sheet; return
    the datasets, and remarks for the user.
    """
    folders = []
    empty_views = 0
    spec, tasks = job.spec.model_dump(mode="json"), expand.count(job).tasks
    failed_in: dict[str, list[FailedTask]] = {}
    for one in failed:
        failed_in.setdefault(one.task.dataset, []).append(one)
    missing: dict[str, tuple[str, ...]] = {}
    unread: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    ill_lit: dict[str, dict[IllLit, IllLitViews]] = {}
    for dataset in expand.datasets(job):
        facts = RunFacts(
            name=storage.path(dataset).name,
            spec=spec,
            tasks=tasks,
            failures=tuple(failure.sentence for failure in group(failed_in.get(dataset, []))),
            seconds=seconds,
        )
        # All tasks count as complete: the next run tells its tasks what is done.
        run = FinishedRun(facts, is_complete=lambda _task_id: True, report=report)
        summary = finish_dataset(storage, dataset, run)
        empty_views += summary.empty_views
        missing |= summary.missing_textures
        unread |= summary.unread
        notes |= summary.notes
        ill_lit[dataset] = summary.ill_lit
        preview = storage.path(dataset_key(dataset, PREVIEW_FILE)) if summary.views else None
        folders.append(DatasetFolder(storage.path(dataset), preview))
    remarks = [
        f"{name} lacks textures, so parts of it are magenta: {', '.join(textures)}"
        for name, textures in missing.items()
    ]
    remarks += [
        f"{name} is not shown as intended because this could not be read: {', '.join(parts)}"
        for name, parts in unread.items()
    ]
    remarks += told_together(notes)
    remarks += told_of_ill_lit(ill_lit, exposed=job.render.exposure != "none")
    if empty_views:
        remarks.append(f"views that show nothing of their model, with a black mask: {empty_views}")
    return folders, remarks


def told_of_ill_lit(
    found: Mapping[str, Mapping[IllLit, IllLitViews]], *, exposed: bool
) -> Iterator[str]:
    """Yield which views are black or clipped, with the remedy.

    Args:
        found: By dataset.
        exposed: Their exposure was chosen.
    """
    remedy = "another exposure" if exposed else "--exposure auto (render.exposure)"
    for how in get_args(IllLit):
        there = {dataset: each[how] for dataset, each in found.items() if how in each}
        named = [dataset_key(at, name) for at, each in there.items() for name in each.names]
        count, named = sum(each.views for each in there.values()), named[:MOST_TOLD]
        if count:
            more = f" and {count - len(named):,} more" if count > len(named) else ""
            yield (
                f"98 % or more of the model is {SHOWN_AS[how]} in {counted(count, 'view')} "
                f"({', '.join(named)}{more}): unless it is to be, take {remedy}"
            )


def told_together(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each set of notes, with one of the files that they are about."""
    names: dict[tuple[str, ...], list[str]] = {}
    for name, told in notes.items():
        names.setdefault(tuple(told), []).append(name)
    return [
        f"{first}{f' and {len(others)} more' if others else ''}: {'; '.join(told)}"
        for told, (first, *others) in names.items()
    ]
