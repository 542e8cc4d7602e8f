"""The state of one script that uses the drop-in: what it registered, and what it published."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from farm.errors import ScriptError
from worker.scripts.btb.colours import show_colours
from worker.scripts.btb.here import RUNNING
from worker.scripts.btb.picture import Picture
from worker.scripts.failures import RefusedCall
from worker.scripts.fields import as_fields
from worker.scripts.ground import Ground
from worker.scripts.script_view import ScriptView

if TYPE_CHECKING:
    from worker.scripts.btb.animation import AnimationController

NAMES = ("blendtorch.btb", "btb")
"""What scripts import."""


class DropIn:
    """One script's use of `btb`."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.seed = 0
        self.view: ScriptView | None = None
        self.is_last = False
        self.frame_range: tuple[int, int] | None = None
        """First and last frame of the episodes that the script plays, if it names any."""
        self._controller: AnimationController | None = None
        self._published: dict[str, Any] = {}
        self._has_begun = False
        self._shown: dict[int, tuple[float, ...]] = {}

    @property
    def plays(self) -> bool:
        """The script has registered what is to be called."""
        return self._controller is not None

    def begin(self, *, seed: int) -> None:
        """Take the seed that the script is told."""
        self.seed = seed

    def play(self, controller: AnimationController, frame_range: tuple[int, int] | None) -> None:
        """Let a controller's signals be called from now on; the farm counts the frames.

        Raises:
            RefusedCall: Another controller plays already.
        """
        if self._controller is not None and self._controller is not controller:
            raise RefusedCall("another AnimationController plays already: let one play")
        self._controller = controller
        self.frame_range = frame_range or self.frame_range

    def turn_to(self, view: ScriptView, *, last: bool) -> None:
        """Take note of the view that comes next."""
        self.view, self.is_last = view, last
        self._published = {}

    def before(self) -> None:
        """Invoke the signals before a frame."""
        if self._controller is None or self.view is None:
            return
        if not self._has_begun:
            self._has_begun = True
            self._controller.pre_play.invoke()
        if self.view.step == 0:
            self._controller.pre_animation.invoke()
        self._controller.pre_frame.invoke()

    def after(self) -> None:
        """Invoke the signals after a frame."""
        if self._controller is None:
            return
        show_colours(self.ground.scene, self._shown)
        self._controller.post_frame.invoke()
        if self.is_last:
            self._controller.post_animation.invoke()

    def publish(self, fields: dict[str, Any]) -> None:
        """Keep what the script tells of the view, as it is now.

        Raises:
            RefusedCall: A field is not a number, a word or a small array.
        """
        rest = {name: value for name, value in fields.items() if not isinstance(value, Picture)}
        try:
            self._published |= fields | as_fields(rest, by="publish")
        except ScriptError as error:
            raise RefusedCall(str(error)) from None

    def published(self) -> dict[str, Any]:
        """Return what the script told of the view."""
        return self._published

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let scripts import `btb` and `blendtorch.btb` inside."""
        from worker.scripts.btb import api

        parent: Any = ModuleType("blendtorch")
        parent.btb, parent.__path__ = api, []
        given = dict.fromkeys(NAMES, api) | {"blendtorch": parent}
        given |= {f"{name}.{part}": module for name in NAMES for part, module in api.parts.items()}
        before = {name: sys.modules.get(name) for name in given}
        sys.modules.update(given)
        RUNNING.append(self)
        try:
            yield
        finally:
            RUNNING.pop()
            for name, module in before.items():
                if module is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = module
