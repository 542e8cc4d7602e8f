"""Which job is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from farm.client.text import printable
from farm.errors import NotFoundError, RequestRefusedError
from farm.spec.wire import JOB_ID_PATTERN, JobInfo


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


def choose(wanted: str, jobs: Iterator[JobInfo]) -> JobInfo:
    """Return the one job whose name is, or whose id starts with, `wanted`.

    Raises:
        NotFoundError: No job matches, or more than one.
    """
    found = [
        job for job in jobs if wanted and (job.name == wanted or job.job_id.startswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    said = printable(wanted, limit=120)
    if not found:
        raise NotFoundError(f"there is no job {said!r}; `farm jobs` lists them", 404)
    some = ", ".join(printable(job.job_id, limit=20) for job in found[:5])
    raise NotFoundError(f"{said!r} may mean {len(found)} jobs ({some}); name one by its id", 404)
