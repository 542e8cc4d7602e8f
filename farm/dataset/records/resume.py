"""The work of an earlier run that this one builds on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from farm import expand, products
from farm.dataset.records.newest import Fold
from farm.dataset.records.read import RecordLine, has_records, is_whole, read_records, seed_records
from farm.dataset.temp_files import scratch
from farm.errors import SpecError
from farm.spec.job import Job
from farm.spec.passes import PASS_NAMES, PassName
from farm.spec.recipes import AnyView
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, view_id
from farm.storage import Storage


@dataclass
class Finished:
    """The part of a job that is on storage already."""

    views: int = 0
    views_of_tasks: int = 0
    """Of these, the views of tasks of which nothing is missing."""
    tasks: list[int] = field(default_factory=list)
    """Indices of the tasks of which nothing is missing."""
    partial: dict[int, list[bytes]] = field(default_factory=dict)
    """Task index -> record lines of its finished views, where some are missing."""

    @property
    def kept(self) -> dict[int, int]:
        """Task index -> how many of its views are finished, where some are and some are missing."""
        return {index: len(lines) for index, lines in self.partial.items() if lines}


def find_finished(job: Job, storage: Storage, report: Callable[[str], None]) -> Finished:
    """Look for views of `job` that are on storage whole; nothing is changed.

    Raises:
        SpecError: A dataset holds other pictures under the names that the job would write.
    """
    result, makers, needed = Finished(), list[RenderTask](), set[str]()
    recorded = any(has_records(storage, name) for name in expand.datasets(job))
    if not recorded and expand.waits_for(job) is None:
        return result
    for dataset, tasks in groupby(_with_views(job, makers), key=attrgetter("dataset")):
        with scratch(), Fold() as fold:
            fold.extend(read_records(storage, dataset, report))
            for task in tasks:
                _add(result, task, _finished_of(task, fold, storage))
                if task.needs and task.index in result.partial:
                    needed.add(task.needs.product)
    result.tasks = sorted(_made(makers, needed, storage) + result.tasks)
    return result


def _with_views(job: Job, makers: list[RenderTask]) -> Iterator[RenderTask]:
    """Yield the tasks of a job that have views; put the others into `makers`."""
    for task in expand.expand(job):
        if task.product:
            makers.append(task)
        else:
            yield task


def _made(makers: list[RenderTask], needed: set[str], storage: Storage) -> list[int]:
    """Return the makers that have nothing to do: what they make is there, or nobody needs it.

    Args:
        makers: By index.
        needed: Products that views need which are missing.
        storage: Where products are.
    """
    made = []
    for task in reversed(makers):  # who needs a product has a higher index than who makes it
        assert task.product
        if task.product not in needed or products.is_whole(storage, task.product):
            made.append(task.index)
        elif task.needs:
            needed.add(task.needs.product)
    return made


def _add(result: Finished, task: RenderTask, done: list[bytes]) -> None:
    result.views += len(done)
    if len(done) == len(task.views):
        result.tasks.append(task.index)
        result.views_of_tasks += len(done)
    else:  # also where nothing is done: what lies under the task's key may be stale
        result.partial[task.index] = done


def seed_partial_tasks(job: Job, storage: Storage, partial: Mapping[int, list[bytes]]) -> None:
    """Tell the workers of partly finished tasks which views to skip."""
    for index, lines in partial.items():
        seed_records(storage, expand.render_task(job, index), lines)


def _finished_of(task: RenderTask, fold: Fold, storage: Storage) -> list[bytes]:
    """Return the record lines of the views of a task that are on storage whole."""

    def is_there(entry: RecordLine) -> bool:
        return is_whole(storage, task.dataset, entry.record, previews=task.render.previews)

    done = []
    for view in task.views:
        found = fold.of_view(view_id(task, view), view.name)
        if found and found.record.files.keys() >= set(task.passes) and is_there(found):
            done.append(found.line)  # and none of its passes was dropped
        elif found is None and (other := next(filter(is_there, fold.of_name(view.name)), None)):
            raise SpecError(
                f"dataset {task.dataset or 'in the output folder'} already holds another "
                f"{view.name} ({_difference(task, view, other.record)}); "
                f"{_remedy(task, view, other.record)}choose another --output or --dataset-name, "
                "or remove the old dataset"
            )
    return done


def asset_differences(record: ViewRecord, task: RenderTask) -> dict[str, tuple[object, object]]:
    """Return the assets of a record and of a task, by name and by their first bytes' hash."""
    pairs: dict[str, tuple[object, object]] = {}
    for role in dict.fromkeys(asset.role for asset in (*record.assets, *task.assets)):
        old, new = record.of(role), task.of(role)
        pairs[role] = ([each.name for each in old], [each.name for each in new])
        pairs[f"bytes of {role}"] = (
            [each.sha256[:8] for each in old],
            [each.sha256[:8] for each in new],
        )
    return pairs


def _difference(task: RenderTask, view: AnyView, record: ViewRecord) -> str:
    """Say in what the picture on storage differs from the one asked for."""
    pairs: dict[str, tuple[object, object]] = {
        **asset_differences(record, task),
        "resolution": (list(record.resolution_px), list(task.render.resolution_px)),
        "samples": (record.samples, task.render.samples),
    }
    for name, (was, wanted) in pairs.items():
        if was != wanted:
            return f"{name} {was}, not {wanted}"
    if _differs_in_passes_alone(task, view, record):
        return f"passes {','.join(_first_passes(task, record))}, not {','.join(task.passes)}"
    return "made with other settings"


def _remedy(task: RenderTask, view: AnyView, record: ViewRecord) -> str:
    """Say what gives a view the passes that it lacks, where it is the same but for these."""
    lacking = [name for name in task.passes if name not in record.files]
    later = [name for name in task.passes if name in record.added]
    if not expand.gets_passes_later(task.recipe) or not _differs_in_passes_alone(
        task, view, record
    ):
        return ""
    if not lacking:
        told = f"it got {','.join(later)} later, so that none is missing; for another dataset "
        return told if later else ""
    return f"`farm add-passes DATASET {','.join(lacking)}` adds what it lacks; or "


def _differs_in_passes_alone(task: RenderTask, view: AnyView, record: ViewRecord) -> bool:
    """Say whether a view would be the one of a record, had it been asked for by its passes."""
    asked = task.model_copy(update={"passes": _first_passes(task, record)})
    return view_id(asked, view) == record.view_id


def _first_passes(task: RenderTask, record: ViewRecord) -> tuple[PassName, ...]:
    """Return the passes that a view was rendered with and still has, as a task orders them."""
    first = record.passes_at_first
    return tuple(name for name in dict.fromkeys((*task.passes, *PASS_NAMES)) if name in first)
