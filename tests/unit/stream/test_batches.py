"""Batches that are filled straight from what came."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from farm.errors import StreamError
from farm.stream.batches import Batches, Collator, Pool
from farm.stream.ring import Reader, Writer, end_ring, make_ring, ring_state
from farm.stream.sample import Encoded, Sample
from farm.stream.wire import pack

AT_ONCE = 0.0


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
    some = [pool.take((1000,), np.dtype(np.uint8)) for _ in range(50)]
    del some
    gc.collect()

    assert [len(spare) for spare in pool._spare.values()] == [4]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_ring(tmp_path, slots=6, slot_bytes=4096)
    return tmp_path


def put(writer: Writer, *numbers: int) -> None:
    for number in numbers:
        writer.put(Sample(f"s-{number}", {"n": number}), timeout_s=AT_ONCE)


def test_a_stream_is_cut_into_batches_to_its_end(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        put(writer, 0, 1, 2, 3, 4)
        end_ring(folder)

        found = [batch.ids for batch in Batches(reader, Collator(2), timeout_s=AT_ONCE)]

    assert found == [["s-0", "s-1"], ["s-2", "s-3"], ["s-4"]]
    assert ring_state(folder).acknowledged == 5


def test_a_batch_is_acknowledged_when_the_next_one_is_asked_for(folder):
    """A training that is killed while it uses one gets it again."""
    with Writer(folder) as writer, Reader(folder) as reader:
        put(writer, 0, 1, 2, 3)
        loop = Batches(reader, Collator(2), timeout_s=AT_ONCE)

        next(loop)
        assert ring_state(folder).acknowledged == 0
        next(loop)
        assert ring_state(folder).acknowledged == 2
        loop.acknowledge()  # after it broke: this one was used, too
        assert ring_state(folder).acknowledged == 4


def test_a_silent_stream_is_told_and_nothing_that_came_is_lost(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        loop = Batches(reader, Collator(2), timeout_s=AT_ONCE)
        put(writer, 0)
        with pytest.raises(TimeoutError, match="no sample came for 0 s"):
            next(loop)
        put(writer, 1)

        assert next(loop).ids == ["s-0", "s-1"]
        loop.acknowledge()
        assert ring_state(folder).free == 6


def test_a_ring_that_is_smaller_than_a_batch_is_told(folder):
    with (
        Reader(folder) as reader,
        pytest.raises(StreamError, match="batches of 6 need a queue of 7 samples or more"),
    ):
        Batches(reader, Collator(6), timeout_s=AT_ONCE)


def test_a_batch_has_a_sample():
    with pytest.raises(StreamError, match="at least one sample, not 0"):
        Collator(0)
