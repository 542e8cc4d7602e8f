"""Which tasks of a job somebody means, by number, cause, group or asset: some at a time.

A million tasks are never made one by one: what an asset is taken for is computed where its recipe
can, and only tasks in the wanted states are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from farm import expand
from farm.api.problems import not_found
from farm.api.troubles import Case
from farm.job_store import LOST
from farm.ledger import JobStatus, Ledger, TaskState, TaskStory
from farm.spec.asset import Asset
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.wire import TaskChoice

LOOKED_AT = 2000
"""Most tasks that are looked at for one answer."""
MADE = 200
"""... where each must be made to see its assets."""
NAMED = 10
"""Most assets that a problem names."""


class Picked(NamedTuple):
    """Tasks that are meant, and where to look for more."""

    stories: list[TaskStory]
    next: int | None


def pick(
    ledger: Ledger, job: Job, status: JobStatus, choice: TaskChoice, states: Collection[TaskState]
) -> Picked:
    """Return the tasks that are meant and in one of `states`.

    Raises:
        ApiProblem: The job has no such tasks, or no such asset.
    """
    if choice.indices:
        return Picked(named(ledger, status, choice.indices, states), None)
    assets = assets_called(job, choice.asset) if choice.asset else ()
    if not (choice.cause or choice.group):
        return with_assets(ledger, job, status, choice, assets, states)
    return alike(ledger, job, status, choice, states)


def named(
    ledger: Ledger, status: JobStatus, indices: Sequence[int], states: Collection[TaskState]
) -> list[TaskStory]:
    """Return the tasks of these numbers that are in one of `states`.

    Raises:
        ApiProblem: The job has fewer.
    """
    if max(indices) >= status.tasks:
        raise not_found(
            f"task {max(indices)} of job {status.job_id}",
            f"it has {counted(status.tasks, 'task')}, counted from 0",
        )
    return [
        story
        for at in sorted({*indices})
        for story in ledger.tasks(status, states, start=at, stop=at + 1, limit=1)
    ]


def alike(
    ledger: Ledger, job: Job, status: JobStatus, choice: TaskChoice, states: Collection[TaskState]
) -> Picked:
    """Return the tasks that failed by a cause, or belong to a group, and maybe share an asset."""
    lost = sum(status.counts[state] for state in LOST)
    stories: list[TaskStory] = []
    if lost <= LOOKED_AT and status.counts[TaskState.LEFT_OUT] <= LOOKED_AT and not choice.cursor:
        stories = ledger.failures(status.job_id)  # those that are tried again anyway included
        told = {story.index for story in stories}
        left = ledger.tasks(status, [TaskState.LEFT_OUT], start=0, limit=LOOKED_AT)
        stories += [story for story in left if story.index not in told]
        after = None
    else:
        wanted = {*LOST, TaskState.LEFT_OUT}
        stories, after = page(ledger, status, wanted, choice.cursor, LOOKED_AT)
    found = [
        case.story
        for case in (Case(job, story) for story in stories if story.state in states)
        if (not choice.cause or case.cause == choice.cause)
        and (not choice.group or case.group == choice.group)
        and (not choice.asset or case.suspect == choice.asset)
    ]
    return Picked(found, after)


def with_assets(  # noqa: PLR0913 - whose tasks, of which assets, from where on
    ledger: Ledger,
    job: Job,
    status: JobStatus,
    choice: TaskChoice,
    assets: Sequence[Asset],
    states: Collection[TaskState],
) -> Picked:
    """Return the tasks that take one of some assets."""
    places = places_of(job, assets)
    if places is not None:
        return in_ranges(ledger, status, places, choice.cursor, states)
    stories, after = page(ledger, status, states, choice.cursor, MADE)
    names = {asset.name for asset in assets}
    has = (any(asset.name in names for asset in Case(job, story).assets) for story in stories)
    return Picked([story for story, ok in zip(stories, has, strict=True) if ok], after)


def places_of(job: Job, assets: Sequence[Asset]) -> Iterator[range] | None:
    """Return the tasks that take one of some assets; None where only making each tells."""
    known = [expand.tasks_of(job, asset) for asset in assets]
    if any(each is None for each in known):
        return None
    return iter(sorted((run for each in known if each for run in each), key=lambda run: run.start))


def in_ranges(
    ledger: Ledger,
    status: JobStatus,
    places: Iterator[range],
    cursor: int,
    states: Collection[TaskState],
) -> Picked:
    """Return tasks that are in one of `states`, of some ranges."""
    found: list[TaskStory] = []
    for looked, run in enumerate(run for run in places if run.stop > cursor):
        start = max(run.start, cursor)
        room = LOOKED_AT - len(found)
        if looked == LOOKED_AT or room < 1:
            return Picked(found, start)
        some = ledger.tasks(status, states, start=start, stop=run.stop, limit=room)
        found += some
        if len(some) == room and some[-1].index + 1 < run.stop:
            return Picked(found, some[-1].index + 1)
    return Picked(found, None)


def page(
    ledger: Ledger, status: JobStatus, states: Collection[TaskState], start: int, limit: int
) -> tuple[list[TaskStory], int | None]:
    """Return some tasks in one of `states`, and where the next ones begin."""
    stories = ledger.tasks(status, states, start=start, limit=limit + 1)
    after = stories[limit].index if len(stories) > limit else None
    return stories[:limit], after


def assets_called(job: Job, name: str) -> tuple[Asset, ...]:
    """Return the assets of a job that have a name, or an id.

    Raises:
        ApiProblem: There is none.
    """
    by: list[Callable[[Asset], str]] = [lambda each: each.name, lambda each: each.id]
    for say in by:
        if found := tuple(asset for asset in job.assets if say(asset) == name):
            return found
    names = [asset.name for asset in job.assets]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    raise not_found(
        f"asset {name[:80]!r} in job {job.job_id}",
        f"name one of its files: {', '.join(names[:NAMED])}{more}",
    )
