"""A stream as PyTorch reads it: each sample to one worker of one loader, all of them, once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from farm.torch import StreamDataset
from tests.integration.streams.conftest import SILENCE_S

EXAMPLES = Path(__file__).parents[3] / "examples"
VIEWS = 21


def numbers(batch):
    return [int(each.partition(":")[0]) for each in batch["id"]]


def a_dataset(farm, **options):
    with farm.stream(views=VIEWS, per_task=2, name=farm.name) as stream:
        return StreamDataset(f"farm:{stream.job_id}", queue=8, timeout_s=SILENCE_S, **options)


@pytest.mark.parametrize(
    ("workers", "start"),
    [pytest.param(0, None, id="alone"), (2, "fork"), (2, "spawn"), (2, "forkserver")],
)
def test_all_samples_come_once_whatever_the_workers(farm, workers, start):
    farm.start_worker()
    views = a_dataset(farm)
    loader = DataLoader(views, batch_size=4, num_workers=workers, multiprocessing_context=start)

    found = [number for batch in loader for number in numbers(batch)]

    assert sorted(found) == list(range(VIEWS))
    views.close()


def test_samples_are_tensors_as_those_of_a_dataset(farm):
    farm.start_worker()
    with a_dataset(farm, transform=lambda sample: sample | {"twice": sample["rgb"] * 2}) as views:
        sample = next(iter(views))

    assert sample["rgb"].shape == (3, 64, 64)
    assert sample["rgb"].dtype == torch.float32
    assert 0.0 <= sample["rgb"].min() <= sample["rgb"].max() <= 1.0
    assert torch.equal(sample["twice"], sample["rgb"] * 2)
    assert sample["name"].startswith("view_")


def test_sentences_come_along_from_a_worker_of_the_loader(farm):
    farm.start_worker()
    views = a_dataset(farm, expressions=True)

    told = {}
    for batch in DataLoader(views, batch_size=4, num_workers=1):
        told |= dict(zip(numbers(batch), batch["expressions"], strict=True))

    assert {number: len(some) for number, some in told.items()} == {
        number: number % 3 for number in range(VIEWS)
    }
    assert all(said["text"].startswith("the view_") for some in told.values() for said in some)
    views.close()


def test_batches_are_tensors_as_rendered(farm):
    farm.start_worker()
    with a_dataset(farm) as views:
        batches = list(views.batches(8))

    assert [batch["rgb"].shape for batch in batches] == [
        torch.Size([size, 64, 64, 3]) for size in (8, 8, 5)
    ]
    assert batches[0]["rgb"].dtype == torch.uint8
    assert sorted(n for batch in batches for n in numbers(batch)) == list(range(VIEWS))


def test_two_ranks_share_a_stream(farm):
    farm.start_worker()
    first, second = a_dataset(farm), a_dataset(farm)
    loaders = [iter(DataLoader(views, batch_size=3, num_workers=1)) for views in (first, second)]

    found = [number for loader in loaders for number in numbers(next(loader))]
    found += [number for loader in loaders for batch in loader for number in numbers(batch)]

    assert sorted(found) == list(range(VIEWS))
    first.close()
    second.close()


TRAIN = """
import sys, threading
from torch.utils.data import DataLoader
from farm.torch import StreamDataset
from tests.integration.streams.conftest import SILENCE_S
views = StreamDataset(sys.argv[1], queue=16, by_hand=True, lease_s=5.0, timeout_s=120)
for number, batch in enumerate(DataLoader(views, batch_size=4, num_workers=2)):
    if number == 2:
        print("dies", flush=True)
        threading.Event().wait()
    views.ack(batch["id"])
    print(*(each.partition(":")[0] for each in batch["id"]), flush=True)
"""


def test_a_killed_training_loses_nothing_and_gets_nothing_twice(farm):
    """It dies with a batch in its hands, and others that its workers have fetched ahead."""
    farm.start_worker()
    after = a_dataset(farm)
    address = f"farm:{after.stream.job_id}"
    with subprocess.Popen(
        [sys.executable, "-c", TRAIN, address], stdout=subprocess.PIPE, text=True
    ) as trainer:
        used: list[int] = []
        for line in trainer.stdout:
            if line.startswith("dies"):
                break
            used += map(int, line.split())
        trainer.kill()
    loader = DataLoader(after, batch_size=4, num_workers=2)

    later = [number for batch in loader for number in numbers(batch)]

    assert 0 < len(used) <= 8  # two batches; a worker that gets no more gives a smaller one
    counts = Counter(used + later)
    assert set(counts) == set(range(VIEWS))
    assert max(counts.values()) == 1
    after.close()


def test_the_example_of_a_training_reads_by_loaders(farm):
    farm.start_worker()
    with farm.stream(views=8, per_task=2, name=farm.name) as stream:
        address = f"farm:{stream.job_id}"
    source = spec_from_file_location("train", EXAMPLES / "train.py")
    train = module_from_spec(source)
    source.loader.exec_module(train)

    found = list(train.batches(address, 2, queue=8))

    assert {tuple(batch["rgb"].shape[1:]) for batch in found} == {(64, 64, 3)}
    assert sorted(number for batch in found for number in numbers(batch)) == list(range(8))
