"""What formats for 3D learning refuse, each in a sentence with a view, the reason and a remedy."""

from __future__ import annotations

from farm.dataset.export.scenes import FEWEST, TEST, TRAIN, VAL, Lens, Scene, Scenes
from farm.errors import SpecError
from farm.spec.counted import counted

CLOSE_PX = 1e-3
"""Most that a lens may be beside the middle of its picture and still count as centred."""
CLOSE = 1e-6
"""Most by which two focal lengths may differ and still count as one, as a share."""
FRAMES = (
    "render frames in which all else stands still (--frame-start, --frame-end, --clip), a file "
    "that keeps or hides what changes, or export to nerfstudio, which takes sequences as they are"
)
ALONE = (
    "exports the object alone, still with another light in each view: for training with an "
    "appearance code per picture"
)
SCRIPTS = "let the script move its camera alone, or export to coco, huggingface or webdataset"


def things_stay(scenes: Scenes, reader: str) -> None:
    """Make sure that the things of a scene are the same in all of its views.

    Raises:
        SpecError: They change.
    """
    for things in scenes.things.values():
        if things.changed:
            name, one, other = things.changed
            raise SpecError(
                f"{one} and {other}: {name} changes, and in {reader} nothing but the camera moves: "
                f"{FRAMES}"
            )
        if things.moved:
            name, one, other = things.moved
            remedy = FRAMES if things.is_untold else SCRIPTS
            raise SpecError(
                f"{one} and {other}: {name} moves, and in {reader} things stand still: {remedy}"
            )
        if len(things.looks) > 1:
            one, other = things.looks.values()
            raise SpecError(
                f"{one} and {other}: show the same model, but with other materials or at another "
                f"moment of its animation, and in {reader} an object is the same in all views: "
                "render without --randomise materials, at one moment"
            )


def light_stays(scenes: Scenes, reader: str) -> None:
    """Make sure that each thing is lit the same in enough views.

    Raises:
        SpecError: The light differs from view to view.
    """
    for things in scenes.things.values():
        if things.relit:
            name, one, other = things.relit
            raise SpecError(
                f"{one} and {other}: {name} changes, and {reader} assumes one light for all views "
                f"of a scene: {FRAMES}; or pass --foreground, which {ALONE}"
            )
        if things.light_differs:
            one, other = things.firsts
            raise SpecError(
                f"{one} and {other}: the light differs, and {reader} assumes one light for all "
                "views of an object: render a grid or a rig, whose light stays, or pass "
                f"--foreground, which {ALONE}"
            )


def note_on_lights(scenes: Scenes) -> list[str]:
    """Say of how many objects views are lit differently."""
    lit = [each for each in scenes.things.values() if each.light_differs or each.relit]
    if not lit:
        return []
    return [
        f"the light differs from view to view of {counted(len(lit), 'object')}, such as "
        f"{lit[0].title}: the object alone still shows it, so train with an appearance code per "
        "picture"
    ]


def note_on_scripts(scenes: Scenes) -> list[str]:
    """Say what records of a script do not tell."""
    if not any(things.is_scripted for things in scenes.things.values()):
        return []
    return [
        "a script made these views: its things stand still, but whether it changes colours or "
        "light no record tells, and readers assume that it does not"
    ]


def note_on_old_frames(scenes: Scenes) -> list[str]:
    """Say what records of older releases do not tell of sequences."""
    untold = [things for things in scenes.things.values() if things.is_untold]
    if not untold:
        return []
    return [
        f"frames of {counted(len(untold), 'scene')}, such as {untold[0].title}, are of a release "
        "whose records tell where things are, and no more: they stand still, but whether their "
        "shapes, colours or light change nobody knows, and readers assume that they do not; "
        "rendered anew, frames tell"
    ]


def enough_views(scenes: Scenes, reader: str) -> None:
    """Make sure that each scene has views to train, validate and test.

    Raises:
        SpecError: One has too few.
    """
    for scene in scenes.scenes:
        if scene.views < FEWEST:
            raise SpecError(
                f"{scene.name}: has {counted(scene.views, 'view')}, and an export to {reader} "
                f"takes {FEWEST} at least, one each to train, validate and test: render more "
                "views of it"
            )


def splits_are_known(scenes: Scenes, reader: str) -> None:
    """Make sure that readers find views to train and views that are held out, by their names.

    Raises:
        SpecError: The dataset's splits have other names.
    """
    for scene in scenes.scenes:
        names = set(scene.splits)
        if scene.is_split and (TRAIN not in names or not names & {VAL, TEST}):
            raise SpecError(
                f"{scene.name}: its views are in the splits {', '.join(sorted(names))}, and "
                f"{reader} opens train, val and test: make them again with farm dataset split "
                "--fresh --by view"
            )


def one_lens(scenes: Scenes, reader: str) -> None:
    """Make sure that all views of a scene have one lens, centred, with square pixels.

    Raises:
        SpecError: They have not.
    """
    for scene in scenes.scenes:
        if len(scene.lenses) > 1:
            (first, one), (second, other) = scene.lenses.items()
            raise SpecError(
                f"{one} ({first.words}) and {other} ({second.words}): have different lenses, and "
                f"{reader} has one for all views of a scene: {ELSEWHERE}"
            )
        centred(scene, reader)


ELSEWHERE = "export to nerfstudio, ngp or colmap, which tell each view's lens"


def centred(scene: Scene, reader: str) -> None:
    """Make sure that a lens is centred and has square pixels.

    Raises:
        SpecError: It is not.
    """
    for lens, view in scene.lenses.items():
        if is_off_centre(lens):
            raise SpecError(
                f"{view}: its lens is shifted, by ({lens.cx - lens.width / 2:+.2f}, "
                f"{lens.cy - lens.height / 2:+.2f}) px, and {reader} assumes that it is centred: "
                f"{ELSEWHERE}"
            )
        if abs(lens.fx - lens.fy) > CLOSE * lens.fx:
            raise SpecError(
                f"{view}: its pixels are not square (focal lengths {lens.fx:.2f} and "
                f"{lens.fy:.2f} px), and {reader} assumes that they are: {ELSEWHERE}"
            )


def square_pictures(scenes: Scenes, reader: str) -> None:
    """Make sure that pictures are as wide as they are high, by centred lenses.

    Raises:
        SpecError: They are not.
    """
    for scene in scenes.scenes:
        centred(scene, reader)
        for lens, view in scene.lenses.items():
            if lens.width != lens.height:
                raise SpecError(
                    f"{view}: has {lens.width} x {lens.height} px, and readers of {reader} make "
                    f"pictures square without regard to their lens: render them square, or "
                    f"{ELSEWHERE}"
                )


def is_off_centre(lens: Lens) -> bool:
    """Say whether the axis of a lens is beside the middle of the picture."""
    beside = max(abs(lens.cx - lens.width / 2), abs(lens.cy - lens.height / 2))
    return beside > CLOSE_PX
