"""The list of jobs as a page shows it: found, sorted, a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from farm.spec.wire import JobInfo

Sorting = Literal[
    "-created", "created", "name", "-name", "owner", "-owner", "state", "-state", "views",
    "-views", "eta", "-eta", "priority", "-priority",
]  # fmt: skip
AT_ONCE = 50
KEYS: dict[str, Callable[[JobInfo], Any]] = {
    "created": lambda job: job.created_s,
    "name": lambda job: job.name.casefold(),
    "owner": lambda job: job.owner.casefold(),
    "state": lambda job: job.state,
    "views": lambda job: job.views,
    "eta": lambda job: float("inf") if job.eta_s is None else job.eta_s,
    "priority": lambda job: job.priority,
}


class JobList(BaseModel):
    """Which jobs are wanted, in which order: what the address of the page says."""

    q: str = Field(default="", max_length=200)
    """Is in the name, the id or the owner."""
    state: str = Field(default="", max_length=20)
    owner: str = Field(default="", max_length=200)
    sort: Sorting = "-created"
    at: int = Field(default=1, ge=1, le=100_000)
    """Which part of the list."""

    def address(self, **changes: str | int) -> str:
        """Return the address of the list with some changes."""
        said = {
            "q": self.q,
            "state": self.state,
            "owner": self.owner,
            "sort": "" if self.sort == "-created" else self.sort,
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


class JobPart(NamedTuple):
    """A part of the list."""

    items: tuple[JobInfo, ...]
    total: int
    """Jobs that were found."""
    pages: int


def listed(jobs: Sequence[JobInfo], wanted: JobList) -> JobPart:
    """Return the jobs that are wanted, a part of them."""
    text = wanted.q.casefold().strip()
    found = [
        job
        for job in jobs
        if (not wanted.state or job.state == wanted.state)
        and (not wanted.owner or job.owner == wanted.owner)
        and (not text or text in f"{job.name} {job.job_id} {job.owner}".casefold())
    ]
    key = KEYS[wanted.sort.lstrip("-")]
    found.sort(key=lambda job: (key(job), job.job_id), reverse=wanted.sort.startswith("-"))
    pages = max(-(-len(found) // AT_ONCE), 1)
    start = (min(wanted.at, pages) - 1) * AT_ONCE
    return JobPart(tuple(found[start : start + AT_ONCE]), len(found), pages)
