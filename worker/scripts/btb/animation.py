"""Signals, and what invokes them frame by frame: the farm."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from worker.scripts.btb.here import here
from worker.scripts.failures import RefusedCall

Slot = Callable[[], Any]


class Signal:
    """Functions that are called together, in the order in which they were added."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []

    def add(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Slot:
        """Call a function with these arguments from now on; return what `remove` takes."""
        slot = partial(function, *args, **kwargs)
        self.slots.append(slot)
        return slot

    def remove(self, slot: Slot) -> None:
        """Call it no more."""
        self.slots.remove(slot)

    def invoke(self, *args: Any, **kwargs: Any) -> None:
        """Call all of them."""
        for slot in tuple(self.slots):
            slot(*args, **kwargs)


class AnimationController:
    """The signals of a script. `play` only registers them: the farm steps through the frames."""

    def __init__(self) -> None:
        self.pre_play = Signal()
        self.pre_animation = Signal()
        self.pre_frame = Signal()
        self.post_frame = Signal()
        self.post_animation = Signal()
        self.post_play = Signal()

    @property
    def frameid(self) -> int:
        """The frame that is made now."""
        view = here().view
        if view is not None and view.frame is not None:
            return view.frame
        return int(here().ground.scene.frame_current)

    @property
    def playing(self) -> bool:
        """The farm calls it."""
        return here().plays

    def play(
        self,
        frame_range: tuple[int, int] | None = None,
        num_episodes: int = -1,
        use_animation: bool = True,  # noqa: FBT001, FBT002
        use_offline_render: bool = True,  # noqa: FBT001, FBT002
        use_physics: bool = True,  # noqa: FBT001, FBT002
    ) -> None:
        """Let the farm call the signals, in episodes of a frame range (inclusive).

        How many episodes there are follows from how many views are asked for.

        Raises:
            RefusedCall: The range is none, or another controller plays.
        """
        del num_episodes, use_animation, use_offline_render, use_physics
        here().play(self, self.setup_frame_range(frame_range))

    @staticmethod
    def setup_frame_range(
        frame_range: tuple[int, int] | None,
        physics: bool = True,  # noqa: FBT001, FBT002
    ) -> tuple[int, int]:
        """Let the scene play these frames; None: those that it has itself."""
        del physics  # goes with the frames, always
        ground = here().ground
        scene = ground.scene
        first, last = frame_range or (scene.frame_start, scene.frame_end)
        if not 0 <= first <= last:
            raise RefusedCall(f"play: {first} to {last} are not frames: begin with 0 or more")
        ground.keep_time(int(first), int(last))
        return int(first), int(last)

    def rewind(self) -> None:
        """Do nothing: the farm begins each episode with its first frame."""
