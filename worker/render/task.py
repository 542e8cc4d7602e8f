"""One task, start to end: load, render each view, and finish it beside the next render."""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from farm.devices import cpu_count
from farm.errors import (
    AssetError,
    RenderError,
    StaleAttempt,
    StorageError,
    TaskError,
    UnusablePictureError,
)
from farm.spec.asset import Asset
from farm.spec.passes import LED, PICTURES, PassName
from farm.spec.render import Exposure, ResolvedRender
from farm.spec.task import RenderTask
from farm.spec.trace import trace_key
from farm.spec.view import View
from farm.tallies.model import NOTHING_TOLD, DoneView
from worker.assets.cache import own_paths
from worker.assets.products import Workshop
from worker.blender.view_passes import HIGHEST_INDEX
from worker.images.encode import EncodePool
from worker.labels.objects import stand_alone
from worker.recipes import Shot, Stage, brighter, find_maker, find_recipe
from worker.render.additions import AdditionWriter, check_blender
from worker.render.alone import with_silhouettes
from worker.render.neighbours import Around, Chain, Look
from worker.render.packed import PackedWriter
from worker.render.quality import decided
from worker.render.record_book import AdditionBook, RecordBook
from worker.render.rendered import Rendered
from worker.render.results import Results
from worker.render.shutter import expose
from worker.render.siblings import SiblingsWriter
from worker.render.streamed import StreamWriter
from worker.render.streamed_views import SampleSink, StreamedViews
from worker.render.writer import Circumstances, Show, ViewWriter
from worker.sandbox.rlimits import give_back_memory
from worker.trace import NO_TRACE, TaskTrace, Trace

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession

log = logging.getLogger(__name__)

ENCODERS = 4
"""Threads beside the renderer, at most; one more picture than these may be in flight."""
ENCODERS_OF_GPUS = 8
"""The same where a GPU renders, which would wait for fewer."""
IN_FLIGHT_PX = 16 << 20
"""Pixels that may be in flight beyond what `ENCODERS` take: each is tens of bytes of memory."""


Locate = Callable[[Sequence[Asset]], list[Path]]
"""Returns where the assets of a task are on this machine."""


class Lease(Protocol):
    """The right to a task, while it is worked on."""

    def confirm(self) -> None:
        """Return if the task is still ours and is to continue.

        Raises:
            StaleAttempt: It is not ours.
            Interrupted: It is not to continue here; what is rendered counts.
        """

    def secure(self) -> None:
        """Return when the task was surely ours a moment ago: its files may be written.

        Raises:
            StaleAttempt: It is not ours.
        """

    def view_done(self, done: DoneView = NOTHING_TOLD) -> None:
        """Count a view that is finished and recorded."""

    def views_found(self, count: int) -> None:
        """Count views that an earlier attempt has finished."""


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


def set_up(
    task: RenderTask, session: BlenderSession, locate: Locate, workshop: Workshop | None
) -> tuple[Stage, ResolvedRender]:
    """Load what all views of a task share; also return how they are rendered."""
    session.configure(task.render, task.passes)
    stage = prepare(task, session, locate, workshop)
    more = tuple(name for name in stage.label_passes if name not in task.passes)
    settings = decided(task, stage, session)
    if more or settings.quality == "auto":
        session.configure(settings, task.passes + more)
    return stage, settings


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


def prepare(
    task: RenderTask, session: BlenderSession, locate: Locate, workshop: Workshop | None = None
) -> Stage:
    """Load what all views of a task share."""
    light_evenly_without_hdr(task, session)
    with brought(task, locate, workshop) as here:
        stage = find_recipe(task.recipe).prepare(here, session)
    check_numbers(task, stage)
    return stage


def light_evenly_without_hdr(task: RenderTask, session: BlenderSession) -> None:
    """Take away the environment of the task before, where this one brings none."""
    if not any(asset.kind == "hdr" for asset in task.assets):
        session.light_evenly()


def make_product(
    task: RenderTask,
    session: BlenderSession,
    *,
    lease: Lease,
    locate: Locate,
    workshop: Workshop,
) -> None:
    """Make what a task makes for others, unless it is there as it was made.

    Raises:
        TaskError: It cannot be made or stored.
    """
    assert task.product
    if workshop.products.is_sound(task.product):
        return
    lease.confirm()
    make = find_maker(task.recipe)
    session.configure(task.render, task.passes)
    light_evenly_without_hdr(task, session)
    with brought(task, locate, workshop) as here:
        workshop.make(
            task.product, lambda folder: make(here, session, folder), may_write=lease.secure
        )


@contextmanager
def brought(task: RenderTask, locate: Locate, workshop: Workshop | None) -> Iterator[RenderTask]:
    """Give a task with the paths of its assets and of the product that it needs on this machine.

    Errors name assets as people do.
    """
    paths = locate(task.assets)
    here = tuple(
        asset.model_copy(update={"path": str(path)})
        for asset, path in zip(task.assets, paths, strict=True)
    )
    changes: dict[str, object] = {"assets": here}
    assert workshop is not None or not task.needs
    if workshop:
        changes["needs"] = workshop.hold(task.needs)
    try:
        yield task.model_copy(update=changes)
    except AssetError as error:
        names = {copy.path: asset.path for copy, asset in zip(here, task.assets, strict=True)}
        raise AssetError(names.get(error.path, error.path), error.reason) from error


def check_numbers(task: RenderTask, stage: Stage) -> None:
    """Make sure that labels can tell the model's parts apart.

    Raises:
        AssetError: It has too many.
    """
    parts: dict[PassName, int] = {"index": len(stage.indices), "material": len(stage.materials)}
    for name, count in parts.items():
        if name in (*task.passes, *stage.label_passes) and count > HIGHEST_INDEX:
            needed = name in stage.label_passes
            remedy = "show fewer" if needed else "leave that pass out"
            reason = f"its {count} parts are more than the {name} pass can tell apart: {remedy}"
            raise AssetError(task.title, reason)


def render_views(  # noqa: PLR0913  the parts of one loop
    views: list[View],
    stage: Stage,
    session: BlenderSession,
    *,
    finisher: ViewWriter,
    lease: Lease,
    load_s: float,
    exposure: Exposure = "none",
    trace: Trace = NO_TRACE,
    threads: int | None = None,
) -> None:
    """Render `views` one after the other, while what is rendered is finished beside, by so many
    threads; left out: as many as suit a renderer that takes all cores itself.
    """
    threads = threads or finishers(on_gpu=False, pixels=0)
    jobs: list[tuple[Rendered, Future[None]]] = []
    with EncodePool(threads, threads + 1) as pool:

        def hand_on(rendered: Rendered, around: Around | None) -> None:
            with trace.span("wait", rendered.view.name):
                jobs.append((rendered, pool.submit(finisher.finish, rendered, around)))
            raise_failures(jobs)

        chain = Chain(stage, lambda view: look_at(view, stage, session, pool), hand_on)
        led = stage.is_sequence and not LED.isdisjoint(session.passes)
        try:
            for view in views:
                with trace.span("ledger", view.name):
                    lease.confirm()
                set_passes(finisher.passes_of(view), session)
                before = chain.before(view) if led else None
                try:
                    with trace.span("render", view.name):
                        rendered = render_view(
                            view, stage, session, load_s=load_s, exposure=exposure, trace=trace
                        )
                except UnusablePictureError as error:  # its recipe found that it shows too little
                    finisher.leave_out(view, error)
                    continue
                load_s = 0.0
                if led:
                    own = Look(rendered.shot, pool.submit(rendered.read))
                    chain.add(rendered, own, before)
                else:
                    hand_on(rendered, None)
            chain.end()
        except StaleAttempt:  # somebody else writes these files now
            for rendered, job in jobs:
                if job.cancel():
                    rendered.drop()
                    finisher.drop(rendered.view)
            raise
        finally:
            with trace.span("wait"):
                wait(job for _, job in jobs)


def finishers(*, on_gpu: bool, pixels: int) -> int:
    """Return how many threads finish views: where a GPU renders, all cores are theirs."""
    cores = cpu_count()
    if not on_gpu:
        return max(1, min(ENCODERS, cores - 1))
    return max(1, min(ENCODERS_OF_GPUS, cores, max(ENCODERS, IN_FLIGHT_PX // pixels)))


def set_passes(passes: tuple[PassName, ...] | None, session: BlenderSession) -> None:
    """Render these passes from now on, if they are named and are others than before."""
    if passes is not None and passes != session.passes:
        session.configure(session.settings, passes)


def look_at(view: View, stage: Stage, session: BlenderSession, pool: EncodePool) -> Look:
    """Render the labels of a frame that is not to be written, for its neighbour."""
    shot = stage.arrange(view)
    seen = Rendered(view, shot, session.render_labels(), load_s=0.0, render_s=0.0)
    return Look(shot, pool.submit(seen.read))


def render_view(  # noqa: PLR0913  a view, and how it is taken
    view: View,
    stage: Stage,
    session: BlenderSession,
    *,
    load_s: float,
    exposure: Exposure = "none",
    trace: Trace = NO_TRACE,
) -> Rendered:
    """Arrange and render one view, again where labels take a sample of their own, and its
    sub-frames where passes are made of these.
    """
    started = time.perf_counter()
    with trace.span("arrange", view.name):
        shot = stage.arrange(view)
    check_things(shot, stage, session)
    stops = stops_of(exposure, session)
    if stops is not None:
        session.expose(stops)
        shot = brighter(shot, stops)
    path, cut = session.render_view(seed=view.seed)
    rendered = Rendered(view, shot, path, load_s, render_s=0.0, cut=cut, stops=stops)
    try:
        if session.wants_centres:
            rendered = replace(rendered, centres=session.render_centres(seed=view.seed))
        alone = stand_alone(shot.things, parts_of(shot, stage))
        rendered = replace(
            rendered, shot=with_silhouettes(rendered.shot, stage, session, alone=alone)
        )
        if session.wants_behind and (cut is None or cut.backdrop is None):
            rendered = replace(rendered, behind=session.render_behind(seed=view.seed))
        rendered = shaded(rendered, session)
        if session.has_own_picture:
            rendered = replace(rendered, drawn=session.render_picture(seed=view.seed))
        if stage.shutter is not None:
            rendered = replace(rendered, exposure=expose(rendered, stage.shutter, stage, session))
    except TaskError:
        rendered.drop()
        raise
    return replace(rendered, render_s=time.perf_counter() - started)


def shaded(rendered: Rendered, session: BlenderSession) -> Rendered:
    """Return a view with the shadow on its ground, where that is asked for and seen."""
    shot, ground = rendered.shot, rendered.shot.ground
    if ground is None or shot.camera.height <= ground.height:
        return rendered
    in_picture = ground.in_picture and not PICTURES.isdisjoint(session.passes)
    if "shadow" not in session.passes and not in_picture:
        return rendered
    seed = rendered.view.seed
    caught = session.render_shadow(ground.height, size=ground.size, seed=seed)
    return replace(rendered, shadow=caught)


def stops_of(exposure: Exposure, session: BlenderSession) -> float | None:
    """Return by how many stops a picture is brighter than what lights it now makes it; None where
    nobody asks for that.
    """
    if exposure == "none":
        return None
    return session.environment.metered() if exposure == "auto" else exposure


def check_things(shot: Shot, stage: Stage, session: BlenderSession) -> None:
    """Make sure that labels can tell the things of a view apart, rather than find nothing of any.

    Raises:
        RenderError: Its recipe has not asked for what that takes.
    """
    if not shot.things or stand_alone(shot.things, parts_of(shot, stage)):
        return
    if "index" not in session.passes:
        raise RenderError(
            "labels of several things need the index pass: the recipe's stage must name it in its "
            "label_passes"
        )


def parts_of(shot: Shot, stage: Stage) -> int:
    """Return how many values the index pass of a view has."""
    return len(shot.seen.indices if shot.seen is not None else stage.indices)


def raise_failures(jobs: list[tuple[Rendered, Future[None]]]) -> None:
    """Raise the error of a view that could not be finished, rather than render on.

    What is finished is forgotten: it may hold whole pictures.
    """
    over = {job for _, job in jobs if job.done()}
    for job in over:
        if not job.cancelled():
            job.result()
    jobs[:] = [each for each in jobs if each[1] not in over]
