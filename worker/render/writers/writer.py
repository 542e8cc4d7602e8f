"""From a render to files and a record, beside the next render."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from farm.errors import UnusablePictureError
from farm.glimpses import Glimpse
from farm.spec.expression import Expression
from farm.spec.label import IndexLabel, ObjectLabel
from farm.spec.passes import PassName, samples_for
from farm.spec.record import FileRecord, IllLit, Timings, ViewRecord
from farm.spec.render import Engine, Prefilter, ResolvedRender
from farm.spec.task import RenderTask, dataset_key, title_of, view_id
from farm.spec.view import View
from farm.tallies.model import DoneView
from worker.render.neighbours import Around
from worker.render.rendered import Rendered
from worker.render.results import Results
from worker.render.writers.checks import joined
from worker.render.writers.glimpse import STREAMED_EVERY_S, Turns, known_of
from worker.render.writers.record_book import RecordBook
from worker.render.writers.view_files import PassTimer, ViewFileMaker, ViewFiles
from worker.trace import NO_TRACE, Trace

log = logging.getLogger(__name__)

NS = 1_000_000_000


Show = Callable[[str, Glimpse, bytes], None]
"""Takes a small picture of a view of a job."""


UNTOLD = (
    "passes of surfaces say nothing of it (surface_valid is 0), since a repeat zone, a closure or "
    "a switch chooses its shaders: join them by Mix Shader nodes instead"
)
"""What records note of a material of which only Cycles knows what it is."""


@dataclass(frozen=True)
class Circumstances:
    """What the records of all views of an attempt say alike."""

    attempt: int
    worker: str
    missing_textures: tuple[str, ...]
    denoiser: str | None
    device: str
    versions: dict[str, str]
    vertex_colours: bool = False
    unread: tuple[str, ...] = ()
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    untold: tuple[str, ...] = ()
    """Names of materials of which surface passes say nothing."""
    metres_per_unit: float = 1.0
    indices: tuple[IndexLabel, ...] = ()
    materials: tuple[IndexLabel, ...] = ()
    see_through: bool = False
    engine: Engine = "cycles"
    prefilter: Prefilter = "accurate"
    render: ResolvedRender | None = None
    """How pictures are rendered, where that is not as the task says."""


class ViewWriter:
    """Writes the files and records of one task; its `finish` runs on many threads."""

    def __init__(  # noqa: PLR0913  what it needs and whom it asks, each by its name
        self,
        task: RenderTask,
        circumstances: Circumstances,
        *,
        book: RecordBook | None,
        storage: Results,
        may_write: Callable[[], None],
        on_done: Callable[[DoneView], None],
        show: Show | None = None,
        trace: Trace = NO_TRACE,
    ) -> None:
        self._task = task
        self._circumstances = circumstances
        self._book = book
        self._storage = storage
        self._may_write = may_write
        self._on_done = on_done
        self._show = show
        self._trace = trace
        self._one_at_a_time = threading.Lock()
        self._unfit: dict[str, UnusablePictureError] = {}
        self._glimpses = Turns(STREAMED_EVERY_S if task.stream else 0.0) if show else None
        self._produce = ViewFileMaker(
            task,
            circumstances.materials,
            parts=len(circumstances.indices),
            glimpses=self._glimpses,
        )

    def finish(self, rendered: Rendered, around: Around | None = None) -> None:
        """Read the passes, check them, write the files, then the record, then tell.

        A view that must not count is remembered for `raise_unfit`; the others continue.

        Args:
            rendered: The view.
            around: Of a frame of a sequence: it has been read, as have its neighbours.
        """
        with self._trace.span("finish", rendered.view.name):
            self._finish(rendered, around)

    def _finish(self, rendered: Rendered, around: Around | None) -> None:
        begun = time.perf_counter()
        with self._trace.span("read", rendered.view.name):
            passes = around.own.passes.result() if around is not None else rendered.read()
        read = time.perf_counter()
        try:
            make = self.maker_of(rendered.view)
            produce = make(passes, rendered.shot, around, rendered.exposure)
            self.approve(rendered, produce)
        except UnusablePictureError as error:
            self.leave_out(rendered.view, error)
            return
        done = time.perf_counter()
        self._note_making(rendered.view.name, read, read + produce.develop_s, done)
        timings = Timings(
            load_s=rendered.load_s,
            render_s=rendered.render_s,
            sample_s=passes.sample_s + (rendered.exposure.sample_s if rendered.exposure else 0.0),
            read_s=read - begun,
            encode_s=done - read,
            write_s=0.0,
            pass_s=produce.pass_s,
        )
        self.hand_on(rendered, produce, timings)

    def passes_of(self, view: View) -> tuple[PassName, ...] | None:
        """Return what is to be rendered for a view, in order; None: what the task says."""
        return None

    def maker_of(self, view: View) -> ViewFileMaker:
        """Return what makes the files of a view."""
        return self._produce

    def drop(self, view: View) -> None:
        """Know that a view that was rendered is not finished."""

    def approve(self, rendered: Rendered, made: ViewFiles) -> None:
        """Look at what was made of a view before anything is written; most writers need not.

        Raises:
            UnusablePictureError: It must not count.
        """

    def _note_making(self, view: str, begun_s: float, developed_s: float, done_s: float) -> None:
        """Take down what the making of files took, by the clock of `time.perf_counter`."""
        if self._trace.is_on:
            begun, developed, done = (int(at * NS) for at in (begun_s, developed_s, done_s))
            self._trace.add("develop", begun, developed, view)
            self._trace.add("encode", developed, done, view)

    def leave_out(self, view: View, error: UnusablePictureError) -> None:
        """Remember a view that must not count."""
        log.warning("view does not count view=%s: %s", view.name, error)
        with self._one_at_a_time:
            self._unfit[view.name] = error

    def hand_on(self, rendered: Rendered, made: ViewFiles, timings: Timings) -> None:
        """Write down what was made of a view.

        Raises:
            StaleAttempt: Somebody else does now.
        """
        self.written(rendered, made, timings)

    def written(
        self,
        rendered: Rendered,
        made: ViewFiles,
        timings: Timings,
        *,
        objects: tuple[ObjectLabel, ...] | None = None,
    ) -> ViewRecord:
        """Write down what was made of a view; return its record.

        Args:
            rendered: The view.
            made: Its files.
            timings: What they took.
            objects: What it shows, where that is known from elsewhere.

        Raises:
            StaleAttempt: Somebody else does now.
        """
        return self.deliver(
            rendered,
            made.files,
            coverage=made.coverage,
            ill_lit=made.ill_lit,
            timings=timings,
            previews=made.previews,
            objects=made.objects if objects is None else objects,
            expressions=made.expressions,
            develop_s=made.develop_s,
            glimpse=made.glimpse,
        )

    def deliver(  # noqa: PLR0913 - what a record tells of
        self,
        rendered: Rendered,
        encoded: dict[PassName, bytes],
        *,
        coverage: float,
        timings: Timings,
        ill_lit: IllLit | None = None,
        previews: dict[PassName, bytes] | None = None,
        objects: tuple[ObjectLabel, ...] = (),
        expressions: tuple[Expression, ...] = (),
        develop_s: float = 0.0,
        glimpse: bytes | None = None,
    ) -> ViewRecord:
        """Write the files of a view, then its record, then show it, then tell; return the record.

        Raises:
            StaleAttempt: Somebody else writes these files now.
        """
        view = rendered.view
        with self._trace.span("ledger", view.name):
            self._may_write()
        begun, spent = time.perf_counter(), PassTimer(timings.pass_s)
        with self._trace.span("write", view.name):
            files, shown = self._write_all(view, encoded, previews or {}, spent)
        seconds = {"write_s": time.perf_counter() - begun, "pass_s": spent.spent_s}
        record = self._record(rendered, files, coverage, timings.model_copy(update=seconds))
        told = {
            "previews": shown,
            "ill_lit": ill_lit,
            "objects": objects,
            "expressions": expressions,
        }
        record = record.model_copy(update=told)
        self._keep(record, glimpse, develop_s)
        return record

    def close(self) -> None:
        """Write what is not written yet of the views that are finished.

        Raises:
            StaleAttempt: Somebody else does now.
        """

    def _keep(self, record: ViewRecord, glimpse: bytes | None, develop_s: float) -> None:
        """Write a record, then show the view, then tell."""
        assert self._book is not None
        view = record.view.name
        with self._trace.span("record", view), self._one_at_a_time:
            self._book.add(record)
        with self._trace.span("ledger", view):
            self.show(record, glimpse)
            with self._one_at_a_time:
                self._on_done(done_view(record, develop_s))

    def show(self, record: ViewRecord, glimpse: bytes | None) -> None:
        """Show a small picture of a view, if there is one; before it counts, so that whoever hears
        of the view finds it."""
        if self._show is not None and glimpse is not None:
            self._show(self._task.job_id, known_of(self._task, record), glimpse)

    def raise_unfit(self) -> None:
        """Tell of the views that do not count, after all that were rendered are finished.

        Raises:
            UnusablePictureError: There are some.
        """
        if not self._unfit:
            return
        error = joined(self._task.title, self._unfit, views=len(self._task.views))
        for name, notes in self._circumstances.notes.items():  # a black sky, perhaps
            error = type(error)(f"{error}; {name}: {'; '.join(notes)}")
        raise error

    def _write_all(
        self,
        view: View,
        encoded: Mapping[PassName, bytes],
        previews: Mapping[PassName, bytes],
        spent: PassTimer,
    ) -> tuple[dict[PassName, FileRecord], dict[PassName, FileRecord]]:
        """Write the files of a view, and what people are shown of them."""
        files: dict[PassName, FileRecord] = {}
        for each, data in encoded.items():
            path = view.path_of(each, picture_format=self._task.render.format)
            files[each] = self._write(view, each, path, data)
            spent.note(each)
        shown: dict[PassName, FileRecord] = {}
        for each, data in previews.items():
            shown[each] = self._write(view, f"{each}.preview", view.preview_path_of(each), data)
            spent.note(each)
        return files, shown

    def _write(self, _view: View, _what: str, path: str, data: bytes) -> FileRecord:
        """Write a file of a view; `path` is where it lies by itself."""
        self._storage.put(dataset_key(self._task.dataset, path), data)
        return FileRecord(path=path, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))

    def _record(
        self,
        rendered: Rendered,
        files: dict[PassName, FileRecord],
        coverage: float,
        timings: Timings,
    ) -> ViewRecord:
        task, known = self._task, self._circumstances
        seen = rendered.shot.seen or known
        how = known.render or task.render
        return ViewRecord(
            view_id=view_id(task, rendered.view),
            view=rendered.view,
            title=title_of(task, rendered.view),
            group=task.group,
            task_id=task.task_id,
            attempt=known.attempt,
            worker=known.worker,
            files=files,
            resolution_px=task.render.resolution_px,
            camera=rendered.shot.camera,
            missing_textures=seen.missing_textures,
            vertex_colours=seen.vertex_colours,
            unread=known.unread,
            see_through=seen.see_through,
            notes=(known.notes if rendered.shot.notes is None else rendered.shot.notes)
            | notes_of_materials(seen.untold),
            assets=tuple(asset.without_tags for asset in rendered.view.made_of(task.assets)),
            values=rendered.values,
            fields=rendered.shot.fields,
            deterministic=rendered.shot.deterministic,
            samples=samples_for(task.passes, how.samples),
            noise_threshold=how.noise_threshold,
            quality=how.quality,
            prefilter=known.prefilter,
            engine=known.engine,
            background=rendered.background,
            exposure_ev=rendered.stops,
            denoiser=known.denoiser,
            device=known.device,
            true_strength=rendered.shot.true_strength,
            coverage=coverage,
            metres_per_unit=known.metres_per_unit,
            indices=seen.indices if "index" in task.passes else (),
            materials=seen.materials if "material" in task.passes else (),
            versions=known.versions,
            timings=timings,
            siblings=rendered.view.siblings,
        )


def done_view(record: ViewRecord, develop_s: float) -> DoneView:
    """Return what is told of a view that is done, of whose encoding a part was developing."""
    spent = record.timings
    return DoneView(
        stages={
            "load": spent.load_s,
            "build": max(spent.render_s - spent.sample_s, 0.0),
            "sample": spent.sample_s,
            "read": spent.read_s,
            "develop": develop_s,
            "encode": max(spent.encode_s - develop_s, 0.0),
            "write": spent.write_s,
        },
        asset=record.assets[0].name if record.assets else "",
        missing=record.missing_textures,
    )


def notes_of_materials(untold: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what records note of materials of which surface passes say nothing."""
    return {f"material {name}": (UNTOLD,) for name in untold}
