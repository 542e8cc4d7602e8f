"""The `sod` recipe: every model under every HDRI, on a regular grid, by random angles and
light, or by a rig of cameras.

Pairs have equally many views each, so a task's place says all about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from farm.errors import SpecError
from farm.expand.again import Again
from farm.expand.randomised import Dice, exposure_of, lamps_of, light_of, paints_of
from farm.expand.recipe import Count, Expansion
from farm.expand.rigs import camera_of
from farm.expand.streams import numbers_of, stream
from farm.expand.tasks import batch, batches, new_task, sampling_seed
from farm.spec import randomise
from farm.spec.asset import Asset
from farm.spec.camera import BASE_DISTANCE, FRAMING_FACTORS, Framing, OrbitCamera
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.passes import LIT
from farm.spec.randomise import Drawn, OrbitJitter
from farm.spec.recipes.base import Recipe
from farm.spec.recipes.sod import (
    TURNS_DEG,
    Relit,
    SodAugmented,
    SodBase,
    SodGrid,
    SodRandomise,
    SodRig,
    SodSetup,
    SodView,
)
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask
from farm.spec.view import Light


class Pair(NamedTuple):
    """One model under one HDRI, and where they stand in the job."""

    model_index: int
    hdr_index: int
    model: Asset
    hdr: Asset
    hdrs: int
    """How many HDRIs the job has."""
    relit: bool = False
    """Its cameras are those of the model under every HDRI."""

    @property
    def stands(self) -> tuple[Asset, ...]:
        """What cameras and materials are drawn for."""
        return (self.model,) if self.relit else (self.model, self.hdr)

    @property
    def place(self) -> int:
        """How many pairs come before this one."""
        return self.model_index * self.hdrs + self.hdr_index


class SodExpansion(Expansion):
    """Tasks of all modes."""

    names_are_distinct = True  # they tell all that is drawn, and no yaw is drawn twice

    def count(self, job: Job) -> Count:
        views, models, hdrs = views_per_pair(job.spec.recipe), job.of("models"), job.of("hdrs")
        if sod(job.spec.recipe).relight:
            lights = len(hdrs) * sod(job.spec.recipe).relight_turns
            return Count(
                tasks=len(models) * batches(job, views), views=len(models) * views * lights
            )
        pairs = len(models) * len(hdrs)
        return Count(tasks=pairs * batches(job, views), views=pairs * views)

    def task(self, job: Job, index: int) -> RenderTask:
        recipe = sod(job.spec.recipe)
        views = views_per_pair(recipe)
        if recipe.relight:
            return relit_task(job, index, setup=setup_of(recipe))
        pair, number = pair_of_task(job, index, views=views)
        return new_task(
            job,
            index,
            task_id=f"{pair.model.id}-{pair.hdr.id}-{number:04d}",
            title=f"{pair.model.title} · {pair.hdr.title}",
            dataset=dataset_of(job, pair.model.id, pair.hdr.id),
            assets=(pair.model, pair.hdr),
            setup=setup_of(recipe),
            views=(view_of(job, recipe, pair, slot) for slot in batch(job, number, views=views)),
        )

    def assets_at(self, job: Job, index: int) -> tuple[Asset, ...]:
        if sod(job.spec.recipe).relight:
            return model_of_task(job, index)[1], *job.of("hdrs")
        pair, _ = pair_of_task(job, index, views=views_per_pair(job.spec.recipe))
        return pair.model, pair.hdr

    def tasks_of(self, job: Job, asset: Asset) -> Iterator[range]:
        models, hdrs = job.of("models"), job.of("hdrs")
        number = batches(job, views_per_pair(job.spec.recipe))
        if sod(job.spec.recipe).relight:
            for at, model in enumerate(models):
                if asset in (model, *hdrs):
                    yield range(at * number, (at + 1) * number)
            return
        for at, model in enumerate(models):
            first = at * len(hdrs) * number
            if model == asset:
                yield range(first, first + len(hdrs) * number)
                continue
            for place in (place for place, hdr in enumerate(hdrs) if hdr == asset):
                yield range(first + place * number, first + (place + 1) * number)

    def again(self, job: Job, record: ViewRecord) -> Again:
        return Again(setup_of(sod(job.spec.recipe)))

    def datasets(self, job: Job) -> Iterator[str]:
        if isinstance(job.spec.recipe, SodAugmented):
            yield job.spec.dataset_name or ""
            return
        relit, seen = sod(job.spec.recipe).relight, set()
        for model in job.of("models"):
            for hdr in job.of("hdrs")[: 1 if relit else None]:
                name = dataset_of(job, model.id, hdr.id)
                if name in seen:
                    raise SpecError(
                        f"dataset_name: {name!r} would hold the grids of several models under the "
                        "same file names; include {model} in it"
                        if relit
                        else f"dataset_name: {name!r} would hold the grids of several (model, "
                        "HDRI) pairs under the same file names; include {model} and {hdr} in it"
                    )
                seen.add(name)
                yield name

    def things(self, task: RenderTask) -> tuple[Asset, ...]:
        return task.of("models")

    def sides(self, task: RenderTask) -> Iterator[tuple[float, float]]:
        assert isinstance(task.setup, SodSetup)
        for view in task.views:
            assert isinstance(view, SodView)
            yield view.camera.yaw_deg + TURNS_DEG[task.setup.front], view.camera.pitch_deg

    def mistakes(self, job: Job) -> Iterator[str]:
        # Ids hold no `_` any more, except in jobs of earlier versions.
        if not are_distinct(job.of("models"), job.of("hdrs")):
            yield "models: two (model, HDRI) pairs would look the same in file names; rename a file"
        yield from mistakes_of_relight(job, sod(job.spec.recipe))


EXPANSION = SodExpansion()


def are_distinct(models: Sequence[Asset], hdrs: Sequence[Asset]) -> bool:
    """Say whether no two pairs read the same as `model_hdr`, also where case does not count."""
    pairs = {f"{model.id}_{hdr.id}".casefold() for model in models for hdr in hdrs}
    return len(pairs) == len(models) * len(hdrs)


def mistakes_of_relight(job: Job, recipe: SodBase) -> Iterator[str]:
    """Yield why views of a job cannot share their labels under several lights."""
    if not recipe.relight:
        return
    if len(job.of("hdrs")) * recipe.relight_turns < 2:
        yield "relight: there is one light alone: name more --hdrs, or add --relight-turns 4"
    if LIT.isdisjoint(job.spec.passes):
        yield "relight: none of the passes depends on light: add rgb, or leave relight out"
    if "{hdr}" in (job.spec.dataset_name or ""):
        yield "dataset_name: with relight one dataset has all HDRIs of a model: leave {hdr} out"


def setup_of(recipe: SodBase) -> SodSetup:
    """Return what all views of a pair share: a rig turns no model, its cameras stand elsewhere."""
    if isinstance(recipe, SodRig):
        return SodSetup(
            file_lights=recipe.file_lights, frame=recipe.stands_in, ground=recipe.ground
        )
    frame = recipe.frame or "unit-cube"
    return SodSetup(
        file_lights=recipe.file_lights, front=recipe.front, frame=frame, ground=recipe.ground
    )


def pair_of_task(job: Job, index: int, *, views: int) -> tuple[Pair, int]:
    """Return the pair and the batch of task `index`.

    Consecutive tasks share their model, then their HDRI, so that a worker stays warm.
    """
    models, hdrs = job.of("models"), job.of("hdrs")
    if not 0 <= index < len(models) * len(hdrs) * batches(job, views):
        raise IndexError(index)
    place, number = divmod(index, batches(job, views))
    model_index, hdr_index = divmod(place, len(hdrs))
    pair = Pair(model_index, hdr_index, models[model_index], hdrs[hdr_index], len(hdrs))
    return pair, number


def model_of_task(job: Job, index: int) -> tuple[int, Asset, int]:
    """Return the model of a task under all lights, its place, and which of its batches that is."""
    models, number = job.of("models"), batches(job, views_per_pair(job.spec.recipe))
    if not 0 <= index < len(models) * number:
        raise IndexError(index)
    place, batch_number = divmod(index, number)
    return place, models[place], batch_number


def relit_task(job: Job, index: int, *, setup: SodSetup) -> RenderTask:
    """Make a batch of views of a model under all lights: one after the other, so that an HDRI is
    loaded once."""
    recipe, hdrs = sod(job.spec.recipe), job.of("hdrs")
    place, model, number = model_of_task(job, index)
    slots = batch(job, number, views=views_per_pair(recipe))
    lights = [(at, turn) for at in range(len(hdrs)) for turn in range(recipe.relight_turns)]
    pairs = [Pair(place, at, model, hdr, len(hdrs), relit=True) for at, hdr in enumerate(hdrs)]
    poses = [
        with_siblings([relit_view(job, recipe, pairs[at], slot, turn=turn) for at, turn in lights])
        for slot in slots
    ]
    return new_task(
        job,
        index,
        task_id=f"{model.id}-relit-{number:04d}",
        title=f"{model.title} · {counted(len(lights), 'light')}",
        dataset=dataset_of(job, model.id, ""),
        assets=(model, *hdrs),
        setup=setup,
        views=(pose[light] for light in range(len(lights)) for pose in poses),
    )


def relit_view(job: Job, recipe: SodBase, pair: Pair, slot: int, *, turn: int) -> SodView:
    """Make view `slot` of a model under one light: an HDRI, turned."""
    view = view_of(job, recipe, pair, slot)
    turns, turned_deg = recipe.relight_turns, 360.0 * turn / recipe.relight_turns
    light = view.light.model_copy(
        update={"rotation_deg": round((view.light.rotation_deg + turned_deg) % 360.0, 4)}
    )
    name = f"{view.name}_{pair.hdr.id}"
    if isinstance(recipe, SodAugmented):
        name += f"_{round(light.rotation_deg):03d}_{round(100 * light.strength):03d}"
    elif turns > 1:
        name += f"_{round(turned_deg):03d}"
    place = (pair.model_index * views_per_pair(recipe) + slot) * pair.hdrs + pair.hdr_index
    return view.model_copy(
        update={
            "index": place * turns + turn,
            "name": name,
            "light": light,
            "relit": Relit(pose=view.name, hdr=pair.hdr.id),
        }
    )


def with_siblings(views: Sequence[SodView]) -> list[SodView]:
    """Return the views of one pose, each with the names of the others."""
    return [
        view.with_siblings(tuple(each.name for each in views if each is not view)) for view in views
    ]


def view_of(job: Job, recipe: SodBase, pair: Pair, slot: int) -> SodView:
    """Make view `slot` of a pair."""
    if isinstance(recipe, SodGrid):
        view = grid_view(job, recipe, pair, slot)
    elif isinstance(recipe, SodRig):
        view = rig_view(job, recipe, pair, slot)
    else:
        assert isinstance(recipe, SodAugmented)
        view = augmented_view(job, recipe, pair, slot)
    if recipe.randomise is None:
        return view
    dice = Dice(job.spec.seed, numbers_of((pair.model, pair.hdr)), slot)
    standing = Dice(job.spec.seed, numbers_of(pair.stands), slot)
    return randomised(view, recipe.randomise, dice, standing, pair.model)


def randomised(
    view: SodView, wanted: SodRandomise, dice: Dice, standing: Dice, model: Asset
) -> SodView:
    """Return a view as it was drawn: light by `dice`, camera and materials by those of what stands
    there."""
    paints = paints_of(wanted.materials, standing, (model,)) if wanted.materials else ()
    drawn = Drawn(
        lamps=tuple(lamps_of(wanted.lights, dice)) if wanted.lights else (),
        exposure_ev=exposure_of(wanted.exposure, dice) if wanted.exposure else None,
        paints=tuple(paints),
    )
    changes: dict[str, object] = {"drawn": drawn} if drawn != Drawn() else {}
    if wanted.hdri:
        changes["light"] = light_of(wanted.hdri, dice)
    if wanted.camera:
        changes["camera"] = jittered(view.camera, wanted.camera, standing)
    return view.model_copy(update=changes)


def jittered(camera: OrbitCamera, wanted: OrbitJitter, dice: Dice) -> OrbitCamera:
    """Return a camera as it was drawn; with another lens it stands where the model is as large."""
    focal = dice.number(wanted.focal_length_mm, randomise.FOCAL_MM, "camera focal")
    factor = dice.number(wanted.distance, randomise.FACTOR, "camera distance")
    follows = 1.0 if camera.fit else focal / camera.focal_length_mm
    right, up = (
        dice.number(wanted.look_at, randomise.OFFSET_M, f"camera at {axis}") for axis in "xy"
    )
    return camera.model_copy(
        update={
            "distance": round(camera.distance * factor * follows, 4),
            "focal_length_mm": focal,
            "roll_deg": dice.number(wanted.roll_deg, randomise.ANGLE_DEG, "camera roll"),
            "look_at": (right, up),
        }
    )


def sod(recipe: Recipe) -> SodBase:
    """Return `recipe` as what it is."""
    assert isinstance(recipe, SodBase)
    return recipe


def views_per_pair(recipe: Recipe) -> int:
    """Return how many views one model under one HDRI has."""
    if isinstance(recipe, SodGrid):
        return recipe.yaw * recipe.pitch
    if isinstance(recipe, SodRig):
        return recipe.places * (1 if recipe.stereo is None else 2)
    assert isinstance(recipe, SodAugmented)
    return recipe.pitch * recipe.yaw_per_pitch


def dataset_of(job: Job, model_id: str, hdr_id: str) -> str:
    """Return the dataset that a pair's views go to."""
    if isinstance(job.spec.recipe, SodAugmented):
        return job.spec.dataset_name or ""
    own = "{model}" if sod(job.spec.recipe).relight else "{model}_{hdr}"
    template = job.spec.dataset_name or own
    return template.replace("{model}", model_id).replace("{hdr}", hdr_id)


def grid_view(job: Job, recipe: SodGrid, pair: Pair, slot: int) -> SodView:
    """Make view `slot` of a pair's grid: yaw runs fastest."""
    pitch_step, yaw_step = divmod(slot, recipe.yaw)
    yaw = round(360 / recipe.yaw * yaw_step)
    pitch = round(90 / recipe.pitch * pitch_step)
    return SodView(
        index=pair.place * views_per_pair(recipe) + slot,
        name=f"view_{yaw:03d}_{pitch:02d}",
        camera=orbit(yaw=yaw, pitch=pitch, framing="t" if recipe.fit else "m", fit=recipe.fit),
        light=Light(),
        seed=sampling_seed(job, pair.stands, place=slot),
    )


def rig_view(job: Job, recipe: SodRig, pair: Pair, slot: int) -> SodView:
    """Make view `slot` of a pair's rig; of a stereo pair, the left one first."""
    place, right = (slot, 0) if recipe.stereo is None else divmod(slot, 2)
    eye = "" if recipe.stereo is None else ("_left", "_right")[right]
    dice = Dice(job.spec.seed, numbers_of((pair.model,)), place)
    camera = camera_of(recipe, place, dice=dice, resolution_px=job.render.resolution_px)
    if right:
        camera = camera.model_copy(update={"look_at": (recipe.stereo, 0.0)})
    return SodView(
        index=pair.place * views_per_pair(recipe) + slot,
        name=f"view_{place:04d}{eye}",
        camera=camera,
        light=Light(),
        seed=sampling_seed(job, pair.stands, place=slot),
    )


def augmented_view(job: Job, recipe: SodAugmented, pair: Pair, slot: int) -> SodView:
    """Make view `slot` of a pair: all that its name says is drawn here, in whole steps."""

    def rng(aspect: str, place: int = slot, of: Sequence[Asset] = pair.stands):  # type: ignore[no-untyped-def]
        return stream(job.spec.seed, of, place=place, aspect=aspect)

    pitch_step, turn = divmod(slot, recipe.yaw_per_pitch)
    pitch = round(90 / max(recipe.pitch - 1, 1) * pitch_step)
    yaw = int(rng("yaw", pitch_step).permutation(360)[turn])  # no yaw twice at one pitch
    framing: Framing = ("t", "m", "l")[rng("framing").integers(3)]
    pose = f"{yaw:03d}_{pitch:02d}_{framing}"
    lit = (pair.model, pair.hdr)
    rotation = int(rng("rotation", of=lit).integers(360))
    low, high = (round(100 * value) for value in recipe.strength)
    strength = int(rng("strength", of=lit).integers(low, high, endpoint=True))
    return SodView(
        index=augmented_index(recipe, pair, slot),
        name=f"{job.session}_{pair.model.id}_{pose}"
        if pair.relit
        else f"{job.session}_{pair.model.id}_{pair.hdr.id}_{pose}_{rotation:03d}_{strength:03d}",
        camera=orbit(yaw=yaw, pitch=pitch, framing=framing, fit=recipe.fit),
        light=Light(rotation_deg=rotation, strength=strength / 100),
        seed=sampling_seed(job, pair.stands, place=slot),
    )


def augmented_index(recipe: SodAugmented, pair: Pair, slot: int) -> int:
    """Return a view's place in the dataset, where the HDRI changes every `hdr_switch` views.

    A model is walked around once per HDRI. Each walk starts with another HDRI and takes the next
    one after every `hdr_switch` views, so that after all walks every HDRI has lit every slot once
    and each (model, HDRI) pair can still be rendered with the HDRI loaded once.
    """
    switches = slot // recipe.hdr_switch
    walk = (pair.hdr_index - switches) % pair.hdrs
    slots = views_per_pair(recipe)
    return (pair.model_index * pair.hdrs + walk) * slots + slot


def orbit(*, yaw: int, pitch: int, framing: Framing, fit: bool) -> OrbitCamera:
    """Make the camera of a view; with `fit`, tight framing just fills the picture."""
    factor = FRAMING_FACTORS[framing]
    distance = factor / FRAMING_FACTORS["t"] if fit else BASE_DISTANCE * factor
    return OrbitCamera(yaw_deg=yaw, pitch_deg=pitch, distance=distance, framing=framing, fit=fit)
