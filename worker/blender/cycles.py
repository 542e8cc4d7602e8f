"""The renderer of a scene: what it is told, what it delivers, what it keeps between pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import bpy

from farm.errors import GpuMemoryError, RenderError
from worker.blender import camera as cameras
from worker.blender import gpu_memory
from worker.blender.scratch import Scratch
from worker.blender.settings import set_sampling, set_tiles
from worker.blender.stages import Stages, followed
from worker.blender.taking import can_take, taking
from worker.blender.view_passes import Sampling
from worker.blender.watch import unwatch
from worker.images.multilayer import Delivery, told_once
from worker.trace import NO_TRACE, Trace

log = logging.getLogger(__name__)

NUMBER_BYTES = 4 * 1.5
"""Room per number of a pixel in the scratch, with some to spare."""
FEWEST_PX = 8
"""Side of a picture that nobody looks at: Blender renders no smaller ones than a few pixels."""


class Cycles:
    """Renders one scene at a time, and keeps what it made of it for the next picture."""

    def __init__(
        self, scene: Any, scratch: Scratch, *, on_gpu: bool, on_forget: Callable[[], None]
    ) -> None:
        """Render a scene.

        Args:
            scene: It may be put in place of another one later.
            scratch: Where pictures go that only files can hold.
            on_gpu: The device is one, whose memory may run out.
            on_forget: Called when nothing is kept any more.
        """
        self.scene: Any = scene
        self.trace: Trace = NO_TRACE
        """Takes down what Cycles does, while somebody wants to know."""
        self._scratch = scratch
        self._on_gpu = on_gpu
        self._on_forget = on_forget
        self._told: tuple[Sampling, int] | None = None
        self._is_filled = False
        """It holds objects of what was rendered last."""

    def tell(self, sampling: Sampling, *, bounces: int) -> None:
        """Set what the next picture holds, and how often its light is thrown back at most."""
        wanted = (sampling, bounces)
        if self._told != wanted:
            self._told = wanted
            set_sampling(self.scene, sampling, bounces=bounces)

    def tell_anew(self) -> None:
        """Set all of it at the next `tell`: somebody has changed some."""
        self._told = None

    def render(self, *, seed: int) -> Delivery:
        """Render what was told.

        Raises:
            GpuMemoryError: It does not fit into the GPU's memory, in small tiles either.
            RenderError: Cycles did not deliver.
        """
        try:
            return self._deliver(seed=seed)
        except GpuMemoryError as error:
            if self.scene.cycles.tile_size == gpu_memory.SMALL_TILE_PX:
                raise
            log.warning("the GPU's memory ran out, trying smaller tiles: %s", error)
        self.forget()
        set_tiles(self.scene, gpu_memory.SMALL_TILE_PX)  # until the next task
        return self._deliver(seed=seed)

    def _deliver(self, *, seed: int) -> Delivery:
        assert self._told is not None, "nobody has told what to render"
        sampling, _ = self._told
        if not can_take(self.scene):
            return self.render_file(channels=sampling.channels, seed=seed)
        with taking() as taken:
            if not sampling.named:
                stages = self._render_all(seed=seed, write_still=False)
                return taken.held(stages.sample_s)
            path = self.render_file(channels=sampling.channels, seed=seed)
        return taken.held(*told_once(path))

    def render_file(self, *, channels: int, seed: int) -> Path:
        """Render into a file, by whichever engine the scene has.

        Args:
            channels: How many numbers a pixel has there, at most.
            seed: Of the samples.

        Raises:
            GpuMemoryError: It does not fit into the GPU's memory.
            RenderError: There is no file.
        """
        render = self.scene.render
        path = self._scratch.new_file(
            render.resolution_x * render.resolution_y * channels * NUMBER_BYTES
        )
        render.filepath = str(path)
        self._render_all(seed=seed, write_still=True)
        if not path.exists():
            raise RenderError(f"Blender wrote no picture to {path}")
        return path

    def _render_all(self, *, seed: int, write_still: bool) -> Stages:
        render = self.scene.render
        self.scene.cycles.seed = seed
        # With persistent data Cycles reads its own settings again only if the scene is tagged.
        render.film_transparent = render.film_transparent
        self._is_filled = True
        sharp = self._told is not None and self._told[0].sharp
        with cameras.sharp(self.scene) if sharp else nullcontext():
            return self._run(write_still=write_still)

    def render_nothing(self) -> None:
        """Run the scene's renderer for its depsgraph alone."""
        self._run(write_still=False)

    def _run(self, *, write_still: bool) -> Stages:
        try:
            # It takes the frame from the scene of the context, whichever scene is named.
            with bpy.context.temp_override(scene=self.scene), followed(self.trace) as stages:
                bpy.ops.render.render(write_still=write_still)
        except RuntimeError as error:
            text = " ".join(str(error).split())
            if self._on_gpu and gpu_memory.ran_out(text):
                raise gpu_memory.gave_up(text) from error
            raise RenderError(f"Blender refused: {text}") from error
        return stages

    def empty(self) -> None:
        """Take all objects out that are gone, before others come.

        Else these come into an order that hangs on what was there before, and of surfaces in the
        same place another one would be seen.
        """
        if not self._is_filled:
            return
        unwatch()
        cycles, render = self.scene.cycles, self.scene.render
        samples, cycles.samples = cycles.samples, 1
        shorter = min(render.resolution_x, render.resolution_y)
        render.resolution_percentage = min(100, -(-100 * FEWEST_PX // shorter))
        try:
            self._run(write_still=False)
        finally:
            cycles.samples, render.resolution_percentage = samples, 100
            self._is_filled = False

    def forget(self) -> None:
        """Forget what is kept, on the device too, between pictures."""
        self._is_filled = False
        self._on_forget()
        self.scene.render.use_persistent_data = False
        self.scene.render.use_persistent_data = True
