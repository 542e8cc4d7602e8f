"""Views that are finished only once their neighbours in a sequence are known, too."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from farm.spec.camera import AnyCamera
from farm.spec.passes import PassName
from farm.spec.view import View
from worker.images.multilayer import Passes
from worker.labels.arrays import Geometry, label_array, reach
from worker.labels.carried import CarriedFrame, carried_frame
from worker.labels.flow import PASSES, FlowFrame
from worker.labels.rim import within_rim
from worker.recipes import Shot, Stage
from worker.render.rendered import Rendered


@dataclass(frozen=True)
class Look:
    """What was seen of a frame, as far as its neighbours ask."""

    shot: Shot
    passes: Future[Passes]

    @cached_property
    def frame(self) -> FlowFrame:
        """What flow needs to know; it waits until the frame has been read."""
        shot, seen = self.shot, self._seen
        return FlowFrame(
            flow={side: self._label(name) for side, (name, _) in PASSES.items()},
            index=self._label("index"),
            camera=shot.camera,
            shapes=shot.shapes,
            reach=reach(seen) if "Depth" in seen.layers else None,
            forms=shot.forms,
        )

    @cached_property
    def carried(self) -> CarriedFrame:
        """What carrying points needs to know; it waits until the frame has been read.

        Raises:
            RenderError: The recipe keeps no surfaces.
        """
        shot = self.shot
        return carried_frame(reach(self._seen), self._label("index"), shot.camera, shot.tracking)

    @cached_property
    def _seen(self) -> Passes:
        return within_rim(self.passes.result(), self.shot.camera)

    def _label(self, name: PassName) -> NDArray[Any]:
        shot = self.shot
        geometry = Geometry(shot.camera, shot.world_from_scene, shot.gain)
        return label_array(name, self._seen, geometry)


@dataclass(frozen=True)
class Around:
    """A frame between those before and after it; None where there is none to compare with."""

    own: Look
    before: Look | None
    after: Look | None


@dataclass
class Waiting:
    """A view that was rendered, and whose next frame is still to be seen."""

    rendered: Rendered
    own: Look
    before: Look | None
    next: View


class Chain:
    """Hands frames on once their neighbours are seen, too; it looks at those nobody renders."""

    def __init__(
        self,
        stage: Stage,
        look: Callable[[View], Look],
        hand_on: Callable[[Rendered, Around], None],
    ) -> None:
        self._stage = stage
        self._look = look
        self._hand_on = hand_on
        self._last: tuple[View, Look] | None = None
        self._waiting: Waiting | None = None

    def before(self, view: View) -> Look | None:
        """Return the frame before a view that is about to be rendered; look at it if need be."""
        if self._waiting is not None and not is_same(self._waiting.next, view):
            self.end()
        wanted = self._stage.neighbours(view)[0]
        if wanted is None:
            return None
        if self._last is not None and is_same(self._last[0], wanted):
            return self._last[1]
        return self._look(wanted)

    def add(self, rendered: Rendered, own: Look, before: Look | None) -> None:
        """Take a view that was rendered; the one before it is complete now."""
        self._complete(own)
        self._last = (rendered.view, own)
        following = self._stage.neighbours(rendered.view)[1]
        if following is None:
            self._hand_on(rendered, Around(own, before, None))
        else:
            self._waiting = Waiting(rendered, own, before, following)

    def end(self) -> None:
        """Complete the view that still waits for a frame that nobody renders."""
        if self._waiting is not None:
            self._complete(self._look(self._waiting.next))

    def _complete(self, after: Look) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._hand_on(waiting.rendered, Around(waiting.own, waiting.before, after))


def is_same(one: View, other: View) -> bool:
    """Say whether two views of a sequence are the same frame through the same camera."""
    return place_of(one) == place_of(other)


def place_of(view: View) -> tuple[str, int, AnyCamera]:
    """Return where a frame is, and what sees it."""
    assert view.moment is not None, "only frames of sequences have neighbours"
    return (view.moment.sequence, view.moment.place, view.camera)
