"""Passes that a job's views get later: tasks made of its records, written down as a job of its own.

That job renders into the datasets of the other one; all that steers a job, or shows it, is as for
any other.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from farm import expand
from farm.api.jobs import find_job, find_status, remember
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.api.submission.room import check_room
from farm.dataset.additions import AddingTask, adding_tasks, fold_datasets, passes_named
from farm.dataset.reader import Dataset
from farm.dataset.records.current import is_running
from farm.dataset.records.read import has_records, seed_records
from farm.errors import SpecError
from farm.job_store import LOST, adding_to, end_of
from farm.ledger import JobState, JobStatus
from farm.library import blob_key, files_of
from farm.spec.addition import AdditionPlan
from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.job_name import LIMIT
from farm.spec.passes import PassName
from farm.spec.task import RenderTask
from farm.spec.wire import AdditionInfo, AdditionWish, TokenInfo
from farm.storage import Storage

log = logging.getLogger(__name__)

WrittenTask = tuple[RenderTask, list[bytes]]
"""A task, and of each of its views the record as a line."""
WRITTEN_AT_ONCE = 16
"""Tasks that are written down at a time: a bucket answers one after another."""


def add_passes(
    services: Services, job_id: str, wish: AdditionWish, caller: TokenInfo
) -> tuple[AdditionInfo, bool]:
    """Add passes to the views of a job, by a job of its own; the same wish again finds that one.

    Returns:
        What is added, by which job, and whether that is new.

    Raises:
        ApiProblem: The job is not over, others add to it, or it is more than may be asked for.
        SpecError: There is no such pass, a view cannot be rendered again from its record, or an
            asset is not there.
    """
    wanted = passes_named(",".join(wish.passes))
    with services.additions_lock, planned(services, job_id, wish, wanted) as plan:
        if plan.under_way is not None or not plan.missing:
            return told(services, plan, plan.under_way), False
        job = job_of(plan, wish, earlier=len(services.book.additions(job_id)))
        with services.library_lock:
            check_source(services, *source_of(services, job_id))  # it may have gone meanwhile
            services.quotas.check_job(caller, job, views=plan.missing)
            check_room(services, job, views=plan.missing)
            write_down(services, plan, job, wish, caller)
    status = find_status(services.ledger, job.job_id)
    remember(services.book, status)
    return told(services, plan, status), True


def plan_of(services: Services, job_id: str, wish: AdditionWish) -> AdditionInfo:
    """Return what a wish would come to; nothing is changed.

    Raises:
        ApiProblem, SpecError: As `add_passes`.
    """
    wanted = passes_named(",".join(wish.passes))
    with services.additions_lock, planned(services, job_id, wish, wanted) as plan:
        return told(services, plan, plan.under_way)


@dataclass
class WrittenPlan:
    """The tasks of a job to be, in a file, since there may be very many."""

    source: Job
    wanted: tuple[PassName, ...]
    file: IO[bytes]
    views: int = 0
    """All of the source's."""
    missing: int = 0
    tasks: int = 0
    proofs: dict[str, None] = field(default_factory=dict)
    contents: set[str] = field(default_factory=set)
    """Of the assets that they take."""
    datasets: dict[str, None] = field(default_factory=dict)
    under_way: JobStatus | None = None
    """The job that does already what was asked for; then there are no tasks here."""

    def add(self, made: AddingTask) -> None:
        """Take a task with the records of its views."""
        task = made.task
        assert task.adds is not None
        self.tasks += 1
        self.missing += len(task.views)
        self.proofs[" and ".join(task.adds.proof)] = None
        self.contents.update(asset.content for asset in task.assets)
        self.datasets[task.dataset] = None
        for each in (task, *made.records):
            self.file.write(each.model_dump_json().encode() + b"\n")

    def __iter__(self) -> Iterator[WrittenTask]:
        """Yield the tasks again, with the records of their views as lines."""
        self.file.seek(0)
        while line := self.file.readline():
            task = RenderTask.model_validate_json(line)
            yield task, [self.file.readline().rstrip(b"\n") for _view in task.views]


@contextmanager
def planned(
    services: Services, job_id: str, wish: AdditionWish, wanted: tuple[PassName, ...]
) -> Iterator[WrittenPlan]:
    """Give the tasks that add passes to the views of a job.

    Raises:
        ApiProblem: It is not over, or others add to it.
        SpecError: It cannot be done.
    """
    source, status = source_of(services, job_id)
    check_source(services, source, status)
    other = under_way(services, job_id)
    with tempfile.TemporaryFile(prefix="farm-adding-") as file:
        plan = WrittenPlan(source, wanted, file, views=status.views_done)
        if other is not None:
            plan.under_way = same_wish(services, other, wish, wanted)
        else:
            data = views_of(services.storage, source)
            plan.views = len(data)
            finder = JobAssets(services.storage, source)
            for made in adding_tasks(data, wanted, finder=finder, any_blender=wish.any_blender):
                plan.add(made)
        yield plan


def source_of(services: Services, job_id: str) -> tuple[Job, JobStatus]:
    """Return a job, and how far it is.

    Raises:
        ApiProblem: There is no such job.
    """
    return find_job(services.book, job_id), find_status(services.ledger, job_id)


def views_of(storage: Storage, source: Job) -> Dataset:
    """Open all datasets of a job that is over, after folding what was left beside their lists.

    Raises:
        SpecError: It has no views.
    """
    prefixes = [each for each in expand.datasets(source) if has_records(storage, each)]
    if not prefixes:
        raise SpecError(f"job {source.job_id}: has no views: there is nothing to add to")
    data = Dataset(storage, prefixes)
    left = [each for each in prefixes if is_running(storage, each)]
    if not left:
        return data
    fold_datasets(data.summaries, storage, left, log.warning)
    return Dataset(storage, prefixes)


def check_source(services: Services, source: Job, status: JobStatus) -> None:
    """Make sure that nothing writes the views of a job any more, and that they are stored.

    Raises:
        ApiProblem: Something does, or they are not.
    """
    job_id = source.job_id
    if source.stream is not None:
        remedy = "submit its spec with these passes as a job"
        raise ApiProblem(409, f"job {job_id} is streamed: its views are not stored", remedy)
    if source.adds is not None:
        owner = source.adds.source
        remedy = f"name that job instead: {owner}"
        raise ApiProblem(409, f"job {job_id} adds passes to the views of another job", remedy)
    if not status.over or services.book.end(job_id) != end_of(status):
        state = "being finished" if status.over else status.state.value
        remedy = f"wait until it is over: farm wait {job_id}"
        raise ApiProblem(409, f"job {job_id} is {state}: its views may still change", remedy)
    lost = sum(status.counts[state] for state in LOST)
    if lost and status.state is JobState.COMPLETED:
        raise ApiProblem(
            409,
            f"{counted(lost, 'task')} of job {job_id} failed, and may be tried again",
            f"do so first (farm retry {job_id}), or leave them out (farm leave-out {job_id} "
            "--task N)",
        )


def under_way(services: Services, source: str) -> JobStatus | None:
    """Return the job that adds passes to the views of another now, if one does.

    Raises:
        ApiProblem: The ledger was lost and does not know it yet.
    """
    job_id = next(adding_to(services.ledger, services.book, source), None)
    if job_id is None:
        return None
    status = services.ledger.job(job_id)
    if status is None:
        detail = f"job {job_id}, which adds passes to it, is being restored"
        raise ApiProblem(409, detail, "try again in a minute")
    return status


def same_wish(
    services: Services, status: JobStatus, wish: AdditionWish, wanted: Sequence[PassName]
) -> JobStatus:
    """Return a job that adds passes, if it is what was asked for.

    Raises:
        ApiProblem: It adds something else.
    """
    job = find_job(services.book, status.job_id)
    adds = job.adds
    assert adds is not None
    alike = set(adds.passes) == set(wanted) and adds.any_blender == wish.any_blender
    if alike and not status.over:
        return status
    raise ApiProblem(
        409,
        f"job {status.job_id} adds {', '.join(adds.passes)} to these views now, and only one may "
        "at a time",
        f"wait for it (farm wait {status.job_id}) or cancel it (farm cancel {status.job_id})",
    )


def check_untouched(services: Services, job_id: str) -> None:
    """Make sure that nothing adds passes to the views of a job that are to change, or to go.

    Raises:
        ApiProblem: Something does.
    """
    if (other := under_way(services, job_id)) is not None:
        raise ApiProblem(
            409,
            f"job {other.job_id} adds passes to the views of job {job_id} now",
            f"wait for it (farm wait {other.job_id}) or cancel it (farm cancel {other.job_id})",
        )


def check_retry(services: Services, job_id: str) -> None:
    """Make sure that tasks of a job may be tried again beside jobs that add passes.

    Raises:
        ApiProblem: One adds to its views now; or it is such a job, and another one came after it,
            whose records would be replaced by older ones.
    """
    check_untouched(services, job_id)
    job = services.book.load(job_id)
    if job is None or job.adds is None:
        return
    mine = services.ledger.job(job.job_id)
    others = map(services.ledger.job, services.book.additions(job.adds.source))
    if mine and any(other and other.created_s > mine.created_s for other in others):
        raise ApiProblem(
            409,
            f"passes were added to the views of job {job.adds.source} since job {job.job_id} was",
            "ask for what is missing anew: "
            f"farm add-passes farm:{job.adds.source} {','.join(job.adds.passes)}",
        )


class JobAssets:
    """Finds assets of records among those of their job, which its owner has submitted.

    A record is written by a renderer, whom a stranger's file may have taken over: it cannot name
    anything else.
    """

    def __init__(self, storage: Storage, job: Job) -> None:
        self._storage = storage
        self._job = job
        self._own = {asset.content: asset for asset in job.assets}
        self._there: set[str] = set()

    def find(self, asset: Asset) -> Asset:
        """Return an asset as its job has it.

        Raises:
            SpecError: It is none of that job, or gone from the library.
        """
        own = self._own.get(asset.content)
        if own is None:
            raise SpecError(
                f"{asset.name}: is no asset of job {self._job.job_id}, whose records name it: "
                "render its views again with these passes"
            )
        if own.in_library and own.content not in self._there:
            self._check(own)
            self._there.add(own.content)
        return own.model_copy(update={"role": asset.role, "id": asset.id})

    def look(self, asset: Asset, *, fps: float | None) -> Asset:
        """Return a scene with what was known of it when its job was submitted."""
        del fps  # that job's
        return asset.model_copy(update={"scene": self.find(asset).scene})

    def names_others(self, asset: Asset) -> bool:
        """Say whether an asset may need files whose hashes are not known: of the library, none."""
        own = self.find(asset)
        return not own.in_library and not own.dependencies

    def _check(self, asset: Asset) -> None:
        for file in files_of(asset):
            if self._storage.size(blob_key(file.sha256)) is None:
                raise SpecError(
                    f"{asset.name}: {file.path} is not in the library any more (sha256 "
                    f"{file.sha256}): submit its job again from where the file is, which uploads "
                    f"it, or fetch the dataset (farm download {self._job.job_id}) and run farm "
                    "add-passes there with --assets"
                )


def job_of(plan: WrittenPlan, wish: AdditionWish, *, earlier: int) -> Job:
    """Return the job that adds what a plan says, the next one after so many others."""
    source = plan.source
    adds = AdditionPlan(
        source=source.job_id,
        passes=plan.wanted,
        any_blender=wish.any_blender,
        tasks=plan.tasks,
        views=plan.missing,
        datasets=tuple(plan.datasets),
    )
    return Job(
        job_id=digest(adds.model_dump(mode="json"), earlier)[:12],
        session=source.session,
        spec=source.spec.model_copy(update={"passes": plan.wanted}),
        assets=tuple(asset for asset in source.assets if asset.content in plan.contents),
        prefix=source.prefix,
        adds=adds,
    )


def write_down(
    services: Services, plan: WrittenPlan, job: Job, wish: AdditionWish, caller: TokenInfo
) -> None:
    """Write a job down with its tasks and the records that they add to, in the ledger last."""

    def write(made: WrittenTask) -> None:
        task = made[0].model_copy(update={"job_id": job.job_id})
        seed_records(services.storage, task, made[1])
        services.book.save_added_task(job.job_id, task)

    with ThreadPoolExecutor(WRITTEN_AT_ONCE) as pool:
        for some in batched(plan, WRITTEN_AT_ONCE):  # not all tasks at once in memory
            list(pool.map(write, some))
    source = find_status(services.ledger, plan.source.job_id)
    owner = services.book.claim(job.job_id, source.owner or caller.name)
    services.book.save(job)
    services.book.note_addition(source.job_id, job.job_id)
    services.ledger.add_job(
        job.job_id,
        tasks=plan.tasks,
        views=plan.missing,
        priority=wish.priority,
        owner=owner,
        name=name_of(source.name or services.book.name(source.job_id), source, plan.wanted),
        recipe=job.spec.recipe.kind,
    )
    services.holdings.note_views(owner, job.job_id, plan.missing)


def batched(made: Iterable[WrittenTask], count: int) -> Iterator[list[WrittenTask]]:
    """Yield some at a time."""
    rest = iter(made)
    while some := list(itertools.islice(rest, count)):
        yield some


def name_of(name: str, source: JobStatus, wanted: Sequence[PassName]) -> str:
    """Return what a job is called that adds passes to the views of another: `chairs+depth`."""
    known = source.job_id[:6] if name == source.job_id else name
    added = f"+{','.join(wanted)}"[: LIMIT // 2]
    return f"{known[: LIMIT - len(added)]}{added}"


def told(services: Services, plan: WrittenPlan, status: JobStatus | None) -> AdditionInfo:
    """Say what was found, and which job adds it."""
    if status is not None and plan.under_way is not None:
        plan.missing, plan.tasks = status.views, status.tasks
    return AdditionInfo(
        passes=plan.wanted,
        views=plan.views,
        missing=plan.missing,
        tasks=plan.tasks,
        proofs=tuple(plan.proofs),
        job=None if status is None else services.job_feed.info(status),
    )
