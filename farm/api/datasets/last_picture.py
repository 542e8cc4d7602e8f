"""The last picture of a job, small: what a list of jobs shows of it."""

from __future__ import annotations

from farm.api import jobs
from farm.api.datasets import files
from farm.api.datasets.gallery import Leafing, list_cards
from farm.api.datasets.thumbnails import SIZES, Wanted
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
    cards = list_cards(services.storage, job, Leafing(limit=1)).items
    shown = next(iter(cards[0].pictures.items()), None) if cards else None
    if shown is None:
        raise not_found(f"a picture of job {job_id}", "wait for its first view")
    name, file = shown
    key, _ = files.file_key(services.storage, job.views_of, file.path)
    return services.thumbnails.picture(services.storage, key, Wanted(file.sha256, min(SIZES), name))
