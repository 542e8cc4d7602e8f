"""The farm's side of a script's process: lets it do what belongs to its task, and nothing else."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from farm.errors import FarmError, TaskError
from farm.glimpses import Glimpse
from farm.job_store import prefix_of
from farm.spec.base import first_reason
from farm.spec.passes import PASSES
from farm.spec.task import RenderTask, dataset_key, records_key
from farm.spec.view import View
from farm.tallies.model import STAGES, DoneView
from worker.render.lease import Lease
from worker.render.results import Results
from worker.render.writers.streamed_views import SampleSink
from worker.render.writers.writer import Show


class Door:
    """What a process may ask for while it renders a task; many threads may."""

    def __init__(  # noqa: PLR0913 - what it leads to
        self,
        task: RenderTask,
        storage: Results,
        lease: Lease,
        *,
        attempt: int,
        sink: SampleSink | None = None,
        show: Show | None = None,
    ) -> None:
        self._task = task
        self._storage = storage
        self._sink = sink
        self._show = show
        self._unshown = {view.name: view for view in task.views}
        self._lease = lease
        self._written = {*files_of(task), records_key(task, attempt)}
        self._first = records_key(task)
        self._later = self._first.removesuffix(".jsonl")
        self._left = len(task.views)
        self._lock = threading.Lock()
        self._running: tuple[str, float] | None = None
        self.raised: FarmError | None = None
        """What the farm itself has refused a request with, last."""

    def __call__(self, verb: str, arguments: list[Any], data: bytes) -> tuple[object, bytes]:
        """Do what a request asks for; return a value and bytes.

        Raises:
            FarmError: It cannot be done, or is none of the task's business.
        """
        try:
            return self._do(verb, [*map(str, arguments)], data)
        except FarmError as error:
            self.raised = error
            raise

    def confirm(self) -> None:
        """Return if the task is still ours and is to continue.

        Raises:
            StaleAttempt: It is not ours.
            Interrupted: It is not to continue here.
        """
        self._lease.confirm()

    @property
    def running(self) -> tuple[str, float] | None:
        """Which function of the script runs, and for how many seconds; None: none does."""
        found = self._running
        return None if found is None else (found[0], time.monotonic() - found[1])

    def _do(self, verb: str, arguments: list[str], data: bytes) -> tuple[object, bytes]:
        if verb in ("put", "get", "size", "keys"):
            return self._of_storage(verb, arguments[0], data)
        if verb in ("has_sample", "put_sample"):
            return self._of_stream(verb, int(arguments[0]), data), b""
        if verb in ("begins", "ends"):
            self._running = (arguments[0][:100], time.monotonic()) if verb == "begins" else None
        elif verb == "confirm":
            self._lease.confirm()
        elif verb == "secure":
            self._lease.secure()
        elif verb == "show":
            self._show_view(arguments[0], data)
        elif verb in ("view_done", "views_found"):
            self._count(verb, arguments)
        else:
            raise TaskError(f"{verb[:100]!r} is refused")
        return None, b""

    def _of_storage(self, verb: str, key: str, data: bytes) -> tuple[object, bytes]:
        if verb == "put" and key in self._written:
            self._lease.secure()
            self._storage.put(key, data)
            return None, b""
        if verb == "size" and key in self._written:
            return self._storage.size(key), b""
        if verb == "get" and (key == self._first or key in self._known_later()):
            found = self._storage.get(key)
            return found is not None, found or b""
        if verb == "get" and key in self._written:  # a record of this attempt, before it is there
            found = self._storage.get(key)
            return found is not None, found or b""
        if verb == "keys" and key == self._later:
            return self._known_later(), b""
        raise TaskError(f"{key[:200]!r} is none of the task's files: {verb} is refused")

    def _of_stream(self, verb: str, number: int, data: bytes) -> object:
        stream = self._task.stream
        if stream is None or self._sink is None:
            raise TaskError(f"{verb}: the task has no stream")
        if not 0 <= number - stream.first < len(self._task.views):
            raise TaskError(f"{verb}: {number} is none of the task's samples")
        if verb == "has_sample":
            return self._sink.has(self._task.job_id, number)
        self._lease.secure()
        self._sink.put(self._task.job_id, number, [data])
        return None

    def _show_view(self, told: str, data: bytes) -> None:
        """Show a small picture of a view, once; its words are the farm's own."""
        try:
            glimpse = Glimpse.model_validate_json(told)
        except ValidationError as error:
            raise TaskError(f"show: {first_reason(error)}") from error
        view = self._unshown.pop(glimpse.view, None)
        if view is None or not is_webp(data):
            raise TaskError(f"show: {glimpse.view[:100]!r} has no picture to show")
        if self._show is not None:
            self._show(self._task.job_id, self._known_of(view, glimpse), data)

    def _known_of(self, view: View, told: Glimpse) -> Glimpse:
        """Return what is known of a view, of all that was told only its own files."""
        prefix = f"{prefix_of(self._task.job_id)}/"
        own = {
            name: file
            for name, file in told.pictures.items()
            if f"{prefix}{file.path}" in self._written
        }
        return Glimpse(
            view=view.name,
            title=self._task.title,
            caption=view.caption,
            task_id=self._task.task_id,
            dataset=f"{self._task.dataset}/".removeprefix(prefix).rstrip("/") if own else "",
            pictures=own,
        )

    def _known_later(self) -> list[str]:
        return list(self._storage.keys(self._later))

    def _count(self, verb: str, arguments: list[str]) -> None:
        views = int(arguments[0]) if verb == "views_found" else 1
        with self._lock:
            if not 0 <= views <= self._left:
                raise TaskError("more views are counted than the task has")
            self._left -= views
        if verb == "view_done":
            told = dict(zip(STAGES, map(seconds, arguments), strict=False))
            self._lease.view_done(DoneView(stages=told if any(told.values()) else {}))
        else:
            self._lease.views_found(views)


def seconds(text: str) -> float:
    """Return a time that a stranger's process tells; what is none is 0."""
    try:
        found = float(text)
    except (TypeError, ValueError):
        return 0.0
    return found if math.isfinite(found) and found > 0 else 0.0


def is_webp(data: bytes) -> bool:
    """Say whether bytes begin as a WebP does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def files_of(task: RenderTask) -> Iterator[str]:
    """Yield the keys of all files that the views of a task can have."""
    for view in task.views:
        for name in task.passes:
            yield dataset_key(task.dataset, view.path_of(name, picture_format=task.render.format))
            if name in PASSES:
                yield dataset_key(task.dataset, view.preview_path_of(name))
