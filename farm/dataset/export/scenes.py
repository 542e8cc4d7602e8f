"""The scenes of an export for 3D learning: things that stand still, seen by several cameras."""

from __future__ import annotations

import itertools
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.geometry.boxes import Box, around, box_of, corners_of
from farm.dataset.export.lights import in_words, is_scripted, look_of
from farm.dataset.export.safe_names import FreeNames, in_plain_letters
from farm.dataset.export.standing import (
    Change,
    States,
    Still,
    is_light,
    stays,
    time_dependent,
    without_light,
)
from farm.dataset.export.survey import Survey, folder_of
from farm.dataset.reader import DatasetView
from farm.spec.record import ViewRecord

HELD_OUT = 8
"""One view in so many is for testing, and another for validation, where splits do not say."""
FEWEST = 3
"""Views of a scene: one each to train, validate and test."""
UNTOLD = -1
"""Stands for the state of a sequence of which no frame tells."""
DIGITS = 6
"""Of pixels, that tell lenses apart."""
TRAIN, VAL, TEST = "train", "val", "test"


class Lens(NamedTuple):
    """How a view projects: what readers of one lens for all take from a single place."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    @property
    def words(self) -> str:
        """What people call it."""
        return f"{self.width} x {self.height} px, focal length {self.fx:.2f} px"


@dataclass
class Things:
    """The views of one dataset that show the same things."""

    title: str
    lights: dict[str, int] = field(default_factory=dict)
    """Hash of each light, and its number."""
    lit: Counter[int] = field(default_factory=Counter)
    """Views by the number of their light."""
    firsts: list[str] = field(default_factory=list)
    """Of the first two lights, the view and how it is lit."""
    looks: dict[str, str] = field(default_factory=dict)
    """What the things are like, and the first view of each; two at most."""
    corners: dict[tuple[str, int | None], tuple[NDArray[np.float64], str]] = field(
        default_factory=dict
    )
    """Where each thing of what plays is, in the world, and the first view that says so."""
    moved: Change | None = None
    """A thing that is elsewhere in another view."""
    is_scripted: bool = False
    """A script made its views."""
    sequences: dict[str, Still] = field(default_factory=dict)
    """By name."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Of the states in which sequences stand still, as far as these are told."""
    changed: Change | None = None
    """A thing that does not stand still in a sequence."""
    relit: Change | None = None
    """What gives another light in another frame."""
    is_untold: bool = False
    """Frames of its sequences tell where things are, and nothing else of what stands still."""

    def note(self, view: DatasetView) -> None:
        """Note what a view that plays tells of its things."""
        moment, state = view.record.view.moment, time_dependent(view.record)
        self.is_scripted |= is_scripted(view.record)
        if moment is not None:
            still = self.sequences.setdefault(moment.sequence, Still())
            if state is not None:
                for change in still.note(state, view.key):
                    if is_light(change.what):
                        self.relit = self.relit or change
                    else:
                        self.changed = self.changed or change
                return
            self.is_untold = True
        if moment is not None or self.is_scripted:
            self.place(view)

    def number_states(self) -> None:
        """Number the states in which sequences stand still, once all of them are known."""
        states = States()
        for name, still in self.sequences.items():
            if still.state is not None:
                own = without_light(still.state) if self.relit else still.state
                self.numbers[name] = states.number(own)

    def state_of(self, view: DatasetView) -> int:
        """Return the number of the state in which a view's sequence is; -1: none is told."""
        moment = view.record.view.moment
        return self.numbers.get(moment.sequence, UNTOLD) if moment else UNTOLD

    def place(self, view: DatasetView) -> None:
        """Note where the things of a view are."""
        if self.moved is not None:
            return
        for label, corners in corners_of(view.record):
            first, where = self.corners.setdefault((label.name, label.asset), (corners, view.key))
            reach = np.abs(label.camera_from_object).max()
            if not stays(first, corners, size=np.ptp(first, axis=0).max(), reach=reach):
                self.moved = self.moved or Change(label.name, where, view.key)

    def name_of(self, record: ViewRecord) -> str:
        """Return what people call the scene of a view: of all sequences, by their file."""
        states = {*self.numbers.values(), *[UNTOLD] * (len(self.numbers) < len(self.sequences))}
        is_one = len(states) == 1 and len(self.lights) == 1
        return record.assets[0].title if is_one else record.title

    @property
    def light_differs(self) -> bool:
        """It is another one for so many views that lights have too few views for scenes."""
        return len(self.lit) > 1 and self.lit.total() < FEWEST * len(self.lit)


@dataclass
class Scene:
    """What is exported as one."""

    name: str
    """In the export: a folder, unlike all others."""
    sha256: str = ""
    """Of the file that its things are of, the first one."""
    file: str = ""
    """Its name."""
    splits: Counter[str] = field(default_factory=Counter)
    """Views by split."""
    lenses: dict[Lens, str] = field(default_factory=dict)
    """How its views project, and the first view of each; two at most."""
    marks: array[int] = field(default_factory=lambda: array("L"))
    """Of each view in turn, a number by which views are held out."""
    box: Box | None = None
    """Around its things, in the world of its views; None where records tell of none."""
    test_below: int = 0
    val_below: int = 0

    @property
    def views(self) -> int:
        return self.splits.total()

    @property
    def is_split(self) -> bool:
        """The dataset's splits say which of its views are held out."""
        return len(self.splits) > 1

    def hold_out(self) -> None:
        """Choose the views that are held out: the same ones each time, whatever their order."""
        if not self.is_split:
            ordered = sorted(self.marks)
            count = max(1, len(ordered) // HELD_OUT)
            self.test_below = ordered[min(count, len(ordered) - 1)]
            self.val_below = ordered[min(2 * count, len(ordered) - 1)]
        self.marks = array("L")

    def role(self, split: str, name: str) -> str:
        """Return what a view is for: to train, validate or test."""
        if self.is_split:
            return split
        mark = mark_of(name)
        if mark < self.test_below:
            return TEST
        return VAL if mark < self.val_below else TRAIN


class Scenes:
    """The scenes of all views of an export, found in one pass over its records."""

    def __init__(self, survey: Survey) -> None:
        self.things: dict[tuple[str, str], Things] = {}
        self.scenes: list[Scene] = []
        self._at = array("L")
        """Of each view in turn, its scene."""
        self._places = array("L")
        """Of each view in turn, its place among those of its scene that are in its split."""
        self._look(survey)
        for things in self.things.values():
            things.number_states()
        self._gather(survey)
        for scene in self.scenes:
            scene.hold_out()

    def number(self, view: int) -> int:
        """Return the number of the scene of a view, by the view's number in the export."""
        return self._at[view]

    def place(self, view: int) -> int:
        """Return the place of a view, from 0, among those of its scene in its split."""
        return self._places[view]

    def _look(self, survey: Survey) -> None:
        for _split, view in all_views(survey):
            record = view.record
            things = self.things.setdefault(key_of(view), Things(record.title))
            look = look_of(record)
            if look.light not in things.lights and len(things.firsts) < 2:
                things.firsts.append(f"{view.key} ({in_words(record.view, skies_of(record))})")
            things.lit[things.lights.setdefault(look.light, len(things.lights))] += 1
            things.note(view)
            if len(things.looks) < 2:
                things.looks.setdefault(look.things, view.key)

    def _gather(self, survey: Survey) -> None:
        names, numbers = FreeNames(), dict[tuple[str, str, int, int], int]()
        for split, view in all_views(survey):
            record, key = view.record, key_of(view)
            things = self.things[key]
            light = 0 if things.light_differs else things.lights[look_of(record).light]
            state = things.state_of(view)
            number = numbers.setdefault((*key, light, state), len(self.scenes))
            if number == len(self.scenes):
                wanted = in_plain_letters(things.name_of(record)) or "scene"
                first = record.assets[0]
                self.scenes.append(Scene(names.take(wanted), first.sha256, first.name))
            scene = self.scenes[number]
            self._places.append(scene.splits[split])
            scene.splits[split] += 1
            scene.box = around(scene.box, box_of(record))
            scene.marks.append(mark_of(view.name))
            lens = lens_of(record)
            if lens is not None and len(scene.lenses) < 2:
                scene.lenses.setdefault(lens, view.key)
            self._at.append(number)


def all_views(survey: Survey) -> Iterator[tuple[str, DatasetView]]:
    """Yield all views as an export numbers them, with their splits."""
    for split, dataset in survey.splits.items():
        yield from zip(itertools.repeat(split), dataset, strict=False)


def key_of(view: DatasetView) -> tuple[str, str]:
    """Return what views of the same things have in common."""
    return folder_of(view), view.record.group


def skies_of(record: ViewRecord) -> list[str]:
    """Return the names of the HDRIs that light a view."""
    return [asset.title for asset in record.assets if asset.kind == "hdr"]


def mark_of(name: str) -> int:
    """Return a number that a view has by its name, as if drawn."""
    return zlib.crc32(name.encode())


def lens_of(record: ViewRecord) -> Lens | None:
    """Return how a view projects, if it is a pinhole."""
    camera = record.camera
    if camera.fx_px is None or camera.fy_px is None:
        return None
    width, height = record.resolution_px
    return Lens(
        fx=round(camera.fx_px, DIGITS),
        fy=round(camera.fy_px, DIGITS),
        cx=round(camera.cx_px, DIGITS),
        cy=round(camera.cy_px, DIGITS),
        width=width,
        height=height,
    )
