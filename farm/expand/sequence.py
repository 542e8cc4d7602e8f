"""The `sequence` recipe: sequences of scenes as tasks, batches of neighbouring frames each.

Scenes that simulate, or in which a camera of ours finds its way, have a maker each; makers are the
first tasks of a job.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from farm.errors import SpecError
from farm.expand.again import Again, makes
from farm.expand.randomised import Dice, exposure_of, lamps_of
from farm.expand.recipe import Count, Expansion
from farm.expand.streams import numbers_of, stream
from farm.expand.takes import Folders, Reel, fps_of, reels, takes
from farm.expand.tasks import batch, batches, new_task, sampling_seed
from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.camera import FileCamera, PathCamera, PinholeLens
from farm.spec.job import Job
from farm.spec.moment import Moment
from farm.spec.passes import LIT, SHUTTERED
from farm.spec.randomise import Drawn
from farm.spec.recipes.sequence import (
    AnyPath,
    RecipeSpec,
    Setup,
    Start,
    Take,
    Tracks,
    TrajectoryPath,
    View,
)
from farm.spec.record import ViewRecord
from farm.spec.task import Need, RenderTask, product_key

MAKER_S = 600.0
"""Seconds that a bake or a path may take beyond a task's own limit."""
FRAME_S = 0.5
"""Seconds more for each frame of a path: at each the scene is looked at."""
MOST_S = 1e6
USUAL_TRACKS = 256
STARTS = 4
"""Frames of a sequence in which points are chosen: what comes into view later is followed, too."""
NEARLY = 1e-3
"""Frames by which numbers that went through seconds may be off."""
MOST_KEPT = 8
"""Jobs whose plan is remembered."""


class Shooting(NamedTuple):
    """One take, and where it stands in the job."""

    reel: Reel
    take: Take
    camera: FileCamera | None
    """None where the camera follows a path of ours, or the file's own cuts."""
    first_view: int


class Maker(NamedTuple):
    """What a scene is baked for, or a camera of ours finds its way for, and where that is kept."""

    number: int
    """Of its task."""
    reel: Reel
    takes: tuple[Take, ...]
    setup: Setup
    product: str


class Plan(NamedTuple):
    """All sequences of a job."""

    makers: tuple[Maker, ...]
    shootings: tuple[Shooting, ...]
    first_tasks: tuple[int, ...]
    """Of each shooting, its first task; then how many tasks there are."""
    views: int
    left_out: tuple[str, ...]
    """What of the scenes cannot be used: a sentence each, with its remedy."""


class SequenceExpansion(Expansion):
    """Bakes and paths come first; then batches of frames, ordered by scene and sequence."""

    names_are_distinct = True  # no two takes have one folder, which `plan_of` sees to

    def count(self, job: Job) -> Count:
        plan = plan_of(job)
        return Count(tasks=plan.first_tasks[-1], views=plan.views)

    def makers(self, job: Job) -> int:
        return len(plan_of(job).makers)

    def waits_for(self, job: Job, index: int) -> int | None:
        plan = plan_of(job)
        return None if index < len(plan.makers) else shooting_of(plan, index)[0].reel.maker

    def affinity(self, job: Job, index: int) -> str:
        plan = plan_of(job)
        made = index < len(plan.makers)
        return key_of(plan.makers[index].reel if made else shooting_of(plan, index)[0].reel)

    def task(self, job: Job, index: int) -> RenderTask:
        plan = plan_of(job)
        if not 0 <= index < plan.first_tasks[-1]:
            raise IndexError(index)
        if index < len(plan.makers):
            return maker_task(job, plan, index)
        return frames_task(job, index, *shooting_of(plan, index))

    def again(self, job: Job, record: ViewRecord) -> Again:
        plan = known_plan(job)
        shooting = shooting_again(job, plan, record)
        maker = maker_for(plan, shooting)
        setup = frames_setup(job, shooting, maker)
        if not set(SHUTTERED).intersection(job.spec.passes):
            setup = setup.model_copy(update={"shutter": None})
        return Again(
            setup,
            then=frames_setup(as_then(job, record), shooting, maker),
            product=maker.product if maker else None,
            maker=maker_task(job, plan, maker.number) if maker else None,
            needs_light=True,
        )

    def mistakes(self, job: Job) -> Iterator[str]:
        path, lights = sequence(job).camera, sequence(job).lights
        if isinstance(path, TrajectoryPath) and not path.poses:
            yield "camera: a trajectory needs a file, or its poses: --camera FILE"
            return
        if lights in ("hdri", "both") and not job.of("hdrs"):
            yield "lights: there is no HDRI to light the scenes: name some with --hdrs"
        if lights == "file" and job.of("hdrs"):
            yield "lights: file leaves no use for HDRIs: say hdri or both, or leave out --hdrs"
        if sequence(job).shutter and not set(SHUTTERED).intersection(job.spec.passes):
            yield (
                "shutter: none of the passes shows it, and rgb stays sharp: add "
                f"{', '.join(SHUTTERED[:-1])} or {SHUTTERED[-1]} to the passes"
            )
        plan = known_plan(job)
        if not sequence(job).allow_skips:
            yield from plan.left_out
        elif not plan.shootings:
            yield from plan.left_out or ("scenes: none of them can be used",)

    def remarks(self, job: Job) -> Iterator[str]:
        yield from (f"left out: {sentence}" for sentence in known_plan(job).left_out)
        if LIT.intersection(job.spec.passes) and not job.of("hdrs"):
            yield from (lit_evenly(scene) for scene in job.of("scenes") if is_dark(scene))
        yield from dict.fromkeys(stiff_beyond(known_plan(job)))


EXPANSION = SequenceExpansion()

PLANS: dict[str, tuple[tuple[Asset, ...], Plan]] = {}
"""By job: its plan, and the assets of which it was made."""


def plan_of(job: Job) -> Plan:
    """Return all sequences of a job.

    Raises:
        SpecError: A scene cannot be used, and `allow_skips` is off.
    """
    plan = known_plan(job)
    if plan.left_out and not sequence(job).allow_skips:
        raise SpecError("\n".join(plan.left_out))
    return plan


def known_plan(job: Job) -> Plan:
    """Return all sequences of a job; what cannot be used is left out."""
    known = PLANS.get(job.job_id)
    if known is not None and (known[0] is job.assets or known[0] == job.assets):
        return known[1]
    if len(PLANS) >= MOST_KEPT:
        PLANS.pop(next(iter(PLANS)), None)
    plan = planned(job)
    PLANS[job.job_id] = (job.assets, plan)
    return plan


def planned(job: Job) -> Plan:
    """Cut the scenes of a job into sequences."""
    recipe = sequence(job)
    makers: list[Maker] = []
    shootings: list[Shooting] = []
    first_tasks: list[int] = []
    views = 0
    folders = Folders(job, recipe)
    unfit: dict[str, None] = {}  # in order, each once
    for reel, cameras in reels(job, recipe, unfit):
        needs_maker = bool(reel.facts.simulations) or recipe.camera is not None
        own = reel._replace(maker=len(makers) if needs_maker else None)
        found = [
            (take, camera)
            for camera in cameras
            for take in takes(
                recipe, own, camera, several=len(cameras) > 1, folders=folders, unfit=unfit
            )
        ]
        if found and needs_maker:
            makers.append(maker_of(job, own, tuple(take for take, _ in found)))
        for take, camera in found:
            shootings.append(Shooting(own, take, camera, views))
            views += take.frames
    task = len(makers)
    for shooting in shootings:
        first_tasks.append(task)
        task += batches(job, shooting.take.frames)
    return Plan(tuple(makers), tuple(shootings), (*first_tasks, task), views, tuple(unfit))


def is_dark(scene: Asset) -> bool:
    """Tell whether nothing gives light in a scene."""
    return scene.scene is not None and scene.scene.is_dark


def lit_evenly(scene: Asset) -> str:
    """Say what lights a scene in which nothing gives light."""
    return (
        f"{scene.name}: nothing in it gives light: no world, no lamp, nothing that glows; it is "
        "lit white from everywhere (--hdrs names an environment instead)"
    )


def stiff_beyond(plan: Plan) -> Iterator[str]:
    """Say which files that move things hold fewer frames than are asked for."""
    asked: dict[Reel, list[float]] = {}
    for reel, take, *_ in plan.shootings:
        ends = (take.first, take.moment(take.frames - 1))
        asked.setdefault(reel, []).extend(ends)
    for reel, moments in asked.items():
        first, last = min(moments), max(moments)
        for cache in reel.facts.caches:
            if first < cache.frame_start - NEARLY or last > cache.frame_end + NEARLY:
                yield (
                    f"{reel.scene.name}: {cache.name} moves things in frames "
                    f"{cache.frame_start:g} to {cache.frame_end:g} alone, and frames {first:g} to "
                    f"{last:g} are asked for: beyond, they stand still (choose others with "
                    "--frame-start and --frame-end)"
                )


def shooting_of(plan: Plan, index: int) -> tuple[Shooting, int]:
    """Return the take of task `index`, and which of its batches that is."""
    place = bisect.bisect_right(plan.first_tasks, index) - 1
    return plan.shootings[place], index - plan.first_tasks[place]


def key_of(reel: Reel) -> str:
    """Return what a worker keeps: the scene, as it is opened."""
    return digest(reel.scene.content, reel.clip, reel.maker is not None)[:32]


def maker_of(job: Job, reel: Reel, own: tuple[Take, ...]) -> Maker:
    """Return what is made once for all sequences of a scene."""
    setup = setup_of(sequence(job), reel, own)
    assert reel.maker is not None
    return Maker(reel.maker, reel, own, setup, product_of(job, reel, own, setup))


def maker_task(job: Job, plan: Plan, index: int) -> RenderTask:
    """Make the task that bakes a scene, or works out the paths of its camera."""
    recipe, (_, reel, own, setup, product) = sequence(job), plan.makers[index]
    contents = (reel.scene.content, reel.clip, reel.hdr.content if reel.hdr else None)
    return new_task(
        job,
        index,
        task_id=f"{reel.scene.id}-{digest(*contents)[:8]}-{index:04d}-make",
        title=f"{reel.scene.title} · {'bake' if reel.facts.simulations else 'path'}",
        assets=assets_of(reel),
        setup=setup.model_copy(
            update={"takes": own if recipe.camera else (), "seed": job.spec.seed}
        ),
        product=product,
        setup_s=maker_s(recipe, own),
    )


def maker_s(recipe: RecipeSpec, own: Sequence[Take]) -> float:
    """Return how many seconds a maker may take beyond a task's own limit."""
    frames = sum(take.frames for take in own) if recipe.camera else 0
    return min(MAKER_S + FRAME_S * frames, MOST_S)


def product_of(job: Job, reel: Reel, own: Sequence[Take], setup: Setup) -> str:
    """Return where what a maker makes is kept: named by all that it depends on."""
    recipe = sequence(job)
    paths = [take.model_dump(exclude={"name"}) for take in own] if recipe.camera else []
    seen = [job.spec.seed, shape_of(job, recipe.camera)] if recipe.camera else 0
    return product_key("sequence", reel.scene.content, setup.model_dump(mode="json"), paths, seen)


def shape_of(job: Job, path: AnyPath) -> tuple[int, int]:
    """Return what a path hangs on of the pictures' size: their shape, if the lens is not in px."""
    width, height = job.render.resolution_px
    common = 1 if isinstance(path.lens, PinholeLens) else math.gcd(width, height)
    return width // common, height // common


def setup_of(recipe: RecipeSpec, reel: Reel, own: Iterable[Take]) -> Setup:
    """Return what all sequences of a scene share."""
    return Setup(
        clip=reel.clip,
        lights=recipe.lights or ("both" if reel.hdr else "file"),
        freeze_drivers=recipe.drivers == "freeze",
        fps=fps_of(recipe, reel),
        bake=baked(own) if reel.facts.simulations else None,
        path=recipe.camera,
    )


def without_poses(path: AnyPath) -> AnyPath:
    """Return a path as tasks of frames have it: their product has its poses already."""
    return path.model_copy(update={"poses": ()}) if isinstance(path, TrajectoryPath) else path


def baked(own: Iterable[Take]) -> tuple[int, int]:
    """Return the frames of a file that sequences show, and one more on each side."""
    firsts, lasts = zip(*((take.moment(-1), take.moment(take.frames)) for take in own), strict=True)
    return math.floor(min(firsts)), math.ceil(max(lasts))


def assets_of(reel: Reel) -> tuple[Asset, ...]:
    """Return the assets of a task, without what only its making needed."""
    scene = reel.scene.model_copy(update={"scene": None})
    return (scene, reel.hdr) if reel.hdr else (scene,)


def frames_task(job: Job, index: int, shooting: Shooting, number: int) -> RenderTask:
    """Make the task of a batch of neighbouring frames."""
    reel, take = shooting.reel, shooting.take
    maker = maker_for(plan_of(job), shooting)
    return new_task(
        job,
        index,
        task_id=f"{take.name.replace('/', '-')}-{number:04d}",
        title=f"{reel.scene.title} · {take.name.partition('/')[2]}",
        assets=assets_of(reel),
        setup=frames_setup(job, shooting, maker),
        views=(view_of(job, shooting, place) for place in batch(job, number, views=take.frames)),
        needs=Need(product=maker.product, made_by=maker.number) if maker else None,
    )


def maker_for(plan: Plan, shooting: Shooting) -> Maker | None:
    """Return what makes what a sequence needs, if it needs anything."""
    place = shooting.reel.maker
    return None if place is None else plan.makers[place]


def frames_setup(job: Job, shooting: Shooting, maker: Maker | None) -> Setup:
    """Return what the frames of a sequence share."""
    recipe, take = sequence(job), shooting.take
    setup = maker.setup if maker else setup_of(recipe, shooting.reel, ())
    return setup.model_copy(
        update={
            "numerator": take.numerator,
            "denominator": take.denominator,
            "path": setup.path and without_poses(setup.path),
            "take": take.place if setup.path else 0,
            "tracks": tracks_of(job, shooting),
            "shutter": recipe.exposure,
        }
    )


def shooting_again(job: Job, plan: Plan, record: ViewRecord) -> Shooting:
    """Return the take that a frame is of which has a record.

    Raises:
        SpecError: None has such a frame, or it is not known which.
    """
    view, [scene, *_] = record.view, job.of("scenes")
    assert isinstance(view, View)
    fitting = [each for each in plan.shootings if shows(job, each, view)]
    alike = {frames_setup(job, each, maker_for(plan, each)): each for each in fitting}
    if len(alike) > 1:
        fitting = [each for each in alike.values() if makes_frame(job, plan, each, record)]
        fitting = fitting or [each for each in alike.values() if is_named_in(view, each)]
    if len(fitting) == 1 or len(alike) == 1:
        return fitting[0]
    if alike:
        raise SpecError(
            f"{view.name}: its record does not tell which animation of {scene.name} it shows; "
            "render its sequence again with these passes"
        )
    why = "; ".join(plan.left_out) or f"{scene.name} and the spec in dataset.json have none such"
    raise SpecError(
        f"{view.name}: cannot be found again among the frames of its scene ({why}); render its "
        "sequence again with these passes"
    )


def shows(job: Job, shooting: Shooting, view: View) -> bool:
    """Say whether a frame is one of a take."""
    take, moment = shooting.take, view.moment
    return (
        (take.frames, take.number + moment.place * take.step) == (moment.of, moment.number)
        and moment.place < take.frames
        and math.isclose(take.moment(moment.place), view.frame)
        and math.isclose(take.fps, moment.fps)
        and camera_at(job, shooting, moment.place) == view.camera
    )


def makes_frame(job: Job, plan: Plan, shooting: Shooting, record: ViewRecord) -> bool:
    """Say whether a frame's id is one that it has in a take."""
    maker = maker_for(plan, shooting)
    then = frames_setup(as_then(job, record), shooting, maker)
    return makes(job, record, then=then, product=maker.product if maker else None)


def is_named_in(view: View, shooting: Shooting) -> bool:
    """Say whether a frame's folder is called after the animation of a take."""
    run = view.moment.sequence.rpartition("/")[2]
    start = shooting.take.name.rpartition("/")[2]
    return f"{run}-".startswith(f"{start}-")


def as_then(job: Job, record: ViewRecord) -> Job:
    """Return a job with the passes that a view had at first."""
    spec = job.spec.model_copy(update={"passes": record.passes_at_first})
    return job.model_copy(update={"spec": spec})


def tracks_of(job: Job, shooting: Shooting) -> Tracks | None:
    """Return which points a sequence follows, if any: chosen in a few frames, evenly apart."""
    if "tracks" not in job.spec.passes:
        return None
    take, scene = shooting.take, shooting.reel.scene
    chance = stream(job.spec.seed, (scene,), place=take.place, aspect="tracks")
    last = take.frames - 1
    places = sorted({round(last * part / (STARTS - 1)) for part in range(STARTS)})
    return Tracks(
        count=sequence(job).tracks or USUAL_TRACKS,
        seed=int(chance.integers(2**31)),
        starts=tuple(
            Start(place=each, frame=take.moment(each), camera=camera_at(job, shooting, each))
            for each in places
        ),
    )


def view_of(job: Job, shooting: Shooting, place: int) -> View:
    """Make one frame of a sequence."""
    take, reel = shooting.take, shooting.reel
    number = take.number + place * take.step
    camera = camera_at(job, shooting, place)
    return View(
        index=shooting.first_view + place,
        name=f"{take.name.replace('/', '-')}-{number:06d}",
        camera=camera,
        frame=take.moment(place),
        moment=Moment(
            sequence=take.name,
            place=place,
            of=take.frames,
            number=number,
            fps=take.fps,
            time_s=place / take.fps,
        ),
        cut_before=place > 0 and camera_at(job, shooting, place - 1) != camera,
        cut_after=place + 1 < take.frames and camera_at(job, shooting, place + 1) != camera,
        seed=sampling_seed(job, (reel.scene,), place=place),
        drawn=drawn_of(job, take, reel.scene),
    )


def drawn_of(job: Job, take: Take, scene: Asset) -> Drawn | None:
    """Draw what is the same for all frames of a sequence."""
    wanted = sequence(job).randomise
    if wanted is None:
        return None
    dice = Dice(job.spec.seed, numbers_of((scene,)), take.place)
    return Drawn(
        lamps=tuple(lamps_of(wanted.lights, dice)) if wanted.lights else (),
        exposure_ev=exposure_of(wanted.exposure, dice) if wanted.exposure else None,
    )


def camera_at(job: Job, shooting: Shooting, place: int) -> FileCamera | PathCamera:
    """Return the camera that sees a frame of a sequence."""
    if sequence(job).camera is not None:
        return PathCamera()
    if shooting.camera is not None:
        return shooting.camera
    facts, moment = shooting.reel.facts, shooting.take.moment(place)
    begun = [cut.camera for cut in facts.cuts if cut.frame <= moment]
    return FileCamera(name=begun[-1] if begun else facts.cuts[0].camera)


def sequence(job: Job) -> RecipeSpec:
    """Return the recipe of a job as what it is."""
    assert isinstance(job.spec.recipe, RecipeSpec)
    return job.spec.recipe
