"""What an earlier run has left for this one to build on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from farm import expand
from farm.dataset.records import RecordLine, finished, seed_records
from farm.errors import SpecError
from farm.spec.job import Job
from farm.spec.task import RenderTask, view_id
from farm.storage import Storage


@dataclass
class Finished:
    """What of a job is on storage already."""

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
    found = {name: finished(storage, name, report) for name in expand.datasets(job)}
    result = Finished()
    if not any(found.values()):
        return result
    names = {name: _views_by_name(lines) for name, lines in found.items()}
    for task in expand.expand(job):
        done = _finished_of(task, found[task.dataset], names[task.dataset])
        result.views += len(done)
        if len(done) == len(task.views):
            result.tasks.append(task.index)
            result.views_of_tasks += len(done)
        else:  # also where nothing is done: what lies under the task's key may be stale
            result.partial[task.index] = [entry.line for entry in done]
    return result


def seed_partial_tasks(job: Job, storage: Storage, partial: Mapping[int, list[bytes]]) -> None:
    """Tell the workers of partly finished tasks which views to skip."""
    for index, lines in partial.items():
        seed_records(storage, expand.render_task(job, index), lines)


def _views_by_name(lines: Mapping[str, RecordLine]) -> dict[str, str]:
    return {entry.record.view.name: key for key, entry in lines.items()}


def _finished_of(
    task: RenderTask, found: Mapping[str, RecordLine], names: Mapping[str, str]
) -> list[RecordLine]:
    done = []
    for view in task.views:
        key = view_id(task, view)
        if key in found:
            done.append(found[key])
        elif view.name in names:
            raise SpecError(
                f"dataset {task.dataset or 'in the output folder'} holds another {view.name} "
                f"({_difference(task, found[names[view.name]])}); "
                "take another --output or --dataset-name, or remove the old dataset"
            )
    return done


def _difference(task: RenderTask, old: RecordLine) -> str:
    """Say in what the picture on storage differs from the one asked for."""
    record = old.record
    pairs = {
        "model": (record.model.name, task.model.name),
        "HDRI": (record.hdr.name, task.hdr.name),
        "model's bytes": (record.model.sha256[:8], task.model.sha256[:8]),
        "HDRI's bytes": (record.hdr.sha256[:8], task.hdr.sha256[:8]),
        "resolution": (list(record.resolution_px), list(task.render.resolution_px)),
        "samples": (record.samples, task.render.samples),
    }
    for name, (was, wanted) in pairs.items():
        if was != wanted:
            return f"{name} {was}, not {wanted}"
    return "made with other settings"
