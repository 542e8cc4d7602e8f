"""Small pictures of assets: of an environment itself, of a model the newest view that shows it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import NamedTuple

from farm import expand
from farm.api.datasets.gallery import pictures_of
from farm.api.datasets.thumbnails import Box, Thumbnails, Wanted
from farm.api.problems import ApiProblem, not_found
from farm.api.shelf.index import Held, ShelfIndex
from farm.dataset.records.read import VIEWS_FILE, NotARecordError, parse_record
from farm.errors import FarmError
from farm.glimpses import GlimpseBook
from farm.job_store import JobStore
from farm.library import Library, hash_file
from farm.spec.job import Job
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, dataset_key, records_key

log = logging.getLogger(__name__)

LARGEST_BYTES = 1 << 30
"""Largest file of which a picture is made."""
DEVELOPED_S = 120.0
"""Longest time that may take."""
JOBS_TRIED = 4
"""Most jobs in which a view of an asset is looked for."""
TASKS_TRIED = 256
"""Most tasks of a job, evenly spread, that are asked for an asset."""
VIEWS_OF = 4
"""Most of the tasks with the asset of which the records are looked at."""
VIEWS_TRIED = 24
"""Views among which the one is chosen that shows most of an asset."""
MARGIN = 0.15
"""Of an asset's longer side, what is shown around it."""
WINDOW_BYTES = 8 << 20
"""Part of a `views.jsonl` that is read around the place where a task should be."""
PASSED_ON = ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR")
"""Of the environment, what the process that decodes a stranger's file gets: no keys of storage."""
FOUND_S, NOT_FOUND_S = 600.0, 30.0
MOST_KEPT = 4096


class PictureFile(NamedTuple):
    """A file on storage that shows an asset."""

    key: str
    sha256: str
    box_px: Box | None
    """The part that shows it, where the rest shows others."""


class Sight(NamedTuple):
    """A view, and how much of an asset it shows."""

    record: ViewRecord
    area_px: float
    box_px: Box | None


class AssetPictures:
    """Finds and makes small pictures of assets; many threads may use it."""

    def __init__(  # noqa: PLR0913 - where it looks
        self,
        index: ShelfIndex,
        library: Library,
        thumbnails: Thumbnails,
        shared_folders: tuple[PurePosixPath, ...],
        glimpses: GlimpseBook | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.index = index
        self.book: JobStore = index.book
        self.library = library
        self.thumbnails = thumbnails
        self.shared_folders = shared_folders
        self.glimpses = glimpses
        self._clock = clock
        self._views: dict[tuple[str, tuple[str, ...]], tuple[float, PictureFile | None]] = {}
        self._faults: dict[str, str] = {}
        """Files of which there is no picture, and why."""
        self._lock = threading.Lock()

    def picture(self, held: Held, *, size_px: int) -> bytes:
        """Return a small picture of an asset, as WebP.

        Raises:
            ApiProblem: There is none.
        """
        if held.kind in ("hdr", "image"):
            name = Wanted(held.sha256, size_px).name
            return self.thumbnails.kept(name, lambda: self._make(held, size_px))
        found = self._view_of(held) if held.kind in ("model", "scene") else None
        if found is None:
            return self._glimpse_of(held)
        storage = self.library.storage
        wanted = Wanted(found.sha256, size_px, box_px=found.box_px)
        return self.thumbnails.picture(storage, found.key, wanted)

    def _glimpse_of(self, held: Held) -> bytes:
        """Return the newest picture that workers showed of an asset: what streams leave is no file.

        Raises:
            ApiProblem: There is none.
        """
        for job_id in self._newest_jobs(held):
            with contextlib.suppress(FarmError):
                if webp := glimpse_in(self.glimpses, job_id, PurePath(held.name).stem):
                    return webp
        raise not_found(f"a picture of {held.name}", "render a view of it")

    def _newest_jobs(self, held: Held) -> list[str]:
        """Return the newest jobs that took an asset."""
        jobs = self.index.jobs
        told = {job_id: jobs[job_id].created_s for job_id in held.job_ids if job_id in jobs}
        return sorted(told, key=lambda each: -told[each])[:JOBS_TRIED]

    def _make(self, held: Held, size_px: int) -> bytes:
        if held.sha256 in self._faults:
            raise no_picture(held, self._faults[held.sha256])
        if held.size_bytes > LARGEST_BYTES:
            raise no_picture(held, "it is too large")
        with self._file(held) as path:
            data, fault = developed(path, PurePath(held.name).suffix.lower(), size_px)
        if fault:
            with self._lock:
                self._faults = dict(itertools.islice(self._faults.items(), MOST_KEPT))
                self._faults[held.sha256] = fault
            raise no_picture(held, fault)
        return data

    @contextlib.contextmanager
    def _file(self, held: Held) -> Iterator[Path]:
        """Give the file of an asset on this machine."""
        if not held.in_library:
            path = Path(held.path)
            allowed = any(path.resolve().is_relative_to(each) for each in self.shared_folders)
            if not allowed or not path.is_file() or hash_file(path) != held.sha256:
                raise no_picture(held, "its file is not at hand on the server")
            yield path
            return
        local = self.library.local_path(held.sha256)
        if local is not None and local.is_file():
            yield local
            return
        with tempfile.TemporaryDirectory(prefix="farm-picture-") as folder:
            path = Path(folder) / "file"
            try:
                self.library.fetch(held.sha256, path)
            except FarmError as error:
                raise no_picture(held, str(error)) from None
            yield path

    def _view_of(self, held: Held) -> PictureFile | None:
        """Return the newest picture of a view that shows an asset; remembered for a while."""
        key, now_s = (held.sha256, tuple(held.job_ids)), self._clock()
        known = self._views.get(key)
        if known and now_s - known[0] < (FOUND_S if known[1] else NOT_FOUND_S):
            return known[1]
        found = self._look(held)
        with self._lock:
            while len(self._views) >= MOST_KEPT:
                self._views.pop(next(iter(self._views)))
            self._views[key] = (now_s, found)
        return found

    def _look(self, held: Held) -> PictureFile | None:
        for job_id in self._newest_jobs(held):
            try:
                job = self.book.load(job_id)
                found = self._look_in(job, held.sha256) if job else None
            except FarmError as error:
                log.warning("%s", error)
                continue
            if found is not None:
                return found
        return None

    def _look_in(self, job: Job, sha256: str) -> PictureFile | None:
        total = expand.count(job).tasks
        step = max(total // TASKS_TRIED, 1)
        tasks = (expand.render_task(job, index) for index in range(0, total, step))
        with_it = (task for task in tasks if any(a.sha256 == sha256 for a in task.assets))
        for task in itertools.islice(with_it, VIEWS_OF):
            records = self._records(task, share=task.index / max(total, 1), sha256=sha256)
            sights = [sight(record, sha256) for record in itertools.islice(records, VIEWS_TRIED)]
            for best in sorted(sights, key=lambda each: -each.area_px):
                for _, file in pictures_of(best.record):
                    key = dataset_key(task.dataset, file.path)
                    return PictureFile(key, file.sha256, best.box_px)
        return None

    def _records(self, task: RenderTask, *, share: float, sha256: str) -> Iterator[ViewRecord]:
        """Yield records of views that show an asset, of a task or near to its place."""
        storage = self.library.storage
        own = list(records_in(storage.get(records_key(task)) or b"", sha256))
        yield from own
        key = dataset_key(task.dataset, VIEWS_FILE)
        size = storage.size(key) or 0
        if own or not size:
            return
        places = {max(round(share * size) - WINDOW_BYTES // 2, 0), 0}
        for start in sorted(places, reverse=True):
            length = min(WINDOW_BYTES, size - start)
            yield from records_in(b"".join(storage.read(key, start=start, length=length)), sha256)


def glimpse_in(glimpses: GlimpseBook | None, job_id: str, title: str) -> bytes | None:
    """Return the newest picture of a job that is called after an asset, as WebP."""
    if glimpses is None:
        return None
    named = (each for each in glimpses.newest(job_id) if title in each.title.split(" · "))
    newest = next(named, None)
    return glimpses.picture(job_id, newest.number) if newest else None


def records_in(data: bytes, sha256: str) -> Iterator[ViewRecord]:
    """Yield the records among lines that show an asset; lines that are cut off are none."""
    wanted = sha256.encode()
    for line in data.splitlines():
        if wanted in line:
            with contextlib.suppress(NotARecordError):
                record = parse_record(line)
                if any(asset.sha256 == sha256 for asset in record.assets):
                    yield record


def sight(record: ViewRecord, sha256: str) -> Sight:
    """Return how much of an asset a view shows, and where, if it shows others as well."""
    places = [at for at, asset in enumerate(record.assets) if asset.sha256 == sha256]
    seen = [each for each in record.objects if each.asset in places and each.box_px is not None]
    if not seen or len(record.objects) < 2:
        return Sight(record, sum(each.area_px for each in seen), None)
    best = max(seen, key=lambda each: each.area_px)
    assert best.box_px is not None
    return Sight(record, best.area_px, around(best.box_px, record.resolution_px))


def around(box_px: tuple[float, float, float, float], size_px: tuple[int, int]) -> Box:
    """Return a square around a box, with a margin, as far as the picture goes."""
    left, top, right, bottom = box_px
    half = max(right - left, bottom - top) * (0.5 + MARGIN)
    x, y = (left + right) / 2, (top + bottom) / 2
    width, height = size_px
    return (
        max(round(x - half), 0),
        max(round(y - half), 0),
        min(round(x + half), width),
        min(round(y + half), height),
    )


def developed(path: Path, suffix: str, size_px: int) -> tuple[bytes, str]:
    """Return a small picture of a file, and why there is none."""
    command = [sys.executable, "-m", "farm.api.shelf.develop", str(path), suffix, str(size_px)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEVELOPED_S,
            check=False,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        )
    except subprocess.TimeoutExpired:
        return b"", f"its picture takes longer than {DEVELOPED_S:.0f} s"
    if done.returncode == 0 and done.stdout:
        return done.stdout, ""
    told = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return b"", told[-1][:300] if told else "it cannot be decoded"


def no_picture(held: Held, why: str) -> ApiProblem:
    """Return the problem of an asset without a picture."""
    return ApiProblem(404, f"{held.name} has no picture: {why}", "it can be rendered all the same")
