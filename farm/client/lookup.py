"""Which job is meant, and what people call one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable

from farm.client.text import printable
from farm.errors import NotFoundError, RequestRefusedError
from farm.spec.hint import hint
from farm.spec.job_name import check_job_name
from farm.spec.wire import JOB_ID_PATTERN, JobInfo

SHORT = 6
"""Characters of an id that tell it from the others of a farm, as a rule."""


def sane(job: JobInfo) -> JobInfo:
    """Return `job` if its id is safe in addresses and in commands.

    Raises:
        RequestRefusedError: It is not.
    """
    if not re.fullmatch(JOB_ID_PATTERN, job.job_id):
        raise RequestRefusedError(
            f"the farm sent {printable(job.job_id, limit=60)!r} as a job, which is not an id"
        )
    return job


def short_id(job: JobInfo) -> str:
    """Return the beginning of a job's id, which commands take for the whole."""
    return printable(job.job_id[:SHORT])


def label(job: JobInfo) -> str:
    """Return what a job is called in sentences: `chairs (3f2a1b)`, or its id alone."""
    return f"{printable(job.name, limit=60)} ({short_id(job)})" if is_named(job) else short_id(job)


def of_whom(job: JobInfo) -> str:
    """Return the beginning of a job's id, and who owns it."""
    return f"{short_id(job)} of {printable(job.owner, limit=60)}" if job.owner else short_id(job)


def handle(job: JobInfo) -> str:
    """Return a word for commands that means the newest job of its name: that, or its id."""
    try:
        return shlex.quote(check_job_name(job.name)) if is_named(job) else short_id(job)
    except ValueError:  # a dataset may be called so, and a command would take it for another thing
        return short_id(job)


def is_named(job: JobInfo) -> bool:
    """Say whether a job has a name other than its id."""
    return job.name != job.job_id


def matching(wanted: str, jobs: Iterable[JobInfo]) -> list[JobInfo]:
    """Return the jobs whose name is `wanted`, the newest first; else those whose id begins so.

    Raises:
        NotFoundError: There are none.
    """
    known = list(jobs)
    named = [job for job in known if wanted and job.name == wanted]
    begun = [job for job in known if wanted and job.job_id.startswith(wanted)]
    if not named and not begun:
        near = hint(wanted, [printable(job.name, limit=80) for job in known])
        said = printable(wanted, limit=120)
        raise NotFoundError(f"there is no job {said!r}; `farm jobs` lists them{near}", 404)
    return sorted(named or begun, key=lambda job: -job.created_s)


def choose(wanted: str, jobs: Iterable[JobInfo], note: Callable[[str], None]) -> JobInfo:
    """Return the one job that `wanted` means: its name, of several the newest, or its id's start.

    Raises:
        NotFoundError: No job matches, or several ids begin so.
    """
    known = list(jobs)
    newest, *others = matching(wanted, known)
    if newest.name != wanted and others:
        some = ", ".join(printable(job.job_id, limit=20) for job in (newest, *others)[:5])
        said = f"{printable(wanted, limit=120)!r} may mean {len(others) + 1} jobs ({some})"
        raise NotFoundError(f"{said}; give more of the id", 404)
    if others:
        said = printable(wanted, limit=60)
        note(
            f"{len(others) + 1} jobs are called {said!r}; this is the newest, {of_whom(newest)}: "
            f"`farm jobs {shlex.quote(said)}` lists them"
        )
    also = [job for job in known if job.job_id.startswith(wanted) and job.name != wanted]
    if newest.name == wanted and also:
        note(f"{wanted!r} is taken as the name of a job, not as the id of {also[0].job_id}")
    return newest
