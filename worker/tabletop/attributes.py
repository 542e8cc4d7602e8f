"""What is measured of a thing: colour, material, pose; what cannot be measured is not said."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.camera import Matrix4
from farm.spec.expression import LYING_DEG, UPRIGHT_DEG
from farm.spec.label import Point3
from farm.spec.words import AssetWords
from worker.finish import PLAIN, Finish
from worker.tabletop.colours import might_be_said_of, said_of, slack_of, term_shares
from worker.tabletop.pixels import Mask, inner

METAL_FROM = 0.8
GLASS_FROM = 0.5
SHINY_BELOW = 0.2
SEE_THROUGH_BELOW = 0.9
"""Means over what is seen of a thing: metallic, transmission, roughness, alpha."""
FROSTED_FROM = 0.5
"""Roughness from which on nobody can tell what lets light through from what scatters it."""
KNOWN_SHARE = 0.8
"""Least share of what is seen of which a number must be known."""
LEAST_PIXELS = 8
"""Pixels, none of them at an edge, by which a colour is told: fewer may miss a stripe."""
COLOURLESS_SHARE = 0.2
"""Share of what is seen from which on metal, glass and light of its own hide a thing's colour."""
LONGER = 1.2
"""Of what is called upright or lying, the height is longer than the other sides by this factor."""


class Colour(NamedTuple):
    """What colour a thing has."""

    said: str | None = None
    might: frozenset[str] = frozenset()
    """All terms that somebody might say; empty where nothing is known."""


class Materials(NamedTuple):
    """What a thing is made of."""

    said: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    """What it may be, or not."""


def colour_of(
    mask: Mask, albedo: NDArray[np.float32], paints: NDArray[np.uint16], finishes: Sequence[Finish]
) -> Colour:
    """Return the colour of a thing.

    Args:
        mask: (H, W), where it is seen.
        albedo: (H, W, 3), the share of light that is scattered, linear.
        paints: (H, W), numbers of materials, from 1.
        finishes: Of each material; what has none has the number after the last.
    """
    within = inner(mask)  # pixels at its edge are mixed with what is beside it
    if np.count_nonzero(within) < LEAST_PIXELS:
        return Colour()
    hidden = sum(
        share
        for share, finish in shares_of(paints[within], finishes)
        if not finish.scatters  # its albedo is black, or not all that is seen of it
    )
    if hidden > COLOURLESS_SHARE:
        return Colour()
    colours = albedo[within].astype(np.float64)
    shares, slack = term_shares(colours), slack_of(len(colours))
    return Colour(said_of(shares, slack=slack), might_be_said_of(shares, slack=slack))


def materials_of(
    mask: Mask, paints: NDArray[np.uint16], finishes: Sequence[Finish], words: AssetWords | None
) -> Materials:
    """Return what a thing is made of: measured, and as a person has confirmed it."""
    seen = tuple(shares_of(paints[mask], finishes))
    tests = {
        "metal": above(mean(seen, "metallic"), METAL_FROM),
        "glass": is_glass(seen),
        "shiny": below(mean(seen, "roughness"), SHINY_BELOW),
        "see-through": below(mean(seen, "alpha"), SEE_THROUGH_BELOW),
    }
    said = {name for name, holds in tests.items() if holds}
    if words is not None and words.confirmed and words.material:
        said.add(words.material)
    unsure = {name for name, holds in tests.items() if holds is None}
    return Materials(frozenset(said), frozenset(unsure - said))


def is_glass(seen: Sequence[tuple[float, Finish]]) -> bool | None:
    """Say whether a thing is of glass; None where nobody could tell."""
    clear = above(mean(seen, "transmission"), GLASS_FROM)
    return clear if not clear or below(mean(seen, "roughness"), FROSTED_FROM) else None


def shares_of(
    paints: NDArray[np.uint16], finishes: Sequence[Finish]
) -> Iterator[tuple[float, Finish]]:
    """Yield the share of pixels (N,) that each of their materials has, with its finish."""
    numbers, counts = np.unique(paints, return_counts=True)
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        finish = finishes[number - 1] if 0 < number <= len(finishes) else PLAIN
        yield count / len(paints), finish


def mean(seen: Sequence[tuple[float, Finish]], name: str) -> float | None:
    """Return the mean of a number over what is seen; None where too much of it is not known."""
    known = [
        (share, float(value)) for share, each in seen if (value := getattr(each, name)) is not None
    ]
    whole = sum(share for share, _ in known)
    if whole < KNOWN_SHARE:
        return None
    return sum(share * value for share, value in known) / whole


def above(value: float | None, limit: float) -> bool | None:
    """Say whether a number is above a limit, where it is known."""
    return None if value is None else value > limit


def below(value: float | None, limit: float) -> bool | None:
    """Say whether a number is below a limit, where it is known."""
    return None if value is None else value < limit


def pose_of(world_from_file: Matrix4 | None, size: Point3, words: AssetWords | None) -> str | None:
    """Return whether a thing stands upright or lies; None where that cannot be told of it.

    Only what is higher than wide, as its file has it, is either: not a ball, a cube, a plate.

    Args:
        world_from_file: How it stands; the file's z is its own up.
        size: Sides of its box along the file's axes.
        words: What is known of it beforehand.
    """
    if world_from_file is None or (words is not None and words.symmetric):
        return None
    if size[2] < LONGER * max(size[:2]):
        return None
    up = np.array(world_from_file)[:3, 2]
    tilt = math.degrees(math.acos(float(np.clip(up[2] / np.linalg.norm(up), -1.0, 1.0))))
    if tilt < UPRIGHT_DEG:
        return "upright"
    return "lying" if LYING_DEG < tilt < 180.0 - LYING_DEG else None
