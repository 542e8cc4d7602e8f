"""The datasets of jobs: their files, their bytes, a contact sheet."""

from __future__ import annotations

import itertools
import logging
import posixpath
import re
import tarfile
from collections.abc import Iterator

from farm import expand
from farm.api.datasets.listing import inner_path
from farm.api.problems import ApiProblem, not_found
from farm.dataset.finish import PREVIEW_FILE
from farm.dataset.preview.contact_sheet import contact_sheet
from farm.dataset.records.current import standing_views
from farm.dataset.records.read import RECORDS_FOLDER
from farm.errors import SpecError
from farm.job_store import FOLDER as JOBS_FOLDER
from farm.job_store import prefix_of
from farm.spec.job import Job
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

log = logging.getLogger(__name__)

SHOWN_DATASETS = 64
"""Most datasets of a job that are read for its sheet."""
SHOWN_RECORDS = 5000
"""Most records that are read for it, while somebody waits."""
PATH_CHARS = 1024
BLOCK = tarfile.BLOCKSIZE


def file_key(storage: Storage, job_id: str, path: str) -> tuple[str, int]:
    """Return the key and the size of a file of a job's datasets.

    Raises:
        ApiProblem: The path leads out of the dataset, or no file is there.
    """
    parts = path.split("/")
    plain = path == posixpath.normpath(path) and not path.startswith("/")
    if not plain or "\\" in path or "\0" in path or ".." in parts or len(path) > PATH_CHARS:
        raise ApiProblem(
            422,
            f"path: {path[:120]!r} leads out of the dataset",
            "take a path from the list of its files",
        )
    hidden = any(part.startswith(".") for part in parts)  # records, and what is half-written
    key = f"{prefix_of(job_id)}/{path}"
    size_bytes = None if hidden else storage.size(key)
    if size_bytes is None:
        raise not_found(
            f"file {path[:120]!r} of job {job_id}", f"list them: farm download {job_id}"
        )
    return key, size_bytes


def parse_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return (start, length) of a Range header; None where the whole file is meant.

    Raises:
        ApiProblem: It lies outside of the file.
    """
    found = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", (header or "").strip())
    if found is None or found[0] == "bytes=-":
        return None  # several ranges, or other units: the whole file is a fair answer
    first, last = found[1], found[2]
    if not first:
        start, end = max(size_bytes - int(last), 0), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
    if start >= end:
        raise ApiProblem(
            416,
            f"the file has {size_bytes} bytes; {header} lies outside of it",
            "ask for a range within the file",
            {"Content-Range": f"bytes */{size_bytes}"},
        )
    return start, end - start


def tar_stream(storage: Storage, job_id: str) -> Iterator[bytes]:
    """Yield a tar archive of all datasets of a job, whatever its size, in little memory."""
    prefix = prefix_of(job_id)
    total = 0
    for entry in storage.entries(prefix):
        name = entry.key.removeprefix(f"{prefix}/")
        if name.startswith(f"{RECORDS_FOLDER}/") or f"/{RECORDS_FOLDER}/" in name:
            continue
        info = tarfile.TarInfo(f"{job_id}/{name}")
        info.size, info.mtime, info.mode = entry.size_bytes, entry.modified_s, 0o644
        header = info.tobuf(tarfile.PAX_FORMAT)
        yield header
        left = info.size
        for piece in storage.read(entry.key, length=info.size):
            left -= len(piece)
            yield piece
        if left:  # an archive that ends here is noticed; one that goes on would lie
            raise RuntimeError(f"{entry.key} became shorter while it was read")
        yield bytes(-info.size % BLOCK)
        total += len(header) + info.size + (-info.size % BLOCK)
    yield bytes(2 * BLOCK + -(total + 2 * BLOCK) % tarfile.RECORDSIZE)


def preview(storage: Storage, job: Job, *, over: bool) -> bytes:
    """Return the contact sheet of a job: that of its only dataset, or one drawn over all of them.

    Raises:
        ApiProblem: There is no view yet.
    """
    datasets = list(itertools.islice(expand.datasets(job), 2))
    single = len(datasets) == 1
    key = dataset_key(datasets[0], PREVIEW_FILE) if single else preview_key(job.job_id)
    if over and (kept := storage.get(key)):
        return kept
    title = job.spec.dataset_name if single and job.spec.dataset_name else job.job_id
    try:
        records = itertools.islice(job_records(storage, job), SHOWN_RECORDS)
        sheet = contact_sheet(storage, job.prefix, records, title=title)
    except SpecError as error:
        raise not_found(
            f"a picture of job {job.job_id}", f"wait for its first view: {error}"
        ) from None
    if over and not single:
        storage.put(key, sheet)
    return sheet


def job_records(storage: Storage, job: Job) -> Iterator[ViewRecord]:
    """Yield records of a job, evenly from some of its datasets, with paths within the job."""
    datasets = list(expand.datasets(job))
    step = max(len(datasets) // SHOWN_DATASETS, 1)
    for dataset in datasets[::step]:
        inner = inner_path(job, dataset)
        for view in standing_views(storage, dataset, log.warning):
            files = {
                name: file.model_copy(update={"path": f"{inner}{file.path}"})
                for name, file in view.record.files.items()
            }
            yield view.record.model_copy(update={"files": files})


def preview_key(job_id: str) -> str:
    """Return where the sheet over all datasets of a job is kept."""
    return f"{JOBS_FOLDER}/{job_id}/preview.jpg"
