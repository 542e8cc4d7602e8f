"""Batches from a loader's workers by memory that is used again: `make test-torch` runs this."""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from farm.dataset.torch import Sentences
from farm.stream.handover import HandedSample, Handover


class Samples(IterableDataset):
    """Samples of all that a stream may hold, each worker its share."""

    def __init__(self, folder: Path | None, count: int = 12, *, handed: bool = True) -> None:
        self.folder, self.count, self.handed = folder, count, handed

    def __iter__(self) -> Iterator[dict[str, Any]]:
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        for number in range(first, self.count, step):
            fields = {
                "rgb": torch.full((3, 64, 48), number / 100),
                "turned": torch.arange(64 * 48).reshape(64, 48).T + number,
                "xy": torch.full((8, 2), float(number), dtype=torch.float64),
                "half": torch.full((100, 100), number, dtype=torch.bfloat16),
                "tracks": {"px": torch.full((5, 2), number)},
                "number": number,
                "seen": number % 2 == 0,
                "score": number / 2,
                "name": f"view-{number}",
                "ids": [number, number + 1],
                "expressions": Sentences({"text": f"ball {at}"} for at in range(number % 3)),
            }
            yield HandedSample(fields, self.folder) if self.handed else fields


@pytest.fixture
def shared() -> Iterator[Handover]:
    handover = Handover()
    if handover.folder is None:
        pytest.skip("there is no memory that processes share")
    yield handover
    handover.close()


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def loaded(samples: Samples, **options: Any) -> list[dict[str, Any]]:
    return list(DataLoader(samples, batch_size=4, **options))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="no workers"),
        pytest.param({"num_workers": 2}, id="forked"),
        pytest.param({"num_workers": 2, "multiprocessing_context": "spawn"}, id="spawned"),
    ],
)
def test_batches_are_those_of_pytorch(shared, options):
    found = loaded(Samples(shared.folder), **options)
    wanted = loaded(Samples(None, handed=False), **options)

    assert len(found) == len(wanted) > 1
    for one, other in zip(found, wanted, strict=True):
        assert type(one) is dict
        assert same(one, other)


def test_batches_lie_in_files_that_are_used_again(shared):
    """There are no more of them than are on their way or held at once."""
    count = 0
    for batch in DataLoader(Samples(shared.folder, count=400), batch_size=4, num_workers=1):
        count += len(batch["name"])
        del batch
    gc.collect()

    assert count == 400
    assert 0 < len([each for each in shared.folder.iterdir() if each.name != ".owner"]) <= 5


def test_a_batch_that_is_held_is_not_overwritten(shared):
    held = loaded(Samples(shared.folder, count=40), num_workers=1)

    assert [batch["rgb"][:, 0, 0, 0].mul(100).round().int().tolist() for batch in held] == [
        list(range(first, first + 4)) for first in range(0, 40, 4)
    ]


def test_a_batch_may_be_written_to(shared):
    (batch, *_others) = loaded(Samples(shared.folder), num_workers=1)

    batch["rgb"].zero_()
    assert not batch["rgb"].any()


def test_the_folder_goes_with_whoever_made_it():
    handover = Handover()
    folder = handover.folder
    assert folder is not None
    copy = pickle.loads(pickle.dumps(handover))  # as a spawned worker has it
    copy.close()
    assert folder.is_dir()
    child = os.fork()
    if not child:
        handover.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.is_dir()

    del handover
    assert not folder.exists()


@pytest.mark.parametrize("gone", [True, False])
def test_without_memory_it_goes_the_way_of_pytorch(shared, gone):
    if gone:
        shared.close()
    found = loaded(Samples(shared.folder if gone else None), num_workers=1)

    assert same(found, loaded(Samples(None, handed=False), num_workers=1))


def test_shapes_that_differ_are_told_by_pytorch(shared):
    class Uneven(Samples):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            for side in (64, 65):
                yield HandedSample({"rgb": torch.zeros(3, side, side)}, self.folder)

    with pytest.raises(RuntimeError, match="equal size"):
        loaded(Uneven(shared.folder), num_workers=1)
