"""Checks of a sequence as a whole: are all its frames there, with the poses that were recorded?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from farm.dataset.sequences import SequenceFrames
from farm.spec.base import first_reason
from farm.spec.camera import Matrix4
from farm.spec.counted import counted
from farm.spec.label import IndexLabel
from farm.spec.record import ViewRecord

SLACK = 1e-5
"""Share by which numbers may differ that were written with other digits."""
Told = TypeVar("Told", bound=BaseModel)
AGAIN = "the same farm render writes it again"


def strange_frames(sequence: SequenceFrames) -> Iterator[str]:
    """Say which frames of a sequence are missing, doubled or out of step."""
    order = sequence.order()
    places = np.array(sequence.places)[order]
    lengths = sorted(set(sequence.of))
    if len(lengths) > 1:
        told = ", ".join(map(str, lengths))
        yield f"its records say that it has {told} frames: render it again into another dataset"
    there = np.unique(places[places < lengths[-1]])
    if missing := lengths[-1] - len(there):
        first = int(np.argmax(np.append(there, -1) != np.arange(len(there) + 1)))
        yield (
            f"lacks {counted(missing, 'frame')} of {lengths[-1]}, the first at place {first}: the "
            "same farm render renders what is missing"
        )
    if beyond := int(np.count_nonzero(places >= lengths[-1])):
        yield f"{counted(beyond, 'frame')} stand behind its end at place {lengths[-1] - 1}"
    if (twice := places[:-1][np.diff(places) == 0]).size:
        yield f"has two frames at place {twice[0]}"
    yield from strange_times(sequence, order)


def strange_times(sequence: SequenceFrames, order: Any) -> Iterator[str]:
    """Say where time or numbers of frames do not increase, or not by one pace."""
    for name, values in (("time_s", sequence.times_s), ("number", sequence.numbers)):
        steps = np.diff(np.array(values)[order])
        if (steps <= 0).any():
            place = int(np.array(sequence.places)[order][int((steps <= 0).argmax()) + 1])
            yield f"{name} does not increase from the frame before place {place} to it"
    if len(set(sequence.fps)) > 1:
        yield f"its records say {', '.join(f'{fps:g}' for fps in sorted(set(sequence.fps)))} fps"


class FrameEntry(BaseModel):
    """One frame of a `transforms.json`."""

    model_config = ConfigDict(extra="allow")

    transform_matrix: Matrix4

    def files(self) -> list[str]:
        """Return all files that it names."""
        extra = self.model_extra or {}
        return [str(value) for key, value in extra.items() if key.endswith("_path")]


class Transforms(BaseModel):
    """What a `transforms.json` says; intrinsics of a frame are before those of all."""

    model_config = ConfigDict(extra="allow")

    frames: list[FrameEntry] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_files(self) -> Transforms:
        for place, frame in enumerate(self.frames):
            if not frame.files():
                raise ValueError(f"frames.{place}: names no file")
        return self

    def number(self, name: str, frame: FrameEntry) -> float | None:
        """Return a number of a frame's camera, such as `fl_x`; None where nobody says it."""
        for told in (frame.model_extra, self.model_extra):
            value = (told or {}).get(name)
            if isinstance(value, int | float):
                return float(value)
        return None


def told_by(model: type[Told], data: bytes | None) -> Told | str:
    """Return what a file says, or the sentence on why it says nothing."""
    if data is None:
        return f"is missing: {AGAIN}"
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        return f"cannot be read: {first_reason(error)}; {AGAIN}"


def strange_transforms(data: bytes | None, records: Iterable[ViewRecord]) -> Iterator[str]:
    """Say where a `transforms.json` says something else than the records of its sequence.

    Args:
        data: What the file holds; None where there is none.
        records: Of the sequence, in order.
    """
    told = told_by(Transforms, data)
    if isinstance(told, str):
        yield told
        return
    frames = {plain(file): frame for frame in told.frames for file in frame.files()}
    found: dict[str, list[str]] = {}
    count = 0
    for record in records:
        count += 1
        for what, detail in compare(told, frames, record):
            found.setdefault(what, []).append(detail)
    for what, details in found.items():
        more = f", and of {len(details) - 1:,} more" if len(details) > 1 else ""
        yield f"{what} of {details[0]}{more}: {AGAIN}"
    if len(told.frames) != count:
        yield f"has {counted(len(told.frames), 'frame')}, but the records {count}: {AGAIN}"


def compare(
    told: Transforms, frames: dict[str, FrameEntry], record: ViewRecord
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the entry of a frame, and of which frame it is."""
    moment = record.view.moment
    assert moment is not None
    paths = [plain(file.path.removeprefix(f"{moment.sequence}/")) for file in record.files.values()]
    entries = [frames.get(path) for path in paths]
    entry = next((entry for entry in entries if entry is not None), None)
    if entry is None:
        yield "lacks the frame", record.view.name
        return
    if any(each is not entry for each in entries):
        yield "does not name all files", record.view.name
    yield from compare_numbers(told, entry, record)


def compare_numbers(
    told: Transforms, entry: FrameEntry, record: ViewRecord
) -> Iterator[tuple[str, str]]:
    """Yield which numbers of a frame's entry are not those of its record."""
    camera, moment = record.camera, record.view.moment
    assert moment is not None
    off = np.abs(np.array(entry.transform_matrix) - np.array(camera.world_from_camera)).max()
    if not off <= SLACK * max(1.0, float(np.abs(np.array(camera.world_from_camera)).max())):
        yield "has another pose", f"{record.view.name} (by {off:.3g})"
    facts: dict[str, float | None] = {
        "w": record.resolution_px[0], "h": record.resolution_px[1],
        "fl_x": camera.fx_px, "fl_y": camera.fy_px, "cx": camera.cx_px, "cy": camera.cy_px,
        "fps": moment.fps, "time_s": moment.time_s,
        **(camera.lens.model_dump(exclude={"kind"}) if camera.lens else {}),
    }  # fmt: skip
    for name, known in facts.items():
        said = told.number(name, entry)
        if known is not None and not is_near(said, known):
            what = "no" if said is None else f"{said:g} as"
            yield f"has {what} {name}", f"{record.view.name} (the record: {known:g})"


def is_near(said: float | None, known: float) -> bool:
    """Say whether two numbers are the same but for their digits."""
    return said is not None and abs(said - known) <= SLACK * max(1.0, abs(known))


def plain(path: str) -> str:
    """Return a path without `./`."""
    return str(PurePosixPath(path))


class IdTable(BaseModel):
    """What a `segmentations.json` says of the values of one pass."""

    index: list[IndexLabel] = Field(default_factory=list)
    material: list[IndexLabel] = Field(default_factory=list)


def strange_ids(data: bytes | None, records: Iterable[ViewRecord]) -> Iterator[str]:
    """Say where the table of ids says something else than the records of its sequence."""
    known: dict[str, dict[int, str]] = {"index": {}, "material": {}}
    for record in records:
        known["index"] |= {label.index: label.name for label in record.indices}
        known["material"] |= {label.index: label.name for label in record.materials}
    if not any(known.values()):
        return
    table = told_by(IdTable, data)
    if isinstance(table, str):
        yield table
        return
    for name, labels in (("index", table.index), ("material", table.material)):
        told = {label.index: label.name for label in labels}
        for value in sorted(told.keys() | known[name].keys()):
            if told.get(value) != known[name].get(value):
                what = told.get(value, "nothing"), known[name].get(value, "nothing")
                yield f"calls {name} {value} {what[0]}, but the records {what[1]}: {AGAIN}"
                break
