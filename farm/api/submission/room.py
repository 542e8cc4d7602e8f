"""Room on the farm's storage: what a job will render must fit, beside what others will."""

from __future__ import annotations

from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.spec.amounts import file_size
from farm.spec.job import Job
from farm.spec.view_sizes import view_bytes
from farm.storage import free_bytes

FULL = 507


def check_room(services: Services, job: Job, *, views: int) -> None:
    """Make sure that the files of a new job fit on the storage, as far as can be told.

    Nothing is known of the room in a bucket.

    Raises:
        ApiProblem: They do not.
    """
    folder = services.storage.local_path(job.prefix)
    free = free_bytes(folder) if folder and services.settings.check_room else None
    if free is None:
        return
    needed = round(views * view_bytes(job))
    promised = services.promises.total_bytes()
    if needed <= max(free - promised, 0):
        return
    others = f", of which unfinished jobs will take about {file_size(promised)}" if promised else ""
    raise ApiProblem(
        FULL,
        f"the job's datasets would take about {file_size(needed)}, and the farm's storage has "
        f"{file_size(free)} free{others}",
        "render less (fewer views or passes, --resolution), delete jobs that are not needed any "
        "more (farm delete JOB), or have the farm's operator give it a larger disk; "
        "FARM_CHECK_ROOM=false on the server lets all jobs in",
    )
