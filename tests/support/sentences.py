"""Datasets with sentences for tests: a table with things on it, drawn by numpy, so that every
label follows from where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.asset import Asset, Credit
from farm.spec.camera import OrbitCamera
from farm.spec.expression import Expression, Phrase, Step
from farm.spec.label import Attributes, IndexLabel, ObjectLabel
from farm.spec.passes import PassName, pass_path
from farm.spec.recipes.sod import SodView
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.view import Light
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.builders import a_record, an_asset
from tests.support.datasets import a_camera_record, encode_pass, fold

PASSES: tuple[PassName, ...] = ("rgb", "mask", "index", "depth")
TABLE, MUG, TWIN, BOWL, BOX, POST, HIDDEN = range(7)
"""Places of the things in records."""
INDICES = ((1,), (2,), (3,), (4, 14), (5,), (6,), (7,))
"""The bowl is of two parts."""
NOUNS = ("table", "mug", "mug", "bowl", "box", "post", "key")
COLOURS = ("brown", "red", "red", "white", "blue", "grey", "black")
PHRASES = {
    "The red mug left of the bowl.": "The red mug left of the bowl",
    "the bowl": "the bowl",
    "Hand me the leftmost mug!": "the leftmost mug",
    "the box behind the post": "the box behind the post",
    "the mug on the right": "the mug on the right",
    "the red mugs": "the red mugs",
    "Is there a green mug?": "a green mug",
}
"""The words of each sentence for what it means."""


class Scene(NamedTuple):
    """What one picture shows."""

    index: NDArray[np.int64]
    depth: NDArray[np.float64]


def write_sentences(
    folder: Path,
    *,
    views: int = 3,
    size: tuple[int, int] = (60, 40),
    passes: Sequence[PassName] = PASSES,
    bit_depth: int = 8,
    picture_format: str = "png",
    more: Sequence[Expression] = (),
    metres_per_unit: float = 1.0,
) -> list[ViewRecord]:
    """Write a dataset of tables with sentences about them.

    Args:
        folder: Where to.
        views: So many; things are a pixel farther to the right in each.
        size: (width, height), pixels; at least 60 x 40.
        passes: Those that the views have.
        bit_depth: Of rgb and mask.
        picture_format: Of rgb and mask: `png` or `jxl`.
        more: Sentences that all views have beside the usual ones.
        metres_per_unit: Of the views' world.
    """
    storage, records = FolderStorage(folder), []
    for number in range(views):
        record, files = a_table(
            number, size=size, passes=passes, bit_depth=bit_depth, picture_format=picture_format
        )
        record = record.model_copy(
            update={
                "expressions": (*record.expressions, *more),
                "metres_per_unit": metres_per_unit,
            }
        )
        for name, data in files.items():
            storage.put(record.files[name].path, data)
        records.append(record)
    fold(storage, folder.name, records)
    return records


def a_table(
    number: int,
    *,
    size: tuple[int, int],
    passes: Sequence[PassName],
    bit_depth: int,
    picture_format: str,
) -> tuple[ViewRecord, dict[PassName, bytes]]:
    """Return a view and the bytes of its files."""
    scene = draw(number, size)
    shot = {
        "rgb": colours_of(scene.index, number),
        "mask": (scene.index > 0).astype(float),
        "index": scene.index,
        "depth": scene.depth,
    }
    files = {name: encode_pass(name, shot, bit_depth, picture_format) for name in passes}
    camera = OrbitCamera(yaw_deg=10.0 * number, pitch_deg=35.0, distance=1.2)
    view = SodView(index=number, name=f"table_{number:04d}", camera=camera, light=Light(), seed=1)
    assets = the_assets()
    record = a_record(
        view,
        files=files,
        resolution_px=size,
        camera=a_camera_record(camera, size),
        assets=assets,
        group=f"scene-{number}",
        objects=tuple(label_of(place, scene.index) for place in range(len(INDICES))),
        indices=tuple(
            IndexLabel(index=value, name=f"{NOUNS[place]}.{value}", colour=(9, 9, 9))
            for place, values in enumerate(INDICES)
            for value in values
        ),
        expressions=the_sentences(scene.index),
    )
    found = {
        name: FileRecord(
            path=pass_path(name, view.name, picture_format=picture_format),
            sha256=file.sha256,
            size_bytes=file.size_bytes,
        )
        for name, file in record.files.items()
    }
    return record.model_copy(update={"files": found}), files


def draw(number: int, size: tuple[int, int]) -> Scene:
    """Return which part of what each pixel shows, and how far it is."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    index = np.zeros((height, width), dtype=np.int64)
    index[height // 4 :] = 1
    index[12:26, 3 + number : 12 + number] = 2  # a mug
    index[12:26, width - 6 :] = 3  # its twin, cut by the border
    far = (x - 24 - number) ** 2 + (y - 20) ** 2
    index[(far < 64) & (far > 9)] = 4  # a bowl, through whose hole the table is seen
    index[(far < 64) & (far > 9) & (y > 20)] = 14
    index[10:24, 36 + number : 48 + number] = 5  # a box, in two pieces
    index[8:30, 41 + number : 43 + number] = 6  # before it a post
    depth = np.where(index > 0, 1.0 + 0.01 * y, np.inf)
    return Scene(index, depth)


def colours_of(index: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Return a picture: a colour for each value, with some noise."""
    tints = np.random.default_rng(7).random((15, 3)) * 0.8 + 0.1
    noise = np.random.default_rng(number).random((*index.shape, 3)) * 0.1
    return tints[index] + noise


def mask_of(index: NDArray[np.int64], place: int) -> NDArray[np.bool_]:
    """The pixels that show a thing."""
    return np.isin(index, INDICES[place])


def the_assets() -> tuple[Asset, ...]:
    """The sky, and a model for each kind of thing; the twins share one."""
    names = ("table.blend", "red_mug.glb", "bowl.obj", "box.blend", "post.blend", "key.blend")
    models = [
        an_asset(name).model_copy(update={"credit": Credit(name=name, licence="cc0")})
        for name in names
    ]
    return (*models, an_asset("studio.exr", kind="hdr"))


def label_of(place: int, index: NDArray[np.int64]) -> ObjectLabel:
    """What a record says of a thing."""
    mask = mask_of(index, place)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if len(rows) else None
    return ObjectLabel(
        name=f"{NOUNS[place]}.{place}",
        asset=(0, 1, 1, 2, 3, 4, 5)[place],
        category="surface" if place == TABLE else NOUNS[place],
        indices=INDICES[place],
        box_px=tuple(float(side) for side in box) if box else None,
        area_px=float(mask.sum()),
        visible_fraction=None,
        truncation=0.0,
        camera_from_object=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, -1.2), (0, 0, 0, 1)),
        size=(0.08, 0.08, 0.1),
        corners_px=(),
        words=None if place == TABLE else AssetWords(noun=NOUNS[place], confirmed=True),
        attributes=Attributes(colour=COLOURS[place], materials=("shiny",)),
    )


def the_sentences(index: NDArray[np.int64]) -> tuple[Expression, ...]:
    """Seven sentences: two mean the same thing, one means two things, one means none."""
    return (
        told(
            "The red mug left of the bowl.",
            index,
            [MUG],
            ["The red mug left of the bowl"],
            {"the bowl": BOWL},
        ),
        told("the bowl", index, [BOWL], ["the bowl"]),
        told("Hand me the leftmost mug!", index, [MUG], ["the leftmost mug"]),
        told(
            "the box behind the post", index, [BOX], ["the box behind the post"], {"the post": POST}
        ),
        told("the mug on the right", index, [TWIN], ["the mug on the right"]),
        told("the red mugs", index, [MUG, TWIN], ["the red mugs"]),
        told("Is there a green mug?", index, [], ["a green mug"]),
    )


def told(
    text: str,
    index: NDArray[np.int64],
    targets: list[int],
    names: list[str],
    anchors: dict[str, int] | None = None,
) -> Expression:
    """A sentence with what it means."""
    masks = [mask_of(index, place) for place in targets]
    points = [np.argwhere(mask)[np.count_nonzero(mask) // 2][::-1] + 0.5 for mask in masks]
    labels = [label_of(place, index) for place in targets]
    phrases = [
        Phrase(start=text.index(name), end=text.index(name) + len(name), objects=tuple(targets))
        for name in names
    ]
    phrases += [
        Phrase(
            start=text.index(name), end=text.index(name) + len(name), objects=(place,),
            role="anchor",
        )
        for name, place in (anchors or {}).items()
    ]  # fmt: skip
    return Expression(
        text=text,
        kind="attribute" if targets else "none",
        level=2,
        program=(
            Step(op="scene"),
            Step(op="noun", inputs=(0,), value="mug"),
            Step(op="colour", inputs=(1,), value="red"),
        ),
        targets=tuple(targets),
        boxes_px=tuple(label.box_px for label in labels if label.box_px),
        points_px=tuple((float(x), float(y)) for x, y in points),
        phrases=tuple(phrases),
        negative=not targets,
    )
