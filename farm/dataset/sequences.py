"""The sequences of a dataset: which of its views are frames of which, in the order of time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from farm.dataset.reader import Dataset, DatasetView
from farm.spec.moment import Moment
from farm.spec.task import dataset_key

LOOKED_AT = 32
"""Views that tell whether there are sequences: those of one recipe lie side by side."""


class SequenceFrames:
    """The frames of one sequence, as they come by in any order; 40 bytes for each."""

    def __init__(self, key: str) -> None:
        self.key = key
        """Its folder, from the place that was opened."""
        self.views = array("Q")
        """Of each frame, which view it is."""
        self.places = array("q")
        self.numbers = array("q")
        self.of = array("q")
        self.times_s, self.fps = array("d"), array("d")

    def __len__(self) -> int:
        return len(self.views)

    def add(self, view: int, moment: Moment) -> None:
        """Take one more frame."""
        self.views.append(view)
        self.places.append(moment.place)
        self.numbers.append(moment.number)
        self.of.append(moment.of)
        self.times_s.append(moment.time_s)
        self.fps.append(moment.fps)

    def order(self) -> NDArray[np.intp]:
        """Return the frames, as they came, by their place in the sequence."""
        return np.argsort(np.array(self.places), kind="stable")

    def in_order(self) -> list[int]:
        """Return the views by their place in the sequence."""
        return [self.views[at] for at in self.order().tolist()]


class SequenceIndex:
    """The sequences of a dataset, found while its views come by."""

    def __init__(self) -> None:
        self._found: dict[str, SequenceFrames] = {}

    def __len__(self) -> int:
        return len(self._found)

    @property
    def frames(self) -> int:
        """Of all sequences together."""
        return sum(map(len, self))

    def __iter__(self) -> Iterator[SequenceFrames]:
        return iter(self._found.values())

    def add(self, view: int, prefix: str, moment: Moment | None) -> None:
        """Take a view, by its number, of the dataset `prefix`; one without a moment is of none."""
        if moment is None:
            return
        key = dataset_key(prefix, moment.sequence)
        if key not in self._found:
            self._found[key] = SequenceFrames(key)
        self._found[key].add(view, moment)


def find_sequences(
    data: Dataset, *, progress: Callable[[int], None] = lambda _views: None
) -> SequenceIndex:
    """Return the sequences of what was opened; its records are read once, in a stream."""
    sequences = SequenceIndex()
    for number, view in enumerate(data):
        sequences.add(number, prefix_of(view), view.record.view.moment)
        progress(1)
    return sequences


def prefix_of(view: DatasetView) -> str:
    """Return the dataset that a view is of, as a key."""
    return view.key.removesuffix(view.name).rstrip("/")


def evenly(items: Iterable[int], *, at_most: int) -> tuple[list[int], int]:
    """Return every nth of some items, so that they are few enough, and n."""
    whole = list(items)
    stride = max(1, -(-len(whole) // at_most))
    return whole[::stride], stride


def has_sequences(data: Dataset) -> bool:
    """Say whether views are frames of sequences: `dataset.json` says so, or a few views do."""
    if any(summary.sequences for summary in data.summaries.values()):
        return True
    some, _stride = evenly(range(len(data)), at_most=LOOKED_AT)
    looked = {*some, len(data) - 1} if some else set()
    return any(data[view].record.view.moment is not None for view in looked)
