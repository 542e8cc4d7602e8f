"""The `sequence` recipe: scenes cut into sequences, sequences into batches of neighbouring frames.

Scenes that simulate, or in which a camera of ours finds its way, have a maker each; makers are the
first tasks of a job.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from farm.errors import SpecError
from farm.expand.recipe import Count, Expansion
from farm.expand.streams import stream
from farm.expand.tasks import batches, new_task, sampling_seed
from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.camera import FileCamera, PathCamera, PinholeLens
from farm.spec.job import Job
from farm.spec.moment import Moment
from farm.spec.passes import LIT, SHUTTERED
from farm.spec.recipes.sequence import (
    FINEST,
    AnyPath,
    RecipeSpec,
    Setup,
    Start,
    Take,
    Three,
    Tracks,
    TrajectoryPath,
    View,
    spacing,
)
from farm.spec.scene_facts import ALL_CLIPS, SceneFacts
from farm.spec.task import Need, RenderTask, product_key

ALL_CAMERAS = "all"
MAKER_S = 600.0
"""Seconds that a bake or a path may take beyond a task's own limit."""
FRAME_S = 0.5
"""Seconds more for each frame of a path: at each the scene is looked at."""
MOST_S = 1e6
NEARLY = 1e-6
"""Seconds, or frames, that rounding may cost."""
USUAL_TRACKS = 256
STARTS = 4
"""Frames of a sequence in which points are chosen: what comes into view later is followed, too."""
MOST_KEPT = 8
"""Jobs whose plan is remembered."""


class Reel(NamedTuple):
    """What the takes of one scene, clip and HDRI share."""

    scene: Asset
    hdr: Asset | None
    facts: SceneFacts
    clip: str | None
    maker: int | None
    """The task that bakes it, or works out its camera's path."""


class Shooting(NamedTuple):
    """One take, and where it stands in the job."""

    reel: Reel
    take: Take
    camera: FileCamera | None
    """None where the camera follows a path of ours, or the file's own cuts."""
    first_view: int


class Plan(NamedTuple):
    """All sequences of a job."""

    makers: tuple[Reel, ...]
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
        return key_of(plan.makers[index] if made else shooting_of(plan, index)[0].reel)

    def task(self, job: Job, index: int) -> RenderTask:
        plan = plan_of(job)
        if not 0 <= index < plan.first_tasks[-1]:
            raise IndexError(index)
        if index < len(plan.makers):
            return maker_task(job, plan, index)
        return frames_task(job, index, *shooting_of(plan, index))

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
    makers: list[Reel] = []
    shootings: list[Shooting] = []
    first_tasks: list[int] = []
    views = 0
    folders = Folders()
    unfit: dict[str, None] = {}  # in order, each once
    for reel, cameras in reels(job, recipe, unfit):
        needs_maker = bool(reel.facts.simulations) or recipe.camera is not None
        own = reel._replace(maker=len(makers) if needs_maker else None)
        found = [
            (take, camera)
            for camera in cameras
            for take in takes(
                job, recipe, own, camera, several=len(cameras) > 1, folders=folders, unfit=unfit
            )
        ]
        if found and needs_maker:
            makers.append(own)
        for take, camera in found:
            shootings.append(Shooting(own, take, camera, views))
            views += take.frames
    task = len(makers)
    for shooting in shootings:
        first_tasks.append(task)
        task += batches(job, shooting.take.frames)
    return Plan(tuple(makers), tuple(shootings), (*first_tasks, task), views, tuple(unfit))


def reels(
    job: Job, recipe: RecipeSpec, unfit: dict[str, None]
) -> Iterator[tuple[Reel, Sequence[FileCamera | None]]]:
    """Yield what can be shot, with the cameras that see it; note what cannot be.

    Raises:
        SpecError: Nobody has looked at a scene.
    """
    for scene in job.of("scenes"):
        facts = facts_of(scene)
        try:
            check_usable(scene, facts, recipe)
            clips = clips_of(scene, facts, recipe)
            cameras = cameras_of(scene, facts, recipe)
        except SpecError as error:
            unfit[str(error)] = None
            continue
        for clip, hdr in itertools.product(clips, job.of("hdrs") or (None,)):
            yield Reel(scene, hdr, facts, clip, None), cameras


def facts_of(scene: Asset) -> SceneFacts:
    """Return what is known of a scene.

    Raises:
        SpecError: Nobody has looked at it.
    """
    if scene.scene is None:
        raise SpecError(
            f"scenes: {scene.name}: its frames and cameras are not known here: submit it from a "
            "machine with the worker (pip install 'viewfarm[worker]')"
        )
    return scene.scene


def check_usable(scene: Asset, facts: SceneFacts, recipe: RecipeSpec) -> None:
    """Make sure that frames of a scene would be right.

    Raises:
        SpecError: They would not.
    """
    for reason in facts.refused:
        raise SpecError(f"scenes: {scene.name}: {reason}")
    if facts.python_drivers and recipe.drivers == "refuse":
        raise SpecError(
            f"scenes: {scene.name}: {', '.join(facts.python_drivers)} is driven by Python, which "
            "never runs: bake it to keyframes, or say --drivers freeze to keep the values that "
            "were saved"
        )


def is_dark(scene: Asset) -> bool:
    """Tell whether nothing gives light in a scene."""
    return scene.scene is not None and scene.scene.is_dark


def lit_evenly(scene: Asset) -> str:
    """Say what lights a scene in which nothing gives light."""
    return (
        f"{scene.name}: nothing in it gives light: no world, no lamp, nothing that glows; it is "
        "lit white from everywhere (--hdrs names an environment instead)"
    )


def clips_of(scene: Asset, facts: SceneFacts, recipe: RecipeSpec) -> tuple[str | None, ...]:
    """Return the animations of a scene that are used; None is what the file plays by itself.

    Raises:
        SpecError: It has none of the name that was asked for.
    """
    names = tuple(clip.name for clip in facts.clips)
    if recipe.clip is None:
        return names or (None,)
    if recipe.clip == ALL_CLIPS and ALL_CLIPS not in names:
        return (ALL_CLIPS,) if names else (None,)
    if recipe.clip not in names:
        has = f"it has {', '.join(names)}" if names else "it has a single one without a name"
        raise SpecError(f"clip: {scene.name} has no animation {recipe.clip!r}: {has}")
    return (recipe.clip,)


def cameras_of(
    scene: Asset, facts: SceneFacts, recipe: RecipeSpec
) -> tuple[FileCamera | None, ...]:
    """Return the cameras of a scene that are used; None stands for the one that it shows itself.

    Raises:
        SpecError: It has none, or none of a name that was asked for.
    """
    if recipe.camera is not None:
        return (None,)
    names = facts.cameras if ALL_CAMERAS in recipe.cameras else recipe.cameras
    for name in names:
        if reason := facts.unfit_cameras.get(name):
            raise SpecError(f"cameras: {scene.name}: {name}: {reason}")
        if name not in facts.cameras:
            has = ", ".join(facts.cameras) or "none at all"
            raise SpecError(f"cameras: {scene.name} has no camera {name!r}, it has {has}")
    if not names and facts.cuts and not recipe.camera_offsets:
        check_cuts(scene, facts)
        return (None,)
    if not names:
        names = (main_camera(scene, facts),)
    offsets: Iterable[Three | None] = recipe.camera_offsets.values() or (None,)
    return tuple(FileCamera(name=name, offset=offset) for name in names for offset in offsets)


def check_cuts(scene: Asset, facts: SceneFacts) -> None:
    """Make sure that labels can follow all cameras between which a file cuts.

    Raises:
        SpecError: They cannot.
    """
    for each in facts.cuts:
        if each.camera not in facts.cameras:
            reason = facts.unfit_cameras.get(each.camera, "it is not in the scene")
            raise SpecError(
                f"scenes: {scene.name}: a marker switches to the camera {each.camera} at frame "
                f"{each.frame}: {reason}; or name other cameras with --cameras"
            )


def main_camera(scene: Asset, facts: SceneFacts) -> str:
    """Return the camera that a file renders with.

    Raises:
        SpecError: It has none that labels can follow.
    """
    if facts.camera is not None:
        return facts.camera
    for name, reason in facts.unfit_cameras.items():
        raise SpecError(f"scenes: {scene.name}: its camera {name}: {reason}")
    remedy = "name one with --cameras" if facts.cameras else "take one of ours: --camera orbit"
    raise SpecError(f"scenes: {scene.name} has no camera that it renders with: {remedy}")


def takes(  # noqa: PLR0913 - what tells one from another
    job: Job,
    recipe: RecipeSpec,
    reel: Reel,
    camera: FileCamera | None,
    *,
    several: bool,
    folders: Folders,
    unfit: dict[str, None],
) -> Iterator[Take]:
    """Yield the sequences of one camera; note what cannot be used."""
    start, end = span(recipe, reel)
    place = 0
    for multiplier in recipe.keyframe_multiplier:
        exact = Fraction(multiplier).limit_denominator(FINEST)
        first, last = round(start * exact), round((end + 1) * exact) - 1
        gap = spacing(multiplier, recipe.frame_step)
        try:
            if recipe.camera is not None and stands_still(recipe, reel):
                runs = runs_of_still(recipe, reel, first=first, gap=gap)
            else:
                runs = cut(recipe, reel.scene, first=first, last=last, multiplier=multiplier)
            check_lasts(recipe, reel, runs, first=first, gap=gap)
        except SpecError as error:
            unfit[str(error)] = None
            continue
        for number, frames in runs:
            final = number + (frames - 1) * recipe.frame_step
            name = f"{multiplier:g}".zfill(3) + f"-{number:05d}-{final:05d}"
            take = Take(
                name=folders.name(job, recipe, reel, camera, name, several=several),
                number=number,
                step=recipe.frame_step,
                first=float(number / exact),
                frames=frames,
                numerator=gap.numerator,
                denominator=gap.denominator,
                fps=fps_of(recipe, reel) / float(gap),
                place=place,
            )
            try:
                check_physics(reel, take)
            except SpecError as error:
                unfit[str(error)] = None
                continue
            yield take
            place += 1


def check_physics(reel: Reel, take: Take) -> None:
    """Make sure that what moves by physics is right in each frame of a sequence.

    Raises:
        SpecError: It is not.
    """
    last = take.moment(take.frames - 1)
    for each in reel.facts.baked:
        if last > each.frame_end:
            raise SpecError(
                f"scenes: {reel.scene.name}: {each.name} is baked until frame {each.frame_end} "
                f"alone, and frame {last:g} is asked for: bake it further, free its bake so that "
                f"it is baked here, or say --frame-end {each.frame_end}"
            )
    if reel.facts.whole_frames and take.spacing != 1:
        raise SpecError(
            f"scenes: {reel.scene.name}: {', '.join(reel.facts.whole_frames)} cannot be shown "
            "between frames or by steps: use a keyframe multiplier and a frame step of 1"
        )


def span(recipe: RecipeSpec, reel: Reel) -> tuple[int, int]:
    """Return the first and last frame of a file that are used."""
    start, end = reel.facts.frame_start, reel.facts.frame_end
    clips = reel.facts.clips
    if played := [clip for clip in clips if clip.name == reel.clip] or (
        list(clips) if reel.clip == ALL_CLIPS else []
    ):
        start = min(clip.frame_start for clip in played)
        end = max(clip.frame_end for clip in played)
    if recipe.frame_start is not None:
        start = recipe.frame_start
    if recipe.frame_end is not None:
        end = recipe.frame_end
    elif reel.facts.is_still:
        end = start + enough(recipe) - 1
    return start, end


def enough(recipe: RecipeSpec) -> int:
    """Return how many frames of a file all its sequences take."""
    frames = recipe.sequences_per_scene * (recipe.frames or 1) * recipe.frame_step
    return math.ceil(frames / Fraction(min(recipe.keyframe_multiplier)).limit_denominator(FINEST))


def cut(
    recipe: RecipeSpec, scene: Asset, *, first: int, last: int, multiplier: float
) -> list[tuple[int, int]]:
    """Return (number of the first frame, frames) of each sequence between two frames, inclusive.

    Raises:
        SpecError: There are too few frames.
    """
    count, there = recipe.sequences_per_scene, last - first + 1
    starts = [first + there * number // count for number in range(count)]
    room = [
        math.ceil((following - start) / recipe.frame_step)
        for start, following in itertools.pairwise((*starts, last + 1))
    ]
    wanted = recipe.frames or min(room, default=0)
    if there < 1:
        raise SpecError(
            f"scenes: {scene.name}: no frames are left from {first} to {last}: "
            "mend frame_start and frame_end"
        )
    if min(room) < max(wanted, 1):
        total = max(wanted, 1) * recipe.frame_step * count
        stretched = f", {there} with the multiplier {multiplier:g}," if multiplier != 1 else ""
        raise SpecError(
            f"scenes: {scene.name}: frames {first} to {last}{stretched} are too few: "
            f"{count} x {max(wanted, 1)} frames, each {recipe.frame_step} apart, take {total}; "
            "lower --frames or --sequences-per-scene, or leave such scenes out with --allow-skips"
        )
    return [(start, recipe.frames or space) for start, space in zip(starts, room, strict=True)]


def stands_still(recipe: RecipeSpec, reel: Reel) -> bool:
    """Tell whether a scene has a single moment, which a camera of ours may film for long."""
    start, end = span(recipe, reel)
    return start == end or (reel.facts.is_still and recipe.frame_end is None)


def runs_of_still(
    recipe: RecipeSpec, reel: Reel, *, first: int, gap: Fraction
) -> list[tuple[int, int]]:
    """Return (number of the first frame, frames) of each sequence of a scene that stands still.

    It has as many frames as one likes, since the camera moves.

    Raises:
        SpecError: Nobody says how many.
    """
    frames = recipe.frames
    if frames is None and isinstance(recipe.camera, TrajectoryPath):
        shown = recipe.camera.seconds * fps_of(recipe, reel) / float(gap) + NEARLY
        frames = max((math.floor(shown) + 1) // recipe.sequences_per_scene, 1)
    if frames is None:
        raise SpecError(
            f"scenes: {reel.scene.name} stands still, so its camera may move for as long as you "
            "like: say with --frames how many frames a sequence has"
        )
    return [
        (first + number * frames * recipe.frame_step, frames)
        for number in range(recipe.sequences_per_scene)
    ]


def check_lasts(
    recipe: RecipeSpec, reel: Reel, runs: Sequence[tuple[int, int]], *, first: int, gap: Fraction
) -> None:
    """Make sure that a trajectory lasts as long as the sequences that it films.

    Raises:
        SpecError: It ends before.
    """
    if not isinstance(recipe.camera, TrajectoryPath):
        return
    final = max((number - first) / recipe.frame_step + frames - 1 for number, frames in runs)
    needed = final * float(gap) / fps_of(recipe, reel)
    if needed > recipe.camera.seconds + NEARLY:
        raise SpecError(
            f"camera: the trajectory lasts {recipe.camera.seconds:.4g} s, and the frames of "
            f"{reel.scene.name} take {needed:.4g} s: lower --frames or the speed of the camera"
        )


class Folders:
    """Names of the folders of sequences, none of them twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(  # noqa: PLR0913 - what tells one from another
        self,
        job: Job,
        recipe: RecipeSpec,
        reel: Reel,
        camera: FileCamera | None,
        run: str,
        *,
        several: bool,
    ) -> str:
        """Return the folder of a sequence: scene, then frames and whatever tells it apart."""
        words = [run]
        if reel.clip is not None and len(reel.facts.clips) > 1:
            words.append(plain(reel.clip))
        if reel.hdr is not None and len(job.of("hdrs")) > 1:
            words.append(reel.hdr.id)
        if several and camera is not None:
            words.append(plain(camera_word(recipe, camera)))
        titles = [plain(scene.title).casefold() for scene in job.of("scenes")]
        title = plain(reel.scene.title)
        scene = title if titles.count(title.casefold()) == 1 else reel.scene.id
        name = f"{scene}/{'-'.join(words)}"
        number = 2
        while name.casefold() in self._taken:  # names that are plain only after letters are lost
            name = f"{scene}/{'-'.join([*words, str(number)])}"
            number += 1
        self._taken.add(name.casefold())
        return name


def camera_word(recipe: RecipeSpec, camera: FileCamera) -> str:
    """Return what a camera is called among several: its name, that of its offset, or both."""
    names = [name for name, offset in recipe.camera_offsets.items() if offset == camera.offset]
    several = len(recipe.cameras) > 1 or ALL_CAMERAS in recipe.cameras
    if not names or camera.offset is None:
        return camera.name
    return f"{camera.name}-{names[0]}" if several else names[0]


def plain(name: str) -> str:
    """Return a name as a folder can have it."""
    kept = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
    return kept.strip("_") or "_"


def fps_of(recipe: RecipeSpec, reel: Reel) -> float:
    """Return the frames per second of a file's own time."""
    return recipe.fps or reel.facts.fps


def shooting_of(plan: Plan, index: int) -> tuple[Shooting, int]:
    """Return the take of task `index`, and which of its batches that is."""
    place = bisect.bisect_right(plan.first_tasks, index) - 1
    return plan.shootings[place], index - plan.first_tasks[place]


def key_of(reel: Reel) -> str:
    """Return what a worker keeps: the scene, as it is opened."""
    return digest(reel.scene.content, reel.clip, reel.maker is not None)[:32]


def maker_task(job: Job, plan: Plan, index: int) -> RenderTask:
    """Make the task that bakes a scene, or works out the paths of its camera."""
    recipe, reel = sequence(job), plan.makers[index]
    own = [each.take for each in plan.shootings if each.reel.maker == index]
    contents = (reel.scene.content, reel.clip, reel.hdr.content if reel.hdr else None)
    return new_task(
        job,
        index,
        task_id=f"{reel.scene.id}-{digest(*contents)[:8]}-{index:04d}-make",
        title=f"{reel.scene.title} · {'bake' if reel.facts.simulations else 'path'}",
        assets=assets_of(reel),
        setup=setup_of(recipe, reel, own).model_copy(
            update={"takes": tuple(own) if recipe.camera else (), "seed": job.spec.seed}
        ),
        product=product_of(job, reel, own),
        setup_s=maker_s(recipe, own),
    )


def maker_s(recipe: RecipeSpec, own: Sequence[Take]) -> float:
    """Return how many seconds a maker may take beyond a task's own limit."""
    frames = sum(take.frames for take in own) if recipe.camera else 0
    return min(MAKER_S + FRAME_S * frames, MOST_S)


def product_of(job: Job, reel: Reel, own: Sequence[Take]) -> str:
    """Return where what a maker makes is kept: named by all that it depends on."""
    recipe = sequence(job)
    setup = setup_of(recipe, reel, own)
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
    recipe, reel, take = sequence(job), shooting.reel, shooting.take
    per_task = job.spec.views_per_task
    places = range(number * per_task, min((number + 1) * per_task, take.frames))
    own = [each.take for each in plan_of(job).shootings if each.reel.maker == reel.maker]
    setup = setup_of(recipe, reel, own if reel.maker is not None else ())
    need = None
    if reel.maker is not None:
        need = Need(product=product_of(job, reel, own), made_by=reel.maker)
    return new_task(
        job,
        index,
        task_id=f"{take.name.replace('/', '-')}-{number:04d}",
        title=f"{reel.scene.title} · {take.name.partition('/')[2]}",
        assets=assets_of(reel),
        setup=setup.model_copy(
            update={
                "numerator": take.numerator,
                "denominator": take.denominator,
                "path": setup.path and without_poses(setup.path),
                "take": take.place if setup.path else 0,
                "tracks": tracks_of(job, shooting),
                "shutter": recipe.exposure,
            }
        ),
        views=(view_of(job, shooting, place) for place in places),
        needs=need,
    )


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
