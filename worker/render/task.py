"""One task, start to end: load, render each view, and finish it beside the next render."""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from farm.errors import StorageError
from farm.spec.task import RenderTask
from farm.spec.trace import trace_key
from worker.assets.cache import own_paths
from worker.assets.products import Workshop
from worker.render.lease import Lease
from worker.render.loading import Locate, make_product, set_up
from worker.render.results import Results
from worker.render.views import finishers, render_views
from worker.render.writers.additions import AdditionWriter, check_blender
from worker.render.writers.packed import PackedWriter
from worker.render.writers.record_book import AdditionBook, RecordBook
from worker.render.writers.siblings import SiblingsWriter
from worker.render.writers.streamed import StreamWriter
from worker.render.writers.streamed_views import SampleSink, StreamedViews
from worker.render.writers.writer import Circumstances, Show, ViewWriter
from worker.sandbox.rlimits import give_back_memory
from worker.trace import NO_TRACE, TaskTrace, Trace

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession

log = logging.getLogger(__name__)


def render_task(  # noqa: PLR0913  what a task needs, and nothing hidden
    task: RenderTask,
    *,
    session: BlenderSession,
    storage: Results,
    attempt: int,
    worker: str,
    lease: Lease,
    locate: Locate = own_paths,
    workshop: Workshop | None = None,
    sink: SampleSink | None = None,
    show: Show | None = None,
) -> None:
    """Render the views of a task that are not finished yet, or make its product.

    What is finished stays on any error. Views of a stream go to `sink`, small pictures of all to
    `show`. The memory of what is gone is given back in the end, so that a long sequence takes no
    more of it than a short one.

    Raises:
        TaskError: The task cannot continue.
    """
    try:
        with traced(task, session, storage, attempt=attempt, worker=worker) as trace:
            work_on(
                task,
                session,
                storage=storage,
                attempt=attempt,
                worker=worker,
                lease=lease,
                locate=locate,
                workshop=workshop,
                sink=sink,
                show=show,
                trace=trace,
            )
    finally:
        if task.stream is None:  # whose samples come one after the other, and must not wait
            give_back_memory()


@contextmanager
def traced(
    task: RenderTask, session: BlenderSession, storage: Results, *, attempt: int, worker: str
) -> Iterator[Trace]:
    """Give what takes down where the time goes; what it took is put on the storage in the end,
    however that comes about.
    """
    if not task.trace:
        yield NO_TRACE
        return
    trace = session.cycles.trace = TaskTrace()
    try:
        with trace.span("task"):
            yield trace
    finally:
        session.cycles.trace = NO_TRACE
        told = trace.to_json(process=worker, facts=facts_of(task, session, attempt))
        try:
            storage.put(trace_key(task, attempt), told)
        except StorageError as error:  # the views are worth more
            log.warning("the trace was not kept: %s", error)


def facts_of(task: RenderTask, session: BlenderSession, attempt: int) -> dict[str, str]:
    """Return what a trace says of its task."""
    width, height = task.render.resolution_px
    return {
        "task": task.task_id,
        "title": task.title,
        "attempt": str(attempt),
        "device": session.device_label,
        "picture": f"{width} x {height} px, {task.render.samples} samples",
        "passes": ",".join(task.passes),
        "viewfarm": own_version(),
    }


def work_on(  # noqa: PLR0913  as above
    task: RenderTask,
    session: BlenderSession,
    *,
    storage: Results,
    attempt: int,
    worker: str,
    lease: Lease,
    locate: Locate,
    workshop: Workshop | None,
    sink: SampleSink | None,
    show: Show | None,
    trace: Trace,
) -> None:
    """Render what is missing of a task, or make its product."""
    if task.product:
        assert workshop is not None
        with trace.span("load"):
            make_product(task, session, lease=lease, locate=locate, workshop=workshop)
        return
    book = book_of(task, storage, attempt, sink)
    missing = [view for view in task.views if not book.has(view)]
    lease.views_found(len(task.views) - len(missing))
    if not missing:
        return
    if isinstance(book, AdditionBook) and task.adds is not None:
        check_blender(book, missing, task.adds, version=session.blender_version)
    started = time.perf_counter()
    with trace.span("load"):
        if task.maker is not None:
            assert workshop is not None
            make_product(task.maker, session, lease=lease, locate=locate, workshop=workshop)
        stage, settings = set_up(task, session, locate, workshop)
    load_s = time.perf_counter() - started
    circumstances = Circumstances(
        attempt=attempt,
        worker=worker,
        missing_textures=stage.missing_textures,
        vertex_colours=stage.vertex_colours,
        unread=stage.unread,
        see_through=stage.see_through,
        notes=stage.notes,
        untold=session.untold,
        render=settings,
        denoiser=session.denoiser,
        prefilter=session.prefilter,
        device=session.device_label,
        engine="eevee" if session.has_own_picture else "cycles",
        versions=versions_of(session),
        metres_per_unit=stage.metres_per_unit,
        indices=stage.indices,
        materials=stage.materials,
    )
    finisher = writer_for(task, circumstances, book, storage, lease, show, trace)
    try:
        render_views(
            missing,
            stage,
            session,
            finisher=finisher,
            lease=lease,
            load_s=load_s,
            exposure=settings.exposure,
            trace=trace,
            threads=finishers(
                on_gpu=session.device.kind != "cpu", pixels=math.prod(task.render.resolution_px)
            ),
        )
    finally:
        finisher.close()
    finisher.raise_unfit()


def book_of(
    task: RenderTask, storage: Results, attempt: int, sink: SampleSink | None
) -> RecordBook | StreamedViews:
    """Return what knows which views of a task are done."""
    if task.stream is not None:
        assert sink is not None
        return StreamedViews(task, sink)
    return (RecordBook if task.adds is None else AdditionBook)(task, storage, attempt)


def versions_of(session: BlenderSession) -> dict[str, str]:
    """Return the versions of all that the pictures depend on."""
    versions = {"viewfarm": own_version(), "blender": session.blender_version}
    return versions | ({"opengl": session.opengl} if session.has_own_picture else {})


@functools.cache
def own_version() -> str:
    """Return the version of this package, which takes milliseconds to find out."""
    return version("viewfarm")


def writer_for(  # noqa: PLR0913  what a writer needs
    task: RenderTask,
    circumstances: Circumstances,
    book: RecordBook | StreamedViews,
    storage: Results,
    lease: Lease,
    show: Show | None,
    trace: Trace,
) -> ViewWriter:
    """Return what finishes the views of a task: files of a dataset, or samples of a stream."""
    if isinstance(book, StreamedViews):
        return StreamWriter(
            task,
            circumstances,
            book=None,
            storage=storage,
            may_write=lease.secure,
            on_done=lease.view_done,
            show=show,
            trace=trace,
            streamed=book,
        )
    shared: dict[str, Any] = {
        "storage": storage,
        "may_write": lease.secure,
        "on_done": lease.view_done,
        "show": show,
        "trace": trace,
    }
    if isinstance(book, AdditionBook):
        return AdditionWriter(task, circumstances, book=book, additions=book, **shared)
    if any(view.pose is not None for view in task.views):
        return SiblingsWriter(task, circumstances, known=book, **shared)
    writer = ViewWriter if task.render.pack == "files" else PackedWriter
    return writer(task, circumstances, book=book, **shared)
