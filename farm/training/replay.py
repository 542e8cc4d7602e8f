"""A recorded stream again: shuffled, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

import farm.dataset
from farm.dataset.reader import DatasetView
from farm.errors import SpecError
from farm.stream.sample import Encoded, Sample
from farm.training.record import NO_PICKLE
from farm.training.view import RECORD, StreamedView


def replay(
    folder: str | PathLike[str], *, shuffle: bool = False, loop: bool = False, seed: int = 0
) -> Iterator[StreamedView]:
    """Yield the views of a recorded stream, or of any dataset, as a stream does.

    Args:
        folder: What `record=` named, or what `farm.dataset.open` takes.
        shuffle: In another order each time round.
        loop: Without end.
        seed: Of the order.

    Raises:
        SpecError: It is a recording of blendtorch.
        DatasetError: No dataset is there.
    """
    if str(folder).endswith(".btr") or any(Path(folder).glob("*.btr")):
        raise SpecError(f"{folder}: {NO_PICKLE}")
    data = farm.dataset.open_quietly(folder, every=True)
    return _views(data.__getitem__, len(data), shuffle=shuffle, loop=loop, seed=seed)


def _views(
    view_at: Callable[[int], DatasetView], count: int, *, shuffle: bool, loop: bool, seed: int
) -> Iterator[StreamedView]:
    rng = np.random.default_rng(seed)
    while True:
        for place in rng.permutation(count) if shuffle else range(count):
            yield replayed(int(place), view_at(int(place)))
        if not loop or not count:
            return


def replayed(number: int, view: DatasetView) -> StreamedView:
    """Return a view of a dataset as one of a stream."""
    record = view.record
    files: dict[str, Any] = {
        name: Encoded(file.path.rpartition(".")[2], view.data(name))
        for name, file in record.files.items()
    }
    told = {name: value for name, value in record.fields.items() if name not in files}
    return StreamedView(
        number, Sample.of(record.view_id, {**files, **told, RECORD: record.model_dump_json()})
    )
