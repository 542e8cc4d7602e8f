"""What deletions remove: only listed, if so requested."""

from __future__ import annotations

import time
from collections.abc import Iterable

from farm import expand, products
from farm.api.jobs import find_job
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.api.submission.additions import check_untouched
from farm.errors import SpecError, StorageError
from farm.holdings import Upload, hash_of_name
from farm.job_store import FOLDER, prefix_of
from farm.library import files_of
from farm.spec.job import Job
from farm.spec.wire import Deletion

NAMES = 20


def delete_job(services: Services, job_id: str, *, dry_run: bool) -> Deletion:
    """Remove a job with its logs, datasets and the products that no other job needs.

    The assets stay. Of a job that added passes to another's views, these stay, too; those that
    added passes to its own go with it.

    Raises:
        ApiProblem: There is no such job, it is not over, or passes are being added to its views.
    """
    job = find_job(services.book, job_id)
    status = services.ledger.job(job_id)
    if status is not None and not status.over:
        raise ApiProblem(
            409,
            f"job {job_id} is {status.state}: it is not over yet",
            f"cancel it first: farm cancel {job_id}",
        )
    check_untouched(services, job_id)
    made = products_of_no_other(services, job)
    later = services.book.additions(job_id)
    folders = [f"{FOLDER}/{each}" for each in (job_id, *later)]
    places = (prefix_of(job_id), *folders, *made)
    found = (
        (entry.key, entry.size_bytes)
        for place in places
        for entry in services.storage.entries(place)
    )
    deletion = sum_up(found, dry_run=dry_run)
    if not dry_run:
        services.ledger.forget(job_id)  # first: what is left of a cut-off deletion can be deleted
        services.storage.delete_tree(places[0])
        for product in made:
            products.remove(services.storage, product)
        for each in (*later, job_id):  # those that added passes were nothing without it
            forget(services, each)
    return deletion


def forget(services: Services, job_id: str) -> None:
    """Remove what is kept of a job beside its datasets."""
    services.ledger.forget(job_id)
    services.book.delete(job_id)
    if services.tallies is not None:
        services.tallies.forget(job_id)


def products_of_no_other(services: Services, job: Job) -> list[str]:
    """Return the products of a job that no other job needs; none if that cannot be known."""
    made = list(dict.fromkeys(expand.products(job)))
    if not made:
        return []
    try:
        others = [services.book.load(name) for name in services.book.ids() if name != job.job_id]
        needed = {product for other in others if other for product in expand.products(other)}
    except (StorageError, SpecError):
        return []
    return [product for product in made if product not in needed]


def delete_unused(services: Services, *, dry_run: bool) -> Deletion:
    """Remove files of the library and products that no job needs and that are not new."""
    grace_s = services.settings.asset_grace_s
    with services.library_lock:  # no job may be submitted between the look and the removal
        in_use, needed = set[str](), set[str]()
        for job_id in services.book.ids():
            job = services.book.load(job_id)
            for asset in job.assets if job else ():
                in_use.update(file.sha256 for file in files_of(asset))
            needed.update(expand.products(job) if job else ())
        latest_s = time.time() - grace_s
        uploads = services.holdings.of_all()  # of some, others have sent the bytes long ago
        in_use.update(upload.sha256 for upload in uploads if upload.modified_s > latest_s)
        unused = list(services.library.unused(in_use, older_than_s=grace_s))
        found = [(blob.sha256, blob.size_bytes) for blob in unused]
        made = list(products.unused(services.storage, needed, older_than_s=grace_s))
        for product in made:
            found += products.entries(services.storage, product)
        if not dry_run:
            for blob in unused:
                services.library.remove(blob.sha256)
            services.holdings.forget({blob.sha256 for blob in unused})
            for product in made:
                products.remove(services.storage, product)
    return sum_up(found, dry_run=dry_run)


def delete_unused_of(
    services: Services, owner: str, *, dry_run: bool, recent: bool = False
) -> Deletion:
    """Give up the uploads of somebody that none of their jobs needs; new ones only if `recent`.

    A file stays in the library while another job or another user needs it, but counts for them.
    """
    latest_s = time.time() - (0.0 if recent else services.settings.asset_grace_s)
    with services.library_lock:
        needed, mine = needed_files(services, owner)
        held = {upload.sha256 for upload in services.holdings.of_all() if not is_of(upload, owner)}
        found = [
            upload
            for upload in services.holdings.uploads(owner).values()
            if upload.sha256 not in mine and upload.modified_s <= latest_s
        ]
        for upload in () if dry_run else found:
            services.holdings.drop(upload)
            if upload.sha256 not in needed | held:
                services.library.remove(upload.sha256)
    return sum_up(((upload.sha256, upload.size_bytes) for upload in found), dry_run=dry_run)


def is_of(upload: Upload, owner: str) -> bool:
    """Say whether an upload is somebody's."""
    return upload.owner == hash_of_name(owner)


def needed_files(services: Services, owner: str) -> tuple[set[str], set[str]]:
    """Return the hashes of the files that jobs need: of all jobs, and of somebody's."""
    needed, mine = set[str](), set[str]()
    for job_id in services.book.ids():
        job = services.book.load(job_id)
        files = {file.sha256 for asset in (job.assets if job else ()) for file in files_of(asset)}
        needed |= files
        if services.book.owner(job_id) == owner:
            mine |= files
    return needed, mine


def sum_up(found: Iterable[tuple[str, int]], *, dry_run: bool) -> Deletion:
    """Count what is found."""
    names: list[str] = []
    files = size_bytes = 0
    for name, size in found:
        files, size_bytes = files + 1, size_bytes + size
        if len(names) < NAMES:
            names.append(name)
    return Deletion(dry_run=dry_run, files=files, size_bytes=size_bytes, names=tuple(names))
