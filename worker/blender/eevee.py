"""Pictures by EEVEE, which draws with OpenGL; labels stay those of Cycles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from farm.errors import RenderError
from worker.device.device import Device
from worker.device.opengl import OpenGL, find_opengl

ENGINE = "BLENDER_EEVEE"
MOST_APART = 1e7
ENDLESS = 1e8
"""End of what a camera sees of which nobody has said how far off things are."""
NEAR_AND_FAR = (1e-3, 1e4)
"""What is drawn for such a one, in units of the scene."""
REMEDY = (
    "install the OpenGL of its driver (in containers: NVIDIA_DRIVER_CAPABILITIES with graphics; "
    "for the CPU: Mesa, such as the package libegl1 of Debian), or take engine: cycles"
)

_found = cache(find_opengl)


def prepare(device: Device) -> None:
    """Make sure that EEVEE can draw on this machine: Blender would end on the spot.

    Raises:
        RenderError: It cannot, or not on the GPU that pictures are to be made on.
    """
    sentence = objection(_found(), device)
    if sentence:
        raise RenderError(f"engine: eevee cannot draw here: {sentence}; {REMEDY}")


def objection(found: OpenGL, device: Device) -> str:
    """Return why EEVEE cannot draw on a device; empty where it can."""
    if not found.renderer:
        return found.reason
    if device.kind != "cpu" and found.in_software:
        return f"{device} is to draw, but OpenGL has {found.renderer} alone, which is the CPU"
    return ""


def opengl() -> str:
    """Return what draws, and its version."""
    found = _found()
    return ", ".join(part for part in (found.renderer, found.version) if part)


def check_lens(scene: Any) -> None:
    """Make sure that EEVEE sees through a camera as Cycles does, so that labels agree.

    Raises:
        RenderError: It would draw a fisheye or a panorama as if it were a perspective camera.
    """
    if scene.camera.data.type == "PANO":
        raise RenderError(
            f"engine: eevee cannot draw what camera {scene.camera.name!r} sees, a fisheye or a "
            "panorama: take another lens, or engine: cycles"
        )


@contextmanager
def at_work(scene: Any, *, samples: int) -> Iterator[None]:
    """Let EEVEE make the next picture of a scene, with what is behind it all in place."""
    render = scene.render
    before = render.engine
    lens = scene.camera.data
    clips = lens.clip_start, lens.clip_end
    render.engine, render.film_transparent = ENGINE, False
    scene.eevee.taa_render_samples = samples
    lens.clip_start, lens.clip_end = drawable(*clips)
    try:
        yield
    finally:
        render.engine, render.film_transparent = before, True
        lens.clip_start, lens.clip_end = clips


def drawable(start: float, end: float) -> tuple[float, float]:
    """Return how near and how far EEVEE draws for a camera that sees from `start` to `end`.

    Where these are more than 2^25 times apart, it shows one colour in place of the environment.
    """
    if end <= MOST_APART * start:
        return start, end
    if end >= ENDLESS:
        return NEAR_AND_FAR
    return end / MOST_APART, end
