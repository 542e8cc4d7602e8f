"""One view, arranged and rendered, with all that its labels take."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from farm.errors import RenderError, TaskError
from farm.spec.passes import PICTURES
from farm.spec.render import Exposure
from farm.spec.view import View
from worker.labels.objects import stand_alone
from worker.recipes import Shot, Stage, brighter
from worker.render.alone import with_silhouettes
from worker.render.rendered import Rendered
from worker.render.shutter import expose
from worker.trace import NO_TRACE, Trace

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession


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
