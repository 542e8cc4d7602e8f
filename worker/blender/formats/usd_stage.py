"""What a USD file says that Blender's importer passes over: subdivision, holes, animated hiding.

This takes a third of a second to import, so only those do who have such a file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pxr import Sdf, Tf, Usd, UsdGeom

from worker.blender.formats.file_time import DEFAULT_FPS, FileTime
from worker.blender.formats.usd_marks import CAGE, HOLE, MOMENTS
from worker.blender.scratch import Scratch

FRAME = 1.0
"""Time that is shown of a file that moves."""
STILL = 1
"""Frame of a file that does not move."""
MISSING = re.compile(r"Could not open asset @([^@]*)@")
"""How USD tells of a layer that it cannot open."""

WRONG = re.compile(r":(\d+):\d+: (Expected .+?)( in <.*>)?'?$", re.MULTILINE)
"""How it tells of a text that it cannot read: the line, and what is wrong."""


class Told(NamedTuple):
    """What a file says."""

    copy: Path | None
    """A copy in which Blender sees it, where it would not in the file."""
    unread: tuple[str, ...]


def look_into(path: Path, scratch: Scratch, *, moves: bool) -> Told:
    """Look at all that a USD file is composed of.

    A file that Blender reads right needs no copy, nor does one that cannot be opened, of which
    the importer tells, unless it is a text whose place is known that is wrong.

    Args:
        path: The file.
        scratch: Where a copy goes.
        moves: Things are to come and go as the file says; else the moment `FRAME` counts.

    Raises:
        ValueError: It is a text that breaks the rules of USD.
    """
    try:
        stage: Any = Usd.Stage.Open(str(path))
    except Tf.ErrorException as error:
        if wrong := WRONG.search(str(error)):
            raise ValueError(f"it is wrong at line {wrong[1]}: {wrong[2]}") from error
        return Told(None, ())
    unread = tuple(sorted({*missing_layers(stage), *foreign_schemes(stage)}))
    if not any(needs_copy(prim) for prim in drawn(stage)):
        return Told(None, unread)
    flat: Any = Usd.Stage.Open(stage.Flatten())
    if moves:
        for prim, times in list(flickering(flat)):
            mark_moments(prim, times)
    for prim in flat.TraverseAll():
        mark(prim, moves=moves)
    copy = scratch.new_folder(path.stat().st_size) / f"{path.stem}.usdc"
    flat.GetRootLayer().Export(str(copy))
    return Told(copy, unread)


def time_of(path: Path) -> FileTime:
    """Return the time of a file: a time code is a frame."""
    try:
        stage: Any = Usd.Stage.Open(str(path))
    except Tf.ErrorException:
        return FileTime(DEFAULT_FPS, STILL, STILL, is_still=True)
    fps = float(stage.GetTimeCodesPerSecond())
    if stage.HasAuthoredTimeCodeRange():
        ends = (float(stage.GetStartTimeCode()), float(stage.GetEndTimeCode()))
    else:
        ends = (min(sampled(stage), default=math.inf), max(sampled(stage), default=-math.inf))
    if ends[0] > ends[1]:
        return FileTime(fps, STILL, STILL, is_still=True)
    start = math.ceil(ends[0])
    return FileTime(fps, start, max(start, math.floor(ends[1])))


def sampled(stage: Any) -> Iterator[float]:
    """Yield the first and last moments of all that changes over time."""
    for prim in stage.TraverseAll():
        for attribute in prim.GetAuthoredAttributes():
            if attribute.ValueMightBeTimeVarying():
                times = attribute.GetTimeSamples()
                yield from (times[0], times[-1])


def drawn(stage: Any) -> Iterator[Any]:
    """Yield the parts of a stage that can be drawn, also inside of what is shown many times."""
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.Imageable):
            yield prim


def missing_layers(stage: Any) -> Iterator[str]:
    """Name the layers that are not there."""
    for error in stage.GetCompositionErrors():
        if named := MISSING.search(str(error)):
            yield f"USD layer {named[1].rpartition('/')[2]}"


def foreign_schemes(stage: Any) -> Iterator[str]:
    """Name the ways to subdivide that Blender lacks."""
    if any(scheme_of(prim) == "loop" and is_seen(prim) for prim in drawn(stage)):
        yield "USD subdivision scheme loop"


def needs_copy(prim: Any) -> bool:
    """Tell whether Blender would show something else than the file says."""
    return scheme_of(prim) == "catmullClark" or bool(holes_of(prim)) or is_hidden_now_and_then(prim)


def scheme_of(prim: Any) -> str | None:
    """Return how a mesh is to be subdivided, if the file says so.

    Where it does not, USD has Catmull-Clark; yet viewers show such meshes as they are modelled,
    and so do we.
    """
    if not prim.IsA(UsdGeom.Mesh):
        return None
    scheme = UsdGeom.Mesh(prim).GetSubdivisionSchemeAttr()
    return str(scheme.Get()) if scheme.HasAuthoredValue() else None


def holes_of(prim: Any) -> list[int]:
    """Return the faces of a mesh that are holes."""
    if not prim.IsA(UsdGeom.Mesh):
        return []
    return list(UsdGeom.Mesh(prim).GetHoleIndicesAttr().Get(Usd.TimeCode(FRAME)) or ())


def is_hidden_now_and_then(prim: Any) -> bool:
    """Tell whether a part's visibility changes over time, which the importer does not look at."""
    return bool(UsdGeom.Imageable(prim).GetVisibilityAttr().GetTimeSamples())


def is_seen(prim: Any) -> bool:
    """Tell whether a part is not hidden, by itself or from above."""
    now = UsdGeom.Imageable(prim).ComputeVisibility(Usd.TimeCode(FRAME))
    return bool(now != UsdGeom.Tokens.invisible)


def flickering(stage: Any) -> Iterator[tuple[Any, list[float]]]:
    """Yield what can be drawn and comes or goes over time, with the moments at which it may."""
    for prim in stage.TraverseAll():
        if prim.IsA(UsdGeom.Boundable):
            times: set[float] = set()
            above = prim
            while above.IsA(UsdGeom.Imageable):
                times.update(UsdGeom.Imageable(above).GetVisibilityAttr().GetTimeSamples())
                above = above.GetParent()
            if times:
                yield prim, sorted(times)


def mark_moments(prim: Any, times: list[float]) -> None:
    """Write when a part of the copy comes and goes; it holds what it is until the next moment."""
    image = UsdGeom.Imageable(prim)
    hidden = [
        [time, image.ComputeVisibility(Usd.TimeCode(time)) == UsdGeom.Tokens.invisible]
        for time in times
    ]
    kind = Sdf.ValueTypeNames.String
    prim.CreateAttribute(f"userProperties:{MOMENTS}", kind, custom=True).Set(json.dumps(hidden))


def mark(prim: Any, *, moves: bool) -> None:
    """Write into a part of the copy what the importer is to bring along."""
    if prim.IsA(UsdGeom.Imageable) and is_hidden_now_and_then(prim):
        visibility = UsdGeom.Imageable(prim).GetVisibilityAttr()
        now = UsdGeom.Tokens.inherited if moves else visibility.Get(Usd.TimeCode(FRAME))
        visibility.Clear()
        visibility.Set(now)
    if scheme_of(prim) == "catmullClark":
        kind = Sdf.ValueTypeNames.Bool
        prim.CreateAttribute(f"userProperties:{CAGE}", kind, custom=True).Set(value=True)
    if holes := set(holes_of(prim)):
        counts = UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get(Usd.TimeCode(FRAME)) or ()
        kind, each_face = Sdf.ValueTypeNames.BoolArray, UsdGeom.Tokens.uniform
        made = UsdGeom.PrimvarsAPI(prim).CreatePrimvar(HOLE, kind, each_face)
        made.Set([at in holes for at in range(len(counts))])
