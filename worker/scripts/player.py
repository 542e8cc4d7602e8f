"""Which frames a script is played through to get to a view: an episode is never begun midway."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from farm.spec.recipes.script import Params, Setup, View
from worker.scripts.ground import Ground
from worker.scripts.program import Program, Told, rng_of, seed_all
from worker.scripts.script_view import ScriptView


class Place(NamedTuple):
    """A step of an episode."""

    episode: int
    step: int


@dataclass(frozen=True)
class Timing:
    """How episodes go."""

    first_frame: int
    frame_step: int
    length: int | None
    """Views of an episode; None where each view is on its own, and time stands still."""

    def place(self, view: View) -> Place:
        """Return where a view stands."""
        if self.length is None or view.frame is not None:
            return Place(view.episode, view.step)
        return Place(*divmod(view.episode, self.length))  # of a script that says how long they are

    def frame(self, step: int) -> int | None:
        """Return the scene's frame at a step."""
        return self.first_frame + step * self.frame_step if self.length is not None else None

    @property
    def last_frame(self) -> int:
        """The scene's frame at the end of an episode."""
        return self.first_frame + ((self.length or 1) - 1) * self.frame_step


def timing_of(setup: Setup, frame_range: tuple[int, int] | None) -> Timing:
    """Return how episodes go: as the spec says, or else as the script itself does.

    Args:
        setup: Of the task.
        frame_range: First and last frame that the script names, if it does.
    """
    if setup.episode is not None:
        first = setup.first_frame if frame_range is None else frame_range[0]
        return Timing(first, setup.frame_step, setup.episode)
    if frame_range is None:
        return Timing(setup.first_frame, setup.frame_step, None)
    first, last = frame_range
    return Timing(first, setup.frame_step, (last - first) // setup.frame_step + 1)


class Player:
    """Plays one fresh script up to one view after another."""

    def __init__(
        self,
        program: Program,
        ground: Ground,
        setup: Setup,
        on_move: Callable[[], None] = lambda: None,
    ) -> None:
        """Take a script that has been started.

        Args:
            program: The script.
            ground: The scene.
            setup: Of the task.
            on_move: Called when an episode has begun and nothing has moved yet, and after the first
                frame in which something may have.
        """
        self._on_move = on_move
        self._program = program
        self._ground = ground
        self._setup = setup
        self._timing = timing_of(setup, program.frame_range)
        self._at: Place | None = None

    def show(self, view: View) -> Told:
        """Let the scene be as it is in a view; return what the script tells of it.

        Views of an episode come in its order. What lies between is played, and not shown.

        Raises:
            ScriptError: The script fails.
        """
        episode, step = self._timing.place(view)
        at = self._at
        follows = at is not None and at.episode == episode and at.step < step
        assert at is not None or not follows
        for each in range(at.step + 1 if at is not None and follows else 0, step):
            self._play(view, Place(episode, each))
        return self._play(view, Place(episode, step))

    def run_past(self, views: Iterable[View]) -> None:
        """Play views that nobody wants to see: they are finished, and others may hang on them.

        Raises:
            ScriptError: The script fails.
        """
        for view in views:
            self.show(view)

    def _play(self, view: View, place: Place) -> Told:
        timing, ground = self._timing, self._ground
        frame = timing.frame(place.step)
        if frame is not None and place.step == 0:
            ground.keep_time(timing.first_frame, timing.last_frame)
            ground.go_to(timing.first_frame)
        shown = self._view(view, place, view.params)
        rng = rng_of(self._setup.seed, *place)
        seed_all(self._setup.seed, *place)
        last = timing.length is None or place.step == timing.length - 1
        told = self._program.before(shown, rng, last=last)
        if frame is not None and place.step:
            self._move_to(frame)
        ground.update()
        after = self._program.after(shown, rng)
        if frame is not None and place.step == 0:
            self._on_move()
        self._at = place
        return Told({**told, **after.fields}, after.pictures)

    def _move_to(self, frame: int) -> None:
        """Go on to a frame, by all that lie between."""
        for each in range(frame - self._timing.frame_step + 1, frame + 1):
            self._ground.go_to(each)
            if each == self._timing.first_frame + 1:
                self._on_move()

    def _view(self, view: View, place: Place, params: Params) -> ScriptView:
        return ScriptView(
            index=view.index - (self._timing.place(view).step - place.step),
            name=view.name,
            episode=place.episode,
            step=place.step,
            frame=self._timing.frame(place.step),
            params=dict(params),
            resolution_px=self._ground.resolution_px,
            ground=self._ground,
        )
