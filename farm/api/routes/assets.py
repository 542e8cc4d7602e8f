"""`/v1/assets`: files in the library, missing ones and unused ones; uploads."""

from __future__ import annotations

import itertools
import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from farm.api import deletion, forms, uploads
from farm.api.access.owners import is_admin
from farm.api.forms import NamedFiles
from farm.api.jobs import bad_cursor
from farm.api.routes.parameters import Cursor, DryRun, Limit, Sha256
from farm.api.services import Caller, FarmServices
from farm.spec.asset import Asset
from farm.spec.wire import SHA256_PATTERN, AssetInfo, Deletion, Hashes, Page, UploadInfo

BYTES = {"type": "string", "format": "binary"}
router = APIRouter(prefix="/v1/assets", tags=["assets"])


@router.post("/missing", summary="Ask which files the library lacks")
def missing(services: FarmServices, caller: Caller, hashes: Hashes) -> Hashes:
    """Returns those that must be uploaded before a job may name them."""
    for sha256 in hashes.sha256s:
        uploads.check_hash(sha256)
    return Hashes(sha256s=tuple(services.uploads.missing(hashes.sha256s, caller)))


@router.post("/named", summary="Name files that are to be assets")
def name_files(files: NamedFiles) -> tuple[Asset, ...]:
    """As a submission takes them, each with a short name of its own."""
    return forms.named(files.files)


@router.get("", summary="List the files of the library")
def list_assets(
    services: FarmServices, caller: Caller, cursor: Cursor = None, limit: Limit = 100
) -> Page[AssetInfo]:
    """By hash; identical files are kept once."""
    if cursor is not None and not re.fullmatch(SHA256_PATTERN, cursor):
        raise bad_cursor()
    seen = services.uploads.seen(caller, after=cursor or "")
    found = list(itertools.islice(seen, limit + 1))
    items = tuple(
        AssetInfo(sha256=blob.sha256, size_bytes=blob.size_bytes, modified_s=blob.modified_s)
        for blob in found[:limit]
    )
    return Page[AssetInfo](items=items, next=items[-1].sha256 if len(found) > limit else None)


@router.get("/{sha256}/upload", summary="Ask how much of a file has arrived")
def upload_info(services: FarmServices, caller: Caller, sha256: Sha256) -> UploadInfo:
    """Resume the upload from `received_bytes`."""
    return services.uploads.info(sha256, caller)


@router.patch(
    "/{sha256}/upload",
    summary="Send a file, or the rest of it",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": BYTES}},
        }
    },
)  # fmt: skip
async def upload(  # noqa: PLR0913 - what a request has
    services: FarmServices,
    caller: Caller,
    sha256: Sha256,
    request: Request,
    upload_offset: Annotated[
        int, Header(ge=0, le=2**50, description="Position of these bytes in the file.")
    ],
    upload_length: Annotated[
        int, Header(ge=0, le=2**50, description="Size of the whole file, bytes.")
    ],
) -> UploadInfo:
    """Raw bytes. The last ones complete the file if its hash is the one in the path."""
    return await services.uploads.receive(
        sha256, caller, offset=upload_offset, total=upload_length, pieces=request.stream()
    )


@router.delete("/unused", summary="Remove files that no job needs")
def delete_unused(
    services: FarmServices,
    caller: Caller,
    *,
    dry_run: DryRun = False,
    recent: Annotated[
        bool, Query(description="The caller's alone, those of the last day included.")
    ] = False,
) -> Deletion:
    """Of what is the caller's, for admins of all. Recent uploads stay unless they are asked for:
    they may be for a job that is about to be submitted.
    """
    if is_admin(caller) and not recent:
        return deletion.delete_unused(services, dry_run=dry_run)
    return deletion.delete_unused_of(services, caller.name, dry_run=dry_run, recent=recent)
