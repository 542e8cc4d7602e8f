"""From a stranger's submission to a job of the farm: checked closely, then written down."""

from __future__ import annotations

from farm import expand
from farm.api.access.owners import may_change, may_see, owner_of
from farm.api.jobs import remember
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.api.submission.checks import (
    check_shared,
    check_text,
    job_mistakes,
    missing_bytes,
    missing_files,
    mistakes,
    raise_for,
)
from farm.api.submission.room import check_room
from farm.api.submission.scenes import with_facts
from farm.job_store import prefix_of
from farm.spec.job import Job, make_job
from farm.spec.role import allows
from farm.spec.wire import JobInfo, Submission, TokenInfo


def submit(services: Services, submission: Submission, caller: TokenInfo) -> tuple[JobInfo, bool]:
    """Write a job down, first on storage, then in the ledger; return it and whether it is new.

    Args:
        services: The farm.
        submission: What is asked for.
        caller: Who asks.

    Raises:
        ApiProblem: Something about it cannot be accepted; nothing is stored.
        SpecError: Two of its datasets would have the same name.
    """
    job = checked_job(services, submission, caller)
    new = write_down(services, job, submission, caller)
    renamed = not new and rename(services, job.job_id, submission.name, caller)
    status = services.ledger.job(job.job_id)
    assert status is not None
    if new or renamed:
        remember(services.book, status)
    return services.job_feed.info(status), new


def write_down(services: Services, job: Job, submission: Submission, caller: TokenInfo) -> bool:
    """Write a checked job down, first on storage, then in the ledger; return whether it is new.

    Views of a stream are not stored: it needs no room.

    Raises:
        ApiProblem: Files of it are not there, it is somebody else's, or more than may be asked for.
    """
    with services.library_lock:
        check_seen(services, caller, job)
        raise_for(missing_files(services, caller, job))
        owner, count = caller.name, expand.count(job)
        if services.ledger.job(job.job_id) is None:
            services.quotas.check_job(caller, job, views=count.views)
            if job.stream is None:
                check_room(services, job, views=count.views)
            owner = services.book.claim(job.job_id, owner)
            services.book.save(job)
        new = services.ledger.add_job(
            job.job_id,
            tasks=count.tasks,
            views=count.views,
            priority=submission.priority,
            owner=owner,
            name=submission.name or "",
            recipe=job.spec.recipe.kind,
        )
        if new:
            services.holdings.note_views(owner, job.job_id, count.views)
    return new


def rename(services: Services, job_id: str, name: str | None, caller: TokenInfo) -> bool:
    """Call a job that was there already by another name, if it is the caller's; say if it was."""
    status = services.ledger.job(job_id)
    if not name or status is None or status.name == name or not may_change(caller, status.owner):
        return False
    return services.ledger.rename(job_id, name)


def validate(services: Services, submission: Submission, caller: TokenInfo) -> JobInfo:
    """Return the job that a submission would become; its files need not be here yet."""
    job = checked_job(services, submission, caller)
    check_seen(services, caller, job)
    status = services.ledger.job(job.job_id)
    if status is not None:
        return services.job_feed.info(status)
    count = expand.count(job)
    upload_bytes = 0
    if services.quotas.bytes_of(caller) is not None:
        upload_bytes = missing_bytes(services, caller, job)
    services.quotas.check_job(caller, job, views=count.views, upload_bytes=upload_bytes)
    check_room(services, job, views=count.views)
    return JobInfo(
        job_id=job.job_id,
        name=submission.name or job.spec.dataset_name or job.job_id,
        state="valid",
        priority=submission.priority,
        owner=caller.name,
        recipe=job.spec.recipe.kind,
        created_s=0.0,
        tasks=count.tasks,
        counts={},
        views=count.views,
        views_done=0,
    )


def check_seen(services: Services, caller: TokenInfo, job: Job) -> None:
    """Make sure that the same request is no job of somebody whose jobs the caller may not see.

    Raises:
        ApiProblem: It is.
    """
    owner = owner_of(services, job.job_id)
    if owner is not None and not may_see(services, caller, owner):
        raise ApiProblem(
            409,
            "somebody else, whose jobs you may not see, has submitted this very job",
            "give yours another `seed` or another `dataset_name`",
        )


def check_code(submission: Submission, caller: TokenInfo) -> None:
    """Let code of its own be brought by those alone who may.

    Raises:
        ApiProblem: This caller may not.
    """
    recipe = submission.spec.recipe
    if recipe.runs_code and not allows(caller.role, "script"):
        raise ApiProblem(
            403,
            f"jobs of the recipe {recipe.kind} bring code of their own, which needs a token with "
            f"the role script; {caller.name!r} has the role {caller.role}",
            "ask for one: farm token create --name NAME --role script",
        )


def checked_job(services: Services, submission: Submission, caller: TokenInfo) -> Job:
    """Return the job of a submission all of whose words are safe to use.

    Raises:
        ApiProblem: It may not be submitted by this caller, or something in it is wrong.
    """
    check_code(submission, caller)
    check_text(submission)
    raise_for(mistakes(submission, services.settings))
    check_shared(submission, services.settings)
    submission = with_facts(services, submission, caller)
    job = make_job(submission.spec, submission.assets)
    changes = {"prefix": prefix_of(job.job_id), "trace": submission.trace}
    job = job.model_copy(update=changes)
    raise_for(job_mistakes(job, services.settings))
    return job
