"""`/v1/assets`: files in the library, missing ones and unused ones; uploads."""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from farm.api import deletion, uploads
from farm.api.access.owners import is_admin, sees
from farm.api.asking.forms import NamedFiles
from farm.api.datasets.thumbnails import SIZES
from farm.api.jobs import bad_cursor
from farm.api.problems import not_found
from farm.api.routes.parameters import NO_SNIFFING, Cursor, DryRun, Limit, Sha256
from farm.api.services import Caller, FarmServices, Services
from farm.api.shelf import again
from farm.api.shelf import assets as shelf_assets
from farm.api.shelf import words as shelf_words
from farm.api.shelf.assets import Shelf, Wanted
from farm.api.shelf.index import Held
from farm.spec.asset import Asset, AssetKind
from farm.spec.wire import (
    SHA256_PATTERN,
    AssetInfo,
    Deletion,
    Hashes,
    NamedAsset,
    NamedAssets,
    Page,
    TokenInfo,
    UploadInfo,
    WordsList,
)

BYTES = {"type": "string", "format": "binary"}
Find = Annotated[
    str, Query(max_length=200, description="Words that must all be in what is known of it.")
]
router = APIRouter(prefix="/v1/assets", tags=["assets"])


def wanted_assets(
    find: Find = "",
    kind: Annotated[AssetKind | Literal[""], Query(description="Kind of asset.")] = "",
    licence: Annotated[
        str, Query(max_length=200, description="Its title; `unknown`: not told.")
    ] = "",
    *,
    failed: Annotated[bool, Query(description="Only those with which tasks failed.")] = False,
) -> Wanted:
    """Return which assets a request asks for."""
    return Wanted(find=find, kind=kind, licence=licence, failed=failed)


def find_asset(services: Services, caller: TokenInfo, sha256: str) -> Held:
    """Return an asset that somebody may see.

    Raises:
        ApiProblem: There is none.
    """
    may_see = sees(services, caller)
    held = services.shelf.asset(sha256, may_see)
    if held is None:
        services.shelf.refresh()
        held = services.shelf.asset(sha256, may_see)
    if held is None:
        raise not_found(f"asset {sha256[:12]}", "list the assets: GET /v1/assets/shelf")
    return held


def words_of(services: Services, caller: TokenInfo) -> str:
    """Return whose words somebody reads and writes."""
    return shelf_words.whose_words(caller.name, shared=services.settings.shared)


@router.post("/missing", summary="Ask which files the library lacks")
def missing(services: FarmServices, caller: Caller, hashes: Hashes) -> Hashes:
    """Returns those that must be uploaded before a job may name them."""
    for sha256 in hashes.sha256s:
        uploads.check_hash(sha256)
    return Hashes(sha256s=tuple(services.uploads.missing(hashes.sha256s, caller)))


@router.post("/again", summary="Name assets of the library that are to be taken again")
def name_again(services: FarmServices, caller: Caller, files: NamedFiles) -> tuple[Asset, ...]:
    """As a submission takes them, with credits and all files that they need, as the newest job that
    took them has them."""
    return again.assets(services.shelf, sees(services, caller), files.files)


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


@router.get("/shelf", summary="List assets as people know them")
def shelf(
    services: FarmServices,
    caller: Caller,
    wanted: Annotated[Wanted, Depends(wanted_assets)],
    cursor: Cursor = None,
    limit: Limit = 60,
) -> Shelf:
    """With names, licences, the jobs that took them and whether tasks failed with them; those of
    the newest jobs first."""
    return shelf_assets.shelf(
        services.shelf, services.book, sees(services, caller), wanted, cursor=cursor, limit=limit
    )


@router.get("/words", summary="List what models are called")
def list_words(  # noqa: PLR0913 - which part of the list
    services: FarmServices,
    caller: Caller,
    *,
    find: Find = "",
    is_open: Annotated[
        bool, Query(alias="open", description="Only those that nobody has confirmed.")
    ] = False,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
) -> NamedAssets:
    """As somebody has confirmed it, else as it is guessed from names, categories and tags."""
    return shelf_words.list_words(
        services.shelf,
        services.words,
        sees(services, caller),
        words_of(services, caller),
        find=find,
        is_open=is_open,
        cursor=cursor,
        limit=limit,
    )


@router.put("/words", summary="Say what models are called")
def say_words(services: FarmServices, caller: Caller, sent: WordsList) -> tuple[NamedAsset, ...]:
    """As entries of `words.yaml`; kept for all who may see each other's jobs. Where one is wrong,
    none is kept."""
    return shelf_words.say_words(
        services.shelf,
        services.words,
        sees(services, caller),
        words_of(services, caller),
        sent,
        by=caller.name,
    )


@router.get("/{sha256}/picture", summary="Show a small picture of an asset",
            response_class=Response, responses={200: {"content": {"image/webp": {}}}})  # fmt: skip
async def picture(  # noqa: PLR0913 - what a picture is of, and how large
    request: Request,
    services: FarmServices,
    caller: Caller,
    sha256: Annotated[str, Path(pattern=SHA256_PATTERN)],
    size: Annotated[
        int, Query(ge=1, le=1024, description="Longest side, pixels; 256 or 1024.")
    ] = 256,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A WebP: an environment tone-mapped, or the newest view that shows a model."""
    held = await run_in_threadpool(find_asset, services, caller, sha256)
    size = next(each for each in SIZES if size <= each)
    async with request.app.state.picture_turns:  # the rest of the server's threads stay free
        data = await run_in_threadpool(services.pictures.picture, held, size_px=size)
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    headers = {"Cache-Control": "private, max-age=300", "ETag": tag, **NO_SNIFFING}
    if if_none_match and tag in if_none_match:
        return Response(None, 304, headers)
    return Response(data, 200, headers, "image/webp")


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
