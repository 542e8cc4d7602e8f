"""`/v1/datasets/JOB/exports`: a dataset in another tool's format, made by the server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse, Response

from farm.api import jobs
from farm.api.access.owners import may_see
from farm.api.datasets.exports import archive_name
from farm.api.problems import ApiProblem, not_found
from farm.api.routes.parameters import NO_SNIFFING, JobId
from farm.api.services import Caller, FarmServices, Services
from farm.dataset.export.base import ExportOptions
from farm.ledger import JobStatus
from farm.spec.view_sizes import view_bytes
from farm.spec.wire import ExportInfo, TokenInfo

router = APIRouter(prefix="/v1/datasets/{job_id}/exports", tags=["datasets"])

ExportId = Annotated[str, Path(max_length=40, description="`export_id` of an export.")]
TAR = {"content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}}}


@router.post("", status_code=202, summary="Export a dataset")
def begin_export(
    services: FarmServices, caller: Caller, job_id: JobId, options: ExportOptions
) -> ExportInfo:
    """In the format and with the options of `farm dataset export`; one at a time for each user. Ask
    how it stands until it is `done`, then download the archive, which is kept for a day."""
    return begin(services, caller, job_id, options)


@router.get("", summary="List the caller's exports of a dataset")
def list_exports(services: FarmServices, caller: Caller, job_id: JobId) -> tuple[ExportInfo, ...]:
    """One, or none: of each user the newest is kept."""
    return tuple(services.exports.of(caller.name, job_id))


@router.get("/{export_id}", summary="Ask how an export stands")
def show_export(
    services: FarmServices, caller: Caller, job_id: JobId, export_id: ExportId
) -> ExportInfo:
    """With the views that are done, and a sentence."""
    return services.exports.find(caller.name, job_id, export_id)


@router.delete("/{export_id}", status_code=204, summary="Stop an export, or remove it")
def remove_export(
    services: FarmServices, caller: Caller, job_id: JobId, export_id: ExportId
) -> Response:
    """What it has written goes."""
    services.exports.remove(caller.name, job_id, export_id)
    return Response(None, 204)


@router.get("/{export_id}/archive", summary="Download an export", response_class=FileResponse,
            responses={200: TAR, 206: TAR})  # fmt: skip
def download_export(
    services: FarmServices, caller: Caller, job_id: JobId, export_id: ExportId
) -> Response:
    """A tar file; `Range: bytes=start-` resumes."""
    info = services.exports.find(caller.name, job_id, export_id)
    path = services.exports.archive(info)
    return FileResponse(path, 200, NO_SNIFFING, "application/x-tar", filename=archive_name(info))


def begin(services: Services, caller: TokenInfo, job_id: str, options: ExportOptions) -> ExportInfo:
    """Begin an export for somebody.

    Raises:
        ApiProblem: There is no such dataset, or it cannot be exported now.
    """
    status = jobs.find_status(services.ledger, job_id)
    if not may_see(services, caller, status.owner):
        raise not_found(f"job {job_id[:40]!r}", "list the jobs: farm jobs")
    source = jobs.find_job(services.book, job_id).views_of
    if source != job_id:
        detail = f"job {job_id} adds passes to the views of job {source}"
        raise ApiProblem(409, detail, f"export that one: its dataset is job {source}'s")
    name = status.name or services.book.name(job_id)
    if not status.views_done:
        raise ApiProblem(409, f"{name} has no finished view yet", "wait for its first views")
    return services.exports.begin(
        caller.name, job_id, name, options,
        views=status.views_done, size_bytes=size_of(services, status),
    )  # fmt: skip


def size_of(services: Services, status: JobStatus) -> int:
    """Return about how many bytes the datasets of a job have, without a look at each file."""
    noted = services.book.size(status.job_id) if status.over else None
    if noted is not None:
        return noted
    job = jobs.find_job(services.book, status.job_id)
    return round(view_bytes(job) * status.views_done)
