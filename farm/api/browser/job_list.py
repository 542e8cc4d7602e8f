"""The list of jobs as a page shows it: found, sorted, grouped, a part at a time."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from farm.spec.wire import JobInfo

Sorting = Literal[
    "-created", "created", "name", "-name", "owner", "-owner", "state", "-state", "views",
    "-views", "rate", "-rate", "eta", "-eta", "priority", "-priority",
]  # fmt: skip
Grouping = Literal["", "owner", "state", "recipe"]
AT_ONCE = 50
STATES = ("running", "queued", "paused", "cancelling", "failed", "cancelled", "completed")
"""In the order in which groups of them are listed: what is under way comes first."""
KEYS: dict[str, Callable[[JobInfo], Any]] = {
    "created": lambda job: job.created_s,
    "name": lambda job: job.name.casefold(),
    "owner": lambda job: job.owner.casefold(),
    "state": lambda job: place_of(job.state),
    "views": lambda job: job.views,
    "rate": lambda job: job.views_per_s or 0.0,
    "eta": lambda job: float("inf") if job.eta_s is None else job.eta_s,
    "priority": lambda job: job.priority,
}
DESCRIBED = {"owner": "nobody", "recipe": "unknown"}
"""What a group is called whose jobs have no such word."""


class JobList(BaseModel):
    """Which jobs are wanted, in which order: what the address of the page says."""

    q: str = Field(default="", max_length=200)
    """Is in the name, the id, the owner or the recipe."""
    state: str = Field(default="", max_length=20)
    owner: str = Field(default="", max_length=200)
    sort: Sorting = "-created"
    group: Grouping = ""
    """Jobs that have this in common stand together."""
    at: int = Field(default=1, ge=1, le=100_000)
    """Which part of the list."""

    @property
    def is_narrow(self) -> bool:
        """Not all jobs are wanted."""
        return bool(self.q or self.state or self.owner)

    def address(self, **changes: str | int) -> str:
        """Return the address of the list with some changes."""
        said = {
            "q": self.q,
            "state": self.state,
            "owner": self.owner,
            "sort": "" if self.sort == "-created" else self.sort,
            "group": self.group,
            "at": "" if self.at == 1 else self.at,
        }
        said |= {"at": "", **changes}
        query = urlencode({name: value for name, value in said.items() if value not in ("", 1)})
        return f"/?{query}" if query else "/"

    def sorted_by(self, key: str) -> str:
        """Return the address of the list in another order, or the same one turned round."""
        return self.address(sort=f"-{key}" if self.sort == key else key)

    def aria_sort(self, key: str) -> str:
        """Return what a screen reader is told of a column."""
        turned = {key: "ascending", f"-{key}": "descending"}
        return turned.get(self.sort, "none")


class JobGroup(NamedTuple):
    """Jobs that have something in common, as many of them as are shown."""

    title: str
    """"" where jobs are not grouped."""
    total: int
    """How many there are of them in the whole list."""
    items: tuple[JobInfo, ...]


class JobPart(NamedTuple):
    """A part of the list."""

    groups: tuple[JobGroup, ...]
    total: int
    """Jobs that were found."""
    at: int
    pages: int


def listed(jobs: Sequence[JobInfo], wanted: JobList) -> JobPart:
    """Return the jobs that are wanted, a part of them."""
    found = [job for job in jobs if fits(job, wanted)]
    key = KEYS[wanted.sort.lstrip("-")]
    found.sort(key=lambda job: (key(job), job.job_id), reverse=wanted.sort.startswith("-"))
    found.sort(key=lambda job: group_place(job, wanted.group))  # keeps the order within each
    pages = max(-(-len(found) // AT_ONCE), 1)
    at = min(wanted.at, pages)
    shown = found[(at - 1) * AT_ONCE : at * AT_ONCE]
    return JobPart(grouped(found, shown, wanted.group), len(found), at, pages)


def grouped(
    found: Sequence[JobInfo], shown: Sequence[JobInfo], grouping: Grouping
) -> tuple[JobGroup, ...]:
    """Return the jobs that are shown, of all that were found, in their groups."""
    counts = Counter(group_of(job, grouping) for job in found)
    groups = itertools.groupby(shown, key=lambda job: group_of(job, grouping))
    return tuple(JobGroup(title, counts[title], tuple(items)) for title, items in groups)


def fits(job: JobInfo, wanted: JobList) -> bool:
    """Say whether a job is wanted."""
    text = wanted.q.casefold().strip()
    return (
        (not wanted.state or job.state == wanted.state)
        and (not wanted.owner or job.owner == wanted.owner)
        and (not text or text in f"{job.name} {job.job_id} {job.owner} {job.recipe}".casefold())
    )


def group_of(job: JobInfo, grouping: Grouping) -> str:
    """Return the title of the group that a job is in."""
    if not grouping:
        return ""
    return getattr(job, grouping) or DESCRIBED[grouping]


def group_place(job: JobInfo, grouping: Grouping) -> tuple[int, str]:
    """Return what orders groups: states by what is to do, all else by the alphabet."""
    title = group_of(job, grouping)
    return (place_of(title) if grouping == "state" else 0, title.casefold())


def place_of(state: str) -> int:
    """Return the place of a state among all."""
    return STATES.index(state) if state in STATES else len(STATES)
