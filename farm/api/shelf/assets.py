"""The assets of a farm as people look at them: found, filtered, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field

from farm.api.jobs import bad_cursor
from farm.api.shelf.index import NO_LICENCE, Held, ShelfIndex
from farm.dataset.records.attribution import licence
from farm.job_store import JobStore
from farm.spec.asset import AssetKind
from farm.spec.base import Spec
from farm.spec.wire import Page, Whole

CURSOR = re.compile(r"([0-9]{1,20}\.[0-9]{1,20}):([0-9a-f]{64})")
TOLD_JOBS = 5
UNKNOWN = "unknown"
"""What the address of a list says for a licence that nobody has told."""


class UsingJob(Spec):
    """A job that took an asset."""

    job_id: str
    name: str


class ShelfAsset(Spec):
    """An asset, as people look at it."""

    sha256: str
    kind: AssetKind
    name: str
    """Of its file."""
    title: str | None
    """Its name where it comes from."""
    roles: tuple[str, ...]
    size_bytes: Whole
    """With all files that it needs."""
    files: Whole
    licence: str | None
    """Its title; None where nobody has told it."""
    licence_url: str | None
    author: str | None
    source: str | None
    url: str | None
    category: str | None
    in_library: bool
    """Else it lies on storage that the workers share."""
    jobs: Whole
    """How many took it."""
    newest_jobs: tuple[UsingJob, ...]
    failed_tasks: Whole
    """Tasks that were given up with it."""
    failed: str | None
    """What one of these says."""


class Shelf(Page[ShelfAsset]):
    """A part of the list of assets."""

    total: Whole
    """Assets that fit."""
    unread: Whole = 0
    """Jobs whose assets there was no time to look at yet; the next request continues."""


class Wanted(Spec):
    """Which assets are wanted: what the address says."""

    find: Annotated[str, Field(max_length=200)] = ""
    """Words that must all be in a name, title, author, source, category or tag."""
    kind: AssetKind | Literal[""] = ""
    licence: Annotated[str, Field(max_length=200)] = ""
    """Title of a licence; `unknown`: those of which nobody has told it."""
    failed: bool = False
    """Only those with which tasks failed."""


class Found(NamedTuple):
    """A part of what fits."""

    held: list[Held]
    next: str | None


def shelf(  # noqa: PLR0913 - what is listed, for whom, and which part of it
    index: ShelfIndex,
    book: JobStore,
    sees: Callable[[str], bool],
    wanted: Wanted,
    *,
    cursor: str | None,
    limit: int,
) -> Shelf:
    """Return a page of the assets that somebody may see.

    Raises:
        ApiProblem: This server did not issue the cursor.
    """
    unread = index.refresh()
    fitting = [held for held in index.assets(sees) if fits(index, held, wanted)]
    part = page_of(fitting, cursor=cursor, limit=limit)
    items = tuple(shown(index, book, held) for held in part.held)
    return Shelf(items=items, next=part.next, total=len(fitting), unread=unread)


def page_of(held: Sequence[Held], *, cursor: str | None, limit: int) -> Found:
    """Return a part of a list of assets, from behind a cursor.

    Raises:
        ApiProblem: This server did not issue the cursor.
    """
    rest = list(held)
    if cursor is not None:
        place = CURSOR.fullmatch(cursor)
        if place is None:
            raise bad_cursor()
        after = (-float(place[1]), place[2])
        rest = [each for each in rest if (-each.told_s, each.sha256) > after]
    part = rest[:limit]
    more = len(rest) > limit
    return Found(part, cursor_of(part[-1]) if more else None)


def cursor_of(held: Held) -> str:
    """Return the cursor of what comes after an asset."""
    return f"{held.told_s!r}:{held.sha256}"


def fits(index: ShelfIndex, held: Held, wanted: Wanted) -> bool:
    """Say whether an asset is wanted."""
    if wanted.kind and held.kind != wanted.kind:
        return False
    if wanted.licence and held.licence != (
        NO_LICENCE if wanted.licence == UNKNOWN else wanted.licence
    ):
        return False
    return found_by(held, wanted.find) and (not wanted.failed or index.blame(held) is not None)


def found_by(held: Held, find: str) -> bool:
    """Say whether all words are in what is known of an asset."""
    return all(word in held.said for word in find.casefold().split())


def licences(held: Sequence[Held]) -> list[str]:
    """Return the titles of all licences there are, for a list to choose from."""
    return sorted({each.licence for each in held} - {NO_LICENCE})


def shown(index: ShelfIndex, book: JobStore, held: Held) -> ShelfAsset:
    """Return an asset as people look at it."""
    credit, blame = held.credit, index.blame(held)
    newest = sorted(held.job_ids, key=lambda job_id: -created(index, job_id))[:TOLD_JOBS]
    terms = licence(credit.licence) if credit.licence else None
    return ShelfAsset(
        sha256=held.sha256,
        kind=held.kind,
        name=held.name,
        title=credit.name,
        roles=tuple(sorted(held.roles)),
        size_bytes=held.size_bytes,
        files=held.files,
        licence=terms.title if terms else None,
        licence_url=terms.url if terms else None,
        author=credit.author,
        source=credit.source,
        url=credit.url if is_web(credit.url) else None,
        category=credit.category,
        in_library=held.in_library,
        jobs=len(held.job_ids),
        newest_jobs=tuple(
            UsingJob(job_id=each, name=name_of(index, book, each)) for each in newest
        ),
        failed_tasks=blame.tasks if blame else 0,
        failed=blame.sentence if blame else None,
    )


def created(index: ShelfIndex, job_id: str) -> float:
    """Return when a job was made; long ago, where it is gone."""
    facts = index.jobs.get(job_id)
    return facts.created_s if facts else 0.0


def name_of(index: ShelfIndex, book: JobStore, job_id: str) -> str:
    """Return what a job is called."""
    return index.names.get(job_id) or book.name(job_id)


def is_web(url: str | None) -> bool:
    """Say whether an address may be followed from a page."""
    try:
        return url is not None and urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False
