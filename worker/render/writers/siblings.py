"""Views that show the same under several lights: their labels are made once, and linked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from farm.errors import StaleAttempt, UnusablePictureError
from farm.spec.passes import LIT, PassName
from farm.spec.record import FileRecord, Timings, ViewRecord
from farm.spec.task import RenderTask, dataset_key
from farm.spec.view import View
from worker.render.neighbours import Around
from worker.render.rendered import Rendered
from worker.render.writers.record_book import RecordBook
from worker.render.writers.view_files import PassTimer, ViewFileMaker, ViewFiles
from worker.render.writers.writer import ViewWriter


def own_passes(task: RenderTask) -> tuple[PassName, ...]:
    """Return what is rendered anew under each light: all that depends on it, and the mask, which
    comes with it and is only written where it is another one.
    """
    return tuple(name for name in task.passes if name in LIT or name == "mask")


class SiblingsWriter(ViewWriter):
    """Writes the views of one task, of which the first of each pose makes the labels of all.

    Views are finished in the order in which they are rendered, so that who waits for labels waits
    for somebody who is at work already.
    """

    def __init__(self, task: RenderTask, *args: Any, known: RecordBook, **more: Any) -> None:
        super().__init__(task, *args, book=known, **more)
        own = task.model_copy(update={"passes": own_passes(task)})
        self._produce_own = ViewFileMaker(
            own,
            self._circumstances.materials,
            parts=len(self._circumstances.indices),
            glimpses=self._glimpses,
        )
        self._firsts: dict[str, Future[ViewRecord]] = {}
        self._makers: set[str] = set()
        for view in task.views:
            if view.pose is not None and view.pose not in self._firsts and known.has(view):
                self._firsts[view.pose] = Future()
                self._firsts[view.pose].set_result(known.record_of(view))

    def passes_of(self, view: View) -> tuple[PassName, ...]:
        assert view.pose is not None
        if view.pose in self._firsts:
            return own_passes(self._task)
        self._firsts[view.pose] = Future()
        self._makers.add(view.name)
        return self._task.passes

    def maker_of(self, view: View) -> ViewFileMaker:
        return self._produce if view.name in self._makers else self._produce_own

    def finish(self, rendered: Rendered, around: Around | None = None) -> None:
        """Finish a view as others are; whoever waits for its labels hears of any failure."""
        try:
            super().finish(rendered, around)
        except BaseException as error:
            self._give_up(rendered.view, error)
            raise

    def leave_out(self, view: View, error: UnusablePictureError) -> None:
        super().leave_out(view, error)
        self._give_up(view, error)

    def drop(self, view: View) -> None:
        self._give_up(view, StaleAttempt("somebody else holds the task now"))

    def hand_on(self, rendered: Rendered, made: ViewFiles, timings: Timings) -> None:
        """Write down what was made of a view, with the labels of the first of its pose.

        Raises:
            StaleAttempt: Somebody else does now.
        """
        view = rendered.view
        if view.name in self._makers:
            self._first(view).set_result(self.written(rendered, made, timings))
            return
        try:
            first = self._first(view).result()
        except UnusablePictureError as error:
            self.leave_out(view, error)
            return
        self.written(rendered, made, timings, objects=first.objects)

    def _write_all(
        self,
        view: View,
        encoded: Mapping[PassName, bytes],
        previews: Mapping[PassName, bytes],
        spent: PassTimer,
    ) -> tuple[dict[PassName, FileRecord], dict[PassName, FileRecord]]:
        if view.name in self._makers:
            return super()._write_all(view, encoded, previews, spent)
        first = self._first(view).result()
        new = {name: data for name, data in encoded.items() if is_other(data, first.files[name])}
        files, shown = super()._write_all(view, new, previews, spent)
        for name, file in first.files.items():
            if name in self._task.passes and name not in files:
                path = view.path_of(name, picture_format=self._task.render.format)
                files[name] = self._linked(path, file)
        for name, file in first.previews.items():
            if name in files and name not in shown:
                shown[name] = self._linked(view.preview_path_of(name), file)
        return {name: files[name] for name in self._task.passes}, shown

    def _linked(self, path: str, file: FileRecord) -> FileRecord:
        dataset = self._task.dataset
        self._storage.link(dataset_key(dataset, path), dataset_key(dataset, file.path))
        return file.model_copy(update={"path": path})

    def _first(self, view: View) -> Future[ViewRecord]:
        """Return the view that makes the labels of a view's pose."""
        assert view.pose is not None
        return self._firsts[view.pose]

    def _give_up(self, view: View, error: BaseException) -> None:
        if view.name in self._makers and not self._first(view).done():
            self._first(view).set_exception(error)


def is_other(data: bytes, file: FileRecord) -> bool:
    """Say whether bytes are others than those of a file."""
    return hashlib.sha256(data).hexdigest() != file.sha256
