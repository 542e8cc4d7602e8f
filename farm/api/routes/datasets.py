"""`/v1/datasets`: what the farm has rendered, file by file or all at once."""

from __future__ import annotations

import mimetypes
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from farm.api import jobs
from farm.api.access.owners import seen_jobs
from farm.api.datasets import cards, files
from farm.api.datasets.coverage import JobCoverage
from farm.api.datasets.gallery import Leafing, list_cards
from farm.api.datasets.listing import list_files
from farm.api.datasets.thumbnails import SIZES, Wanted
from farm.api.datasets.view_cards import ViewCard
from farm.api.datasets.views import view_lines
from farm.api.routes.parameters import NO_SNIFFING, Cursor, JobId, Limit
from farm.api.services import Caller, FarmServices, Services
from farm.spec.passes import PassName
from farm.spec.wire import SHA256_PATTERN, DatasetFile, DatasetPage, Page

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

FOR_EVER = "private, max-age=31536000, immutable"
BYTES = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}
LINES = {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}


@router.get("", summary="List the datasets of all jobs")
def list_datasets(
    services: FarmServices,
    caller: Caller,
    find: Annotated[
        str, Query(max_length=200, description="Words that must be in its name, owner or recipe.")
    ] = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> DatasetPage:
    """One item per job that has rendered views, the newest first."""
    last = services.datasets_look.last
    return cards.list_datasets(
        services.shelf,
        services.book,
        seen_jobs(services, caller),
        last[1] if last else None,
        find=find,
        cursor=cursor,
        limit=limit,
    )


@router.get("/{job_id}/files", summary="List the files of a job's datasets")
def dataset_files(
    services: FarmServices, job_id: JobId, cursor: Cursor = None, limit: Limit = 1000
) -> Page[DatasetFile]:
    """With sizes and hashes, for all views rendered so far."""
    job = jobs.find_job(services.book, job_id)
    return list_files(services.storage, job, cursor=cursor, limit=limit)


@router.get("/{job_id}/files/{path:path}", summary="Download a file", response_class=Response,
            responses={200: BYTES, 206: BYTES})  # fmt: skip
def dataset_file(
    services: FarmServices,
    job_id: JobId,
    path: str,
    range: Annotated[str | None, Header()] = None,  # noqa: A002 - the header's name
) -> Response:
    """The whole file, or the part that `Range: bytes=start-end` names."""
    job = jobs.find_job(services.book, job_id)
    key, size_bytes = files.file_key(services.storage, job.views_of, path)
    part = files.parse_range(range, size_bytes)
    start, length = part or (0, size_bytes)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(length), **NO_SNIFFING}
    if part:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size_bytes}"
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    stream = services.storage.read(key, start=start, length=length) if length else iter(())
    return StreamingResponse(stream, 206 if part else 200, headers, media_type)


@router.get("/{job_id}/views", summary="Read the records of a job's views", response_class=Response,
            responses={200: LINES})  # fmt: skip
def dataset_views(services: FarmServices, job_id: JobId) -> Response:
    """Of all finished views, one per line: `{"dataset": folder, "record": ...}`."""
    job = jobs.find_job(services.book, job_id)
    lines = view_lines(services.storage, job)
    return StreamingResponse(lines, headers=NO_SNIFFING, media_type="application/x-ndjson")


@router.get("/{job_id}/gallery", summary="Leaf through a job's views")
def gallery(
    services: FarmServices, job_id: JobId, wish: Annotated[Leafing, Query()]
) -> Page[ViewCard]:
    """With what is shown of each: pictures by hash, things, sentences.

    An answer takes half a second at most: it may be short, or empty, with more to come.
    """
    job = jobs.find_job(services.book, job_id)
    return list_cards(services.storage, job, wish)


@router.get("/{job_id}/coverage", summary="Show what a job's views cover")
def coverage(services: FarmServices, job_id: JobId) -> JobCoverage:
    """Sides, sizes, classes and assets, of the views rendered so far."""
    job = jobs.find_job(services.book, job_id)
    return services.coverages.of(services.storage, job, services.ledger.job(job_id))


@router.get("/{job_id}/thumbnails/{sha256}/{path:path}", summary="Show a small picture of a file",
            response_class=Response, responses={200: {"content": {"image/webp": {}}}})  # fmt: skip
def thumbnail(  # noqa: PLR0913 - what a picture is of, and how large
    services: FarmServices,
    job_id: JobId,
    sha256: Annotated[str, Path(pattern=SHA256_PATTERN)],
    path: str,
    size: Annotated[
        int, Query(ge=1, le=1024, description="Longest side, pixels; 256, 512 or 1024.")
    ] = 256,
    pass_: Annotated[
        PassName | None, Query(alias="pass", description="What the file holds, if not a picture.")
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A WebP; the same for ever, since the hash is in its address."""
    wanted = Wanted(sha256, next(each for each in SIZES if size <= each), pass_)
    headers = {"Cache-Control": FOR_EVER, "ETag": f'"{wanted.name}"', **NO_SNIFFING}
    if if_none_match and headers["ETag"] in if_none_match:
        return Response(None, 304, headers)
    job = jobs.find_job(services.book, job_id)
    key, _ = files.file_key(services.storage, job.views_of, path)
    data = services.thumbnails.picture(services.storage, key, wanted)
    return Response(data, 200, headers, "image/webp")


@router.get("/{job_id}/preview", summary="Show a job's contact sheet", response_class=Response,
            responses={200: {"content": {"image/jpeg": {}}}})  # fmt: skip
async def preview(request: Request, services: FarmServices, job_id: JobId) -> Response:
    """A JPEG; while the job runs, of the views rendered so far."""
    async with request.app.state.picture_turns:  # the rest of the server's threads stay free
        sheet = await run_in_threadpool(sheet_of, services, job_id)
    return Response(sheet, headers=NO_SNIFFING, media_type="image/jpeg")


def sheet_of(services: Services, job_id: str) -> bytes:
    """Return the contact sheet of a job."""
    job = jobs.find_job(services.book, job_id)
    status = services.ledger.job(job_id)
    return files.preview(services.storage, job, over=status is None or status.over)


@router.get("/{job_id}/archive", summary="Download everything", response_class=Response,
            responses={200: {"content": {"application/x-tar": {}}}})  # fmt: skip
def archive(services: FarmServices, job_id: JobId) -> Response:
    """All datasets of a job as one tar stream."""
    job = jobs.find_job(services.book, job_id)
    return StreamingResponse(
        files.tar_stream(services.storage, job.views_of),
        media_type="application/x-tar",
        headers={
            "Content-Disposition": f'attachment; filename="{job_id}.tar"',
            **NO_SNIFFING,
        },
    )
