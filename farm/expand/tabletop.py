"""The `tabletop` recipe: a maker that settles each scene, then its views in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.expand.recipe import Count, Expansion
from farm.expand.streams import stream
from farm.expand.tasks import batch, batches, new_task, sampling_seed
from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.camera import Matrix4, PerspectiveLens, PoseCamera
from farm.spec.expression import ExpressionRules
from farm.spec.job import Job
from farm.spec.recipes.tabletop import (
    Dome,
    Placement,
    Prop,
    Quaternion,
    RecipeSpec,
    Setup,
    Surface,
    Three,
    View,
)
from farm.spec.task import Need, RenderTask, product_key
from farm.spec.view import Light
from farm.spec.words import GENERAL_NOUN, AssetWords

SETTLE_S = 60.0
"""Seconds that it may take to settle a scene beyond a task's own limit."""
DROP_FROM_M, DROP_STEP_M = 0.15, 0.12
"""Height at which the first object is let go, and of each next one above it."""
SPREAD = 0.3
"""Part of the table, from its middle, over which things are let go."""


class Scene(NamedTuple):
    """What one scene is made of."""

    number: int
    objects: tuple[Asset, ...]
    """One for each thing: copies come several times."""
    surface: Asset | None
    hdrs: tuple[Asset, ...]

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Each once, sorted by role."""
        surface = () if self.surface is None else (self.surface,)
        return tuple(dict.fromkeys((*self.objects, *surface, *self.hdrs)))


class TabletopExpansion(Expansion):
    """Makers come first, one for each scene; then views, ordered by scene."""

    names_are_distinct = True  # of scene and number

    def count(self, job: Job) -> Count:
        recipe = tabletop(job)
        tasks = recipe.scenes * (1 + batches(job, recipe.views))
        return Count(tasks=tasks, views=recipe.scenes * recipe.views)

    def makers(self, job: Job) -> int:
        return tabletop(job).scenes

    def waits_for(self, job: Job, index: int) -> int | None:
        recipe = tabletop(job)
        after = index - recipe.scenes
        return after // batches(job, recipe.views) if after >= 0 else None

    def affinity(self, job: Job, index: int) -> str:
        maker = self.waits_for(job, index)
        return f"{job.job_id} {index if maker is None else maker}"

    def task(self, job: Job, index: int) -> RenderTask:
        recipe, maker = tabletop(job), self.waits_for(job, index)
        number = index if maker is None else maker
        if not 0 <= number < recipe.scenes:
            raise IndexError(index)
        scene = scene_of(job, number)
        product = product_of(job, scene)
        if maker is None:
            return new_task(
                job,
                index,
                task_id=f"scene-{number:06d}-settle",
                title=f"scene {number} · settle",
                assets=tuple(asset for asset in scene.assets if asset.kind == "model"),
                setup=setup_of(job, scene, None),
                group=product,
                product=product,
                setup_s=SETTLE_S,
            )
        part = (index - recipe.scenes) % batches(job, recipe.views)
        return new_task(
            job,
            index,
            task_id=f"scene-{number:06d}-{part:04d}",
            title=f"scene {number}",
            assets=scene.assets,
            setup=setup_of(job, scene, recipe.expressions),
            group=product,
            needs=Need(product=product, made_by=number),
            setup_s=SETTLE_S,
            views=[view_of(job, scene, place) for place in batch(job, part, views=recipe.views)],
        )

    def mistakes(self, job: Job) -> Iterator[str]:
        recipe = tabletop(job)
        objects, words = job.of("objects"), words_by_name(recipe)
        most = len(objects) * recipe.copies[1]
        if most < recipe.per_scene[0]:
            yield (
                f"objects: {len(objects)}, each {recipe.copies[1]} times at most, are fewer than "
                f"the {recipe.per_scene[0]} that a scene needs: name more, or lower per_scene"
            )
        if words:
            names = {asset.name for asset in objects}
            if lost := sorted(names - set(words)):
                yield f"words: say nothing of {listed(lost)}: add them, or run farm words propose"
            if extra := sorted(set(words) - names):
                yield f"words: {listed(extra)} are not among the objects: take them out"


EXPANSION = TabletopExpansion()


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names as a sentence has them, of many the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def tabletop(job: Job) -> RecipeSpec:
    """Return the recipe of a job as what it is."""
    assert isinstance(job.spec.recipe, RecipeSpec)
    return job.spec.recipe


def words_by_name(recipe: RecipeSpec) -> dict[str, AssetWords]:
    """Return the words of each asset, by the name of its file."""
    return recipe.words if isinstance(recipe.words, dict) else {}


def words_of(recipe: RecipeSpec, asset: Asset) -> AssetWords:
    """Return what an object is called; where nobody has said, by the category of its source."""
    known = words_by_name(recipe).get(asset.name)
    return known or AssetWords(noun=asset.credit.category or GENERAL_NOUN)


def scene_of(job: Job, number: int) -> Scene:
    """Draw what a scene is made of."""
    recipe = tabletop(job)
    rng = stream(job.spec.seed, (), place=number, aspect="objects")
    pool = pool_of(job, number)
    wanted = int(rng.integers(recipe.per_scene[0], recipe.per_scene[1], endpoint=True))
    chosen: list[Asset] = []
    for asset in of_few_kinds(recipe, shuffled(pool, rng), rng):
        copies = int(rng.integers(recipe.copies[0], recipe.copies[1], endpoint=True))
        chosen += [asset] * min(copies, wanted - len(chosen))
        if len(chosen) == wanted:
            break
    surfaces = job.of("surfaces")
    surface = surfaces[int(rng.integers(len(surfaces)))] if surfaces else None
    hdrs = shuffled(job.of("hdrs"), stream(job.spec.seed, (), place=number, aspect="hdrs"))
    return Scene(number, tuple(chosen), surface, tuple(hdrs[: min(recipe.skies, recipe.views)]))


def pool_of(job: Job, number: int) -> tuple[Asset, ...]:
    """Return the objects that a scene may have."""
    recipe, objects = tabletop(job), job.of("objects")
    if not recipe.holdout:
        return objects
    ordered = sorted(objects, key=lambda asset: digest(job.spec.seed, asset.content))
    apart = max(1, round(recipe.holdout * len(ordered)))
    is_apart = number >= recipe.scenes - max(1, round(recipe.holdout * recipe.scenes))
    return tuple(ordered[:apart] if is_apart else ordered[apart:])


def of_few_kinds(
    recipe: RecipeSpec, pool: Sequence[Asset], rng: np.random.Generator
) -> Sequence[Asset]:
    """Return the objects of as many nouns as a scene is to have."""
    if recipe.categories is None:
        return pool
    count = int(rng.integers(recipe.categories[0], recipe.categories[1], endpoint=True))
    nouns = list(dict.fromkeys(words_of(recipe, asset).noun for asset in pool))[:count]
    return [asset for asset in pool if words_of(recipe, asset).noun in nouns]


def shuffled(assets: Sequence[Asset], rng: np.random.Generator) -> list[Asset]:
    """Return assets in any order."""
    return [assets[place] for place in rng.permutation(len(assets))]


def product_of(job: Job, scene: Scene) -> str:
    """Return where the settled poses of a scene are kept: the same for all jobs that have it."""
    setup = setup_of(job, scene, None).model_dump(mode="json")
    contents = [asset.content for asset in scene.assets if asset.kind == "model"]
    return product_key("tabletop", *contents, setup)


def setup_of(job: Job, scene: Scene, rules: ExpressionRules | None) -> Setup:
    """Return the setup of a scene; without rules, that of its maker, on which poses depend."""
    recipe, assets = tabletop(job), scene.assets
    made = Setup(
        arrangement=recipe.arrangement,
        scale=recipe.scale,
        surface=Surface(
            asset=assets.index(scene.surface) if scene.surface else None, size_m=recipe.table_m
        ),
        props=tuple(
            Prop(asset=assets.index(asset), words=words_of(recipe, asset))
            for asset in scene.objects
        ),
    )
    if rules is None:
        draws = (tuple(placements(job, scene, number)) for number in range(recipe.scene_tries))
        return made.model_copy(update={"draws": tuple(draws)})
    more = {
        "expressions": rules,
        "min_visible": recipe.min_visible,
        "visible_fraction": recipe.visible_fraction,
        "visible_px": recipe.visible_px,
    }
    return made.model_copy(update=more)


def placements(job: Job, scene: Scene, number: int) -> Iterator[Placement]:
    """Draw where the things of a scene are let go, or put."""
    recipe = tabletop(job)
    rng = stream(job.spec.seed, scene.objects, place=scene.number, aspect=f"placement {number}")
    length, width = recipe.table_m
    cells = rng.permutation(recipe.rows * recipe.columns)
    for place, asset in enumerate(scene.objects):
        yaw = float(rng.uniform(0.0, 2 * math.pi))
        tumble = rng.normal(size=4)
        x, y = rng.uniform(-SPREAD, SPREAD, 2).tolist()
        if recipe.arrangement == "drop":
            turn = upright(yaw) if words_of(recipe, asset).stands else unit(tumble)
            at = (x * length, y * width, DROP_FROM_M + DROP_STEP_M * place)
        else:
            row, column = divmod(int(cells[place % len(cells)]), recipe.columns)
            turn = upright(yaw)
            at = (
                length * ((column + 0.5) / recipe.columns - 0.5),
                width * (0.5 - (row + 0.5) / recipe.rows),
                0.0,
            )
        yield Placement(at_m=rounded(at), turn=turn)


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


def view_of(job: Job, scene: Scene, place: int) -> View:
    """Make one view of a scene."""
    recipe, assets = tabletop(job), scene.assets
    at = scene.number * recipe.views + place
    light = stream(job.spec.seed, scene.objects, place=at, aspect="light")
    words = stream(job.spec.seed, scene.objects, place=at, aspect="expressions")
    cameras = [camera_of(job, scene, at, number) for number in range(recipe.camera_tries)]
    hdr = scene.hdrs[place * len(scene.hdrs) // recipe.views] if scene.hdrs else None
    return View(
        index=at,
        name=f"scene_{scene.number:06d}_{place:03d}",
        camera=cameras[0],
        more_cameras=tuple(cameras[1:]),
        light=Light(
            rotation_deg=round(float(light.uniform(0.0, 360.0)), 1),
            strength=round(float(light.uniform(*recipe.strength)), 2),
        ),
        hdr=assets.index(hdr) if hdr else None,
        seed=sampling_seed(job, scene.objects, place=at),
        words_seed=int(words.integers(2**31)),
        scene=scene.number,
        number=place,
    )


def camera_of(job: Job, scene: Scene, at: int, number: int) -> PoseCamera:
    """Draw one of the cameras of a view."""
    dome = tabletop(job).camera
    rng = stream(job.spec.seed, scene.objects, place=at, aspect=f"camera {number}")
    azimuth, elevation, roll = (
        math.radians(float(rng.uniform(*each)))
        for each in (dome.azimuth_deg, dome.elevation_deg, dome.roll_deg)
    )
    pose = dome_pose(dome, rng, azimuth_rad=azimuth, elevation_rad=elevation, roll_rad=roll)
    focal = round(float(rng.uniform(*dome.focal_length_mm)), 2)
    return PoseCamera(world_from_camera=pose, lens=PerspectiveLens(focal_length_mm=focal))


def dome_pose(
    dome: Dome,
    rng: np.random.Generator,
    *,
    azimuth_rad: float,
    elevation_rad: float,
    roll_rad: float,
) -> Matrix4:
    """Return `world_from_camera` of a camera that looks at the table."""
    distance = float(rng.uniform(*dome.distance_m))
    x, y = (float(rng.uniform(*dome.look_at_m)) for _ in range(2))
    cos, sin = math.cos(elevation_rad), math.sin(elevation_rad)
    back = np.array([cos * math.cos(azimuth_rad), cos * math.sin(azimuth_rad), sin])
    right = np.array([-math.sin(azimuth_rad), math.cos(azimuth_rad), 0.0])
    up = np.cross(back, right)
    turned = (
        math.cos(roll_rad) * right + math.sin(roll_rad) * up,
        math.cos(roll_rad) * up - math.sin(roll_rad) * right,
        back,
    )
    at = np.array([x, y, 0.0]) + distance * back
    rows = np.column_stack([*turned, at]).round(9).tolist()
    return (tuple(rows[0]), tuple(rows[1]), tuple(rows[2]), (0.0, 0.0, 0.0, 1.0))
