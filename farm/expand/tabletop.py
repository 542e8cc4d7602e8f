"""The `tabletop` recipe: a maker that settles each scene, then its views in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from farm.expand.again import Again
from farm.expand.randomised import (
    Dice,
    distractor_paint,
    exposure_of,
    lamps_of,
    light_of,
    paints_of,
    table_of,
)
from farm.expand.recipe import Count, Expansion
from farm.expand.table_again import table_again
from farm.expand.table_places import placements
from farm.expand.table_scenes import (
    Scene,
    least_assets,
    most_objects,
    noun_of,
    pools_of,
    scene_of,
    surface_look,
    tabletop,
    words_by_name,
    words_of,
)
from farm.expand.tasks import batch, batches, new_task, sampling_seed
from farm.spec import randomise
from farm.spec.asset import Asset
from farm.spec.draws import UniformDraw
from farm.spec.expression import ExpressionRules
from farm.spec.job import Job
from farm.spec.randomise import Drawn, Paint, Sky, TablePaint
from farm.spec.recipes.tabletop import DomePose, Prop, RecipeSpec, Setup, Surface, View
from farm.spec.record import ViewRecord
from farm.spec.task import Need, RenderTask, product_key
from farm.spec.view import Light
from farm.spec.words import key_of, words_for
from farm.words.banned import banned_nouns

SCENE_S, VIEW_S = 5.0, 0.4
"""Seconds for which a scene is loaded and settles, and which a view takes beside its picture, on a
usual core: for estimates."""
SETTLE_S = 300.0
"""Seconds that it may take to settle a scene beyond a task's own limit."""


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

    def things(self, task: RenderTask) -> tuple[Asset, ...]:
        assert isinstance(task.setup, Setup)
        props = task.setup.props
        named = (each for each in props if each.words is not None and each.asset is not None)
        return tuple(task.assets[each.asset] for each in named if each.asset is not None)

    def again(self, job: Job, record: ViewRecord) -> Again:
        return table_again(job, record)

    def mistakes(self, job: Job) -> Iterator[str]:
        yield from shortages(job)
        yield from strangers(job)
        yield from unsized(job)
        yield from idle(job)
        yield from sky_mistakes(job)

    def remarks(self, job: Job) -> Iterator[str]:
        for sky, banned, _ in skies_with_nouns(job):
            yield (
                f"{sky.name} shows {listed(banned)}, by its name, category or tags: no sentence of "
                "its views says so of an object"
            )

    def setup_s(self, job: Job) -> float:
        recipe = tabletop(job)
        return recipe.scenes * (SCENE_S + recipe.views * VIEW_S)


def unsized(job: Job) -> Iterator[str]:
    """Yield which objects cannot be scaled to what is expected of them."""
    recipe = tabletop(job)
    if recipe.scale != "expected":
        return
    names = sorted(asset.name for asset in job.of("objects") if not words_of(recipe, asset).size_m)
    if names:
        yield (
            f"scale: expected, but words say no size_m of {listed(names)}: add it, such as "
            "[0.07, 0.15], or take the scale of the files"
        )


def skies_with_nouns(job: Job) -> Iterator[tuple[Asset, list[str], bool]]:
    """Yield HDRIs that show what objects are called, these words, and whether that is all."""
    recipe = tabletop(job)
    words = [words_of(recipe, asset) for asset in job.of("objects")]
    nouns = {each.noun.casefold() for each in words if each.confirmed}
    for sky in job.of("hdrs"):
        if banned := banned_nouns(sky, words) & nouns:
            yield sky, sorted(banned), banned == nouns


def sky_mistakes(job: Job) -> Iterator[str]:
    """Yield which HDRIs leave no noun that a sentence could use."""
    for sky, banned, all_of_them in skies_with_nouns(job):
        if all_of_them:
            yield (
                f"hdrs: {sky.name} shows {listed(banned)}, by its name, category or tags, and no "
                "object is called anything else: take another HDRI"
            )


EXPANSION = TabletopExpansion()


def shortages(job: Job) -> Iterator[str]:
    """Yield why there are too few objects for some scenes."""
    recipe = tabletop(job)
    usual, apart = pools_of(job)
    for pool, which in ((usual, "a scene"), (apart, "a held-out scene")):
        if pool or which == "a scene":
            yield from shortages_in(recipe, pool, which)


def shortages_in(recipe: RecipeSpec, pool: Sequence[Asset], which: str) -> Iterator[str]:
    """Yield why some objects are too few for a scene."""
    least, copies = recipe.per_scene[0], recipe.copies[1]
    if len(pool) * copies < least:
        yield (
            f"objects: {len(pool)}, each {times(copies)} at most, are fewer than the {least} that "
            f"{which} needs: name more, raise copies, or lower per_scene"
        )
        return
    if recipe.categories is None:
        return
    sizes = Counter(noun_of(recipe, asset) for asset in pool)
    low, high = recipe.categories
    if len(sizes) < low:
        yield (
            f"categories: the objects of {which} have {len(sizes)} nouns ({listed(sorted(sizes))}),"
            f" fewer than {low}: name other objects, or lower categories"
        )
    elif sum(size for _, size in sizes.most_common(high)) < least_assets(recipe):
        yield (
            f"categories: no {high} nouns have the {least} objects that {which} needs: name more, "
            "raise categories or copies, or lower per_scene"
        )


def strangers(job: Job) -> Iterator[str]:
    """Yield which objects have no words, and which words no object."""
    words = words_by_name(tabletop(job))
    if not words:
        return
    objects = job.of("objects")
    unnamed = {asset.name for asset in objects if not words_for(words, asset.name, asset.sha256)}
    names = {name for asset in objects for name in (asset.name, key_of(asset.name, asset.sha256))}
    if lost := sorted(unnamed):
        yield f"words: say nothing of {listed(lost)}: add them, or run farm words propose"
    if extra := sorted(set(words) - names):
        some = len(extra) > 1
        yield (
            f"words: {listed(extra)} {'are' if some else 'is'} not among the objects: take "
            f"{'them' if some else 'it'} out"
        )


def idle(job: Job) -> Iterator[str]:
    """Yield what is asked for that nothing would show."""
    recipe = tabletop(job)
    if job.of("distractors") and not (recipe.randomise and recipe.randomise.distractors):
        yield (
            "distractors: recipe.randomise says nothing of them: add randomise: distractors, "
            "or take them out"
        )
    if recipe.categories and recipe.categories[0] > most_objects(recipe):
        yield (
            f"categories: {recipe.categories[0]} do not fit into the {most_objects(recipe)} "
            "objects of a scene: lower categories, or raise per_scene"
        )


def times(count: int) -> str:
    """Return how often something may be."""
    return "once" if count == 1 else f"{count} times"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names as a sentence has them, of many the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


# Scenes


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
        props=tuple(props_of(recipe, scene)),
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


def props_of(recipe: RecipeSpec, scene: Scene) -> Iterator[Prop]:
    """Yield the things of a scene: its objects, then its distractors."""
    assets = scene.assets
    for asset in scene.objects:
        yield Prop(asset=assets.index(asset), words=words_of(recipe, asset))
    for each in scene.distractors:
        yield Prop(
            asset=None if each.asset is None else assets.index(each.asset),
            shape=each.shape,
            size_m=each.size_m,
            falls=each.height_m is None,
        )


# Views


def view_of(job: Job, scene: Scene, place: int) -> View:
    """Make one view of a scene."""
    recipe, assets = tabletop(job), scene.assets
    at = scene.number * recipe.views + place
    dice = Dice(job.spec.seed, scene.numbers, at)
    poses = tuple(pose_of(recipe, dice, number) for number in range(recipe.camera_tries))
    hdr = scene.hdrs[place * len(scene.hdrs) // recipe.views] if scene.hdrs else None
    return View(
        index=at,
        name=f"scene_{scene.number:06d}_{place:03d}",
        camera=poses[0].camera,
        cameras=poses,
        drawn=drawn_of(job, scene, dice),
        light=sky_of(recipe, dice),
        hdr=assets.index(hdr) if hdr else None,
        seed=sampling_seed(job, scene.objects, place=at),
        words_seed=int(dice.rng("expressions").integers(2**31)),
        scene=scene.number,
        number=place,
    )


def sky_of(recipe: RecipeSpec, dice: Dice) -> Light:
    """Draw how the environment of a view stands and shines."""
    low, high = recipe.strength
    sky = (recipe.randomise and recipe.randomise.hdri) or Sky(
        strength=UniformDraw(low=low, high=high)
    )
    return light_of(sky, dice)


def pose_of(recipe: RecipeSpec, dice: Dice, number: int) -> DomePose:
    """Draw one of the cameras of a view."""
    dome = (recipe.randomise and recipe.randomise.camera) or recipe.camera
    name = f"camera {number}"
    x, y = (dice.number(dome.look_at_m, randomise.OFFSET_M, f"{name} at {axis}") for axis in "xy")
    return DomePose(
        azimuth_deg=dice.number(dome.azimuth_deg, randomise.ANGLE_DEG, f"{name} azimuth"),
        elevation_deg=dice.number(dome.elevation_deg, randomise.ELEVATION_DEG, f"{name} elevation"),
        distance_m=dice.number(dome.distance_m, randomise.LENGTH_M, f"{name} distance"),
        roll_deg=dice.number(dome.roll_deg, randomise.ANGLE_DEG, f"{name} roll"),
        focal_length_mm=dice.number(dome.focal_length_mm, randomise.FOCAL_MM, f"{name} focal"),
        look_at_m=(x, y),
    )


def drawn_of(job: Job, scene: Scene, of_view: Dice) -> Drawn | None:
    """Draw what `randomise` says of a view beside its camera and its environment."""
    recipe = tabletop(job)
    wanted = recipe.randomise
    surface = table_paint(job, scene, of_view)
    if wanted is None:
        return Drawn(surface=surface) if surface else None
    drawn = Drawn(
        lamps=tuple(lamps_of(wanted.lights, of_view)) if wanted.lights else (),
        exposure_ev=exposure_of(wanted.exposure, of_view) if wanted.exposure else None,
        paints=tuple(scene_paints(job, scene, of_view)),
        surface=surface,
    )
    return drawn if drawn != Drawn() else None


def scene_paints(job: Job, scene: Scene, of_view: Dice) -> Iterator[Paint]:
    """Draw what becomes of the materials of a scene's things."""
    wanted = tabletop(job).randomise
    assert wanted is not None
    if wanted.materials:
        dice = dice_of(of_view, scene, wanted.materials.per)
        yield from paints_of(wanted.materials, dice, scene.objects)
    if wanted.distractors:
        dice = dice_of(of_view, scene, "scene")
        for place, each in enumerate(scene.distractors):
            if each.shape is not None:
                prop = len(scene.objects) + place
                yield distractor_paint(wanted.distractors, dice, f"distractors {place}", prop)


def table_paint(job: Job, scene: Scene, of_view: Dice) -> TablePaint | None:
    """Draw how the table of a view looks, where it does not look as it is."""
    surface = surface_look(job)
    if surface is None:
        return None
    paint, texture = table_of(surface, dice_of(of_view, scene, surface.per), scene.textures)
    place = None if texture is None else scene.assets.index(texture)
    return paint.model_copy(update={"texture": place})


def dice_of(of_view: Dice, scene: Scene, per: randomise.Per) -> Dice:
    """Return the streams of what all views of a scene share, or of one view."""
    return of_view if per == "view" else of_view._replace(place=scene.number)
