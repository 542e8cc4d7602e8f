"""Scenes cut into sequences: what of a scene can be used, and which moments each sequence shows."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from farm.errors import SpecError
from farm.spec.asset import Asset
from farm.spec.camera import FileCamera
from farm.spec.hint import hint
from farm.spec.job import Job
from farm.spec.recipes.sequence import (
    FINEST,
    RecipeSpec,
    Take,
    Three,
    TrajectoryPath,
    spacing,
)
from farm.spec.scene_facts import ALL_CLIPS, SceneFacts

ALL_CAMERAS = "all"
NEARLY = 1e-6
"""Seconds, or frames, that rounding may cost."""


class Reel(NamedTuple):
    """What the takes of one scene, clip and HDRI share."""

    scene: Asset
    hdr: Asset | None
    facts: SceneFacts
    clip: str | None
    maker: int | None
    """The task that bakes it, or works out its camera's path."""


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
        near = hint(recipe.clip, names)
        raise SpecError(f"clip: {scene.name} has no animation {recipe.clip!r}: {has}{near}")
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
            near = hint(name, facts.cameras)
            raise SpecError(f"cameras: {scene.name} has no camera {name!r}, it has {has}{near}")
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
                name=folders.name(reel, camera, name, several=several),
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

    def __init__(self, job: Job, recipe: RecipeSpec) -> None:
        self._recipe = recipe
        self._several_hdrs = len(job.of("hdrs")) > 1
        self._titles = Counter(plain(scene.title).casefold() for scene in job.of("scenes"))
        self._taken: set[str] = set()

    def name(self, reel: Reel, camera: FileCamera | None, run: str, *, several: bool) -> str:
        """Return the folder of a sequence: scene, then frames and whatever tells it apart."""
        words = [run]
        if reel.clip is not None and len(reel.facts.clips) > 1:
            words.append(plain(reel.clip))
        if reel.hdr is not None and self._several_hdrs:
            words.append(reel.hdr.id)
        if several and camera is not None:
            words.append(plain(camera_word(self._recipe, camera)))
        title = plain(reel.scene.title)
        scene = title if self._titles[title.casefold()] == 1 else reel.scene.id
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
