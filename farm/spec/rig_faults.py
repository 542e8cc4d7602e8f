"""What is wrong with a rig as somebody asks for it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farm.spec.draws import AnyDraw, ChoiceDraw, NormalDraw
from farm.spec.rigs import REACHES, RIGS, SPHERES

if TYPE_CHECKING:
    from farm.spec.recipes.sod import SodBase, SodRig


def faults(asked: SodRig) -> Iterator[str]:
    """Yield what a rig cannot be."""
    yield from faults_of_rings(asked)
    yield from faults_of_spheres(asked)
    yield from faults_of_lens(asked)
    yield from faults_of_units(asked)
    if asked.randomise is not None and asked.randomise.camera is not None:
        yield (
            "randomise: a rig says where cameras stand: leave out camera, and give distance or "
            "fov_deg as a range instead"
        )


def faults_of_rings(asked: SodRig) -> Iterator[str]:
    """Yield what is wrong with cameras whose places are fixed."""
    rig, count = asked.rig, len(asked.sides)
    if rig != "rings":
        for name in ("elevations", "azimuths"):
            if getattr(asked, name) is not None:
                yield f"{name}: say where rings are, and the rig is {rig}: leave one of them out"
    if asked.views is not None and count:
        why = "its elevations times its azimuths" if rig == "rings" else "which is fixed"
        yield f"views: the rig {rig} has {count}, {why}: leave views out, or take {choices(rig)}"
    if twin := first_twin(asked.sides):
        yield f"azimuths: two cameras stand at azimuth {twin[0]:g}, elevation {twin[1]:g}"


def faults_of_spheres(asked: SodRig) -> Iterator[str]:
    """Yield what is wrong with the elevations between which cameras are spread."""
    if asked.elevation_range is None:
        return
    low, high = asked.elevation_range
    if asked.rig not in SPHERES:
        yield (
            f"elevation_range: is of the rigs {', '.join(sorted(SPHERES))}, and this is "
            f"{asked.rig}: leave it out, or take one of these as --rig (recipe.rig)"
        )
    elif low >= high:
        yield f"elevation_range: {low:g} is not below {high:g}"


def choices(rig: str) -> str:
    """Return what has as many views as somebody likes."""
    spheres = "fibonacci, hammersley or random"
    return f"other angles, or the rig {spheres}" if rig == "rings" else spheres


def first_twin(sides: tuple[tuple[float, float], ...]) -> tuple[float, float] | None:
    """Return the first side that is there before."""
    seen = set()
    for azimuth, elevation in sides:
        side = (round(azimuth % 360.0, 6) % 360.0, elevation)
        if side in seen:
            return azimuth, elevation
        seen.add(side)
    return None


def faults_of_lens(asked: SodRig) -> Iterator[str]:
    """Yield what is wrong with lenses and distances."""
    if asked.orthographic is not None and asked.fov_deg is not None:
        yield (
            "orthographic: its rays run side by side, and fov_deg is of a pinhole: leave one of "
            "them out, a dataset has one kind of lens"
        )
    if asked.stereo is not None and asked.spans is not None:
        yield "stereo: parallel rays see the same from both sides: leave it out, or take a pinhole"
    for name in ("distance", "orthographic"):
        if asked.fit and getattr(asked, name) is not None:
            yield f"fit: finds how far off a pinhole stands: leave out {name}, or fit"
    reach, nearest = REACHES.get(asked.stands_in), least(asked.distance)
    if asked.spans is not None and reach and nearest is not None and nearest < reach:
        yield (
            f"distance: {nearest:g} is inside of {asked.stands_in}, and an orthographic camera "
            f"sees nothing behind it: use {reach:.3g} or more; it changes no sizes"
        )


def least(distance: AnyDraw | None) -> float | None:
    """Return the least that is drawn, as far as that is sure."""
    if distance is None or isinstance(distance, NormalDraw):
        return None
    numbers = distance.values if isinstance(distance, ChoiceDraw) else (distance.low,)
    return min(float(number) for number in numbers)  # type: ignore[arg-type]  # they are numbers


def faults_of_units(asked: SodRig) -> Iterator[str]:
    """Yield what is wrong with distances in units of a frame."""
    given, known = asked.distance is not None or asked.fit, RIGS[asked.rig]
    if asked.stands_in == "file":
        if not given:
            yield (
                "frame: in units of the file nobody knows how far off cameras should stand: give "
                "distance, or fit"
            )
    elif asked.stands_in != known.frame and known.distance is not None and not given:
        yield (
            f"frame: the distances of the rig {asked.rig} are in units of {known.frame}: leave "
            "frame out, or give distance, or fit"
        )


def faults_of_frame(asked: SodBase) -> Iterator[str]:
    """Yield what is wrong with a frame, in every mode."""
    if asked.frame != "file":
        return
    if asked.mode != "rig" and not asked.fit:
        yield (
            f"frame: the distances of the mode {asked.mode} are in sizes of the model: with file, "
            "take fit, or a rig with a distance of its own"
        )
    if asked.randomise is not None and asked.randomise.lights is not None:
        yield "randomise: lights stand around a model of size 1: leave them out, or frame: file"
