"""The views of a task one after the other, each finished beside the next render."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from farm.devices import cpu_count
from farm.errors import StaleAttempt, UnusablePictureError
from farm.spec.passes import LED, PassName
from farm.spec.render import Exposure
from farm.spec.view import View
from worker.images.encode import EncodePool
from worker.recipes import Stage
from worker.render.lease import Lease
from worker.render.neighbours import Around, Chain, Look
from worker.render.one_view import render_view
from worker.render.rendered import Rendered
from worker.render.writers.writer import ViewWriter
from worker.trace import NO_TRACE, Trace

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession

ENCODERS = 4
"""Threads beside the renderer, at most; one more picture than these may be in flight."""
ENCODERS_OF_GPUS = 8
"""The same where a GPU renders, which would wait for fewer."""
IN_FLIGHT_PX = 16 << 20
"""Pixels that may be in flight beyond what `ENCODERS` take: each is tens of bytes of memory."""


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


def raise_failures(jobs: list[tuple[Rendered, Future[None]]]) -> None:
    """Raise the error of a view that could not be finished, rather than render on.

    What is finished is forgotten: it may hold whole pictures.
    """
    over = {job for _, job in jobs if job.done()}
    for job in over:
        if not job.cancelled():
            job.result()
    jobs[:] = [each for each in jobs if each[1] not in over]
