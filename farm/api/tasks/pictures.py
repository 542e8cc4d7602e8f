"""A small picture of a task: of what workers have just shown, else of its own views on storage."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator

from farm import expand
from farm.api.datasets.gallery import pictures_of
from farm.api.datasets.thumbnails import Wanted
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.dataset.records.read import read_file
from farm.glimpses import NumberedGlimpse
from farm.spec.job import Job
from farm.spec.record import FileRecord
from farm.spec.task import RenderTask, dataset_key, records_key
from farm.spec.wire import TaskInfo

log = logging.getLogger(__name__)

LOOKED_AT = 20
"""Records of a task that are looked at."""


def picture_of(services: Services, job: Job, task: TaskInfo) -> bytes | None:
    """Return a picture of a task, or else of something of its first asset; None where none is."""
    made = expand.render_task(job, task.index)
    glimpses = services.glimpses.newest(job.job_id) if services.glimpses else ()
    names = {view.name for view in made.views}  # which tasks of other datasets may have, too
    own = [each for each in glimpses if each.view in names and each.title == made.title]
    if data := shown(services, job, own):
        return data
    if data := stored(services, made):
        return data
    title = made.assets[0].title if made.assets else None
    same = [each for each in glimpses if title and title in each.title.split(" · ")]
    return shown(services, job, same)


def shown(services: Services, job: Job, glimpses: list[NumberedGlimpse]) -> bytes | None:
    """Return the first of these pictures that is still there."""
    for each in glimpses[:1]:
        assert services.glimpses is not None
        return services.glimpses.picture(job.job_id, each.number)
    return None


def stored(services: Services, task: RenderTask) -> bytes | None:
    """Return a small picture of a view of a task that is on storage."""
    for file in itertools.islice(files_of(services, task), LOOKED_AT):
        key = dataset_key(task.dataset, file.path)
        try:
            return services.thumbnails.picture(services.storage, key, Wanted(file.sha256, 256))
        except ApiProblem:  # it is not a picture that can be shown
            continue
    return None


def files_of(services: Services, task: RenderTask) -> Iterator[FileRecord]:
    """Yield files of a task's views that can be shown, the main one of each first."""
    first = records_key(task)
    for key in (*services.storage.keys(first.removesuffix(".jsonl")), first):
        for line in read_file(services.storage, key, log.debug):
            yield from (file for _, file in itertools.islice(pictures_of(line.record), 1))
