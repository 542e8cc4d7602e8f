"""What deletions remove: listed first, where asked for."""

from __future__ import annotations

from collections.abc import Iterable

from farm.api.jobs import find_job
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.jobs import FOLDER, prefix_of
from farm.library import files_of
from farm.spec.wire import Deletion

NAMES = 20


def delete_job(services: Services, job_id: str, *, dry_run: bool) -> Deletion:
    """Remove a job with its logs and datasets; the assets stay.

    Raises:
        ApiProblem: There is no such job, or it is not over.
    """
    find_job(services.book, job_id)
    status = services.ledger.job(job_id)
    if status is not None and not status.over:
        raise ApiProblem(
            409, f"job {job_id} is {status.state}: it goes on", f"first run: farm cancel {job_id}"
        )
    places = (prefix_of(job_id), f"{FOLDER}/{job_id}")
    found = (
        (entry.key, entry.size_bytes)
        for place in places
        for entry in services.storage.entries(place)
    )
    deletion = sum_up(found, dry_run=dry_run)
    if not dry_run:
        services.ledger.forget(job_id)  # first: what is left of a cut-off deletion can be deleted
        services.storage.delete_tree(places[0])
        services.book.delete(job_id)
    return deletion


def delete_unused(services: Services, *, dry_run: bool) -> Deletion:
    """Remove the files of the library that no job needs and that have been there for a while."""
    with services.library_lock:  # no job may be submitted between the look and the removal
        in_use: set[str] = set()
        for job_id in services.book.ids():
            job = services.book.load(job_id)
            for asset in job.assets if job else ():
                in_use.update(file.sha256 for file in files_of(asset))
        unused = list(services.library.unused(in_use, older_than_s=services.settings.asset_grace_s))
        if not dry_run:
            for blob in unused:
                services.library.remove(blob.sha256)
    return sum_up(((blob.sha256, blob.size_bytes) for blob in unused), dry_run=dry_run)


def sum_up(found: Iterable[tuple[str, int]], *, dry_run: bool) -> Deletion:
    """Count what is found."""
    names: list[str] = []
    files = size_bytes = 0
    for name, size in found:
        files, size_bytes = files + 1, size_bytes + size
        if len(names) < NAMES:
            names.append(name)
    return Deletion(dry_run=dry_run, files=files, size_bytes=size_bytes, names=tuple(names))
