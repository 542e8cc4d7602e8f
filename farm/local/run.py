"""One job on this machine, start to end: up, fed, watched, folded, down."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from farm import expand, products
from farm.dataset.records.resume import Finished, find_finished, seed_partial_tasks
from farm.errors import DeviceError
from farm.local.early import take
from farm.local.finish import FailedTask, finish_datasets, group
from farm.local.redis_server import PrivateRedis
from farm.local.status import Status, Summary
from farm.local.workers import WorkerCrew
from farm.spec.job import Job
from farm.spec.task import RenderTask
from farm.storage import FolderStorage

if TYPE_CHECKING:  # imported when the workers have begun
    from farm.ledger import Ledger

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
    for product in expand.products(job):
        products.remove(storage, product)
    with suppress(OSError):  # not there, or something else is in it
        storage.path(products.FOLDER).rmdir()


@dataclass(frozen=True)
class Work:
    """The tasks of a run, whatever they are made of."""

    job_id: str
    count: expand.Count
    task: Callable[[int], RenderTask]
    """Makes the task of an index."""
    waits_for: Callable[[int], int | None] | None = None
    """Returns the task that another one waits for; None where none waits."""
    affinity: Callable[[int], str | None] | None = None
    """Returns the key of a thing that workers may keep for a task; None where there is none."""
    runs_code: bool = False
    """Tasks run code that the user brings."""


def work_of(job: Job) -> Work:
    """Return the tasks of a job."""
    return Work(
        job.job_id,
        expand.count(job),
        lambda index: expand.render_task(job, index),
        expand.waits_for(job),
        expand.affinity(job),
        job.spec.recipe.runs_code,
    )


class Run:
    """The moving part of a run; what failed stays readable afterwards."""

    def __init__(self, work: Work, storage: FolderStorage, finished: Finished) -> None:
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
        with private_farm(devices, self.storage.root, script_log=log, redis=redis) as farm:
            from farm.local.feed import JobFeed  # the workers load their libraries beside this

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
        log = self.storage.root / SCRIPT_LOG
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return log


def raise_if_unfit(ledger: Ledger) -> None:
    """Give up if no worker renders correctly: waiting would never end.

    Raises:
        DeviceError: Every worker is in quarantine, and failed to warm up.
    """
    shut = [worker.quarantine for worker in ledger.workers()]
    if shut and all(each is not None and each.failed_proofs for each in shut):
        raise DeviceError(next(each.sentence for each in shut if each))


@dataclass
class PrivateFarm:
    """A Redis and its workers."""

    redis: PrivateRedis
    crew: WorkerCrew
    stream_folder: Path | None = None
    """Memory through which samples of streams go, where there is such."""
    stream_bytes: int = 0
    """Bytes that samples may take."""

    def supervise(self) -> None:
        """Start again what died."""
        self.redis.revive()
        self.crew.supervise()


def room_for_samples(memory: Path | None) -> int:
    """Return the bytes that samples may take: of memory of our own, half of what is free.

    What `FARM_STREAM_BYTES` says goes first.
    """
    from farm.settings import load_settings

    settings = load_settings()
    if memory is None or "stream_bytes" in settings.model_fields_set:
        return settings.stream_bytes
    return max(settings.stream_bytes, shutil.disk_usage(memory).free // 2)


@contextmanager
def private_farm(
    devices: list[str],
    storage: Path | None,
    *,
    script_log: Path | None = None,
    streams: bool = False,
    redis: PrivateRedis | None = None,
) -> Iterator[PrivateFarm]:
    """Start a farm of our own; in the end nothing of it is left, whatever happens.

    Args:
        devices: One for each worker.
        storage: Where files go; None: to a folder that goes with the farm.
        script_log: Where users' scripts say what they print.
        streams: Its consumers share this machine's memory.
        redis: One that runs and outlives the farm; left out: one of its own.
    """
    with ExitStack() as exit_stack:
        early = take()
        exit_stack.callback(early.close)
        samples = early.scratch / "samples" if streams and early.memory is not None else None
        if samples is not None:
            samples.mkdir()
        if storage is None:
            storage = early.folder / "storage"
            storage.mkdir()
        if redis is None:
            redis = early.redis or PrivateRedis(early.folder / "redis")
            exit_stack.enter_context(redis)
        crew = WorkerCrew(
            devices,
            redis_url=redis.url,
            storage=storage,
            folder=early.folder,
            scratch=early.scratch,
            samples=samples,
            first=early.worker,
            open_ahead=script_log is None and not streams,  # of which jobs, nobody knows yet
        )
        if script_log is not None:
            crew.environment["FARM_SCRIPT_LOG"] = str(script_log)
        exit_stack.callback(crew.stop, grace_s=0)
        stream_bytes = 0
        if streams:
            stream_bytes = room_for_samples(samples)
            crew.environment["FARM_STREAM_BYTES"] = str(stream_bytes)
        crew.start()
        yield PrivateFarm(redis, crew, samples, stream_bytes)
