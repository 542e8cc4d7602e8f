"""What went wrong in a job, grouped by what is alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

from farm.api.jobs import failed_tasks, title_of
from farm.job_store import LOST
from farm.ledger import JobStatus, Ledger, TaskStory
from farm.spec.job import Job
from farm.spec.wire import TroubleGroup

LOOKED_AT = 1000
"""Tasks whose story is read."""
TOLD = 20
"""Tasks and titles that are named of each group."""
NUMBERS = re.compile(r"[0-9]+(?:[.,:][0-9]+)*|0x[0-9a-f]+|[0-9a-f]{8,}")
"""What differs between sentences that say the same."""


def troubles(ledger: Ledger, job: Job, status: JobStatus) -> tuple[TroubleGroup, ...]:
    """Return what went wrong in tasks that are not done, the most frequent first."""
    stories = failed_tasks(ledger, status, most=LOOKED_AT)[:LOOKED_AT]
    groups: dict[tuple[str, str], list[TaskStory]] = {}
    for story in stories:
        last = story.attempts[-1]
        groups.setdefault((last.cause, NUMBERS.sub("#", last.sentence)), []).append(story)
    found = [group(job, each) for each in groups.values()]
    return tuple(sorted(found, key=lambda each: (-each.given_up, -each.tasks, each.sentence)))


def group(job: Job, stories: list[TaskStory]) -> TroubleGroup:
    """Describe tasks that failed alike."""
    last = stories[0].attempts[-1]
    some = stories[:TOLD]
    return TroubleGroup(
        cause=last.cause,
        sentence=last.sentence,
        tasks=len(stories),
        given_up=sum(story.state in LOST for story in stories),
        indices=tuple(story.index for story in some),
        titles=once(title_of(job, story.index) for story in some),
        workers=once(story.attempts[-1].worker for story in some),
    )


def once(words: Iterable[str]) -> tuple[str, ...]:
    """Return words in order, each once."""
    return tuple(dict.fromkeys(words))
