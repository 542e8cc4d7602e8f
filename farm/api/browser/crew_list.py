"""The list of workers as a page shows it: found, a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from farm.spec.wire import WorkerInfo

AT_ONCE = 60


class CrewList(BaseModel):
    """Which workers are wanted: what the address of the page says."""

    q: str = Field(default="", max_length=200)
    """Is in the name, the host, the device, or what it renders."""
    state: str = Field(default="", max_length=20)
    at: int = Field(default=1, ge=1, le=100_000)
    """Which part of the list."""

    def address(self, *, at: int = 1) -> str:
        """Return the address of a part of the list."""
        said = {"q": self.q, "state": self.state, "at": at}
        query = urlencode({name: value for name, value in said.items() if value not in ("", 1)})
        return f"/workers?{query}" if query else "/workers"


class CrewPart(NamedTuple):
    """A part of the list."""

    items: tuple[WorkerInfo, ...]
    total: int
    """Workers that were found."""
    pages: int


def listed(workers: Sequence[WorkerInfo], wanted: CrewList) -> CrewPart:
    """Return the workers that are wanted, a part of them."""
    text = wanted.q.casefold().strip()
    found = [
        worker
        for worker in workers
        if (not wanted.state or worker.state == wanted.state) and text in words_of(worker)
    ]
    pages = max(-(-len(found) // AT_ONCE), 1)
    start = (min(wanted.at, pages) - 1) * AT_ONCE
    return CrewPart(tuple(found[start : start + AT_ONCE]), len(found), pages)


def words_of(worker: WorkerInfo) -> str:
    """Return where it is looked for what somebody wants to find."""
    return " ".join(
        (worker.node, worker.device, worker.hardware, worker.title, worker.task or "")
    ).casefold()
