"""Batches that are filled straight from what came."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from farm.errors import StreamError
from farm.stream.batches import Collator, Pool
from farm.stream.sample import Encoded, Sample
from farm.stream.wire import pack


def message(view: str, **fields: object) -> bytes:
    return b"".join(pack(Sample.of(view, fields)))


def address(array: np.ndarray) -> int:
    return array.ctypes.data


def test_samples_stand_side_by_side():
    collator = Collator(2)
    for number in range(2):
        collator.add(
            message(
                f"s-{number}",
                image=np.full((2, 3), number, np.uint8),
                number=number,
                score=number / 2,
                seen=number == 1,
                name=f"cube {number}",
            )
        )
    batch = collator.finish()

    assert batch.ids == ["s-0", "s-1"]
    assert batch.fields["image"].tolist() == [[[0] * 3] * 2, [[1] * 3] * 2]
    assert batch.fields["image"].dtype == np.uint8
    assert batch.fields["number"].tolist() == [0, 1]
    assert batch.fields["number"].dtype == np.int64
    assert batch.fields["score"].tolist() == [0.0, 0.5]
    assert batch.fields["seen"].tolist() == [False, True]
    assert batch.fields["name"] == ["cube 0", "cube 1"]


def test_fields_have_the_order_of_the_first_sample():
    collator = Collator(1)
    for order in (("b", "a", "c"), ("c", "b", "a")):
        collator.add(message("s", **dict.fromkeys(order, 1)))
        assert list(collator.finish().fields) == ["b", "a", "c"]


def test_ragged_fields_are_lists():
    collator = Collator(2, ragged=["xy"])
    collator.add(message("s-0", xy=np.zeros((3, 2))))
    collator.add(message("s-1", xy=np.zeros((0, 2))))

    assert [each.shape for each in collator.finish().fields["xy"]] == [(3, 2), (0, 2)]


def test_a_batch_that_is_not_full_has_as_many_rows_as_samples():
    collator = Collator(8)
    collator.add(message("s-0", n=1, image=np.zeros((2, 2))))
    batch = collator.finish()

    assert batch.fields["n"].tolist() == [1]
    assert batch.fields["image"].shape == (1, 2, 2)


def test_pictures_are_decoded_into_their_row():
    collator = Collator(2, decode=lambda _name, picture: np.frombuffer(picture.data, np.uint8))
    collator.add(b"".join(pack(Sample("s-0", {"rgb": Encoded("png", b"\1\2")}))))

    assert collator.finish().fields["rgb"].tolist() == [[1, 2]]


def test_a_shape_that_changes_is_told():
    collator = Collator(2)
    collator.add(message("s-0", image=np.zeros((2, 2), np.uint8)))

    with pytest.raises(StreamError, match="sample s-1: its field image is uint8"):
        collator.add(message("s-1", image=np.zeros((2, 3), np.uint8)))


def test_a_batch_that_is_dropped_costs_no_new_memory():
    pool = Pool()
    shape, dtype = (4, 5), np.dtype(np.float32)
    first, _same = pool.take(shape, dtype)
    place = address(first)
    del first, _same
    gc.collect()

    assert address(pool.take(shape, dtype)[0]) == place


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda whole: whole, id="the whole"),
        pytest.param(lambda whole: whole[1][2:], id="a part of a part"),
        pytest.param(lambda whole: whole.T.reshape(5, 2, 2)[::-1], id="another order"),
        pytest.param(lambda whole: whole.view(np.uint8), id="other numbers"),
        pytest.param(lambda whole: memoryview(whole), id="a buffer"),
        pytest.param(lambda whole: np.asarray(memoryview(whole)), id="an array of a buffer"),
        pytest.param(lambda whole: whole.flat, id="a walk"),
    ],
)
def test_what_somebody_holds_is_not_overwritten(part):
    pool = Pool()
    whole, same = pool.take((4, 5), np.dtype(np.float32))
    whole[:] = 7
    held = part(whole)
    place = address(whole)
    del whole, same
    gc.collect()

    others = [pool.take((4, 5), np.dtype(np.float32))[0] for _ in range(3)]
    assert place not in [address(each) for each in others]
    del held
    gc.collect()
    assert address(pool.take((4, 5), np.dtype(np.float32))[0]) == place


def test_little_is_kept_for_later():
    pool = Pool()
    some = [pool.take((1 << 22,), np.dtype(np.uint8)) for _ in range(50)]
    del some
    gc.collect()

    assert [len(spare) for spare in pool._spare.values()] == [16]


def test_a_batch_has_a_sample():
    with pytest.raises(StreamError, match="at least one sample, not 0"):
        Collator(0)
