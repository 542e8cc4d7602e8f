"""The sequences of an export: what each is called there, and its frames in order."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from farm.dataset.export.standing import Still, time_dependent
from farm.dataset.reader import Dataset, DatasetView
from farm.spec.base import Spec
from farm.spec.moment import Moment

PLACES = 1 << 32
"""More than a sequence has frames."""


class ObjectKey(Spec):
    """An object that views show: the same one has the same name and is of the same asset."""

    asset: str
    """File name."""
    sha256: str
    """Of the asset."""
    name: str


@dataclass
class Reel:
    """One sequence, or the part of it that is in a split."""

    name: str
    """In the export: without a folder, unlike all others."""
    split: str
    of: int
    """Frames that it has when all are rendered."""
    fps: float
    path: str
    """In the export, with a folder for its scene."""
    places: set[int] = field(default_factory=set)
    """Of the frames that are there."""
    areas: defaultdict[ObjectKey, float] = field(default_factory=lambda: defaultdict(float))
    """Pixels that all frames together show of each object."""
    still: Still = field(default_factory=Still)
    """What stands still in it."""
    stands_still: bool = True
    """All of its frames tell that nothing but the camera moves."""

    def note(self, view: DatasetView) -> None:
        """Note what a frame tells of what hangs on time."""
        state = time_dependent(view.record)
        if state is None or (self.stands_still and self.still.note(state, view.key)):
            self.stands_still = False

    def seen(self) -> list[ObjectKey]:
        """Return the objects that are seen in any frame, sorted."""
        return sorted(
            (key for key, area in self.areas.items() if area > 0),
            key=lambda key: (key.name, key.asset, key.sha256),
        )

    @property
    def is_whole(self) -> bool:
        """All of its frames are there."""
        return len(self.places) == self.of


class Timeline:
    """The sequences of the views that were looked at."""

    def __init__(self) -> None:
        self.reels: list[Reel] = []
        self.still = ""
        """The first view that is a picture on its own, if there is one."""
        self._numbers: dict[tuple[str, str, str, int], int] = {}
        """Split, dataset, sequence and how often a place was there before -> its reel."""
        self._order: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        """Split -> of each of its views in turn, the reel and the place in it, in one number."""
        self._names: set[str] = set()

    def add(self, split: str, view: DatasetView, *, folder: str, label: str) -> Reel | None:
        """Note a view, and return its sequence if it has one; views of a split come in order.

        Args:
            split: The view's.
            view: What is noted.
            folder: The view's dataset.
            label: What names of that dataset's views begin with.
        """
        moment = view.record.view.moment
        if moment is None:
            self.still = self.still or view.key
            return None
        number = self._number(split, folder, label, moment)
        self.reels[number].places.add(moment.place)
        self.reels[number].note(view)
        self._order[split].append(number * PLACES + moment.place)
        return self.reels[number]

    def _number(self, split: str, folder: str, label: str, moment: Moment) -> int:
        """Return the number of a frame's reel.

        Sequences that were merged may be called the same: a frame that is there already begins
        another one.
        """
        again = 0
        while True:
            key = (split, folder, moment.sequence, again)
            number = self._numbers.get(key)
            if number is None:
                break
            if moment.place not in self.reels[number].places:
                return number
            again += 1
        folders = [plain(part) for part in moment.sequence.split("/")]
        flat = "-".join(folders)
        wanted = f"{label}__{flat}" if label else flat
        suffix = self._free(wanted)
        path = "/".join([label, *folders] if label else folders)
        self._numbers[key] = len(self.reels)
        self.reels.append(Reel(wanted + suffix, split, moment.of, moment.fps, path + suffix))
        return len(self.reels) - 1

    def _free(self, wanted: str) -> str:
        """Return what makes a name unlike all others: nothing, `-2`, `-3`, ..."""
        suffix, number = "", 2
        while (wanted + suffix).casefold() in self._names:
            suffix, number = f"-{number}", number + 1
        self._names.add((wanted + suffix).casefold())
        return suffix

    def frames(self, split: str, dataset: Dataset) -> Iterator[tuple[DatasetView, str]]:
        """Yield the views of a split, sequence by sequence in time, and their sequences' names."""
        keys = self._order[split]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        in_time = all(at == place for at, place in enumerate(order))
        views: Iterable[DatasetView] = dataset if in_time else (dataset[at] for at in order)
        for view, at in zip(views, order, strict=True):
            yield view, self.reels[keys[at] // PLACES].name


def plain(name: str) -> str:
    """Return what a folder can be called."""
    return re.sub(r"[\\\0\r\n]+", "-", name).lstrip(".") or "sequence"
