"""Datasets as people look for them: found by name, owner or recipe, page by page."""

from __future__ import annotations

from collections.abc import Sequence

from farm.api import jobs
from farm.api.shelf.index import NO_LICENCE, JobFacts, ShelfIndex
from farm.job_store import JobStore, prefix_of
from farm.ledger import JobStatus
from farm.spec.amounts import file_size
from farm.spec.counted import counted
from farm.spec.wire import DatasetInfo, DatasetPage, DatasetsInfo, LicenceCount


def list_datasets(  # noqa: PLR0913 - what is listed, and which part of it
    index: ShelfIndex,
    book: JobStore,
    seen: Sequence[JobStatus],
    look: DatasetsInfo | None,
    *,
    find: str = "",
    cursor: str | None,
    limit: int,
) -> DatasetPage:
    """Return a page of the datasets of jobs, the newest first.

    Args:
        index: What is remembered of jobs.
        book: The jobs.
        seen: Jobs that may be seen.
        look: What the last look at all datasets has shown, if there was one.
        find: Words that must all be in a dataset's name, id, owner, recipe or classes.
        cursor: Where to continue.
        limit: Most datasets of the page.

    Raises:
        ApiProblem: This server did not issue the cursor.
    """
    unread = index.refresh()
    begun = [
        status
        for status in seen
        if status.views_done and has_own(index, status) and fits(index, book, status, find)
    ]
    page, after = jobs.list_jobs(begun, state=None, cursor=cursor, limit=limit)
    items = tuple(card(index, book, status, look) for status in page)
    return DatasetPage(items=items, next=after, total=len(begun), unread=unread)


def has_own(index: ShelfIndex, status: JobStatus) -> bool:
    """Say whether the datasets of a job are its own, and not those that it adds passes to."""
    facts = index.jobs.get(status.job_id)
    return facts is None or facts.adds_to is None


def fits(index: ShelfIndex, book: JobStore, status: JobStatus, find: str) -> bool:
    """Say whether all words are in what is known of a job's datasets."""
    words = find.casefold().split()
    if not words:
        return True
    facts = index.jobs.get(status.job_id)
    more = (facts.recipe, *facts.classes) if facts else ()
    said = " ".join((name_of(book, status), status.job_id, status.owner, *more)).casefold()
    return all(word in said for word in words)


def name_of(book: JobStore, status: JobStatus) -> str:
    """Return what a job is called."""
    return status.name or book.name(status.job_id)


def card(
    index: ShelfIndex, book: JobStore, status: JobStatus, look: DatasetsInfo | None
) -> DatasetInfo:
    """Return the datasets of a job as people look at them."""
    facts = index.jobs.get(status.job_id)
    added = [job_id for job_id, each in index.jobs.items() if each.adds_to == status.job_id]
    size_bytes = book.size(status.job_id) if status.over else None
    if size_bytes is not None:
        size_bytes += sum(book.size(job_id) or 0 for job_id in added)
    known = DatasetInfo(
        job_id=status.job_id,
        name=name_of(book, status),
        views=status.views_done,
        state=status.state.value,
        owner=status.owner,
        size_bytes=size_bytes,
        troubles=troubles_of(look, status.job_id),
    )
    return with_facts(known, with_passes(index, facts, added)) if facts else known


def with_passes(index: ShelfIndex, facts: JobFacts, added: Sequence[str]) -> JobFacts:
    """Return what is remembered of a job with the passes that others have added to its views."""
    known = dict.fromkeys(facts.passes)
    for job_id in added:
        status = index.ledger.job(job_id)
        if status is not None and status.views_done:
            known |= dict.fromkeys(index.jobs[job_id].passes)
    return facts._replace(passes=tuple(known))


def with_facts(info: DatasetInfo, facts: JobFacts) -> DatasetInfo:
    """Add what the job's spec says."""
    told = info.model_copy(
        update={
            "recipe": facts.recipe,
            "passes": facts.passes,
            "resolution_px": facts.resolution_px,
            "classes": facts.classes,
            "licences": tuple(
                LicenceCount(title=None if title == NO_LICENCE else title, assets=assets)
                for title, assets in facts.licences
            ),
        }
    )
    return told.model_copy(update={"sentence": sentence_of(told, facts)})


def sentence_of(info: DatasetInfo, facts: JobFacts) -> str:
    """Say in one sentence what a dataset holds."""
    width, height = facts.resolution_px
    of = f" of {', '.join(facts.assets)}" if facts.assets else ""
    parts = [f"{counted(info.views, 'view')}{of}", f"{width} x {height}", ", ".join(facts.passes)]
    if facts.classes:
        parts.append(f"{len(facts.classes):,} class{'es' if len(facts.classes) > 1 else ''}")
    if info.size_bytes is not None:
        parts.append(file_size(info.size_bytes))
    return f"{' · '.join(parts)}"


def troubles_of(look: DatasetsInfo | None, job_id: str) -> tuple[str, ...]:
    """Return what the last look has shown of a job's datasets."""
    above = prefix_of(job_id)
    return tuple(
        f"{trouble.dataset.removeprefix(f'{above}/')}: {trouble.sentence}"
        if trouble.dataset != above
        else trouble.sentence
        for trouble in (look.troubles if look else ())
        if trouble.dataset == above or trouble.dataset.startswith(f"{above}/")
    )
