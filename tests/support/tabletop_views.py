"""Views of blocks on a table with sentences about them, made by numpy: all that is recorded of them
follows from a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.camera import Matrix4, PoseCamera
from farm.spec.expression import Expression, ExpressionKind, Phrase, Step
from farm.spec.label import Attributes, IndexLabel, ObjectLabel
from farm.spec.passes import PassName, pass_path
from farm.spec.recipes.tabletop import View
from farm.spec.record import CameraRecord, FileRecord, ViewRecord
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.builders import a_record, an_asset
from tests.support.datasets import fold
from tests.support.sequences import encoded

Numbers = NDArray[np.float64]
SIZE = 192
FOCAL_PX = 260.0
TABLE = ((1.0, 0.7, 0.03), (0.0, 0.0, -0.015))
PAINT = {
    "red": (0.6, 0.02, 0.02), "blue": (0.01, 0.03, 0.55), "green": (0.02, 0.35, 0.03),
    "yellow": (0.85, 0.7, 0.02), "white": (0.85, 0.85, 0.85), "metal": (0.0, 0.0, 0.0),
    "table": (0.4, 0.35, 0.3),
}  # fmt: skip
KINDS = {"mug": "vessel", "can": "vessel", "box": "container"}
PASSES: tuple[PassName, ...] = ("rgb", "mask", "index", "depth", "albedo")


class Block(NamedTuple):
    """A thing on the table."""

    noun: str
    paint: str
    at: tuple[float, float]
    """Metres: right and away."""
    size: tuple[float, float, float] = (0.08, 0.06, 0.1)
    yaw_deg: float = 0.0
    on: int | None = None
    """Place among the blocks of the one that it stands on."""
    lies: bool = False
    """It is turned on its side, about its own x axis."""
    words: AssetWords | None = None
    """Left out: its noun, confirmed, and what kind of thing it is."""
    fraction: float = 1.0
    """Share of it that is said to be seen."""


KITCHEN = (
    Block("mug", "red", (-0.25, -0.12)),
    Block("mug", "blue", (0.25, -0.12), yaw_deg=20),
    Block("can", "red", (0.0, 0.1), size=(0.06, 0.06, 0.12)),
    Block("box", "green", (-0.27, 0.18), size=(0.16, 0.12, 0.08), yaw_deg=-15),
    Block("cup", "yellow", (-0.27, 0.18), size=(0.06, 0.06, 0.08), on=3),
    Block("bottle", "white", (0.28, 0.2), size=(0.06, 0.06, 0.22), lies=True, yaw_deg=30),
)
"""Places among the objects are one more: the table is the first."""


def write_tabletop(
    folder: Path,
    sentences: Sequence[Expression],
    *,
    blocks: Sequence[Block] = KITCHEN,
    passes: Sequence[PassName] = PASSES,
    views: int = 1,
) -> list[ViewRecord]:
    """Write a dataset of one scene, seen from several sides, with the same sentences."""
    storage = FolderStorage(folder)
    records = []
    for number in range(views):
        record, files = make_view(number, blocks, sentences, passes)
        for name, data in files.items():
            storage.put(record.files[name].path, data)
        records.append(record)
    fold(storage, folder.name, records)
    return records


def make_view(
    number: int,
    blocks: Sequence[Block],
    sentences: Sequence[Expression],
    passes: Sequence[PassName] = PASSES,
) -> tuple[ViewRecord, dict[PassName, bytes]]:
    """Return one view and the bytes of its files."""
    world_from_camera = looking(azimuth_deg=-90.0 + 4 * number, elevation_deg=45.0, far=1.3)
    boxes = [(np.eye(3), np.array(TABLE[1]), np.array(TABLE[0])), *posed(blocks)]
    shot = shoot(boxes, ["table", *(block.paint for block in blocks)], world_from_camera)
    labels = tuple(
        label_of(place, box, blocks, shot["index"], world_from_camera)
        for place, box in enumerate(boxes)
    )
    arrays = {name: shot[name] for name in passes}
    files = {name: encoded(name, array) for name, array in arrays.items()}
    name = f"scene_000000_{number:03d}"
    camera = PoseCamera(world_from_camera=as_rows(world_from_camera))
    record = a_record(
        View(index=number, name=name, camera=camera, seed=number),
        files=files,
        model=an_asset("block.obj").model_copy(update={"role": "objects"}),
        resolution_px=(SIZE, SIZE),
        camera=CameraRecord(
            world_from_camera=as_rows(world_from_camera),
            fx_px=FOCAL_PX, fy_px=FOCAL_PX, cx_px=SIZE / 2, cy_px=SIZE / 2,
        ),
        coverage=float((shot["mask"] > 0).mean()),
        objects=labels,
        indices=tuple(
            IndexLabel(index=place + 1, name=label.name, colour=(place, 99, 99))
            for place, label in enumerate(labels)
        ),
        expressions=tuple(located(each, labels, shot["index"]) for each in sentences),
    )  # fmt: skip
    found = {
        of: FileRecord(
            path=pass_path(of, name, picture_format="png"),
            sha256=file.sha256,
            size_bytes=file.size_bytes,
        )
        for of, file in record.files.items()
    }
    return record.model_copy(update={"files": found}), files


def looking(*, azimuth_deg: float, elevation_deg: float, far: float) -> Numbers:
    """Return `world_from_camera` of a camera that looks at the middle of the table."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    level = np.array([math.cos(azimuth), math.sin(azimuth), 0.0])
    back = math.cos(elevation) * level + np.array([0.0, 0.0, math.sin(elevation)])
    right = np.array([-math.sin(azimuth), math.cos(azimuth), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = far * back
    return pose


def posed(blocks: Sequence[Block]) -> list[tuple[Numbers, Numbers, Numbers]]:
    """Return of each block its axes (3, 3) as columns, its middle and its sides."""
    tops: list[float] = []
    found = []
    for block in blocks:
        yaw = math.radians(block.yaw_deg)
        axes = np.array(
            [[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1.0]]
        )
        if block.lies:
            axes = axes @ np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
        sides = np.array(block.size)
        rise = float(np.abs(axes[2]) @ sides)
        floor = 0.0 if block.on is None else tops[block.on]
        tops.append(floor + rise)
        found.append((axes, np.array([*block.at, floor + rise / 2]), sides))
    return found


def shoot(
    boxes: Sequence[tuple[Numbers, Numbers, Numbers]],
    paints: Sequence[str],
    world_from_camera: Numbers,
) -> dict[PassName, NDArray[np.generic]]:
    """Return all passes of a view, as they are in files: rays through the pixels' centres."""
    u, v = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    local = np.stack([(u - SIZE / 2) / FOCAL_PX, (SIZE / 2 - v) / FOCAL_PX, -np.ones_like(u)], -1)
    rays, eye = local @ world_from_camera[:3, :3].T, world_from_camera[:3, 3]
    far = np.stack([meet(rays, eye, box) for box in boxes])
    which, depth = far.argmin(axis=0), far.min(axis=0)
    seen = np.isfinite(depth)
    albedo = np.where(seen[..., None], np.array([PAINT[paint] for paint in paints])[which], 0.0)
    light = 0.5 + 0.3 * np.sin(40 * u / SIZE)[..., None] * np.cos(30 * v / SIZE)[..., None]
    return {
        "rgb": (255 * np.where(seen[..., None], albedo * light, light)).astype(np.uint8),
        "mask": np.where(seen, 255, 0).astype(np.uint8),
        "index": np.where(seen, which + 1, 0).astype(np.uint16),
        "depth": depth.astype(np.float32),
        "albedo": albedo.astype(np.float32),
    }


def meet(rays: Numbers, eye: Numbers, box: tuple[Numbers, Numbers, Numbers]) -> Numbers:
    """Return how far along rays (H, W, 3) a box is met, infinite where it is not."""
    axes, centre, sides = box
    start, way = (eye - centre) @ axes, rays @ axes
    with np.errstate(divide="ignore"):
        one, two = (-sides / 2 - start) / way, (sides / 2 - start) / way
    near, past = np.minimum(one, two).max(axis=-1), np.maximum(one, two).min(axis=-1)
    return np.where((near <= past) & (near > 0), near, np.inf)


def label_of(
    place: int,
    box: tuple[Numbers, Numbers, Numbers],
    blocks: Sequence[Block],
    index: NDArray[np.generic],
    world_from_camera: Numbers,
) -> ObjectLabel:
    """Return what a record says of a thing."""
    axes, centre, sides = box
    world_from_object = np.eye(4)
    world_from_object[:3, :3], world_from_object[:3, 3] = axes, centre
    pose = np.linalg.inv(world_from_camera) @ world_from_object
    rows, columns = np.nonzero(index == place + 1)
    seen = len(rows) > 0
    label = ObjectLabel(
        name="board",
        category="surface",
        indices=(place + 1,),
        box_px=(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if seen else None,
        area_px=float(len(rows)),
        visible_fraction=1.0 if seen else 0.0,
        truncation=0.0,
        camera_from_object=as_rows(pose),
        size=tuple(sides.tolist()),
        corners_px=(),
    )
    if not place:
        return label
    block = blocks[place - 1]
    below = 0 if block.on is None else block.on + 1
    return label.model_copy(
        update={
            "name": f"{block.paint}_{block.noun}",
            "category": "object",
            "visible_fraction": block.fraction if seen else 0.0,
            "words": block.words
            or AssetWords(noun=block.noun, hypernym=KINDS.get(block.noun), confirmed=True),
            "attributes": Attributes(
                colour=None if block.paint == "metal" else block.paint,
                materials=("metal",) if block.paint == "metal" else (),
                pose="lying" if block.lies else "upright",
            ),
            "on": (below,),
            "touches": (below,),
        }
    )


def as_rows(matrix: Numbers) -> Matrix4:
    """Return a 4 x 4 matrix as records have it."""
    a, b, c, d = (tuple(row) for row in matrix.tolist())
    return (a, b, c, d)


def says(
    text: str,
    kind: ExpressionKind,
    steps: Sequence[str],
    targets: Sequence[int] = (),
    anchors: Sequence[tuple[str, int]] = (),
    **more: object,
) -> Expression:
    """Return a sentence.

    Args:
        text: With the phrase of its targets in square brackets, if they are to have one.
        kind: Of it.
        steps: Its program, such as `scene`, `noun mug <0`, `unique <1`.
        targets: Places of what it refers to.
        anchors: Phrases of other things, and the place of each.
        more: Other fields.
    """
    start, end = text.find("["), text.find("]") - 1
    plain = text.replace("[", "").replace("]", "")
    phrases = [Phrase(start=start, end=end, objects=tuple(targets))] if start >= 0 else []
    for said, place in anchors:
        at = plain.index(said)
        phrases.append(Phrase(start=at, end=at + len(said), objects=(place,), role="anchor"))
    return Expression(
        text=plain,
        kind=kind,
        level=2,
        program=tuple(map(step, steps)),
        targets=tuple(targets),
        phrases=tuple(phrases),
        **more,
    )


def step(written: str) -> Step:
    """Return a step such as `noun mug <0` or `between <3 <5`."""
    op, *rest = written.split()
    inputs = tuple(int(part[1:]) for part in rest if part.startswith("<"))
    value = " ".join(part for part in rest if not part.startswith("<"))
    return Step.model_validate({"op": op, "inputs": inputs, "value": value or None})


def located(
    sentence: Expression, labels: Sequence[ObjectLabel], index: NDArray[np.generic]
) -> Expression:
    """Return a sentence with the boxes and points of its targets."""
    points = []
    for place in sentence.targets:
        v, u = np.nonzero(index == place + 1)
        nearest = int(((v - v.mean()) ** 2 + (u - u.mean()) ** 2).argmin()) if len(v) else 0
        points.append((u[nearest] + 0.5, v[nearest] + 0.5) if len(v) else (0.0, 0.0))
    boxes = tuple(labels[place].box_px or (0.0, 0.0, 0.0, 0.0) for place in sentence.targets)
    return sentence.model_copy(update={"boxes_px": boxes, "points_px": tuple(points)})


TRUE = (
    says("Pick up [the blue mug].", "attribute", ["scene", "noun mug <0", "colour blue <1"], [2]),
    says("Take [the bottle that is lying].", "attribute",
         ["scene", "noun bottle <0", "pose lying <1"], [6]),
    says("Where is [the red object to the right of the red mug]?", "relation",
         ["scene", "noun mug <0", "colour red <1", "unique <2", "relate right <3",
          "noun object <4", "colour red <5"], [3], [("the red mug", 1)]),
    says("Give me [the mug to the left of the can].", "relation",
         ["scene", "noun can <0", "unique <1", "relate left <2", "noun mug <3"], [1],
         [("the can", 3)]),
    says("Find [the bottle behind the blue mug].", "relation",
         ["scene", "noun mug <0", "colour blue <1", "unique <2", "relate behind <3",
          "noun bottle <4"], [6], [("the blue mug", 2)]),
    says("Get [the cup on the green box].", "relation",
         ["scene", "noun box <0", "colour green <1", "unique <2", "relate on <3", "noun cup <4"],
         [5], [("the green box", 4)]),
    says("Show [the mug that is nearest to the cup].", "nearest",
         ["scene", "noun cup <0", "unique <1", "noun mug <0", "nearest <3 <2"], [1],
         [("the cup", 5)]),
    says("Which is [the second vessel from the left]?", "ordinal",
         ["scene", "noun vessel <0", "ordinal 2 left <1"], [3]),
    says("Hand me [the leftmost mug].", "superlative",
         ["scene", "noun mug <0", "superlative leftmost <1"], [1]),
    says("Hand me [the object of the same colour as the can].", "same",
         ["scene", "noun can <0", "unique <1", "same colour <2", "noun object <3"], [1],
         [("the can", 3)]),
    says("Lift [the mug that is not red].", "negation",
         ["scene", "noun mug <0", "not_colour red <1"], [2]),
    says("Grab [both mugs].", "plural", ["scene", "noun mug <0"], [1, 2]),
    says("Take the green mug.", "none", ["scene", "noun mug <0", "colour green <1"], [],
         negative=True, edited="colour red > green", edited_from="Take the red mug."),
    says("I want [the largest object].", "superlative",
         ["scene", "noun object <0", "superlative largest <1"], [6]),
    says("Show [the can between the red mug and the bottle].", "between",
         ["scene", "noun mug <0", "colour red <1", "unique <2", "noun bottle <0", "unique <4",
          "between <3 <5", "noun can <6"], [3], [("the red mug", 1), ("the bottle", 6)]),
)  # fmt: skip
"""Sentences about `KITCHEN` that are true."""
