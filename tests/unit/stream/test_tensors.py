"""Batches as tensors: `make test-torch` runs this."""

from __future__ import annotations

import gc
import warnings

import numpy as np
import pytest
import torch

from farm.stream.batches import Collator
from farm.stream.sample import Sample
from farm.stream.tensors import Tensors
from farm.stream.wire import pack


def filled(collator: Collator, value: int) -> dict[str, torch.Tensor]:
    for number in range(2):
        sample = Sample(f"s-{number}", {"image": np.full((3, 4), value, np.uint8), "n": number})
        collator.add(b"".join(pack(sample)))
    return collator.finish().fields


def test_batches_are_tensors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields = filled(Collator(2, memory=Tensors()), 5)

    assert fields["image"].dtype == torch.uint8
    assert fields["image"].shape == (2, 3, 4)
    assert fields["image"].is_pinned() == torch.cuda.is_available()
    assert fields["n"].tolist() == [0, 1]
    assert fields["n"].dtype == torch.int64


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda image: image[0], id="a row"),
        pytest.param(lambda image: image.permute(0, 2, 1)[:, 1:], id="another order"),
        pytest.param(lambda image: image.numpy(), id="an array"),
        pytest.param(lambda image: image.untyped_storage(), id="its bytes"),
    ],
)
def test_tensors_that_somebody_holds_are_not_overwritten(part):
    collator = Collator(2, memory=Tensors(pinned=False))
    fields = filled(collator, 5)
    place = fields["image"].data_ptr()
    held = part(fields["image"])
    del fields
    gc.collect()

    assert filled(collator, 6)["image"].data_ptr() != place
    del held
    gc.collect()
    fields = [filled(collator, 7)["image"] for _ in range(2)]
    assert place in [each.data_ptr() for each in fields]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="memory is pinned for a GPU")
def test_a_copy_to_the_gpu_is_done_before_its_memory_is_used_again():
    collator = Collator(2, memory=Tensors())
    gpu = [filled(collator, value)["image"].to("cuda", non_blocking=True) for value in range(50)]

    torch.cuda.synchronize()
    assert [int(each.float().mean()) for each in gpu] == list(range(50))
