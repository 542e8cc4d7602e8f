"""The last picture of a job, small: what a list of jobs shows of it."""

from __future__ import annotations

from farm.api import jobs
from farm.api.datasets import files
from farm.api.datasets.gallery import list_cards
from farm.api.datasets.thumbnails import SIZES
from farm.api.problems import not_found
from farm.api.services import Services


def last_picture(services: Services, job_id: str) -> bytes:
    """Return the newest picture of a job as WebP, or, of long ago, that of its first view.

    Raises:
        ApiProblem: It has none, or there is no such job.
    """
    jobs.find_status(services.ledger, job_id)
    newest = services.glimpses.last(job_id) if services.glimpses else None
    return newest or of_first_view(services, job_id)


def of_first_view(services: Services, job_id: str) -> bytes:
    """Return a small picture of the first view of a job.

    Raises:
        ApiProblem: It has none.
    """
    job = jobs.find_job(services.book, job_id)
    cards = list_cards(services.storage, job, cursor=None, limit=1).items
    shown = next(iter(cards[0].pictures.values()), None) if cards else None
    if shown is None:
        raise not_found(f"a picture of job {job_id}", "wait for its first view")
    key, _ = files.file_key(services.storage, job_id, shown.path)
    return services.thumbnails.picture(services.storage, key, shown.sha256, size_px=min(SIZES))
