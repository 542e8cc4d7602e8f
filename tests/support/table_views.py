"""Datasets of views of a table with sentences about them: balls that are called mugs and bowls.

What is seen follows from geometry, as in `tests.support.datasets`; the sentences are written by
hand and true of what they claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.asset import Asset
from farm.spec.camera import OrbitCamera, PoseCamera, orbit_matrix
from farm.spec.expression import Expression, Phrase, Step
from farm.spec.label import Attributes, IndexLabel, ObjectLabel
from farm.spec.passes import PassName, pass_path
from farm.spec.recipes.tabletop import View
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.builders import a_record, an_asset
from tests.support.datasets import (
    Ball,
    a_camera_record,
    encode_pass,
    fold,
    label_ball,
    shoot,
    trace,
    world_from,
)

RADIUS = 0.18
TINTS = {
    "red": (200, 40, 35), "blue": (45, 80, 200), "green": (40, 150, 60), "yellow": (230, 200, 40),
    "black": (25, 25, 25), "white": (235, 235, 235), "grey": (128, 128, 128),
}  # fmt: skip
WOOD = np.array([150, 110, 70]) / 255
UNUSED = "purple"
"""A colour that nothing on a table has."""


class Thing(NamedTuple):
    """Something on the table; equal ones are copies of one asset."""

    noun: str
    colour: str | None
    synonyms: tuple[str, ...] = ()
    tint: str = "grey"
    """How it looks where no colour is said of it."""

    @property
    def asset(self) -> Asset:
        return an_asset(f"{self.colour or self.tint}_{self.noun}.obj").model_copy(
            update={"role": "objects"}
        )


RED_MUG, BLUE_MUG = Thing("mug", "red", ("cup",)), Thing("mug", "blue", ("cup",))
RED_BOWL, GREEN_BOWL = Thing("bowl", "red"), Thing("bowl", "green")
THINGS = (RED_MUG, BLUE_MUG, GREEN_BOWL)
Sentences = Callable[[Sequence[ObjectLabel]], tuple[Expression, ...]]


def write_table_views(
    folder: Path,
    scenes: Sequence[Sequence[Thing]] = (THINGS, THINGS),
    *,
    views: int = 2,
    passes: Sequence[PassName] = ("rgb", "mask", "index"),
    size: tuple[int, int] = (96, 72),
    sentences: Sentences | None = None,
) -> list[ViewRecord]:
    """Write a dataset; return its records.

    Args:
        folder: Where to.
        scenes: What stands on the table of each, from left to right as yaw 0 sees it.
        views: Of each scene.
        passes: Those that views have.
        size: (width, height), pixels.
        sentences: Makes those of a view from its objects; left out, `usual_sentences`.
    """
    storage, records = FolderStorage(folder), []
    for scene, things in enumerate(scenes):
        for number in range(views):
            record, files = table_view(scene, number, things, passes, size)
            told = (sentences or usual_sentences)(record.objects)
            record = record.model_copy(
                update={
                    "expressions": told,
                    "view": record.view.model_copy(update={"index": len(records)}),
                }
            )
            for name, data in files.items():
                storage.put(record.files[name].path, data)
            records.append(record)
    fold(storage, folder.name, records, tasks=len(scenes))
    return records


def table_view(
    scene: int,
    number: int,
    things: Sequence[Thing],
    passes: Sequence[PassName],
    size: tuple[int, int],
) -> tuple[ViewRecord, dict[PassName, bytes]]:
    """Return a view, without sentences, and the bytes of its files."""
    camera = OrbitCamera(yaw_deg=float(number * 40), pitch_deg=35.0, distance=3.5)
    balls = tuple(
        Ball((0.6 * (at - (len(things) - 1) / 2), 0.0, RADIUS), RADIUS) for at in range(len(things))
    )
    shot = shoot_table(camera, balls, things, size)
    assets = tuple(dict.fromkeys(thing.asset for thing in things))
    name = f"scene_{scene:06d}_{number:03d}"
    files = {of: encode_pass(of, shot, 8, "png") for of in passes}
    pose = orbit_matrix(yaw_deg=camera.yaw_deg, pitch_deg=camera.pitch_deg, distance=3.5)
    record = a_record(
        View(
            index=number,
            name=name,
            camera=PoseCamera(world_from_camera=pose),
            seed=number,
            scene=scene,
            number=number,
        ),
        files=files,
        camera=a_camera_record(camera, size),
        title=f"scene {scene}",
        group=f"products/scene-{scene}",
        task_id=f"scene-{scene:06d}-0000",
        assets=(*assets, an_asset("studio.exr", kind="hdr")),
        resolution_px=size,
        coverage=float(shot["mask"].mean()),
        objects=(
            the_table(shot, camera, size),
            *(
                the_thing(at, thing, balls, shot, camera, size, assets.index(thing.asset))
                for at, thing in enumerate(things)
            ),
        ),
        indices=tuple(
            IndexLabel(
                index=at + 1, name=what, colour=(60 + 40 * at % 190, 120, 200 - 30 * at % 190)
            )
            for at, what in enumerate(["board", *(thing.noun for thing in things)])
        ),
    )
    paths = {of: pass_path(of, name, picture_format="png") for of in files}
    found = {
        of: FileRecord(path=paths[of], sha256=file.sha256, size_bytes=file.size_bytes)
        for of, file in record.files.items()
    }
    return record.model_copy(update={"files": found}), files


def shoot_table(
    camera: OrbitCamera, balls: Sequence[Ball], things: Sequence[Thing], size: tuple[int, int]
) -> dict[str, NDArray[np.float64]]:
    """Return the passes of a view: balls on a board of 2.4 x 1.6 at height 0."""
    shot = shoot(camera, balls, size=size, sky=0)
    rays, _far, which = trace(camera, balls, size=size, fine=1)
    matrix = world_from(camera)
    reach = np.where(rays[..., 2] < 0, -matrix[2, 3] / np.minimum(rays[..., 2], -1e-9), np.inf)
    spots = matrix[:3, 3] + rays * np.where(np.isfinite(reach), reach, 0.0)[..., None]
    on_board = np.isfinite(reach) & (np.abs(spots[..., 0]) < 1.2) & (np.abs(spots[..., 1]) < 0.8)
    on_board &= which < 0
    tints = np.array([TINTS[thing.colour or thing.tint] for thing in things]) / 255
    light = 0.45 + 0.55 * np.clip(shot["normal_world"] @ np.array([0.3, 0.4, 0.866]), 0, None)
    shown = np.where(on_board[..., None], WOOD, 0.75 * np.ones(3))
    shown = np.where((which >= 0)[..., None], tints[which] * light[..., None], shown)
    return shot | {
        "rgb": shown,
        "mask": (on_board | (which >= 0)).astype(np.float64),
        "index": np.where(which >= 0, which + 2, np.where(on_board, 1, 0)),
    }


def the_table(
    shot: dict[str, NDArray[np.float64]], camera: OrbitCamera, size: tuple[int, int]
) -> ObjectLabel:
    """Return the label of the table, which is never a target."""
    flat = shot | {"shares": (shot["index"] == 1)[None].astype(np.float64)}
    board = Ball((0.0, 0.0, 0.0), 1.2)
    return label_ball((board,), 0, flat, camera, size, an_asset("board.obj")).model_copy(
        update={"name": "board", "category": "surface", "keypoints": ()}
    )


def the_thing(
    at: int,
    thing: Thing,
    balls: Sequence[Ball],
    shot: dict[str, NDArray[np.float64]],
    camera: OrbitCamera,
    size: tuple[int, int],
    asset: int,
) -> ObjectLabel:
    """Return the label of a thing, with its words and what was measured."""
    label = label_ball(balls, at, shot, camera, size, thing.asset)
    words = AssetWords(noun=thing.noun, synonyms=thing.synonyms, confirmed=True)
    return label.model_copy(
        update={
            "name": thing.asset.title,
            "asset": asset,
            "indices": (at + 2,),
            "keypoints": (),
            "words": words,
            "attributes": Attributes(colour=thing.colour),
            "on": (0,),
            "touches": (0,),
        }
    )


def program(*filters: tuple[str, str]) -> tuple[Step, ...]:
    """Return the steps from the scene by filters, such as `("noun", "mug")`, to one thing."""
    steps = [Step(op="scene")]
    for op, value in filters:
        steps.append(Step(op=op, inputs=(len(steps) - 1,), value=value))
    return (*steps, Step(op="unique", inputs=(len(steps) - 1,)))


def the_one(objects: Sequence[ObjectLabel], at: int, *, level: int = 1) -> Expression:
    """Return `the red mug`, of a thing that alone has its noun and colour."""
    noun, colour = objects[at].words.noun, objects[at].attributes.colour
    text = f"the {colour} {noun}"
    box = objects[at].box_px
    return Expression(
        text=text,
        kind="attribute",
        level=level,
        program=program(("noun", noun), ("colour", colour)),
        targets=(at,),
        boxes_px=(box,),
        points_px=(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2),),
        phrases=(Phrase(start=0, end=len(text), objects=(at,)),),
        rivals=sum(
            each.words.noun == noun or each.attributes.colour == colour
            for each in objects[1:]
            if each is not objects[at]
        ),
    )


def nearest_to(objects: Sequence[ObjectLabel], at: int, anchor: int) -> Expression:
    """Return `the mug nearest to the green bowl`."""
    noun = objects[at].words.noun
    other = the_one(objects, anchor)
    start = f"the {noun}"
    text = f"{start} nearest to {other.text}"
    steps = (
        *other.program,
        Step(op="scene"),
        Step(op="noun", inputs=(len(other.program),), value=noun),
        Step(op="nearest", inputs=(len(other.program) + 1, len(other.program) - 1)),
    )
    one = the_one(objects, at)
    return one.model_copy(
        update={
            "text": text,
            "kind": "nearest",
            "level": 3,
            "program": steps,
            "phrases": (
                Phrase(start=0, end=len(start), objects=(at,)),
                Phrase(
                    start=len(text) - len(other.text),
                    end=len(text),
                    objects=(anchor,),
                    role="anchor",
                ),
            ),
        }
    )


def nothing_like(objects: Sequence[ObjectLabel], at: int) -> Expression:
    """Return `the purple mug`, made of `the red mug`."""
    one = the_one(objects, at)
    noun, colour = objects[at].words.noun, objects[at].attributes.colour
    return Expression(
        text=f"the {UNUSED} {noun}",
        kind="none",
        level=2,
        program=program(("noun", noun), ("colour", UNUSED)),
        targets=(),
        negative=True,
        edited=f"colour {colour} > {UNUSED}",
        edited_from=one.text,
    )


def usual_sentences(objects: Sequence[ObjectLabel]) -> tuple[Expression, ...]:
    """Return one for each thing that a colour is said of, one with an anchor and a negative."""
    named = [at for at, each in enumerate(objects) if each.words and each.attributes.colour]
    seen = [at for at in named if objects[at].box_px is not None]
    ones = [the_one(objects, at) for at in seen]
    anchored = [nearest_to(objects, seen[-2], seen[-1])] if len(seen) > 1 else []
    return (*ones, *anchored, *(nothing_like(objects, at) for at in seen[:1]))
