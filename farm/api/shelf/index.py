"""What jobs tell of assets: the spec of each is read once, and remembered in short."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from farm import expand
from farm.dataset.records.assets import counted_roles
from farm.dataset.records.attribution import licence
from farm.errors import FarmError
from farm.job_store import LOST, JobStore
from farm.ledger import JobStatus, Ledger, TaskStory
from farm.library import files_of
from farm.spec.asset import Asset, AssetKind, Credit
from farm.spec.job import Job

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""Longest time for which one request reads jobs that were not read before."""
BLAMED_TASKS = 200
"""Most failed tasks of a job of which the assets are looked at."""
OF_ASSETS = frozenset(
    {"asset", "render", "gpu_memory", "picture", "unsettled", "out_of_frame", "unknown", "killed",
     "lost", "timeout", "memory"}
)  # fmt: skip
"""Causes that have to do with what is rendered, and not with a disk or a device."""
NO_LICENCE = ""
"""Stands for the licence of which nobody has said anything."""

Sees = Callable[[str], bool]
"""Says whether somebody may see what is an owner's."""


class JobFacts(NamedTuple):
    """What is remembered of a job."""

    owner: str
    created_s: float
    recipe: str
    passes: tuple[str, ...]
    resolution_px: tuple[int, int]
    classes: tuple[str, ...]
    """Categories that its assets name."""
    licences: tuple[tuple[str, int], ...]
    """Titles of licences, and of how many assets each is."""
    assets: tuple[str, ...]
    """How many there are of each role, in words."""
    sha256s: tuple[str, ...]
    adds_to: str | None = None
    """The job to whose views it adds passes, if it does that."""


@dataclass
class Held:
    """An asset, as the jobs of one owner name it; the newest of them is believed."""

    sha256: str
    kind: AssetKind
    name: str
    size_bytes: int
    """With all files that it needs."""
    files: int
    credit: Credit
    licence: str
    """Its title."""
    said: str
    """All that is known of it, in small letters, to be found by."""
    in_library: bool
    path: str
    """Where it lies, if not in the library."""
    told_s: float
    """When the job was made that told this."""
    roles: set[str] = field(default_factory=set)
    job_ids: list[str] = field(default_factory=list)


class Blame(NamedTuple):
    """That tasks with an asset failed."""

    tasks: int
    sentence: str
    """Of one of them."""


class ShelfIndex:
    """All assets of all jobs; many threads may ask."""

    def __init__(
        self, ledger: Ledger, book: JobStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ledger = ledger
        self.book = book
        self.jobs: dict[str, JobFacts] = {}
        self.names: dict[str, str] = {}
        """Of jobs to which somebody gave one."""
        self._clock = clock
        self._assets: dict[str, dict[str, Held]] = {}
        """By hash, then by owner."""
        self._unreadable: set[str] = set()
        self._blames: dict[str, tuple[int, dict[str, Blame]]] = {}
        """Of each job, how many tasks had failed when it was looked at, and whose fault it was."""
        self._reading = threading.Lock()
        self._lock = threading.Lock()

    def refresh(self, patience_s: float = PATIENCE_S) -> int:
        """Read jobs that are new, the newest first; return how many there was no time for."""
        statuses = {status.job_id: status for status in self.ledger.jobs()}
        self.names = {job_id: status.name for job_id, status in statuses.items() if status.name}
        ends_s = self._clock() + patience_s
        if self._reading.acquire(timeout=patience_s):
            try:
                self._forget(statuses.keys())
                self._read(statuses.values(), ends_s)
                self._look_for_failures(statuses.values(), ends_s)
            finally:
                self._reading.release()
        return len(statuses.keys() - self.jobs.keys() - self._unreadable)

    def assets(self, sees: Sees) -> list[Held]:
        """Return all assets that somebody may see, those of the newest jobs first."""
        with self._lock:
            found = [held for owners in self._assets.values() if (held := merged(owners, sees))]
        return sorted(found, key=lambda held: (-held.told_s, held.sha256))

    def asset(self, sha256: str, sees: Sees) -> Held | None:
        """Return an asset, if somebody may see it."""
        with self._lock:
            return merged(self._assets.get(sha256, {}), sees)

    def blame(self, held: Held) -> Blame | None:
        """Return what failed with an asset in the jobs that took it."""
        with self._lock:
            found = [
                blame
                for job_id in held.job_ids
                if (blame := self._blames.get(job_id, (0, {}))[1].get(held.sha256))
            ]
        return Blame(sum(each.tasks for each in found), found[0].sentence) if found else None

    def _forget(self, known: Iterable[str]) -> None:
        with self._lock:
            for job_id in self.jobs.keys() - set(known):
                facts = self.jobs.pop(job_id)
                self._blames.pop(job_id, None)
                for sha256 in facts.sha256s:
                    self._drop(sha256, facts.owner, job_id)
            self._unreadable &= set(known)

    def _drop(self, sha256: str, owner: str, job_id: str) -> None:
        owners = self._assets.get(sha256, {})
        held = owners.get(owner)
        if held is None:
            return
        held.job_ids = [each for each in held.job_ids if each != job_id]
        if not held.job_ids:
            del owners[owner]
        if not owners:
            self._assets.pop(sha256, None)

    def _read(self, statuses: Iterable[JobStatus], ends_s: float) -> None:
        new = [each for each in statuses if each.job_id not in self.jobs.keys() | self._unreadable]
        for status in sorted(new, key=lambda each: -each.created_s):
            if self._clock() > ends_s:
                return
            try:
                job = self.book.load(status.job_id)
            except FarmError as error:
                log.warning("%s", error)
                job = None
            if job is None:
                self._unreadable.add(status.job_id)
            else:
                self._add(job, status)

    def _add(self, job: Job, status: JobStatus) -> None:
        with self._lock:
            self.jobs[job.job_id] = facts_of(job, status)
            for asset in job.assets:
                owners = self._assets.setdefault(asset.sha256, {})
                before = owners.get(status.owner)
                if before is None or before.told_s < status.created_s:
                    owners[status.owner] = held_of(asset, status, before)
                held = owners[status.owner]
                held.roles.add(asset.role)
                if job.job_id not in held.job_ids[-1:]:
                    held.job_ids.append(job.job_id)

    def _look_for_failures(self, statuses: Iterable[JobStatus], ends_s: float) -> None:
        for status in statuses:
            lost = sum(status.counts[state] for state in LOST)
            known = self._blames.get(status.job_id, (0, {}))[0]
            if lost == known or status.job_id not in self.jobs:
                continue
            if self._clock() > ends_s:
                return
            try:
                found = self._failures_of(status) if lost else {}
            except FarmError as error:
                log.warning("%s", error)
                found = {}
            with self._lock:
                self._blames[status.job_id] = (lost, found)

    def _failures_of(self, status: JobStatus) -> dict[str, Blame]:
        job = self.book.load(status.job_id)
        stories = self.ledger.tasks(status, LOST, start=0, limit=BLAMED_TASKS) if job else []
        return blames(job, stories) if job else {}


def merged(owners: dict[str, Held], sees: Sees) -> Held | None:
    """Return an asset as those tell it whom somebody may see; who knows its licence is believed."""
    seen = [held for owner, held in owners.items() if sees(owner)]
    if len(seen) < 2:
        return seen[0] if seen else None
    best = max(seen, key=lambda held: (bool(held.licence), held.told_s))
    return Held(
        **{
            **vars(best),
            "told_s": max(held.told_s for held in seen),
            "in_library": any(held.in_library for held in seen),
            "roles": set[str]().union(*(held.roles for held in seen)),
            "job_ids": [job_id for held in seen for job_id in held.job_ids],
        }
    )


def held_of(asset: Asset, status: JobStatus, before: Held | None) -> Held:
    """Return what a job tells of an asset."""
    files = files_of(asset)
    return Held(
        sha256=asset.sha256,
        kind=asset.kind,
        name=asset.name,
        size_bytes=sum(file.size_bytes for file in files),
        files=len(files),
        credit=asset.credit,
        licence=licence_title(asset),
        said=said_of(asset),
        in_library=asset.in_library,
        path=asset.path,
        told_s=status.created_s,
        roles=before.roles if before else set(),
        job_ids=before.job_ids if before else [],
    )


def licence_title(asset: Asset) -> str:
    """Return the title of an asset's licence."""
    return licence(asset.credit.licence).title if asset.credit.licence else NO_LICENCE


def said_of(asset: Asset) -> str:
    """Return all that is known of an asset, in small letters."""
    credit = asset.credit
    told = (asset.name, asset.sha256, credit.name, credit.author, credit.source, credit.category)
    return " ".join(filter(None, (*told, *credit.tags))).casefold()


def facts_of(job: Job, status: JobStatus) -> JobFacts:
    """Return what is remembered of a job."""
    categories = {asset.credit.category for asset in job.assets if asset.kind == "model"}
    licences = Counter(map(licence_title, job.assets))
    roles = Counter(asset.role for asset in job.assets)
    return JobFacts(
        owner=status.owner,
        created_s=status.created_s,
        recipe=job.spec.recipe.kind,
        passes=tuple(job.spec.passes),
        resolution_px=job.render.resolution_px,
        classes=tuple(sorted(each for each in categories if each)),
        licences=tuple(licences.most_common()),
        assets=tuple(counted_roles(roles.items())),
        sha256s=tuple(dict.fromkeys(asset.sha256 for asset in job.assets)),
        adds_to=job.adds.source if job.adds is not None else None,
    )


def blames(job: Job, stories: Sequence[TaskStory]) -> dict[str, Blame]:
    """Return which assets of a job its failed tasks have to do with."""
    found: dict[str, Blame] = {}
    for story in stories:
        if not story.attempts:
            continue
        last = story.attempts[-1]
        for sha256 in blamed(job, story.index, last.cause, last.sentence):
            tasks = found[sha256].tasks if sha256 in found else 0
            found[sha256] = Blame(tasks + 1, last.sentence)
    return found


def blamed(job: Job, index: int, cause: str, sentence: str) -> Iterator[str]:
    """Yield the assets of a task that its failure names; where it names none, all, by its cause."""
    assets = {asset.sha256: asset for asset in expand.render_task(job, index).assets}
    named = [sha256 for sha256, asset in assets.items() if asset.name in sentence]
    yield from named or (assets if cause in OF_ASSETS else ())
