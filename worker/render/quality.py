"""The quickest settings for a model at no more error than plain sampling, by a small picture."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.passes import PICTURES
from farm.spec.render import ResolvedRender, preset_of
from farm.spec.task import RenderTask
from farm.spec.view import View
from worker.images.multilayer import Passes
from worker.images.view_transform import Developer
from worker.recipes import Stage
from worker.render.rendered import Rendered

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession

log = logging.getLogger(__name__)

PROBE_PX = (64, 192)
"""Shortest and longest side of the small picture, which has half of the sides of the real one. A
smaller picture is harder to denoise: what is good enough there is so in the real one."""
DENOISED = (16, 24, 32, 48)
"""Samples that are tried with the denoiser, in turn."""
SEEDS = (1, 2, 3)
FEWEST_PX = 16
"""Pixels of a model below which nothing can be told."""

COMMON = 0.95
"""Share of the pixels that is looked at apart: single bright samples are not in it."""

Floats = NDArray[np.float32]


class Error(NamedTuple):
    """Mean squares by which a picture is wrong: of all pixels that show the model, and of its
    edges; then of the same without the few that are wrong most, which chance puts there.
    """

    inside: float
    edges: float
    common_inside: float
    common_edges: float

    def exceeds(self, other: Error) -> bool:
        """Say whether any part of it is larger than that of another one."""
        return any(mine > theirs for mine, theirs in zip(self, other, strict=True))


@dataclass(frozen=True, eq=False)
class Probe:
    """A small picture of what a task shows, rendered in several ways."""

    session: BlenderSession
    stage: Stage
    view: View
    settings: ResolvedRender
    """Of the plain picture."""

    def picture(self, *, samples: int, denoise: bool, seed: int) -> tuple[Floats, Floats]:
        """Return the small picture (H, W, 3), 0..1, and what the model covers of it (H, W)."""
        changes = {"samples": samples, "denoise": denoise}
        self.session.configure(self.settings.model_copy(update=changes))
        shot = self.stage.arrange(self.view)
        path, cut = self.session.render_view(seed=seed)
        passes = Rendered(self.view, shot, path, 0.0, 0.0, cut=cut).read()
        return developed(passes, self.settings, gain=shot.gain), passes.alpha

    def fewest(self) -> int | None:
        """Return with how many samples the denoised picture is no worse than the plain one; None
        where it is not with any of those that are tried.
        """
        (one, covered), (another, _) = (
            self.picture(samples=self.settings.samples, denoise=False, seed=seed)
            for seed in SEEDS[:2]
        )
        if np.count_nonzero(covered) < FEWEST_PX:
            return None
        plain = halved(error_between(one, another, covered))  # of each of the two
        mean = np.asarray((one + another) / 2, dtype=np.float32)
        for samples in (each for each in DENOISED if each < self.settings.samples):
            tried, _ = self.picture(samples=samples, denoise=True, seed=SEEDS[2])
            found = error_between(tried, mean, covered)
            ours = Error(*(each - half for each, half in zip(found, halved(plain), strict=True)))
            if not ours.exceeds(plain):
                return samples
        return None


def decided(task: RenderTask, stage: Stage, session: BlenderSession) -> ResolvedRender:
    """Return how the pictures of a task are rendered, of which the quality is left to us.

    All tasks of the same assets are decided alike, by a view that is none of theirs: a picture does
    not depend on what is rendered before it.
    """
    wanted = task.render
    if wanted.quality != "auto" or stage.probe is None or PICTURES.isdisjoint(task.passes):
        return wanted
    key = key_of(task)
    if key not in session.decisions:
        session.decisions[key] = measured(wanted, stage, session, stage.probe)
        log.info("quality of %s: %s", task.title, session.decisions[key])
    return session.decisions[key]


def key_of(task: RenderTask) -> Hashable:
    """Return what a decision depends on."""
    contents = tuple(asset.content for asset in task.assets)
    return (contents, task.setup.model_dump_json(), task.render.model_dump_json())


def measured(
    wanted: ResolvedRender, stage: Stage, session: BlenderSession, view: View
) -> ResolvedRender:
    """Return what a probe finds to be quickest."""
    high = preset_of("plain", high=False).samples < wanted.samples
    if high:  # plain pictures are denoised, too
        return wanted
    plain = wanted.model_copy(
        update={"samples": preset_of("plain", high=False).samples, "denoise": False}
    )
    small = plain.model_copy(update={"resolution_px": small_size(wanted.resolution_px)})
    samples = Probe(session, stage, view, small).fewest()
    if samples is None:
        return plain
    return plain.model_copy(update={"samples": samples, "denoise": True})


def small_size(size_px: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a probe of pictures of this size."""
    shortest, longest = PROBE_PX
    factor = min(0.5, longest / max(size_px))
    factor = max(factor, shortest / min(size_px))
    width, height = (round(side * min(factor, 1.0)) for side in size_px)
    return width, height


def developed(passes: Passes, settings: ResolvedRender, *, gain: float) -> Floats:
    """Return a picture as a dataset has it, 0..1."""
    develop = Developer(view_transform=settings.view_transform, bit_depth=16)
    return develop(passes.picture(gain=gain)).astype(np.float32) / np.float32(65535)


def error_between(one: Floats, another: Floats, covered: Floats) -> Error:
    """Return how far two pictures (H, W, 3) of a model, which covers (H, W), are apart."""
    wrong = np.square(one - another, dtype=np.float64).mean(axis=-1)
    inside, edges = wrong[covered > 0], wrong[edges_of(covered)]
    return Error(mean(inside), mean(edges), mean(common(inside)), mean(common(edges)))


def mean(values: NDArray[np.float64]) -> float:
    """Return the mean of numbers; 0 of none."""
    return float(values.mean()) if len(values) else 0.0


def common(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return all but the largest of some numbers."""
    return np.sort(values)[: max(1, round(COMMON * len(values)))]


def halved(error: Error) -> Error:
    """Return half of an error."""
    return Error(*(each / 2 for each in error))


def edges_of(covered: Floats) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that a model covers in part, and those beside."""
    partly = np.pad((covered > 0.002) & (covered < 0.998), 1)
    height, width = covered.shape
    around = [
        partly[down : down + height, right : right + width]
        for down in range(3)
        for right in range(3)
    ]
    return np.asarray(np.logical_or.reduce(around))
