"""The files of a view as bytes, checked, from what Cycles delivered."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.arrays import Rows, decode_rows, encode_rows
from farm.errors import RenderError, UnusablePictureError
from farm.soundness import ill_lit
from farm.spec.expression import Expression
from farm.spec.label import IndexLabel, ObjectLabel
from farm.spec.passes import CARRIED, PASSES, PassName
from farm.spec.record import IllLit
from farm.spec.task import RenderTask
from worker.images.encode import decode, encode
from worker.images.exr import decode_exr, encode_exr, strange_exr
from worker.images.multilayer import Passes
from worker.images.view_transform import Developer, quantise_mask
from worker.labels.amodal import Silhouettes, Whole, told_with, wholes
from worker.labels.arrays import (
    Geometry,
    background_linear,
    label_array,
    reach,
    seen_index,
)
from worker.labels.carried import carried_passes
from worker.labels.flow import PASSES as FLOW_PASSES
from worker.labels.flow import Side, flow_to, is_valid
from worker.labels.objects import Sight, object_label, stand_alone
from worker.labels.previews import preview, silhouettes_preview
from worker.labels.rim import within_rim
from worker.labels.telling import Looked, Told
from worker.labels.tracks import track_rows
from worker.points.surfaces import Eye
from worker.recipes import Shot
from worker.render.neighbours import Around, Look
from worker.render.rendered import Exposure
from worker.render.writers.checks import (
    check_blocks,
    check_label,
    check_passes,
    check_pixels,
    check_rows,
    check_same,
)
from worker.render.writers.glimpse import Turns, glimpse_beside

COVERED = 0.5
"""Coverage from which a pixel shows the model rather than what is behind it."""
WITHOUT_PREVIEW = ("picture", "yes_or_no", "arrays", "cutout")
"""Kinds of passes whose own files people can look at, or that are no pictures at all."""


@dataclass(frozen=True)
class ViewFiles:
    """What a view's record tells of, before it is written."""

    files: dict[PassName, bytes]
    coverage: float
    ill_lit: IllLit | None = None
    previews: dict[PassName, bytes] = field(default_factory=dict)
    objects: tuple[ObjectLabel, ...] = ()
    expressions: tuple[Expression, ...] = ()
    pass_s: dict[PassName, float] = field(default_factory=dict)
    develop_s: float = 0.0
    """Seconds until the picture was developed, and labels were made: the rest was encoding."""
    glimpse: bytes | None = None
    """A small picture of it, where somebody wants that."""
    arrays: dict[PassName, NDArray[Any]] = field(default_factory=dict)
    """What the files of those passes would hold of which none are made."""


class ViewFileMaker:
    """Makes the files of one task's views; it may serve many threads."""

    def __init__(
        self,
        task: RenderTask,
        materials: tuple[IndexLabel, ...] = (),
        *,
        parts: int = 0,
        glimpses: Turns | None = None,
    ) -> None:
        self._glimpses = glimpses
        self._task = task
        self._parts = parts
        self._materials = last_of(materials)
        settings = task.render
        writes = task.stream is None or task.stream.encoding == "files"
        added = task.adds.passes if task.adds else task.passes
        self._written = frozenset(added) if writes else frozenset()
        self._decoded: set[PassName] = set()
        """EXR passes of which a whole file has gone through OpenEXR, as a reader's will."""
        self._develop = Developer(
            view_transform=settings.view_transform, bit_depth=settings.bit_depth
        )

    def __call__(
        self,
        passes: Passes,
        shot: Shot,
        around: Around | None = None,
        exposure: Exposure | None = None,
    ) -> ViewFiles:
        """Make the files of a view; of a frame of a sequence, with a look at its neighbours, and
        with what its sub-frames made.

        Raises:
            UnusablePictureError: What Cycles delivered must not count, or is lost in a file.
        """
        begun = time.perf_counter()
        task, bit_depth = self._task, self._task.render.bit_depth
        passes = within_rim(passes, shot.camera)
        check_passes(passes, bit_depth=bit_depth, allow_empty=task.allow_empty_masks)
        materials, parts = self._counts(shot)
        geometry = Geometry(
            shot.camera,
            shot.world_from_scene,
            shot.gain,
            materials,
            exposure=shot.exposure,
            shadowed=shot.ground is not None and shot.ground.in_picture,
        )
        index = index_of(passes, shot, geometry, parts=parts)
        objects, silhouettes = describe(passes, shot, task, index)
        clock = PassTimer()
        arrays: dict[PassName, NDArray[Any]] = {}
        known = led_passes(task.passes, around) if around is not None else {}
        if "tracks" in task.passes:
            known["tracks"] = tracks(shot, passes)
        known["amodal"] = silhouettes
        if exposure is not None:
            if not exposure.is_number:
                raise UnusablePictureError("there are pixels that are not numbers")
            known |= exposure.rows
        for name in task.passes:
            if exposure is not None and name in exposure.pictures:
                arrays[name] = self._develop(exposure.pictures[name])
            else:
                arrays[name] = known[name] if name in known else self._array(name, passes, geometry)
            clock.note(name)
        check_pixels(arrays, passes.alpha, bit_depth=bit_depth)
        developed = time.perf_counter()
        wanted = self._glimpses is not None and self._glimpses.take()
        glimpse = glimpse_beside(arrays) if wanted else None
        files, previews = self._encoded(arrays, passes, clock)
        told = told_of(passes, shot, objects, index)
        return ViewFiles(
            files=files,
            coverage=float(passes.alpha.mean()),
            ill_lit=ill_lit(arrays["rgb"], passes.alpha >= COVERED) if "rgb" in arrays else None,
            previews=previews,
            objects=told.objects,
            expressions=told.expressions,
            pass_s=clock.spent_s,
            develop_s=developed - begun,
            glimpse=glimpse.result() if glimpse is not None else None,
            arrays={
                name: as_read(name, array, passes)
                for name, array in arrays.items()
                if name not in self._written
            },
        )

    def _encoded(
        self, arrays: Mapping[PassName, NDArray[Any]], passes: Passes, clock: PassTimer
    ) -> tuple[dict[PassName, bytes], dict[PassName, bytes]]:
        """Return the files of those passes that are written, and what people are shown of them."""
        files: dict[PassName, bytes] = {}
        previews: dict[PassName, bytes] = {}
        for name in (each for each in arrays if each in self._written):
            clock.restart()
            files[name] = self._file(name, arrays[name], passes)
            if self._task.render.previews:
                shown = shown_of(name, arrays[name], self._task)
                if shown is not None:
                    previews[name] = encode(shown, format="png")
            clock.note(name)
        return files, previews

    def _counts(self, shot: Shot) -> tuple[int, int]:
        """Return how many materials and how many parts labels tell apart in a view."""
        if shot.seen is None:
            return self._materials, self._parts
        return last_of(shot.seen.materials), len(shot.seen.indices)

    def _array(self, name: PassName, passes: Passes, geometry: Geometry) -> NDArray[Any]:
        if name == "rgb":
            light = passes.picture(gain=geometry.brightness, shadowed=geometry.shadowed)
            return self._develop(light)
        if name == "mask":
            return quantise_mask(passes.alpha, bit_depth=self._task.render.bit_depth)
        if name == "background":
            return self._develop(background_linear(passes, geometry))
        if name == "foreground":
            return self._cutout(passes, geometry)
        label = label_array(name, passes, geometry)
        check_label(name, label, sees_behind=geometry.camera.sees_behind)
        return label

    def _cutout(self, passes: Passes, geometry: Geometry) -> NDArray[Any]:
        """Return what covers pixels (H, W, 4): developed, with the mask as its straight alpha."""
        colours = self._develop(passes.colours * np.float32(geometry.brightness))
        alpha = quantise_mask(passes.alpha, bit_depth=self._task.render.bit_depth)
        colours[alpha == 0] = 0
        return np.concatenate([colours, alpha[..., None]], axis=-1)

    def _file(self, name: PassName, array: NDArray[Any], passes: Passes) -> bytes:
        """Encode a pass, and make sure that the bytes give it back."""
        info = PASSES[name]
        if info.kind == "arrays":
            data = encode_rows(array)
            check_rows(name, array, lambda: decode_rows(data, info.columns))
            return data
        if info.kind in ("picture", "integers", "yes_or_no", "cutout"):
            format_ = self._task.render.format if info.kind == "picture" else "png"
            data = encode(array, format=format_)
            check_same(name, array, lambda: decode(data, format=format_))
            return data
        channels, header = info.channels, None
        if info.kind == "cryptomatte":
            channels, header = passes.cryptomatte_channels, passes.manifest
        data = encode_exr(array, channels, header)
        check_blocks(name, strange_exr(data, array, channels, header))
        if name not in self._decoded:
            planes = array.reshape(*array.shape[:2], len(channels))
            check_same(name, planes, lambda: decode_exr(data, channels))
            self._decoded.add(name)
        return data


def shown_of(name: PassName, array: NDArray[Any], task: RenderTask) -> NDArray[np.uint8] | None:
    """Return what people are shown of a pass; None of what has pictures of its own, or none."""
    if name == "amodal":
        return silhouettes_preview(array, task.render.resolution_px)
    return None if PASSES[name].kind in WITHOUT_PREVIEW else preview(name, array)


def last_of(materials: tuple[IndexLabel, ...]) -> int:
    """Return the number of the last material; after it comes the one for what has none."""
    return len(materials) - 1 if materials else 0


def as_read(name: PassName, array: NDArray[Any], passes: Passes) -> NDArray[Any]:
    """Return an array as its file is read: a cryptomatte has its channels by name."""
    if PASSES[name].kind == "halves":
        return array.astype(np.float32)
    if PASSES[name].kind != "cryptomatte":
        return array
    channels = passes.cryptomatte_channels
    order = sorted(range(len(channels)), key=channels.__getitem__)
    return array.reshape(*array.shape[:2], len(channels))[..., order]


def led_passes(wanted: Collection[PassName], around: Around) -> dict[PassName, NDArray[Any]]:
    """Return the passes of a frame that depend on those before and after it."""
    sides: tuple[tuple[Side, Look | None], ...]
    sides = (("forward", around.after), ("backward", around.before))
    found: dict[PassName, NDArray[Any]] = {}
    for side, look in sides:
        if not set(FLOW_PASSES[side]).isdisjoint(wanted):
            found |= flows(wanted, around.own, look, side)
        if not CARRIED.isdisjoint(wanted):
            there = look.carried if look is not None else None
            found |= carried_passes(wanted, around.own.carried, there, side)
    return found


def flows(
    wanted: Collection[PassName], own: Look, look: Look | None, side: Side
) -> dict[PassName, NDArray[Any]]:
    """Return the flow of a frame to one side, and where it is valid, as far as it is wanted."""
    here, there = own.frame, look.frame if look is not None else None
    flow, valid = FLOW_PASSES[side]
    moved = flow_to(here, there, side)
    found: dict[PassName, NDArray[Any]] = {flow: moved}
    if valid in wanted:
        found[valid] = np.where(is_valid(here, there, side, moved), 255, 0).astype(np.uint8)
    return found


def tracks(shot: Shot, passes: Passes) -> NDArray[Any]:
    """Return the tracks of a frame.

    Raises:
        RenderError: Its recipe follows no points.
    """
    if shot.tracking is None:
        raise RenderError("tracks: this recipe follows no points")
    return track_rows(shot.tracking, shot.camera, shot.world_from_scene, reach(passes))


def index_of(
    passes: Passes, shot: Shot, geometry: Geometry, *, parts: int
) -> NDArray[np.uint16] | None:
    """Return what tells apart what is seen (H, W); None where all is of one thing."""
    if not shot.things or stand_alone(shot.things, parts):
        return None
    return np.asarray(label_array("index", passes, geometry), dtype=np.uint16)


def told_of(
    passes: Passes,
    shot: Shot,
    objects: tuple[ObjectLabel, ...],
    index: NDArray[np.uint16] | None,
) -> Told:
    """Return what the record tells of the things in a view, and what their recipe has to add."""
    if shot.tell is None:
        return Told(objects)
    return shot.tell(Looked(objects, shot.camera, passes, index))


def describe(
    passes: Passes,
    shot: Shot,
    task: RenderTask,
    index: NDArray[np.uint16] | None,
) -> tuple[tuple[ObjectLabel, ...], Rows]:
    """Describe the things in a view; also return their whole silhouettes."""
    sight = Sight(
        camera=shot.camera,
        resolution_px=task.render.resolution_px,
        coverage=np.clip(passes.alpha, 0.0, 1.0),
        index=index,
        reach=reach(passes) if "Depth" in passes.layers else None,
    )
    objects = tuple(object_label(thing, sight, alone=index is None) for thing in shot.things)
    if index is not None:
        known = Silhouettes(
            Eye(shot.camera, sight.resolution_px), shot.clip, shot.bodies, shot.silhouettes
        )
        return told_with(objects, wholes(shot.things, known, index))
    if "amodal" not in task.passes or not objects:
        return told_with(objects, ())
    mask = seen_index(passes) > 0  # nothing else is there
    return told_with(objects, [(0, Whole(mask, int(mask.sum()), ()))])


class PassTimer:
    """Seconds by pass."""

    def __init__(self, spent_s: Mapping[PassName, float] | None = None) -> None:
        self.spent_s: dict[PassName, float] = dict(spent_s or {})
        self.restart()

    def restart(self) -> None:
        """Begin to count now."""
        self._since = time.perf_counter()

    def note(self, name: PassName) -> None:
        """Count what has passed since the last time to a pass."""
        now = time.perf_counter()
        self.spent_s[name] = self.spent_s.get(name, 0.0) + now - self._since
        self._since = now
