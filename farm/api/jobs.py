"""Jobs and tasks, from the ledger's words to those of the API."""

from __future__ import annotations

import logging
import re

from farm import expand
from farm.api.problems import ApiProblem, not_found
from farm.api.sentences import with_words
from farm.errors import SpecError, StorageError
from farm.job_store import LOST, JobStore, adding_to, end_of
from farm.ledger import FailedAttempt, JobState, JobStatus, Ledger, TaskState, TaskStory
from farm.ledger.waiting import Steps, waits_for
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.wire import JOB_ID_PATTERN, AttemptInfo, JobInfo, Page, TaskInfo

log = logging.getLogger(__name__)

TOLD_FAILURES = 5
READ_FAILURES = 300
CURSOR = re.compile(r"([0-9]{1,20}\.[0-9]{1,20}):([0-9a-f]{12})")
REFUNDED = " (not counted: its worker was faulty)"


def job_info(
    ledger: Ledger,
    book: JobStore,
    status: JobStatus,
    *,
    views_per_s: float | None = None,
    whole: bool = True,
) -> JobInfo:
    """Return the state of a job; `whole` adds what it waits for and what failed last."""
    failed = sum(status.counts[state] for state in (*LOST, TaskState.LEFT_OUT))
    given_up = round(failed * status.views / max(status.tasks, 1))  # roughly: tasks differ
    left = max(status.views - status.views_done - given_up, 0)
    finishing = whole and status.over and book.end(status.job_id) != end_of(status)
    info = JobInfo(
        job_id=status.job_id,
        name=status.name or book.name(status.job_id),
        state=status.state.value,
        priority=status.priority,
        owner=status.owner,
        recipe=status.recipe or book.recipe(status.job_id),
        created_s=status.created_s,
        tasks=status.tasks,
        counts={state.value: count for state, count in status.counts.items()},
        views=status.views,
        views_done=status.views_done,
        views_per_s=views_per_s,
        eta_s=left / views_per_s if views_per_s and not status.over else None,
        waits_for=waits_for(ledger, status, steps_of(book, status)) if whole else None,
        failures=newest_failures(ledger, status) if whole else (),
        finishing=finishing,
        adds_to=source_of(book, status) if whole else None,
        added_by=tuple(adding_to(ledger, book, status.job_id)) if whole and status.over else (),
    )
    return with_words(info)


def source_of(book: JobStore, status: JobStatus) -> str | None:
    """Return whose views a job adds passes to, if it does that."""
    try:
        job = book.load(status.job_id)
    except StorageError:
        return None
    return job.adds.source if job is not None and job.adds is not None else None


def steps_of(book: JobStore, status: JobStatus) -> Steps | None:
    """Return the order of a job's tasks; None if there is none, or if it cannot be read."""
    try:
        job = None if status.over else book.load(status.job_id)
        asked = expand.waits_for(job) if job else None
    except (StorageError, SpecError):
        return None
    if job is None or asked is None:
        return None
    return Steps(asked, lambda index: title_of(job, index))


def title_of(job: Job, index: int) -> str:
    """Return what people call a task; if its recipe's code fails, at least which one it is."""
    try:
        return expand.render_task(job, index).title
    except SpecError:
        return f"{index} of {job.spec.recipe.kind}"


def newest_failures(ledger: Ledger, status: JobStatus) -> tuple[str, ...]:
    """Return what went wrong last, a sentence each; of very many, the newest of the first ones."""
    stories = failed_tasks(ledger, status, most=READ_FAILURES)
    failures = [
        (attempt.time_s, f"task {story.index}: {attempt.sentence}{note(attempt)}")
        for story in stories
        for attempt in story.attempts
    ]
    return tuple(sentence for _, sentence in sorted(failures, reverse=True)[:TOLD_FAILURES])


def failed_tasks(ledger: Ledger, status: JobStatus, *, most: int) -> list[TaskStory]:
    """Return the tasks that failed and are not done; of very many that are given up, the first."""
    if sum(status.counts[state] for state in LOST) > most:
        return ledger.tasks(status, LOST, start=0, limit=most)
    if status.counts[TaskState.LEFT_OUT] > most:  # their stories would all be read
        open_ = set(TaskState) - {TaskState.DONE, TaskState.LEFT_OUT}
        return [each for each in ledger.tasks(status, open_, start=0, limit=most) if each.attempts]
    told = ledger.failures(status.job_id)
    return [story for story in told if story.state is not TaskState.LEFT_OUT]


def note(attempt: FailedAttempt) -> str:
    """Return what to add to an attempt's sentence."""
    return REFUNDED if attempt.charge == "refunded" else ""


def find_status(ledger: Ledger, job_id: str) -> JobStatus:
    """Return the state of a job.

    Raises:
        ApiProblem: The job does not exist.
    """
    status = ledger.job(job_id) if re.fullmatch(JOB_ID_PATTERN, job_id) else None
    if status is None:
        raise not_found(f"job {job_id[:40]!r}", "list the jobs: farm jobs")
    return status


def find_job(book: JobStore, job_id: str) -> Job:
    """Return a job's spec and assets.

    Raises:
        ApiProblem: The job does not exist.
    """
    job = book.load(job_id)
    if job is None:
        raise not_found(f"job {job_id[:40]!r}", "list the jobs: farm jobs")
    return job


def steer(ledger: Ledger, job_id: str, verb: str) -> int | None:
    """Pause, resume, cancel or retry a job; nothing happens if it already is in that state.

    Returns:
        How many tasks a retry put back.

    Raises:
        ApiProblem: The job's state does not allow it.
    """
    status = find_status(ledger, job_id)
    wanted = {"pause": {JobState.PAUSED}, "resume": {JobState.QUEUED, JobState.RUNNING},
              "cancel": {JobState.CANCELLING, JobState.CANCELLED}}.get(verb, set())  # fmt: skip
    retried = None
    if status.state in wanted:
        return None
    if verb == "retry":
        done = status.state not in (JobState.CANCELLING, JobState.CANCELLED)
        retried = ledger.retry(job_id)
    else:
        done = {"pause": ledger.pause, "resume": ledger.resume, "cancel": ledger.cancel}[verb](
            job_id
        )
    if not done:
        state = find_status(ledger, job_id).state
        raise ApiProblem(
            409,
            f"job {job_id} is {state}: you cannot {verb} it",
            way_out(job_id, state),
        )
    return retried


def way_out(job_id: str, state: JobState) -> str:
    """Say what helps with a job that cannot be steered."""
    if state == JobState.CANCELLED:
        return f"to render it after all, delete it (farm delete {job_id}) and submit it again"
    return f"see its state: farm status {job_id}"


def remember(book: JobStore, status: JobStatus) -> None:
    """Save on storage what the user wants of a job; if that fails, only the ledger knows."""
    try:
        book.save_control(status)
    except StorageError as error:
        log.warning(
            "the last change to a job is not saved on storage yet job=%s: %s", status.job_id, error
        )


def list_jobs(
    statuses: list[JobStatus], *, state: str | None, cursor: str | None, limit: int
) -> tuple[list[JobStatus], str | None]:
    """Return a page of jobs, the newest first, and the cursor of the next page."""
    found = sorted((job for job in statuses if state is None or job.state == state), key=job_place)
    if cursor is not None:
        start = cursor_place(cursor)
        found = [job for job in found if job_place(job) > start]
    page = found[:limit]
    more = len(found) > limit
    return page, f"{page[-1].created_s!r}:{page[-1].job_id}" if more else None


def job_place(job: JobStatus) -> tuple[float, str]:
    """Return what orders jobs: the newest first."""
    return (-job.created_s, job.job_id)


def cursor_place(cursor: str) -> tuple[float, str]:
    """Return the position that a cursor of the list of jobs names."""
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise bad_cursor()
    return (-float(found[1]), found[2])


def bad_cursor() -> ApiProblem:
    """Return the problem of a cursor that we did not make."""
    return ApiProblem(
        422,
        "cursor: this server did not issue it",
        "use `next` of the previous page, or leave it out",
    )


def list_tasks(  # noqa: PLR0913 - where the tasks are, and which of them
    ledger: Ledger,
    job: Job,
    status: JobStatus,
    *,
    state: str | None,
    cursor: str | None,
    limit: int,
) -> Page[TaskInfo]:
    """Return a page of a job's tasks, by index."""
    if cursor is not None and not re.fullmatch(r"[0-9]{1,12}", cursor):
        raise bad_cursor()
    states = [TaskState(state)] if state else list(TaskState)
    stories = ledger.tasks(status, states, start=int(cursor or 0), limit=limit + 1)
    return Page[TaskInfo](
        items=tuple(task_info(job, story) for story in stories[:limit]),
        next=str(stories[limit].index) if len(stories) > limit else None,
    )


def find_task(ledger: Ledger, job: Job, status: JobStatus, index: int) -> TaskInfo:
    """Return one task.

    Raises:
        ApiProblem: The job has fewer tasks.
    """
    stories = ledger.tasks(status, list(TaskState), start=index, limit=1)
    if not stories:
        raise not_found(
            f"task {index} of job {job.job_id}",
            f"it has {counted(status.tasks, 'task')}, counted from 0",
        )
    return task_info(job, stories[0])


def task_info(job: Job, story: TaskStory) -> TaskInfo:
    """Return what a person wants to know about a task."""
    task = expand.render_task(job, story.index)
    return TaskInfo(
        index=story.index,
        task_id=task.task_id,
        state=story.state.value,
        title=task.title,
        views=len(task.views),
        attempts=tuple(
            AttemptInfo.model_validate(attempt.model_dump()) for attempt in story.attempts
        ),
        worker=story.worker,
        since_s=story.since_s or None,
    )
