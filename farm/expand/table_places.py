"""Where the things of a scene of the recipe `tabletop` are let go, or put."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.expand.streams import stream_of
from farm.expand.table_scenes import Scene, tabletop, words_of
from farm.spec.job import Job
from farm.spec.recipes.tabletop import Placement, Quaternion, RecipeSpec, Three

DROP_FROM_M, DROP_STEP_M = 0.15, 0.12
"""Height at which the first object is let go, and of each next one above it."""
SPREAD = 0.3
"""Part of the table, from its middle, over which things are let go."""
WITHIN = 0.42
"""Part of the table, from its middle, over which things are put anywhere."""
IN_CELL = 0.15
"""Largest distance from the middle of a cell, in cells."""
CANDIDATES = 24
"""Places of which the one is taken that is furthest from all others."""

Rows = NDArray[np.float64]
Spot = tuple[float, float]
"""A place on the table, in parts of its length and width, from its middle."""


class Ways(NamedTuple):
    """The streams of one draw of a scene; what is beside its objects changes none of theirs."""

    seed: int
    scene: Scene
    draw: int

    def rng(self, aspect: str) -> np.random.Generator:
        """Return the stream of an aspect."""
        return stream_of(
            self.seed,
            self.scene.numbers,
            place=self.scene.number,
            aspect=f"placement {self.draw} {aspect}",
        )

    def rows(self, aspect: str, draw: Callable[[np.random.Generator, int], Rows]) -> Rows:
        """Draw a row of numbers (N, ...) for each thing."""
        beside = len(self.scene.distractors)
        of_objects = draw(self.rng(aspect), len(self.scene.objects))
        return np.concatenate([of_objects, draw(self.rng(f"{aspect} beside"), beside)])


def placements(job: Job, scene: Scene, draw: int) -> Iterator[Placement]:
    """Draw where the things of a scene are let go, or put: its objects, then its distractors."""
    recipe, ways = tabletop(job), Ways(job.spec.seed, scene, draw)
    length, width = recipe.table_m
    stacks, spots = stacks_of(recipe, ways), spots_of(recipe, ways)
    yaws = ways.rows("yaw", lambda rng, count: rng.uniform(0.0, 2 * math.pi, count))
    tumbles = ways.rows("tumble", lambda rng, count: rng.normal(size=(count, 4)))
    for place, spot in enumerate(spots):
        on = stacks.get(place)
        x, y = spots[on] if on is not None else spot
        hanging = hanging_at(scene, place)
        falls = recipe.arrangement == "drop" and hanging is None
        height = DROP_FROM_M + DROP_STEP_M * place if falls else hanging or 0.0
        turn = unit(tumbles[place]) if lies(recipe, scene, place) else upright(float(yaws[place]))
        yield Placement(at_m=rounded((x * length, y * width, height)), turn=turn, on=on)


def hanging_at(scene: Scene, place: int) -> float | None:
    """Return how high a thing hangs, if it does."""
    beside = place - len(scene.objects)
    return scene.distractors[beside].height_m if beside >= 0 else None


def lies(recipe: RecipeSpec, scene: Scene, place: int) -> bool:
    """Say whether a thing lies as it comes: what is let go, unless it must stand, or hangs."""
    if hanging_at(scene, place) is not None:
        return True
    stands = place < len(scene.objects) and words_of(recipe, scene.objects[place]).stands
    return recipe.arrangement == "drop" and not stands


# Spots


def spots_of(recipe: RecipeSpec, ways: Ways) -> list[Spot]:
    """Draw the spots of a scene's objects, then those of its distractors."""
    if recipe.arrangement == "drop":
        spots = ways.rows("spot", lambda rng, count: rng.uniform(-SPREAD, SPREAD, (count, 2)))
        return [(x, y) for x, y in spots.tolist()]
    objects, rng = len(ways.scene.objects), ways.rng("spot")
    found = spread(rng, objects, []) if recipe.free else cells_of(recipe, ways, rng)
    return found + spread(ways.rng("spot beside"), len(ways.scene.distractors), found)


def cells_of(recipe: RecipeSpec, ways: Ways, rng: np.random.Generator) -> list[Spot]:
    """Draw cells of the grid, each for one object, and where in its cell that is."""
    order = ways.rng("cells").permutation(recipe.rows * recipe.columns).tolist()
    found = []
    for cell, (x, y) in zip(order, rng.uniform(-IN_CELL, IN_CELL, (len(order), 2)), strict=True):
        row, column = divmod(cell, recipe.columns)
        found.append(
            ((column + 0.5 + x) / recipe.columns - 0.5, 0.5 - (row + 0.5 + y) / recipe.rows)
        )
    return found[: len(ways.scene.objects)]


def spread(rng: np.random.Generator, count: int, others: Sequence[Spot]) -> list[Spot]:
    """Draw spots with clearance: each is the one of several that is furthest from all others."""
    found = list(others)
    for _ in range(count):
        several = rng.uniform(-WITHIN, WITHIN, (CANDIDATES, 2))
        x, y = several[furthest(several, found)].tolist()
        found.append((x, y))
    return found[len(others) :]


def furthest(several: NDArray[np.float64], others: Sequence[Spot]) -> int:
    """Return which of several spots (N, 2) is furthest from all others."""
    if not others:
        return 0
    apart = np.linalg.norm(several[:, None] - np.array(others)[None], axis=2).min(axis=1)
    return int(apart.argmax())


# Stacks


def stacks_of(recipe: RecipeSpec, ways: Ways) -> dict[int, int]:
    """Draw which things are put onto which: pairs, so that nothing carries two.

    The last third of the draws has none, so that a scene whose things do not stack settles, too.
    """
    tries = recipe.scene_tries
    may_stack = recipe.arrangement == "place" and ways.draw < max(1, tries - tries // 3)
    if not (may_stack and recipe.stacks):
        return {}
    free = ways.rng("stacks order").permutation(len(ways.scene.objects)).tolist()
    share = ways.rng("stacks").random(len(free))
    found: dict[int, int] = {}
    for place, drawn in enumerate(share):
        if drawn < recipe.stacks and place in free and len(free) > 1:
            free.remove(place)
            found[place] = free.pop(0)
    return found


# Numbers


def upright(yaw_rad: float) -> Quaternion:
    """Return a turn about the vertical."""
    return (round(math.cos(yaw_rad / 2), 6), 0.0, 0.0, round(math.sin(yaw_rad / 2), 6))


def unit(numbers: NDArray[np.float64]) -> Quaternion:
    """Return four numbers as a turn."""
    w, x, y, z = (numbers / np.linalg.norm(numbers)).round(6).tolist()
    return (w, x, y, z)


def rounded(at: Sequence[float]) -> Three:
    """Return a place to the hundredth of a millimetre."""
    x, y, z = (round(float(number), 5) for number in at)
    return (x, y, z)
