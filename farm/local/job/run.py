"""One job on this machine, start to end: workers started, fed and watched; results folded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from farm import expand, products
from farm.dataset.records.resume import Finished, find_finished, seed_partial_tasks
from farm.local.job.finish import FailedTask, finish_datasets, group
from farm.local.job.status import Status, Summary
from farm.local.job.work import Work, work_of
from farm.local.private_farm import private_farm
from farm.local.processes.redis_server import PrivateRedis
from farm.spec.job import Job
from farm.storage import FolderStorage, Storage

LATER = ("celery", "redis")
"""What is imported when the workers have begun, and must be there before."""
STOP_GRACE_S = 60.0
"""Longest time for the views that are being rendered when a run is stopped."""
IDLE_GRACE_S = 0.0
"""Workers of a job that is over hold nothing: all is written, and their folders are ours."""
SCRIPT_LOG = "script.log"
"""What users' scripts print, in the folder of the datasets."""

for part in LATER:
    if find_spec(part) is None:
        raise ModuleNotFoundError(f"No module named {part!r}", name=part)


def render_job(  # noqa: PLR0913 - everything that a run needs, given by name
    job: Job,
    *,
    storage: FolderStorage,
    finished: Finished,
    devices: list[str],
    report: Callable[[Status], None],
    note: Callable[[str], None],
    stop: threading.Event,
    redis: PrivateRedis | None = None,
) -> Summary:
    """Render the missing views of `job` into `storage`; even if stopped or failing, keep the
    finished ones and leave no process and no temporary file behind.

    The state of the job is in `redis`, where somebody else looks at it, too.

    Raises:
        FarmError: The machine cannot do it, for example because a device cannot be used.
    """
    started = time.monotonic()
    count = expand.count(job)
    run = Run(work_of(job), storage, finished)
    after = finished
    try:
        if len(finished.tasks) < count.tasks:
            seed_partial_tasks(job, storage, finished.partial)
            run.render(devices, report=report, stop=stop, redis=redis)
    finally:
        if len(finished.tasks) < count.tasks:
            after = find_finished(job, storage, note)
        seconds = time.monotonic() - started
        folders, remarks = finish_datasets(
            job, storage, failed=run.failed, seconds=seconds, report=note
        )
        for remark in remarks:
            note(remark)
    if after.views == count.views:
        discard_products(job, storage)
    if job.spec.recipe.runs_code and has_words(storage.root / SCRIPT_LOG):
        note(f"what the script printed is in {storage.root / SCRIPT_LOG}")
    return Summary(
        views=count.views,
        views_there=after.views,
        rendered=after.views - finished.views,
        seconds=seconds,
        interrupted=stop.is_set() and after.views < count.views,
        failures=group(run.failed),
        datasets=folders,
        remarks=remarks,
    )


def has_words(path: Path) -> bool:
    """Say whether a file is there with something in it."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def discard_products(job: Job, storage: FolderStorage) -> None:
    """Remove products once all views that needed them are rendered."""
    remove_products(storage, expand.products(job))


def remove_products(storage: Storage, made: Iterable[str]) -> None:
    """Remove products, and their folder with the last one."""
    for product in made:
        products.remove(storage, product)
    if isinstance(storage, FolderStorage):
        with suppress(OSError):  # not there, or something else is in it
            storage.path(products.FOLDER).rmdir()


def place_of(storage: Storage) -> Path | str:
    """Return where workers find a storage: a folder, or the name of a place in a bucket."""
    return storage.root if isinstance(storage, FolderStorage) else storage.place


class Run:
    """The moving part of a run; what failed stays readable afterwards."""

    def __init__(self, work: Work, storage: Storage, finished: Finished) -> None:
        self.work = work
        self.storage = storage
        self.finished = finished
        self.count = work.count
        self.failed: list[FailedTask] = []

    def render(
        self,
        devices: list[str],
        *,
        report: Callable[[Status], None],
        stop: threading.Event,
        redis: PrivateRedis | None = None,
    ) -> None:
        """Start the farm, feed it until the job is over or `stop` is set, take it down."""
        log = self._script_log()
        place = place_of(self.storage)
        with private_farm(devices, place, script_log=log, redis=redis) as farm:
            from farm.local.job.feed import JobFeed  # the workers load their libraries beside this

            feed = JobFeed(farm, self.work, self.finished)
            try:
                feed.until_over(report=report, stop=stop)
                farm.crew.stop(grace_s=STOP_GRACE_S if stop.is_set() else IDLE_GRACE_S)
            finally:
                feed.close()
                self.failed = list(feed.failed())

    def _script_log(self) -> Path | None:
        """Return the new file for what the user's script prints, if the job has one."""
        if not self.work.runs_code:
            return None
        assert isinstance(self.storage, FolderStorage), "scripts are run for folders alone"
        log = self.storage.root / SCRIPT_LOG
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return log
